//! `max.connections` and `max.connections.per.ip` change while the broker runs: for connections that come later.

use std::sync::Arc;

use barnabas_raft::{MetadataDelta, MetadataImage, MetadataListener};

use crate::network::Network;
use crate::network::slots::Places;
use crate::settings::Settings;

/// Tells the network.
pub(super) struct ConnectionLimits {
    pub(super) network: Arc<Network>,
    pub(super) settings: Arc<Settings>,
}

impl MetadataListener for ConnectionLimits {
    fn publish(&self, delta: &MetadataDelta, _image: &Arc<MetadataImage>) {
        if delta.configs_changed {
            self.network.slots.limit(Places::of_config(&self.settings.config()));
        }
    }
}
