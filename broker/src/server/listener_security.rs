//! `ssl.*` and `sasl.*` change while the broker runs: for connections that come later.

use std::sync::Arc;

use barnabas_config::Config;
use barnabas_raft::{Controller, MetadataDelta, MetadataImage, MetadataListener};
use barnabas_storage::seam::Seams;

use super::StartError;
use crate::login::Logins;
use crate::metrics::Metrics;
use crate::seam::Tasks;
use crate::settings::Settings;
use crate::tls::Certificates;

/// What listeners offer by TLS and SASL: as `config` says, which is `files` with what was changed in the running cluster over it.
pub(super) fn open(
    config: &Config,
    files: &Config,
    controller: &Controller,
    seams: &Seams,
    tasks: &Tasks,
    metrics: &Arc<Metrics>,
) -> Result<(Arc<Certificates>, Arc<Logins>), StartError> {
    let certificates = Certificates::open(config, files, seams, metrics)?;
    let (controller, seams, tasks) = (controller.clone(), seams.clone(), tasks.clone());
    let logins = Logins::new(config, files, controller, seams, tasks, Arc::clone(metrics))?;
    Ok((Arc::new(certificates), Arc::new(logins)))
}

/// Tells the listeners. Hears of a change after [`Settings`].
pub(super) struct ListenerSecurity {
    pub(super) certificates: Arc<Certificates>,
    pub(super) logins: Arc<Logins>,
    pub(super) settings: Arc<Settings>,
}

impl MetadataListener for ListenerSecurity {
    fn publish(&self, delta: &MetadataDelta, _image: &Arc<MetadataImage>) {
        if delta.configs_changed {
            let config = self.settings.config();
            self.certificates.follow(&config);
            self.logins.follow(&config);
        }
    }
}
