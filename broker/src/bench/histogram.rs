//! Times of requests in a fixed amount of memory: exact below 128 ns, within 1 % above, the longest one exact.

use std::time::Duration;

/// Buckets in each doubling of the time; a power of two.
const STEPS: usize = 128;
/// log2 of [`STEPS`].
const STEPS_BITS: usize = 7;
/// 2^41 ns are 36 minutes: longer than any request may take.
const DOUBLINGS: usize = 41 - STEPS_BITS;

/// How often each time occurred.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    longest: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; STEPS * (DOUBLINGS + 1)], total: 0, longest: Duration::ZERO }
    }
}

impl Histogram {
    /// Counts one more time.
    pub fn record(&mut self, time: Duration) {
        let bucket = bucket_of(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)).min(self.counts.len() - 1);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.total += 1;
        self.longest = self.longest.max(time);
    }

    /// Adds everything that `other` counted.
    pub fn add(&mut self, other: &Self) {
        for (own, more) in self.counts.iter_mut().zip(&other.counts) {
            *own += more;
        }
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
    }

    /// The time that `part` (0 to 1) of all did not exceed; zero when nothing was counted.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank of at most the total")]
    pub fn percentile(&self, part: f64) -> Duration {
        let rank = ((self.total as f64 * part).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(highest_of(bucket)).min(self.longest);
            }
        }
        self.longest
    }

    /// The longest time.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// How many times were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }
}

fn bucket_of(nanos: u64) -> usize {
    let doubling = (u64::BITS - nanos.leading_zeros()).saturating_sub(STEPS_BITS as u32 + 1) as usize;
    // The upper bits after the leading one; below two times STEPS every value has its own bucket.
    let step = usize::try_from(nanos >> doubling).unwrap_or(0);
    doubling * STEPS + step
}

/// The longest time that falls into the bucket.
fn highest_of(bucket: usize) -> u64 {
    let doubling = (bucket / STEPS).saturating_sub(1);
    let step = (bucket - doubling * STEPS) as u64;
    ((step + 1) << doubling) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_lies_in_a_bucket_that_ends_at_most_a_hundredth_above_it() {
        for nanos in (0..60).flat_map(|bits| [1u64 << bits, (1 << bits) + 1, (3 << bits) - 1]).filter(|n| *n < 1 << 41)
        {
            let highest = highest_of(bucket_of(nanos));
            assert!(highest >= nanos && highest - nanos <= nanos / 100, "{nanos} -> {highest}");
        }
    }

    #[test]
    fn percentiles_are_the_ranks_of_the_sorted_times() {
        let mut histogram = Histogram::default();
        for millis in 1..=1000 {
            histogram.record(Duration::from_millis(millis));
        }
        for (part, millis) in [(0.5, 500), (0.99, 990), (0.999, 999), (1.0, 1000)] {
            let got = histogram.percentile(part).as_secs_f64() * 1e3;
            assert!((got / f64::from(millis) - 1.0).abs() < 0.01, "{part}: {got} ms");
        }
        assert_eq!(histogram.longest(), Duration::from_secs(1));
        assert_eq!(histogram.percentile(1.0), Duration::from_secs(1));
    }

    #[test]
    fn the_sum_of_two_is_as_if_one_had_counted_all() {
        let (mut left, mut right) = (Histogram::default(), Histogram::default());
        left.record(Duration::from_micros(10));
        right.record(Duration::from_micros(30));
        left.add(&right);
        assert_eq!((left.total(), left.longest()), (2, Duration::from_micros(30)));
        assert!(left.percentile(0.5) < Duration::from_micros(11));
    }

    #[test]
    fn an_hour_is_counted_and_still_the_longest() {
        let mut histogram = Histogram::default();
        histogram.record(Duration::from_secs(3600));
        assert_eq!((histogram.total(), histogram.longest()), (1, Duration::from_secs(3600)));
    }

    #[test]
    fn nothing_counted_is_zero() {
        assert_eq!(Histogram::default().percentile(0.99), Duration::ZERO);
    }
}
