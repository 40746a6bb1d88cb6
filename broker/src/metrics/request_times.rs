//! How long requests take, by API and by stage, in the numbers of Kafka's RequestMetrics.
//!
//! Invariants:
//! 1. Every request whose answer has left is in the total of its API; what took less than [`LEAST_MICROS`] is in no bucket
//!    of the other stages, whose first bucket is what the total has and they have not: most requests wait nowhere, and add
//!    nothing there.
//! 2. Memory is bounded by the APIs that are served: one is made room for when it is first asked for.
//! 3. Counters only rise. What the last minutes were like is a difference that who looks makes: [`super::Looks`].

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::API_KEYS;

/// Where a request's time goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// From its last byte to the beginning of its work.
    RequestQueue,
    /// Work until it is done, or has to wait for others.
    Local,
    /// Waiting for others: a sync, records, members of a group, the metadata.
    Remote,
    /// From the finished answer to its turn on the connection.
    ResponseQueue,
    /// Until the socket has taken the answer.
    ResponseSend,
    /// From the last byte of the request to the last of its answer.
    Total,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 6] =
        [Self::RequestQueue, Self::Local, Self::Remote, Self::ResponseQueue, Self::ResponseSend, Self::Total];
}

/// Above this a time has a bucket of its own size: a sixty-fourth of the millisecond that Kafka rounds to.
const LEAST_MICROS: u64 = 1 << LEAST_BITS;
const LEAST_BITS: u32 = 4;
/// Each power of two is divided by this: a time is known to an eighth.
const PARTS: u64 = 1 << PART_BITS;
const PART_BITS: u32 = 2;
/// Four minutes and more are not told apart.
const MOST_BITS: u32 = 28;
const BUCKETS: usize = 2 + ((MOST_BITS - LEAST_BITS) << PART_BITS) as usize;

/// One request on its way, in microseconds. Small: a connection has room for several.
#[derive(Clone, Copy, Debug)]
pub struct RequestTime {
    /// When it was there whole, on the clock of the tasks.
    arrived: u64,
    /// This and the others since then.
    begun: u32,
    waits: u32,
    /// Once it is being sent, the beginning of that.
    made: u32,
    key: i16,
}

impl RequestTime {
    /// Of what is answered but is no request, as a bare token: it is not counted.
    pub const NONE: Self = Self { arrived: 0, begun: 0, waits: 0, made: 0, key: -1 };

    /// Its last byte came at `now`.
    #[must_use]
    pub fn arrived(key: i16, now: Duration) -> Self {
        Self { arrived: micros(now), key, ..Self::NONE }
    }

    /// Its work begins.
    pub fn begins(&mut self, now: Duration) {
        self.begun = self.since(now);
    }

    /// Its work has to wait for others; only the first time counts.
    pub fn waits(&mut self, now: Duration) {
        if self.waits == 0 {
            // 0 is for what has not waited.
            self.waits = self.since(now).max(1);
        }
    }

    /// Its answer is made.
    pub fn is_made(&mut self, now: Duration) {
        self.made = self.since(now);
        if self.waits == 0 {
            self.waits = self.made;
        }
    }

    fn since(&self, now: Duration) -> u32 {
        u32::try_from(micros(now).saturating_sub(self.arrived)).unwrap_or(u32::MAX)
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Times of every API.
#[derive(Debug)]
pub struct RequestTimes([OnceLock<Box<OfApi>>; API_KEYS]);

#[derive(Debug, Default)]
struct OfApi([Histogram; Stage::ALL.len()]);

#[derive(Debug)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    micros: AtomicU64,
}

/// What a histogram showed at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    buckets: Box<[u64]>,
    micros: u64,
}

/// What all histograms showed at one moment, by API key.
pub type AllTimes = BTreeMap<i16, [Times; Stage::ALL.len()]>;

impl Default for RequestTimes {
    fn default() -> Self {
        Self([(); API_KEYS].map(|()| OnceLock::new()))
    }
}

