//! The byte budget: memory for requests and for answering them, taken after a frame's length is known and before its
//! body is read. Who finds it empty waits, first come first served, and reads nothing meanwhile.
//!
//! Invariants:
//! 1. What is taken never exceeds the total.
//! 2. Small requests have a lane of their own: large ones, or claims of them, do not hold them up.
//! 3. Those within [`REQUEST_BYTES_FREE`] take what they need of their connection's own, so that nobody holds them up; only
//!    what a connection has under way beyond that comes from the budget, of a lane that nobody waits for: who finds it
//!    empty waits for its own answers.
//! 4. A request that alone exceeds its lane takes all of it: it runs, but runs alone.
//! 5. While others wait, a share is known to be contended: its connection must send its bytes without a stall.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{REQUEST_BYTES_FREE, SMALL_REQUEST_BYTES_MAX};
use crate::metrics::Metrics;

/// The budget of one broker.
pub struct Budget {
    small: Lane,
    large: Lane,
    /// For connections that send small requests ahead of their answers.
    ahead: Lane,
    metrics: Arc<Metrics>,
}

struct Lane {
    left: Arc<Semaphore>,
    total: u32,
    waiting: Arc<AtomicUsize>,
}

/// What one connection has for small requests beside the budget: [`REQUEST_BYTES_FREE`].
pub struct Own(Arc<Semaphore>);

/// A share of the budget, or of a connection's own; it goes back when this is dropped.
pub struct Share {
    permit: OwnedSemaphorePermit,
    of_budget: Option<OfBudget>,
}

/// What is known of a share of the budget.
struct OfBudget {
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

impl Default for Own {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(REQUEST_BYTES_FREE)))
    }
}

impl Budget {
    /// A budget of `total` bytes, a third of it for small requests: a quarter of that for those that are sent ahead.
    #[must_use]
    pub fn new(total: usize, metrics: Arc<Metrics>) -> Self {
        let small = total / 3;
        let ahead = small / 4;
        let lane = Lane::new;
        Self { small: lane(small - ahead), large: lane(total - small), ahead: lane(ahead), metrics }
    }

    /// Takes `bytes` for a request of the connection whose own `own` is, waiting for them when need be. Cancellation-safe.
    pub async fn take(&self, bytes: usize, own: &Own) -> Share {
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX);
        if bytes <= REQUEST_BYTES_FREE {
            return self.take_own(permits, own).await;
        }
        let lane = if bytes <= SMALL_REQUEST_BYTES_MAX { &self.small } else { &self.large };
        let permits = permits.min(lane.total);
        if let Ok(permit) = Arc::clone(&lane.left).try_acquire_many_owned(permits) {
            return self.share(permit, lane);
        }
        self.metrics.request_budget_waits.increment();
        lane.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&lane.waiting);
        let waited = Arc::clone(&lane.left).acquire_many_owned(permits).await;
        self.share(waited.expect("invariant: the semaphore is never closed"), lane)
    }

    async fn take_own(&self, permits: u32, own: &Own) -> Share {
        if let Ok(permit) = Arc::clone(&own.0).try_acquire_many_owned(permits) {
            return Share { permit, of_budget: None };
        }
        if let Ok(permit) = Arc::clone(&self.ahead.left).try_acquire_many_owned(permits) {
            return self.share(permit, &self.ahead);
        }
        self.metrics.request_budget_waits.increment();
        // On the heap: a connection that waits for nothing has no room for it.
        let waited = Box::pin(Arc::clone(&own.0).acquire_many_owned(permits)).await;
        Share { permit: waited.expect("invariant: the semaphore is never closed"), of_budget: None }
    }

    fn share(&self, permit: OwnedSemaphorePermit, lane: &Lane) -> Share {
        self.metrics.request_budget_bytes.add(permit.num_permits() as u64);
        let of_budget = OfBudget { waiting: Arc::clone(&lane.waiting), metrics: Arc::clone(&self.metrics) };
        Share { permit, of_budget: Some(of_budget) }
    }
}

