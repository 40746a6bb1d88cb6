//! The byte budget: memory for requests and for answering them, taken after a frame's length is known and before its
//! body is read. Who finds it empty waits, first come first served, and reads nothing meanwhile.
//!
//! Invariants:
//! 1. What is taken never exceeds the total.
//! 2. A request that alone exceeds the total takes all of it: it runs, but runs alone.
//! 3. A peer holds its share no longer than the deadline of its frame and the time to answer it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::Metrics;

/// The budget of one broker.
pub struct Budget {
    left: Arc<Semaphore>,
    total: u32,
    metrics: Arc<Metrics>,
}

/// A share of the budget; it goes back when this is dropped.
pub struct Share {
    permit: OwnedSemaphorePermit,
    metrics: Arc<Metrics>,
}

impl Budget {
    /// A budget of `total` bytes (4 GiB at most).
    #[must_use]
    pub fn new(total: usize, metrics: Arc<Metrics>) -> Self {
        let total = u32::try_from(total).unwrap_or(u32::MAX).max(1);
        Self { left: Arc::new(Semaphore::new(total as usize)), total, metrics }
    }

    /// Takes `bytes`, waiting for them when need be. Cancellation-safe.
    pub async fn take(&self, bytes: usize) -> Share {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.total);
        let permit = match Arc::clone(&self.left).try_acquire_many_owned(bytes) {
            Ok(permit) => permit,
            Err(_) => {
                self.metrics.request_budget_waits.increment();
                let waited = Arc::clone(&self.left).acquire_many_owned(bytes).await;
                waited.expect("invariant: the semaphore is never closed")
            }
        };
        self.metrics.request_budget_bytes.add(u64::from(bytes));
        Share { permit, metrics: Arc::clone(&self.metrics) }
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

    #[tokio::test]
    async fn an_empty_budget_makes_wait_until_a_share_goes_back() {
        let metrics = Arc::new(Metrics::default());
        let budget = Budget::new(100, Arc::clone(&metrics));
        let first = budget.take(60).await;
        let mut second = Box::pin(budget.take(60));
        assert!(futures_util::poll!(&mut second).is_pending());
        assert_eq!(metrics.request_budget_bytes.value(), 60);
        drop(first);
        drop(second.await);
        assert_eq!(metrics.request_budget_bytes.value(), 0);
        assert_eq!(metrics.request_budget_waits.value(), 1);
    }

    #[tokio::test]
    async fn a_request_above_the_total_takes_all_of_it() {
        let metrics = Arc::new(Metrics::default());
        let budget = Budget::new(100, Arc::clone(&metrics));
        let _all = budget.take(usize::MAX).await;
        assert_eq!(metrics.request_budget_bytes.value(), 100);
    }
}