impl RequestTimes {
    /// The answer is given to the socket.
    pub fn sending(&self, time: &mut RequestTime, now: Duration) {
        let sending = time.since(now);
        if let Some([queue, local, remote, response_queue, ..]) = self.stages(time) {
            queue.add(time.begun);
            local.add(time.waits.saturating_sub(time.begun));
            remote.add(time.made.saturating_sub(time.waits));
            response_queue.add(sending.saturating_sub(time.made));
        }
        time.made = sending;
    }

    /// The socket has taken the answer that [`RequestTimes::sending`] told of.
    pub fn sent(&self, time: &RequestTime, now: Duration) {
        if let Some([.., send, total]) = self.stages(time) {
            let sent = time.since(now);
            send.add(sent.saturating_sub(time.made));
            total.add_every(sent);
        }
    }

    fn stages(&self, time: &RequestTime) -> Option<&[Histogram; Stage::ALL.len()]> {
        let of_api = usize::try_from(time.key).ok().and_then(|key| self.0.get(key))?;
        Some(&of_api.get_or_init(Box::default).0)
    }

    /// All of them as of now.
    #[must_use]
    pub fn all(&self) -> AllTimes {
        let known = self.0.iter().zip(0..).filter_map(|(of_api, key)| Some((key, of_api.get()?)));
        known.map(|(key, of_api)| (key, of_api.times())).collect()
    }
}

impl OfApi {
    fn times(&self) -> [Times; Stage::ALL.len()] {
        let mut times = self.0.each_ref().map(Histogram::times);
        let [stages @ .., total] = &mut times;
        for stage in stages {
            let shorter = total.count().saturating_sub(stage.count());
            stage.buckets.iter_mut().take(1).for_each(|first| *first += shorter);
        }
        times
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [(); BUCKETS].map(|()| AtomicU64::new(0)), micros: AtomicU64::new(0) }
    }
}

impl Histogram {
    fn add(&self, micros: u32) {
        if micros > 0 {
            self.micros.fetch_add(micros.into(), Ordering::Relaxed);
        }
        if u64::from(micros) >= LEAST_MICROS {
            self.count(micros);
        }
    }

    fn add_every(&self, micros: u32) {
        self.micros.fetch_add(micros.into(), Ordering::Relaxed);
        self.count(micros);
    }

