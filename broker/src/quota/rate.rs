//! The average rate of one client over the latest windows, as Kafka's sampled rate computes it. Pure.
//!
//! A window begins with the first event after the one before is over. The average is over the time since the oldest
//! window began, and never over less than all windows but one: a burst after silence is measured against the quota of
//! ten seconds, not of one.

use std::collections::VecDeque;
use std::time::Duration;

/// How a rate is averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// `quota.window.num`.
    pub count: usize,
    /// `quota.window.size.seconds`.
    pub length: Duration,
}

impl Windows {
    /// All of them together.
    #[must_use]
    pub fn span(self) -> Duration {
        self.length * u32::try_from(self.count).unwrap_or(u32::MAX)
    }
}

#[derive(Clone, Copy, Debug)]
struct Window {
    start: Duration,
    /// The last event.
    last: Duration,
    sum: f64,
}

/// The windows of one client.
#[derive(Debug)]
pub(super) struct Rate {
    windows: Windows,
    latest: VecDeque<Window>,
}

impl Rate {
    pub(super) fn new(windows: Windows) -> Self {
        Self { windows, latest: VecDeque::new() }
    }

    /// Counts `amount` at `now`.
    pub(super) fn record(&mut self, amount: f64, now: Duration) {
        let length = self.windows.length;
        match self.latest.back_mut().filter(|window| now.saturating_sub(window.start) < length) {
            Some(window) => {
                window.sum += amount;
                window.last = now;
            }
            None => {
                self.latest.push_back(Window { start: now, last: now, sum: amount });
                if self.latest.len() > self.windows.count + 1 {
                    self.latest.pop_front();
                }
            }
        }
    }

    /// How long nothing must happen until the average is back at `quota` a second.
    pub(super) fn excess(&mut self, quota: f64, now: Duration) -> Duration {
        let span = self.span(now).as_secs_f64();
        let sum: f64 = self.latest.iter().map(|window| window.sum).sum();
        let seconds = (sum / span - quota) / quota * span;
        Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
    }

    /// The time over which the average is taken; windows that are over long since are forgotten.
    fn span(&mut self, now: Duration) -> Duration {
        let expired = self.windows.span();
        self.latest.retain(|window| now.saturating_sub(window.last) < expired);
        let oldest = self.latest.front().map_or(now, |window| window.start);
        let elapsed = now.saturating_sub(oldest);
        let (full, length) = (elapsed.as_nanos() / self.windows.length.as_nanos().max(1), self.windows.length);
        let missing = (self.windows.count as u128).saturating_sub(1).saturating_sub(full);
        (elapsed + length * u32::try_from(missing).unwrap_or(u32::MAX)).max(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: Windows = Windows { count: 11, length: Duration::from_secs(1) };

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_burst_is_measured_against_ten_seconds() {
        let mut rate = Rate::new(WINDOWS);
        rate.record(10_000.0, millis(5));
        assert_eq!(rate.excess(1000.0, millis(5)), Duration::ZERO);
        rate.record(500.0, millis(5));
        assert_eq!(rate.excess(1000.0, millis(5)), millis(500));
    }

    #[test]
    fn after_the_wait_the_average_is_at_the_quota() {
        let mut rate = Rate::new(WINDOWS);
        for second in 0..10 {
            rate.record(2000.0, millis(second * 1000));
        }
        let now = millis(9500);
        // 20,000 over 10.5 seconds.
        assert_eq!(rate.excess(1000.0, now).as_millis(), 9500);
        assert_eq!(rate.excess(1000.0, now + millis(9500)), Duration::ZERO);
    }

    #[test]
    fn windows_of_which_the_last_event_is_old_are_forgotten() {
        let mut rate = Rate::new(WINDOWS);
        rate.record(1e9, millis(0));
        assert!(rate.excess(1.0, millis(10_999)) > Duration::ZERO);
        assert_eq!(rate.excess(1.0, millis(11_000)), Duration::ZERO);
        assert!(rate.latest.is_empty());
    }

    #[test]
    fn what_is_taken_back_was_never_there() {
        let mut rate = Rate::new(WINDOWS);
        rate.record(1e6, millis(0));
        rate.record(-1e6, millis(1));
        assert_eq!(rate.excess(1.0, millis(2)), Duration::ZERO);
    }

    #[test]
    fn there_are_never_more_windows_than_asked_for_and_one() {
        let mut rate = Rate::new(WINDOWS);
        for event in 0..1000 {
            rate.record(1.0, millis(event * 500));
        }
        assert_eq!(rate.latest.len(), WINDOWS.count + 1);
    }
}
