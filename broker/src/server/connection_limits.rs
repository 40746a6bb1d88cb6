//! `max.connections`, `max.connections.per.ip`, its overrides and `max.connection.creation.rate` change while the broker runs: for
//! connections that come later.

use std::sync::Arc;

use barnabas_config::key;
use barnabas_raft::{MetadataDelta, MetadataImage, MetadataListener};

use crate::network::address_limits::{self, AddressLimits};
use crate::network::slots::{Places, Slots};
use crate::quota::Quotas;
use crate::seam::Tasks;
use crate::settings::Settings;

/// Tells the network, and who counts arrivals.
pub(super) struct ConnectionLimits {
    slots: Arc<Slots>,
    addresses: Arc<AddressLimits>,
    quotas: Arc<Quotas>,
    settings: Arc<Settings>,
}

impl ConnectionLimits {
    /// As the settings are now.
    pub(super) fn new(slots: Arc<Slots>, tasks: Tasks, quotas: Arc<Quotas>, settings: Arc<Settings>) -> Self {
        let lookup = Arc::new(address_limits::system);
        let addresses = Arc::new(AddressLimits::new(Arc::clone(&slots), tasks, lookup));
        let limits = Self { slots, addresses, quotas, settings };
        limits.take();
        limits
    }

    fn take(&self) {
        let config = self.settings.config();
        self.slots.limit(Places::of_config(&config));
        self.addresses.take(&config.read(&key::MAX_CONNECTIONS_PER_IP_OVERRIDES));
        self.quotas.limit_arrivals(&config);
    }
}

impl MetadataListener for ConnectionLimits {
    fn publish(&self, delta: &MetadataDelta, _image: &Arc<MetadataImage>) {
        if delta.configs_changed {
            self.take();
        }
    }
}
