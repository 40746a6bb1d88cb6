//! Time of the simulation. The wall clock may jump; the monotonic one is the lock-step's.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use barnabas_storage::Timestamp;
use barnabas_storage::seam::Clock;
use parking_lot::lockstep;

/// 2026-01-01, when every simulation begins.
const BEGINNING_MS: i64 = 1_767_225_600_000;

/// The machine's clock.
#[derive(Default)]
pub(crate) struct SimClock {
    skew_ms: AtomicI64,
}

impl SimClock {
    /// Lets the wall clock jump.
    pub(crate) fn jump(&self, by_ms: i64) {
        self.skew_ms.fetch_add(by_ms, Ordering::SeqCst);
    }

    /// Sets it right again.
    pub(crate) fn set_right(&self) {
        self.skew_ms.store(0, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let since = i64::try_from(lockstep::now().as_millis()).unwrap_or(i64::MAX);
        Timestamp(BEGINNING_MS + since + self.skew_ms.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        lockstep::now()
    }
}
