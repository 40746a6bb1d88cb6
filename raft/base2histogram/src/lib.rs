//! Histograms with one bucket for each power of two: what openraft needs for its runtime statistics, and no more.
//!
//! openraft names a crate that builds 26 MiB of tables at its first record, for statistics that nobody reads here. This
//! one has the same names for what openraft calls, and stands in its place. It must not know anything of openraft.
//!
//! Invariants:
//! 1. A histogram takes no memory before its first record, and at most half a kilobyte after it.
//! 2. A percentile is never below the value of that rank, and less than twice it.

use std::fmt;
use std::marker::PhantomData;

/// Counts values by their number of binary digits. `T` is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram<T = ()> {
    /// How many values had as many binary digits as the index says; as long as the largest value asked for.
    buckets: Vec<u64>,
    labels: PhantomData<T>,
}

/// Some percentiles of a histogram, as values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PercentileStats {
    /// How many values there are.
    pub samples: u64,
    /// A thousandth of the values is not above it.
    pub p0_1: u64,
    /// A hundredth is not above it.
    pub p1: u64,
    /// A twentieth.
    pub p5: u64,
    /// A tenth.
    pub p10: u64,
    /// Half.
    pub p50: u64,
    /// Nine tenths.
    pub p90: u64,
    /// 99 of a hundred.
    pub p99: u64,
    /// 999 of a thousand.
    pub p99_9: u64,
}

impl<T> Default for Histogram<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Histogram<T> {
    /// Nothing is recorded.
    #[must_use]
    pub const fn new() -> Self {
        Self { buckets: Vec::new(), labels: PhantomData }
    }

    /// Counts a value.
    pub fn record(&mut self, value: u64) {
        self.record_n(value, 1);
    }

    /// Counts a value that came this often.
    pub fn record_n(&mut self, value: u64, times: u64) {
        let digits = (u64::BITS - value.leading_zeros()) as usize;
        if self.buckets.len() <= digits {
            self.buckets.resize(digits + 1, 0);
        }
        if let Some(count) = self.buckets.get_mut(digits) {
            *count = count.saturating_add(times);
        }
    }

    /// How many values were recorded.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The largest value of the bucket that holds the value of this rank, from 0.0 to 1.0; 0 without values.
    #[must_use]
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
    pub fn percentile(&self, rank: f64) -> u64 {
        let wanted = ((self.total() as f64 * rank.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut below = 0;
        for (digits, count) in (0..).zip(&self.buckets) {
            below += count;
            if below >= wanted {
                return u64::MAX.checked_shr(u64::BITS - digits).unwrap_or(0);
            }
        }
        0
    }

    /// The usual percentiles.
    #[must_use]
    pub fn percentile_stats(&self) -> PercentileStats {
        PercentileStats {
            samples: self.total(),
            p0_1: self.percentile(0.001),
            p1: self.percentile(0.01),
            p5: self.percentile(0.05),
            p10: self.percentile(0.1),
            p50: self.percentile(0.5),
            p90: self.percentile(0.9),
            p99: self.percentile(0.99),
            p99_9: self.percentile(0.999),
        }
    }
}

impl fmt::Display for PercentileStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { samples, p10, p50, p90, p99, p99_9, .. } = self;
        write!(f, "{samples} samples: P10 {p10}, P50 {p50}, P90 {p90}, P99 {p99}, P99.9 {p99_9}")
    }
}

/// Histograms by name, to be printed: a line of percentiles each.
#[derive(Debug, Clone)]
pub struct AsciiChart<T = ()> {
    series: Vec<(String, Histogram<T>)>,
}

impl<T> Default for AsciiChart<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> AsciiChart<T> {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self { series: Vec::new() }
    }

    /// With one more histogram.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "openraft calls it so")]
    pub fn add(mut self, name: &str, histogram: Histogram<T>) -> Self {
        self.series.push((name.to_owned(), histogram));
        self
    }

    /// To be printed.
    #[must_use]
    pub fn detailed(&self) -> impl fmt::Display + '_ {
        self
    }
}

impl<T> fmt::Display for AsciiChart<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.series.iter().try_for_each(|(name, histogram)| writeln!(f, "{name}: {}", histogram.percentile_stats()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_histogram_takes_no_memory_and_says_zero() {
        let histogram = Histogram::<()>::new();
        assert_eq!(histogram.buckets.capacity(), 0);
        assert_eq!(histogram.percentile_stats(), PercentileStats::default());
    }

    #[test]
    fn percentiles_are_not_below_their_value_and_less_than_twice_it() {
        let mut histogram = Histogram::<()>::new();
        for value in 1..=1000 {
            histogram.record(value);
        }
        for rank in [1_u32, 10, 50, 500, 900, 990, 999, 1000] {
            let percentile = histogram.percentile(f64::from(rank) / 1000.0);
            assert!((u64::from(rank)..u64::from(rank) * 2).contains(&percentile), "{rank}: {percentile}");
        }
        assert_eq!(histogram.percentile_stats().samples, 1000);
    }

    #[test]
    fn the_least_and_the_greatest_value_have_their_buckets() {
        let mut histogram = Histogram::<()>::new();
        histogram.record(0);
        assert_eq!(histogram.percentile(1.0), 0);
        histogram.record_n(u64::MAX, 3);
        assert_eq!((histogram.percentile(0.25), histogram.percentile(1.0)), (0, u64::MAX));
        assert!(histogram.buckets.len() <= 65);
    }

    #[test]
    fn a_chart_has_a_line_a_histogram() {
        let mut histogram = Histogram::<()>::new();
        histogram.record(3);
        let chart = AsciiChart::new().add("first", histogram).add("second", Histogram::new());
        assert_eq!(chart.detailed().to_string().lines().count(), 2);
        assert!(chart.detailed().to_string().starts_with("first: 1 samples: P10 3, P50 3"));
    }
}