impl Share {
    /// Gives back what exceeds `bytes`.
    pub fn shrink(&mut self, bytes: usize) {
        let spare = self.permit.num_permits().saturating_sub(bytes);
        if let (Some(spare), Some(of_budget)) = (self.permit.split(spare), &self.of_budget) {
            of_budget.metrics.request_budget_bytes.sub(spare.num_permits() as u64);
        }
    }

    /// Whether others wait for what this holds.
    #[must_use]
    pub fn is_contended(&self) -> bool {
        self.of_budget.as_ref().is_some_and(|of_budget| of_budget.waiting.load(Ordering::Relaxed) > 0)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(of_budget) = &self.of_budget {
            of_budget.metrics.request_budget_bytes.sub(self.permit.num_permits() as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1024;

    #[tokio::test]
    async fn an_empty_lane_makes_wait_until_a_share_goes_back() {
        let (own, metrics) = (Own::default(), Arc::new(Metrics::default()));
        let budget = Budget::new(300 * KIB, Arc::clone(&metrics));
        let first = budget.take(60 * KIB, &own).await;
        assert!(!first.is_contended());
        let mut second = Box::pin(budget.take(60 * KIB, &own));
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
        let (own, metrics) = (Own::default(), Arc::new(Metrics::default()));
        let budget = Budget::new(300 * KIB, Arc::clone(&metrics));
        let mut first = budget.take(75 * KIB, &own).await;
        first.shrink(200 * KIB);
        first.shrink(10);
        assert_eq!(metrics.request_budget_bytes.value(), 10);
        drop(budget.take(70 * KIB, &own).await);
        drop(first);
        assert_eq!(metrics.request_budget_bytes.value(), 0);
    }

    #[tokio::test]
    async fn a_request_above_its_lane_takes_all_of_it_and_small_ones_go_on() {
        let (own, metrics) = (Own::default(), Arc::new(Metrics::default()));
        let budget = Budget::new(450 * KIB, Arc::clone(&metrics));
        let all = budget.take(usize::MAX, &own).await;
        assert_eq!(metrics.request_budget_bytes.value(), 300 * 1024);
        let mut large = Box::pin(budget.take(SMALL_REQUEST_BYTES_MAX + 1, &own));
        assert!(futures_util::poll!(&mut large).is_pending());
        drop(budget.take(100 * KIB, &own).await);
        drop(large);
        assert!(!all.is_contended());
    }

    #[tokio::test]
    async fn small_requests_wait_for_no_other_connection() {
        let (own, metrics) = (Own::default(), Arc::new(Metrics::default()));
        let budget = Budget::new(300 * KIB, Arc::clone(&metrics));
        let all = budget.take(75 * KIB, &own).await;
        let smallest = budget.take(REQUEST_BYTES_FREE, &own).await;
        let mut other = Box::pin(budget.take(REQUEST_BYTES_FREE + 1, &own));
        assert!(futures_util::poll!(&mut other).is_pending());
        assert!(all.is_contended() && !smallest.is_contended());
        assert_eq!(metrics.request_budget_bytes.value(), 75 * 1024);
    }

    #[tokio::test]
    async fn small_requests_that_are_sent_ahead_count_and_then_wait_for_their_own_answers() {
        let metrics = Arc::new(Metrics::default());
        let budget = Budget::new(300 * KIB, Arc::clone(&metrics));
        let (one, other) = (Own::default(), Own::default());
        let mut of_one = Vec::new();
        // 24 KiB of its own, and the 25 KiB of those who send ahead.
        for _ in 0..49 {
            of_one.push(budget.take(KIB, &one).await);
        }
        assert_eq!(metrics.request_budget_bytes.value(), 25 * 1024);
        let mut waits = Box::pin(budget.take(KIB, &one));
        assert!(futures_util::poll!(&mut waits).is_pending());
        drop(budget.take(KIB, &other).await);
        of_one.pop();
        assert!(futures_util::poll!(&mut waits).is_pending(), "others may have it first: it waits for its own");
        of_one.remove(0);
        drop(waits.await);
        drop(of_one);
        assert_eq!(metrics.request_budget_bytes.value(), 0);
        assert_eq!(metrics.request_budget_waits.value(), 1);
    }
}
