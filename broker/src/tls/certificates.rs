//! Keys and certificates of all listeners.

use std::sync::Arc;

use barnabas_config::Config;
use barnabas_storage::seam::Seams;

use super::{LiveTls, TlsError};
use crate::metrics::Metrics;

/// The TLS of every listener that has it.
pub struct Certificates {
    all: Vec<Arc<LiveTls>>,
    metrics: Arc<Metrics>,
}

/// A listener's key or certificates cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("listener {listener}: {source}")]
pub struct CertificateError {
    /// The listener.
    listener: String,
    /// Why.
    source: Box<TlsError>,
}

impl Certificates {
    /// Opens those of every listener with TLS: as `config` says, which is `files` with what was changed in the running cluster
    /// over it, or with the keys of `files` where those cannot be used.
    ///
    /// # Errors
    /// What cannot be used, with its listener.
    pub fn open(
        config: &Config,
        files: &Config,
        seams: &Seams,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, CertificateError> {
        let mut all: Vec<Arc<LiveTls>> = Vec::new();
        for listener in config.all_listeners().filter(|listener| listener.protocol.is_tls()) {
            // A name may come twice, for both address families.
            if all.iter().any(|tls| tls.listener() == listener.name) {
                continue;
            }
            let tls = LiveTls::open_changed(config, files, listener, seams)
                .map_err(|source| CertificateError { listener: listener.name.clone(), source: Box::new(source) })?;
            all.push(Arc::new(tls));
        }
        let certificates = Self { all, metrics: Arc::clone(metrics) };
        certificates.tell_expiry();
        Ok(certificates)
    }

    /// Whether no listener has TLS.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A listener's.
    #[must_use]
    pub fn of(&self, listener: &str) -> Option<&Arc<LiveTls>> {
        self.all.iter().find(|tls| tls.listener() == listener)
    }

    /// Reads everything again, changed or not. What cannot be used leaves the old ones in place, with a word in the log.
    pub fn reload(&self) {
        self.all.iter().for_each(|tls| drop(tls.reload()));
        self.tell_expiry();
    }

    /// Reads again what has changed. Blocks on files.
    pub fn reload_when_changed(&self) {
        self.all.iter().for_each(|tls| drop(tls.reload_when_changed()));
        self.tell_expiry();
    }

    /// Follows the settings. What cannot be used leaves the old ones in place, with a word in the log. Blocks on files.
    pub fn follow(&self, config: &Config) {
        self.all.iter().for_each(|tls| drop(tls.follow(config)));
        self.tell_expiry();
    }

    /// Whether the settings can be followed. Blocks on files.
    ///
    /// # Errors
    /// What cannot be used, with its listener.
    pub fn check(&self, config: &Config) -> Result<(), CertificateError> {
        let of =
            |tls: &LiveTls, source| CertificateError { listener: tls.listener().to_owned(), source: Box::new(source) };
        self.all.iter().try_for_each(|tls| tls.check(config).map_err(|source| of(tls, source)))
    }

    /// Tells when the first of them expires.
    fn tell_expiry(&self) {
        let first = self.all.iter().map(|tls| tls.expires_ms() / 1000).min().unwrap_or(0);
        self.metrics.certificate_expiry_seconds.set(usize::try_from(first).unwrap_or(0));
    }
}
