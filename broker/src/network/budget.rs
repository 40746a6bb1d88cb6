//! The byte budget: memory for requests and for answering them, taken after a frame's length is known and before its
//! body is read. Who finds it empty waits, first come first served, and reads nothing meanwhile.
//!
//! Invariants:
//! 1. What is taken never exceeds the total.
//! 2. Small requests have a lane of their own: large ones, or claims of them, do not hold them up. Those within
//!    [`REQUEST_BYTES_FREE`] take nothing and never wait: that much is each connection's.
//! 3. A request that alone exceeds its lane takes all of it: it runs, but runs alone.
//! 4. While others wait, a share is known to be contended: its connection must send its bytes without a stall.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{REQUEST_BYTES_FREE, SMALL_REQUEST_BYTES_MAX};
use crate::metrics::Metrics;

/// The budget of one broker.
pub struct Budget {
    small: Lane,
    large: Lane,
    metrics: Arc<Metrics>,
}

struct Lane {
    left: Arc<Semaphore>,
    total: u32,
    waiting: Arc<AtomicUsize>,
}

/// A share of the budget; it goes back when this is dropped.
pub struct Share {
    permit: OwnedSemaphorePermit,
    waiting: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
}

/// Counts one who waits, however the waiting ends.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lane {
    fn new(total: usize) -> Self {
        let total = u32::try_from(total).unwrap_or(u32::MAX).max(1);
        Self { left: Arc::new(Semaphore::new(total as usize)), total, waiting: Arc::default() }
    }
}

impl Budget {
    /// A budget of `total` bytes, a third of it for small requests.
    #[must_use]
    pub fn new(total: usize, metrics: Arc<Metrics>) -> Self {
        Self { small: Lane::new(total / 3), large: Lane::new(total - total / 3), metrics }
    }

    /// Takes `bytes`, waiting for them when need be. Cancellation-safe.
    pub async fn take(&self, bytes: usize) -> Share {
        let lane = if bytes <= SMALL_REQUEST_BYTES_MAX { &self.small } else { &self.large };
        let bytes = if bytes <= REQUEST_BYTES_FREE { 0 } else { bytes };
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(lane.total);
        let permit = match Arc::clone(&lane.left).try_acquire_many_owned(bytes) {
            Ok(permit) => permit,
            Err(_) => {
                self.metrics.request_budget_waits.increment();
                lane.waiting.fetch_add(1, Ordering::Relaxed);
                let _waiting = Waiting(&lane.waiting);
                let waited = Arc::clone(&lane.left).acquire_many_owned(bytes).await;
                waited.expect("invariant: the semaphore is never closed")
            }
        };
        self.metrics.request_budget_bytes.add(u64::from(bytes));
        Share { permit, waiting: Arc::clone(&lane.waiting), metrics: Arc::clone(&self.metrics) }
    }
}

impl Share {
    /// Gives back what exceeds `bytes`.
    pub fn shrink(&mut self, bytes: usize) {
        let spare = self.permit.num_permits().saturating_sub(bytes);
        if let Some(spare) = self.permit.split(spare) {
            self.metrics.request_budget_bytes.sub(spare.num_permits() as u64);
        }
    }

    /// Whether others wait for what this holds.
    #[must_use]
    pub fn is_contended(&self) -> bool {
        self.permit.num_permits() > 0 && self.waiting.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.metrics.request_budget_bytes.sub(self.permit.num_permits() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    #[tokio::test]
    async fn an_empty_lane_makes_wait_until_a_share_goes_back() {
        let metrics = Arc::new(Metrics::default());
        let budget = Budget::new(300 * KIB, Arc::clone(&metrics));
        let first = budget.take(60 * KIB).await;
        assert!(!first.is_contended());
        let mut second = Box::pin(budget.take(60 * KIB));
        assert!(futures_util::poll!(&mut second).is_pending());
        assert!(first.is_contended());
        assert_eq!(metrics.request_budget_bytes.value(), 60 * 1024);
        drop(first);
        drop(second.await);
        assert_eq!(metrics.request_budget_bytes.value(), 0);
        assert_eq!(metrics.request_budget_waits.value(), 1);
    }

    #[tokio::test]
    async fn a_share_that_shrinks_lets_others_on() {
        let metrics = Arc::new(Metrics::default());
        let budget = Budget::new(300 * KIB, Arc::clone(&metrics));
        let mut first = budget.take(100 * KIB).await;
        first.shrink(200 * KIB);
        first.shrink(10);
        assert_eq!(metrics.request_budget_bytes.value(), 10);
        drop(budget.take(90 * KIB).await);
        drop(first);
        assert_eq!(metrics.request_budget_bytes.value(), 0);
    }

    #[tokio::test]
    async fn a_request_above_its_lane_takes_all_of_it_and_small_ones_go_on() {
        let metrics = Arc::new(Metrics::default());
        let budget = Budget::new(450 * KIB, Arc::clone(&metrics));
        let all = budget.take(usize::MAX).await;
        assert_eq!(metrics.request_budget_bytes.value(), 300 * 1024);
        let mut large = Box::pin(budget.take(SMALL_REQUEST_BYTES_MAX + 1));
        assert!(futures_util::poll!(&mut large).is_pending());
        drop(budget.take(100 * KIB).await);
        drop(large);
        assert!(!all.is_contended());
    }

    #[tokio::test]
    async fn the_smallest_requests_never_wait_and_hold_up_nobody() {
        let metrics = Arc::new(Metrics::default());
        let budget = Budget::new(300 * KIB, Arc::clone(&metrics));
        let all = budget.take(100 * KIB).await;
        let smallest = budget.take(REQUEST_BYTES_FREE).await;
        let mut other = Box::pin(budget.take(REQUEST_BYTES_FREE + 1));
        assert!(futures_util::poll!(&mut other).is_pending());
        assert!(all.is_contended() && !smallest.is_contended());
        assert_eq!(metrics.request_budget_bytes.value(), 100 * 1024);
    }
}
