//! Numbers drawn from a seed, so that a run can be had again as far as its faults go.

use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Draws numbers (SplitMix64).
#[derive(Debug)]
pub struct Dice {
    seed: u64,
    state: u64,
}

impl Dice {
    /// With the seed of this environment variable, else one from the clock.
    #[allow(
        clippy::disallowed_methods,
        reason = "a seed that nobody chose; it is told, and can be chosen the next time"
    )]
    pub fn from_environment(variable: &str) -> Self {
        let chosen = std::env::var(variable).ok().and_then(|seed| seed.parse().ok());
        let seed = chosen.unwrap_or_else(|| {
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::from(now.subsec_nanos()))
        });
        Self { seed, state: seed }
    }

    /// With this seed.
    pub fn of(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    /// What to set the variable to for the same faults.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A number of the range, which is not empty.
    pub fn draw(&mut self, range: Range<u64>) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        range.start + (mixed ^ (mixed >> 31)) % (range.end - range.start)
    }

    /// A time below this many milliseconds.
    pub fn moment(&mut self, below_ms: u64) -> Duration {
        Duration::from_micros(self.draw(0..below_ms * 1000))
    }
}
