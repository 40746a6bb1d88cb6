//! What counters showed when somebody looked before, so that a look can tell of the last minutes: quantiles since the start
//! of a broker tell nothing of today.
//!
//! Invariants:
//! 1. Only who looks keeps anything: a broker that nobody looks at keeps nothing, and is not woken.
//! 2. At most [`KEPT_MAX`] looks are kept, however many look how often.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::Mutex;

/// How much of the past a look tells of, where somebody looks every minute; Kafka's reservoirs forget as quickly.
const WINDOW: Duration = Duration::from_secs(300);
/// How far apart looks are that are kept.
const APART: Duration = Duration::from_secs(60);
/// Looks that are kept.
const KEPT_MAX: usize = 6;

/// Earlier looks, each with its moment.
#[derive(Debug)]
pub struct Looks<T>(Mutex<VecDeque<(Duration, T)>>);

impl<T> Default for Looks<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Looks<T> {
    /// The earlier look that this one is compared to, and when it was: the oldest within the window, or the last one before
    /// it. `None` for the first.
    pub fn look(&self, now: Duration, present: &T) -> Option<(Duration, T)> {
        let mut kept = self.0.lock();
        while kept.get(1).is_some_and(|(at, _)| now.saturating_sub(*at) >= WINDOW) {
            kept.pop_front();
        }
        let earlier = kept.front().cloned();
        if kept.back().is_none_or(|(at, _)| now.saturating_sub(*at) >= APART) {
            if kept.len() == KEPT_MAX {
                kept.pop_front();
            }
            kept.push_back((now, present.clone()));
        }
        earlier
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_look_is_compared_to_the_oldest_of_the_last_minutes() {
        let looks = Looks::default();
        assert_eq!(looks.look(seconds(0), &0), None);
        for at in 1..=1000 {
            let (earlier, shown) = looks.look(seconds(at), &at).unwrap();
            assert_eq!(earlier, seconds(shown));
            assert!(at - shown <= 300 + 60, "{at} was compared to {shown}");
            assert!(at < 300 || at - shown >= 300 - 60, "{at} was compared to {shown}");
        }
        assert!(looks.0.lock().len() <= KEPT_MAX);
    }

    #[test]
    fn who_looks_once_an_hour_is_told_of_that_hour() {
        let looks = Looks::default();
        for hour in 0..5 {
            let earlier = looks.look(seconds(hour * 3600), &hour);
            assert_eq!(earlier.map(|(_, shown)| shown), hour.checked_sub(1));
        }
    }
}
