//! A connection that is not to be read for a while: its client has had more than its quota (KIP-219).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Until when a connection is not read, on the clock of the tasks. It only moves forward.
#[derive(Debug, Default)]
pub struct Mute(AtomicU64);

impl Mute {
    /// Not before `moment`.
    pub fn until(&self, moment: Duration) {
        self.0.fetch_max(u64::try_from(moment.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// How long still at `now`.
    #[must_use]
    pub fn left(&self, now: Duration) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed)).saturating_sub(now)
    }
}
