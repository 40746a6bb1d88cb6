//! Keys and certificates whose files have changed are read again.

use std::sync::Arc;
use std::time::Duration;

use barnabas_config::key;

use crate::broker::Broker;

/// Looks at the files every `ssl.reload.interval.ms`, until the broker stops.
pub(super) fn watch(broker: &Arc<Broker>) {
    let interval = u64::try_from(broker.config.read(&key::SSL_RELOAD_INTERVAL_MS)).unwrap_or(0);
    let certificates = Arc::clone(&broker.certificates);
    if certificates.is_empty() || interval == 0 {
        return;
    }
    let tasks = broker.tasks.clone();
    let mut stopping = broker.tasks.stopping();
    broker.tasks.spawn("certificates", async move {
        loop {
            tokio::select! {
                biased;
                () = stopping.wait() => return,
                () = tasks.sleep(Duration::from_millis(interval)) => {}
            }
            let these = Arc::clone(&certificates);
            tasks.blocking(move || these.reload_when_changed()).await;
        }
    });
}
