//! The time that certificates are judged by, from the clock seam.

use std::sync::Arc;
use std::time::Duration;

use barnabas_storage::seam::Clock;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

/// rustls's clock is ours.
pub(super) struct SeamTime(pub(super) Arc<dyn Clock>);

impl std::fmt::Debug for SeamTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SeamTime")
    }
}

impl TimeProvider for SeamTime {
    fn current_time(&self) -> Option<UnixTime> {
        let now = u64::try_from(self.0.now().0).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(now)))
    }
}
