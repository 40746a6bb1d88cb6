//! The clock seam.

use std::time::Duration;

use crate::ids::Timestamp;

/// Wall time and monotonic time.
pub trait Clock: Send + Sync {
    /// Wall time, may jump.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, never goes back.
    fn monotonic(&self) -> Duration;
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the clock seam")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp(since.map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)))
    }

    #[allow(clippy::disallowed_methods, reason = "this is the clock seam")]
    fn monotonic(&self) -> Duration {
        use std::sync::LazyLock;
        use std::time::Instant;
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}
