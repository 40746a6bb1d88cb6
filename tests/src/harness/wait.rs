//! Waiting on a condition, never for a time: poll until it holds or its deadline passes.
#![allow(
    clippy::disallowed_methods,
    reason = "real programs are watched here: their deadlines are in real time, and no seam reaches into them"
)]

use std::time::{Duration, Instant};

/// How long to leave the processor to others between two looks at a condition.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// The condition did not come to hold in time.
#[derive(Debug)]
pub struct TimedOut {
    /// What was waited for.
    pub what: String,
    /// How long.
    pub budget: Duration,
}

impl std::fmt::Display for TimedOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "waited {:.0} s for {}", self.budget.as_secs_f64(), self.what)
    }
}

impl std::error::Error for TimedOut {}

/// Looks at `condition` until it gives a value, at most for `budget`.
pub fn until<T>(what: &str, budget: Duration, mut condition: impl FnMut() -> Option<T>) -> Result<T, TimedOut> {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return Ok(value);
        }
        if start.elapsed() > budget {
            return Err(TimedOut { what: what.to_owned(), budget });
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// Lets the moment of a fault come, as it was drawn, or the time of a way pass: not a wait for anything to happen.
pub fn moment(drawn: Duration) {
    std::thread::sleep(drawn);
}

/// How long something takes.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since the start.
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