    fn count(&self, micros: u32) {
        if let Some(bucket) = self.buckets.get(bucket_of(micros.into())) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn times(&self) -> Times {
        let buckets = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        Times { buckets, micros: self.micros.load(Ordering::Relaxed) }
    }
}

fn bucket_of(micros: u64) -> usize {
    if micros < LEAST_MICROS {
        return 0;
    }
    let bits = micros.ilog2();
    let part = (micros >> (bits - PART_BITS)) & (PARTS - 1);
    let bucket = 1 + (u64::from(bits - LEAST_BITS) << PART_BITS) + part;
    usize::try_from(bucket).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// The least time of a bucket, in microseconds.
fn least_of(bucket: usize) -> f64 {
    let Some(above) = bucket.checked_sub(1) else { return 0.0 };
    let (octave, part) = (above >> PART_BITS, above as u64 % PARTS);
    ((PARTS + part) << octave) as f64 * (LEAST_MICROS / PARTS) as f64
}

impl Times {
    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// All of them together, in milliseconds.
    #[must_use]
    pub fn millis(&self) -> f64 {
        self.micros as f64 / 1000.0
    }

    /// Those that came after `earlier`.
    #[must_use]
    pub fn after(&self, earlier: &Self) -> Self {
        let buckets = self.buckets.iter().zip(&*earlier.buckets);
        Self {
            buckets: buckets.map(|(now, before)| now.saturating_sub(*before)).collect(),
            micros: self.micros.saturating_sub(earlier.micros),
        }
    }

    /// The time that this part of them did not exceed, in milliseconds; as if those of a bucket lay evenly in it. `None`
    /// where there are none.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let wanted = part * count as f64;
        let mut below = 0.0;
        for (bucket, here) in self.buckets.iter().enumerate().filter(|(_, here)| **here > 0) {
            let here = *here as f64;
            if below + here >= wanted {
                let (least, next) = (least_of(bucket), least_of(bucket + 1));
                return Some((least + (next - least) * (wanted - below) / here) / 1000.0);
            }
            below += here;
        }
        Some(least_of(BUCKETS - 1) / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    #[test]
    fn a_request_is_counted_once_in_every_stage() {
        let times = RequestTimes::default();
        for _ in 0..10 {
            let mut time = RequestTime::arrived(18, at(1_000_000));
            time.begins(at(1_000_000));
            time.is_made(at(1_000_005));
            times.sending(&mut time, at(1_000_006));
            times.sent(&time, at(1_000_012));
        }
        let mut slow = RequestTime::arrived(18, at(2_000_000));
        slow.begins(at(2_001_000));
        slow.waits(at(2_003_000));
        slow.waits(at(2_006_000));
        slow.is_made(at(2_007_000));
        times.sending(&mut slow, at(2_015_000));
        times.sent(&slow, at(2_031_000));
        let all = times.all();
        assert_eq!(all.keys().collect::<Vec<_>>(), [&18], "nobody asked for another");
        let stages = &all[&18];
        assert!(stages.iter().all(|stage| stage.count() == 11), "{stages:?}");
        let millis: Vec<_> = stages.iter().map(Times::millis).collect();
        assert_eq!(millis, [1.0, 2.05, 4.0, 8.01, 16.06, 31.12]);
        for (stage, longest) in stages.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 31.0]) {
            let last = stage.quantile(1.0).unwrap();
            assert!((longest..=longest * 1.25).contains(&last), "{last} for {longest}");
            assert!(stage.quantile(0.5).unwrap() < 0.016);
        }
    }

    #[test]
    fn a_wait_that_begins_at_once_is_no_work() {
        let times = RequestTimes::default();
        let mut time = RequestTime::arrived(11, at(5));
        time.begins(at(5));
        time.waits(at(5));
        time.is_made(at(3_000_005));
        times.sending(&mut time, at(3_000_005));
        times.sent(&time, at(3_000_005));
        let [_, local, remote, ..] = &times.all()[&11];
        assert_eq!((local.millis(), remote.millis()), (0.001, 2999.999));
    }

    #[test]
    fn a_difference_has_only_what_came_between() {
        let times = RequestTimes::default();
        let send = |micros| times.sent(&RequestTime::arrived(0, at(0)), at(micros));
        send(1_000_000);
        let before = times.all()[&0].clone();
        assert_eq!(before[5].after(&before[5]).quantile(0.99), None);
        (0..100).for_each(|_| send(1_000));
        let after = times.all()[&0][5].after(&before[5]);
        assert_eq!(after.count(), 100);
        assert!(after.quantile(0.99).unwrap() < 1.25);
    }

    #[test]
    fn a_key_that_no_table_can_have_is_left_out() {
        let times = RequestTimes::default();
        for key in [-1, i16::MAX] {
            times.sending(&mut RequestTime::arrived(key, at(0)), at(1));
            times.sent(&RequestTime::arrived(key, at(0)), at(2));
        }
        assert!(times.all().is_empty());
    }

    proptest! {
        #[test]
        fn a_bucket_holds_what_is_put_into_it(micros in 0..1_u64 << MOST_BITS) {
            let bucket = bucket_of(micros);
            prop_assert!(bucket < BUCKETS - 1);
            prop_assert!(least_of(bucket) <= micros as f64 && (micros as f64) < least_of(bucket + 1));
            prop_assert!(micros < LEAST_MICROS || least_of(bucket + 1) <= least_of(bucket) * 1.25);
        }

        #[test]
        fn longer_times_share_the_last_bucket(micros in 1_u64 << MOST_BITS..u64::MAX) {
            prop_assert_eq!(bucket_of(micros), BUCKETS - 1);
        }
    }
}
