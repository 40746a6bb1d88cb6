//! The broker's settings as they are now: those of the start, and over them what was changed in the running cluster.
//!
//! Follows the metadata, before the partitions do: what they read when they hear of a change is already there.

use std::sync::Arc;

use arc_swap::ArcSwap;
use barnabas_config::described::Layers;
use barnabas_config::{Config, Dynamic, Values};
use barnabas_raft::metadata::resource_configs::{Resource, ResourceKind};
use barnabas_raft::{BrokerId, MetadataDelta, MetadataImage, MetadataListener};

/// The settings as they are now.
pub struct Settings {
    broker: BrokerId,
    fixed: Arc<Config>,
    present: ArcSwap<Present>,
}

/// What was changed, and what it comes to.
pub struct Present {
    /// What was changed in the running cluster.
    pub dynamic: Dynamic,
    /// The effective settings.
    pub config: Arc<Config>,
}

impl Settings {
    /// The settings of the start under what `image` knows to be changed.
    #[must_use]
    pub fn new(broker: BrokerId, fixed: Arc<Config>, image: &MetadataImage) -> Self {
        let unchanged = Present { dynamic: Dynamic::default(), config: Arc::clone(&fixed) };
        let this = Self { broker, fixed, present: ArcSwap::from_pointee(unchanged) };
        this.take(image);
        this
    }

    /// The effective settings.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.present.load().config)
    }

    /// What was changed, and what it comes to.
    #[must_use]
    pub fn present(&self) -> Arc<Present> {
        self.present.load_full()
    }

    /// What the settings would be if these were all that was changed: for this broker, or else for the whole cluster.
    #[must_use]
    pub fn with(&self, of_this_broker: bool, values: Values) -> Config {
        let mut dynamic = self.present.load().dynamic.clone();
        *(if of_this_broker { &mut dynamic.broker } else { &mut dynamic.cluster }) = values;
        self.fixed.with_dynamic(&dynamic)
    }

    /// The settings by where they stand.
    #[must_use]
    pub fn layers<'a>(&'a self, present: &'a Present) -> Layers<'a> {
        Layers { fixed: &self.fixed, dynamic: &present.dynamic }
    }

    fn take(&self, image: &MetadataImage) {
        let of = |name: String| image.resource_configs(&Resource { kind: ResourceKind::Broker, name }).clone();
        let dynamic = Dynamic { cluster: of(String::new()), broker: of(self.broker.0.to_string()) };
        if dynamic != self.present.load().dynamic {
            let config = Arc::new(self.fixed.with_dynamic(&dynamic));
            self.present.store(Arc::new(Present { dynamic, config }));
        }
    }
}

impl MetadataListener for Settings {
    fn publish(&self, delta: &MetadataDelta, image: &Arc<MetadataImage>) {
        if delta.configs_changed {
            self.take(image);
        }
    }
}
