//! Memory of answers that their peers have not taken yet: what was read from the disk for them, and what was made for
//! them. Mapped ranges are not counted: they are the page cache's.
//!
//! Invariants:
//! 1. What is read from the disk takes its room before it is read, and never more than half: it waits.
//! 2. Other answers count from when they are made. While all room is taken no request is begun, so what is held exceeds
//!    the total at most by what the requests make that run at that moment.
//! 3. While somebody waits, or most of the room is taken, who holds some must take its bytes without a stall.
//! 4. What holds room goes on without what it waits for, if it waits for more: so room comes free again.
//! 5. Room that comes free wakes one who waits for it, and who could take some wakes the next: else each small piece would
//!    wake thousands, and whoever came meanwhile would wait behind them all. Who does not find enough waits for the next;
//!    while nothing is held everybody finds enough. Who waits has to go on being polled.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::limits::{COLD_FETCH_BYTES_MAX, COLD_FETCH_BYTES_MIN};
use crate::metrics::{Counted, Metrics};

/// The room for unsent answers of one broker.
pub struct Unsent {
    total: usize,
    held: AtomicUsize,
    /// Who waits to read from the disk.
    to_read: Line,
    /// Who waits to begin a request.
    to_begin: Line,
    metrics: Arc<Metrics>,
}

/// Those who wait for the same.
#[derive(Default)]
struct Line {
    waiting: AtomicUsize,
    freed: Notify,
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
        let (held, to_read, to_begin) = Default::default();
        Arc::new(Self { total: total.max(1), held, to_read, to_begin, metrics })
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
        self.when(&self.to_read, |held| held == 0 || held + bytes <= self.total / 2, bytes).await;
        self.metrics.unsent_bytes.add(bytes as u64);
        Held { unsent: Arc::clone(self), bytes }
    }

    /// Waits while all room is taken.
    pub async fn room(&self) {
        if self.held.load(Ordering::Relaxed) >= self.total {
            let _queued = Counted::of(&self.metrics.requests_queued);
            self.when(&self.to_begin, |held| held < self.total, 0).await;
        }
    }

    /// Whether who holds room has to hurry.
    #[must_use]
    pub fn is_contended(&self) -> bool {
        let waiting = [&self.to_read, &self.to_begin].iter().any(|line| line.waiting.load(Ordering::Relaxed) > 0);
        waiting || self.held.load(Ordering::Relaxed) > self.total / 4 * 3
    }

    /// Adds `bytes` as soon as `fits`.
    async fn when(&self, line: &Line, fits: impl Fn(usize) -> bool, bytes: usize) {
        let add = |held: usize| fits(held).then_some(held + bytes);
        if self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok() {
            return;
        }
        self.metrics.unsent_waits.increment();
        line.waiting.fetch_add(1, Ordering::SeqCst);
        let waiting = Waiting(&line.waiting);
        // Who frees room looks for those who wait after it is free; who waits looks for room after it is counted.
        while self.held.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add).is_err() {
            line.freed.notified().await;
        }
        drop(waiting);
        line.wake_one();
    }
}

impl Line {
    /// Wakes who has waited longest. One who leaves without having looked hands it on.
    fn wake_one(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.freed.notify_one();
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
            self.unsent.to_read.wake_one();
            self.unsent.to_begin.wake_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Wake, Waker};

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

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Calls(AtomicUsize);

    impl Wake for Calls {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn room_that_comes_free_wakes_as_many_as_find_some_and_one_more() {
        let unsent = Unsent::new(1000, Arc::default());
        let (first, second) = (unsent.hold_when_free(250).await, unsent.hold_when_free(250).await);
        let calls = Arc::new(Calls::default());
        let waker = Waker::from(Arc::clone(&calls));
        let mut context = Context::from_waker(&waker);
        let mut waiting: Vec<_> = (0..1000).map(|_| Box::pin(unsent.hold_when_free(100))).collect();
        assert!(waiting.iter_mut().all(|waits| waits.as_mut().poll(&mut context).is_pending()));
        drop(first);
        assert_eq!(calls.0.load(Ordering::Relaxed), 1);
        // Those who wait are woken in their order.
        let mut held = Vec::new();
        while let Poll::Ready(room) = waiting.remove(0).as_mut().poll(&mut context) {
            held.push(room);
        }
        assert_eq!((held.len(), calls.0.load(Ordering::Relaxed)), (2, 3));
        drop(second);
        assert_eq!(calls.0.load(Ordering::Relaxed), 4, "who found too little was one of those who were woken");
    }

    #[tokio::test]
    async fn one_who_leaves_before_looking_hands_on_that_room_is_free() {
        let unsent = Unsent::new(1000, Arc::default());
        let held = unsent.hold(1000);
        let mut leaves = Box::pin(unsent.hold_when_free(400));
        let mut stays = Box::pin(unsent.hold_when_free(400));
        assert!(futures_util::poll!(&mut leaves).is_pending());
        assert!(futures_util::poll!(&mut stays).is_pending());
        drop(held);
        drop(leaves);
        drop(stays.await);
    }
}
