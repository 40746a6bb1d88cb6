//! Memory of answers that their peers have not taken yet: what was read from the disk for them, and what was made for
//! them. Mapped ranges are not counted: they are the page cache's.
//!
//! Invariants:
//! 1. What is read from the disk takes its room before it is read, and never more than half: it waits.
//! 2. Other answers count from when they are made. While all room is taken no request is begun, so what is held exceeds
//!    the total at most by what the requests make that run at that moment.
//! 3. While somebody waits, or most of the room is taken, who holds some must take its bytes without a stall.
//! 4. Nobody holds room while waiting for more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::limits::{COLD_FETCH_BYTES_MAX, COLD_FETCH_BYTES_MIN};
use crate::metrics::Metrics;

/// The room for unsent answers of one broker.
pub struct Unsent {
    total: usize,
    held: AtomicUsize,
    waiting: AtomicUsize,
    freed: Notify,
    metrics: Arc<Metrics>,
}

/// Room that is taken; it goes back when this is dropped.
pub struct Held {
    unsent: Arc<Unsent>,
    bytes: usize,
}

/// Counts one who waits, however the waiting ends.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Unsent {
    /// Room for `total` bytes.
    #[must_use]
    pub fn new(total: usize, metrics: Arc<Metrics>) -> Arc<Self> {
        let (held, waiting) = Default::default();
        Arc::new(Self { total: total.max(1), held, waiting, freed: Notify::new(), metrics })
    }

    /// Room for `bytes` that a request has made: taken at once.
    #[must_use]
    pub fn hold(self: &Arc<Self>, bytes: usize) -> Held {
        self.held.fetch_add(bytes, Ordering::Relaxed);
        self.metrics.unsent_bytes.add(bytes as u64);
        Held { unsent: Arc::clone(self), bytes }
    }

    /// How many bytes a read from the disk should bring at most now: the less room there is, the less one may take of it.
    #[must_use]
    pub fn share(&self) -> usize {
        let left = (self.total / 2).saturating_sub(self.held.load(Ordering::Relaxed));
        (left / 8).clamp(COLD_FETCH_BYTES_MIN, COLD_FETCH_BYTES_MAX)
    }

    /// Waits for room for `bytes` that are to be read from the disk. More than half of all is given to who comes first
    /// while nothing else is held. Cancellation-safe.
    pub async fn hold_when_free(self: &Arc<Self>, bytes: usize) -> Held {
        self.when(|held| held == 0 || held + bytes <= self.total / 2, bytes).await;
        self.metrics.unsent_bytes.add(bytes as u64);
        Held { unsent: Arc::clone(self), bytes }
    }

    /// Waits while all room is taken.
    pub async fn room(&self) {
        if self.held.load(Ordering::Relaxed) >= self.total {
            self.when(|held| held < self.total, 0).await;
        }
    }

    /// Whether who holds room has to hurry.
    #[must_use]
    pub fn is_contended(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0 || self.held.load(Ordering::Relaxed) > self.total / 4 * 3
    }

    /// Adds `bytes` as soon as `fits`. Nobody has a place in a line: one who is not polled must not hold up the others.
    async fn when(&self, fits: impl Fn(usize) -> bool, bytes: usize) {
        let add = |held: usize| fits(held).then_some(held + bytes);
        if self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok() {
            return;
        }
        self.metrics.unsent_waits.increment();
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.waiting);
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            freed.as_mut().enable();
            if self.held.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add).is_ok() {
                return;
            }
            freed.await;
        }
    }
}

impl Held {
    /// Takes the room of another together with this one's.
    pub fn join(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.unsent.held.fetch_sub(self.bytes, Ordering::SeqCst);
            self.unsent.metrics.unsent_bytes.sub(self.bytes as u64);
            if self.unsent.waiting.load(Ordering::SeqCst) > 0 {
                self.unsent.freed.notify_waiters();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_read_waits_for_room_and_takes_at_most_half() {
        let metrics = Arc::new(Metrics::default());
        let unsent = Unsent::new(1000, Arc::clone(&metrics));
        let first = unsent.hold_when_free(400).await;
        let mut second = Box::pin(unsent.hold_when_free(101));
        assert!(futures_util::poll!(&mut second).is_pending());
        assert!(unsent.is_contended());
        drop(first);
        drop(second.await);
        assert!(!unsent.is_contended());
        assert_eq!((metrics.unsent_bytes.value(), metrics.unsent_waits.value()), (0, 1));
        drop(unsent.hold_when_free(5000).await);
        assert_eq!(unsent.held.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn answers_that_were_made_stop_further_requests_until_they_are_sent() {
        let unsent = Unsent::new(1000, Arc::default());
        let mut held = unsent.hold(300);
        held.join(unsent.hold(800));
        assert!(unsent.is_contended());
        let mut room = Box::pin(unsent.room());
        assert!(futures_util::poll!(&mut room).is_pending());
        drop(held);
        room.await;
    }

    #[tokio::test]
    async fn one_who_waits_and_is_not_polled_holds_up_nobody() {
        let unsent = Unsent::new(1000, Arc::default());
        let held = unsent.hold(1000);
        let mut left_alone = Box::pin(unsent.hold_when_free(400));
        assert!(futures_util::poll!(&mut left_alone).is_pending());
        let mut polled = Box::pin(unsent.hold_when_free(400));
        assert!(futures_util::poll!(&mut polled).is_pending());
        drop(held);
        drop(polled.await);
    }
}
