//! When each request is to leave, and when no more are to. All connections of a run draw their turns from one schedule.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Whether runs of this process are to end.
static IS_STOPPED: AtomicBool = AtomicBool::new(false);

/// Ends every run of this process: what is under way is awaited, and counts.
pub fn stop() {
    IS_STOPPED.store(true, Ordering::Relaxed);
}

/// What ends a run; the first that is reached. Without any a run would not end: callers set one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limit {
    /// After this time.
    pub time: Option<Duration>,
    /// After these bytes of batches.
    pub bytes: Option<u64>,
    /// After these records.
    pub records: Option<u64>,
}

impl Limit {
    /// Requests of `bytes` and `records` each that fill the limit, the last one counted whole.
    #[must_use]
    pub fn requests(&self, bytes: u64, records: u64) -> Option<u64> {
        let by_bytes = self.bytes.map(|limit| limit.div_ceil(bytes.max(1)));
        let by_records = self.records.map(|limit| limit.div_ceil(records.max(1)));
        by_bytes.into_iter().chain(by_records).min().map(|requests| requests.max(1))
    }
}

/// A request that may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its number in the run.
    pub number: u64,
    /// When it is due, if the run has a rate.
    pub due: Option<Instant>,
}

/// The turns of a run.
#[derive(Debug)]
pub struct Schedule {
    start: Instant,
    taken: AtomicU64,
    requests_max: u64,
    end: Option<Instant>,
    requests_per_second: Option<f64>,
}

impl Schedule {
    /// A schedule from now on.
    #[must_use]
    pub fn new(time: Option<Duration>, requests: Option<u64>, requests_per_second: Option<f64>) -> Self {
        Self::from(Instant::now(), time, requests, requests_per_second)
    }

    fn from(start: Instant, time: Option<Duration>, requests: Option<u64>, requests_per_second: Option<f64>) -> Self {
        let end = time.and_then(|time| start.checked_add(time));
        Self {
            start,
            taken: AtomicU64::new(0),
            requests_max: requests.unwrap_or(u64::MAX),
            end,
            requests_per_second: requests_per_second.filter(|rate| *rate > 0.0),
        }
    }

    /// The next turn; none when the run is over.
    pub fn next(&self) -> Option<Turn> {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        let due = self.due(number);
        let over = number >= self.requests_max || self.end.is_some_and(|end| due.unwrap_or_else(Instant::now) >= end);
        let over = over || IS_STOPPED.load(Ordering::Relaxed);
        (!over).then_some(Turn { number, due })
    }

    /// When request `number` is due, if there is a rate.
    #[must_use]
    pub fn due(&self, number: u64) -> Option<Instant> {
        let rate = self.requests_per_second?;
        let after = Duration::try_from_secs_f64(number as f64 / rate).unwrap_or(Duration::MAX);
        Some(self.start.checked_add(after).unwrap_or(self.start))
    }

    /// When the run began.
    #[must_use]
    pub fn start(&self) -> Instant {
        self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_limit_counts_and_the_last_request_is_whole() {
        let limit = Limit { time: None, bytes: Some(1_000_001), records: Some(50) };
        assert_eq!(limit.requests(1000, 10), Some(5));
        assert_eq!(Limit { records: None, ..limit }.requests(1000, 10), Some(1001));
        assert_eq!(Limit::default().requests(1000, 10), None);
    }

    #[test]
    fn turns_are_due_at_the_rate_and_end_with_the_time() {
        let start = Instant::now();
        let schedule = Schedule::from(start, Some(Duration::from_secs(1)), None, Some(4.0));
        let due: Vec<_> = std::iter::from_fn(|| schedule.next()).map(|turn| turn.due.unwrap() - start).collect();
        assert_eq!(due, [0, 250, 500, 750].map(Duration::from_millis));
    }

    #[test]
    fn no_more_turns_than_requests() {
        let schedule = Schedule::new(None, Some(3), None);
        assert_eq!(std::iter::from_fn(|| schedule.next()).map(|turn| turn.number).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
