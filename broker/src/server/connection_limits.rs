//! `max.connections`, `max.connections.per.ip`, its overrides and `max.connection.creation.rate` change while the broker runs: for
//! connections that come later.

use std::sync::Arc;

use barnabas_raft::{MetadataDelta, MetadataImage, MetadataListener};

use crate::network::Network;
use crate::network::slots::Places;
use crate::quota::Quotas;
use crate::settings::Settings;

/// Tells the network, and who counts arrivals.
pub(super) struct ConnectionLimits {
    pub(super) network: Arc<Network>,
    pub(super) quotas: Arc<Quotas>,
    pub(super) settings: Arc<Settings>,
}

impl MetadataListener for ConnectionLimits {
    fn publish(&self, delta: &MetadataDelta, _image: &Arc<MetadataImage>) {
        if delta.configs_changed {
            let config = self.settings.config();
            self.network.slots.limit(Places::of_config(&config));
            self.quotas.limit_arrivals(&config);
        }
    }
}
