//! Keys and certificates of all listeners: opened at the start, and read again when their files have changed.

use std::sync::Arc;
use std::time::Duration;

use barnabas_config::{Config, key};
use barnabas_storage::seam::Seams;

use crate::broker::Broker;
use crate::metrics::Metrics;
use crate::tls::{LiveTls, TlsError};

/// The TLS of every listener that has it.
pub(super) type Certificates = Vec<Arc<LiveTls>>;

/// A listener's key or certificates cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("listener {listener}: {source}")]
pub struct CertificateError {
    /// The listener.
    listener: String,
    /// Why.
    source: Box<TlsError>,
}

/// Opens those of every listener with TLS.
pub(super) fn open(config: &Config, seams: &Seams) -> Result<Certificates, CertificateError> {
    let mut opened: Certificates = Vec::new();
    for listener in config.listeners().iter().filter(|listener| listener.protocol.is_tls()) {
        // A name may come twice, for both address families.
        if opened.iter().any(|tls| tls.listener() == listener.name) {
            continue;
        }
        let tls = LiveTls::open(config, listener, seams)
            .map_err(|source| CertificateError { listener: listener.name.clone(), source: Box::new(source) })?;
        opened.push(Arc::new(tls));
    }
    Ok(opened)
}

/// Tells when the first of them expires.
pub(super) fn tell_expiry(metrics: &Metrics, certificates: &Certificates) {
    let first = certificates.iter().map(|tls| tls.expires_ms() / 1000).min().unwrap_or(0);
    metrics.certificate_expiry_seconds.set(usize::try_from(first).unwrap_or(0));
}

/// Looks at the files every `ssl.reload.interval.ms`, until the broker stops.
pub(super) fn watch(broker: &Arc<Broker>, certificates: &Arc<Certificates>) {
    let interval = u64::try_from(broker.config.read(&key::SSL_RELOAD_INTERVAL_MS)).unwrap_or(0);
    if certificates.is_empty() || interval == 0 {
        return;
    }
    let (tasks, metrics) = (broker.tasks.clone(), Arc::clone(&broker.metrics));
    let certificates = Arc::clone(certificates);
    let mut stopping = broker.tasks.stopping();
    broker.tasks.spawn("certificates", async move {
        loop {
            tokio::select! {
                biased;
                () = stopping.wait() => return,
                () = tasks.sleep(Duration::from_millis(interval)) => {}
            }
            let these = Arc::clone(&certificates);
            tasks.blocking(move || these.iter().for_each(|tls| drop(tls.reload_when_changed()))).await;
            tell_expiry(&metrics, &certificates);
        }
    });
}
