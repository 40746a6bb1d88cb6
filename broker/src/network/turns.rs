//! Turns at the workers. A worker takes up tasks in the order in which they became ready, and one that moves a large
//! request keeps it for a tenth of a millisecond or more: behind hundreds of those a small request would wait for them
//! all. So connections whose requests or answers are large take turns when there are many of them, as many at a time as
//! there are workers; those that wait are not ready, and the others pass.
//!
//! Invariants:
//! 1. A connection is heavy as long as its last request or what it wrote last was large.
//! 2. While many are heavy, a heavy connection is polled in its turn only, and a turn is one poll: whatever it waits for then, others have theirs.
//! 3. Turns are given first come first served.
//! 4. Who gets a turn steps behind those that are ready: else every worker would find a turn free at each poll, nobody would
//!    ever wait, and the workers' queues would be as long as without turns.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::limits::{REQUEST_BYTES_FREE, TURN_ANSWER_BYTES_MIN, TURNS_ABOVE};
use crate::metrics::Metrics;

/// The turns of one broker.
pub struct Turns {
    left: Semaphore,
    /// Connections that are heavy now.
    heavy: AtomicUsize,
    /// So many of them pass without turns: they hold up nobody for long.
    few: usize,
    metrics: Arc<Metrics>,
}

/// How long one connection keeps a worker. Only its own task looks at it.
pub struct Weight<'a> {
    turns: &'a Turns,
    /// [`ASKS_MUCH`] and [`IS_TOLD_MUCH`].
    is: AtomicU8,
}

/// Its last request was large.
const ASKS_MUCH: u8 = 1;
/// What was written to it last was large.
const IS_TOLD_MUCH: u8 = 2;

impl<'a> Weight<'a> {
    /// Nothing has come yet.
    #[must_use]
    pub fn new(turns: &'a Turns) -> Self {
        Self { turns, is: AtomicU8::new(0) }
    }

    /// A request of so many bytes comes.
    pub fn asked(&self, bytes: usize) {
        self.set(ASKS_MUCH, bytes > REQUEST_BYTES_FREE);
    }

    /// So many bytes are to be written.
    pub fn answered(&self, bytes: usize) {
        self.set(IS_TOLD_MUCH, bytes >= TURN_ANSWER_BYTES_MIN);
    }

    fn set(&self, what: u8, holds: bool) {
        let before = self.is.load(Ordering::Relaxed);
        let after = if holds { before | what } else { before & !what };
        self.is.store(after, Ordering::Relaxed);
        if before == 0 && after != 0 {
            self.turns.heavy.fetch_add(1, Ordering::Relaxed);
        } else if before != 0 && after == 0 {
            self.turns.heavy.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn takes_turns(&self) -> bool {
        self.is.load(Ordering::Relaxed) != 0 && self.turns.heavy.load(Ordering::Relaxed) > self.turns.few
    }
}

impl Drop for Weight<'_> {
    fn drop(&mut self) {
        self.set(ASKS_MUCH | IS_TOLD_MUCH, false);
    }
}

impl Turns {
    /// As many as there are workers.
    #[must_use]
    pub fn new(workers: usize, metrics: Arc<Metrics>) -> Self {
        let workers = workers.max(1);
        Self { left: Semaphore::new(workers), heavy: AtomicUsize::new(0), few: TURNS_ABOVE * workers, metrics }
    }

    /// Polls until the result is there; while the connection takes turns, each time in one.
    pub fn each<T>(
        &self,
        weight: &Weight<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> impl Future<Output = T> {
        let mut waiting: Option<BoxFuture<'_, SemaphorePermit<'_>>> = None;
        poll_fn(move |context| {
            if waiting.is_none() && weight.takes_turns() {
                waiting = Some(Box::pin(self.turn()));
            }
            let _turn = match &mut waiting {
                Some(turn) => Some(ready!(turn.as_mut().poll(context))),
                None => None,
            };
            waiting = None;
            poll(context)
        })
    }

    async fn turn(&self) -> SemaphorePermit<'_> {
        let turn = match self.left.try_acquire() {
            Ok(turn) => turn,
            Err(_) => {
                self.metrics.turn_waits.increment();
                self.left.acquire().await.expect("invariant: the semaphore is never closed")
            }
        };
        tokio::task::yield_now().await;
        turn
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::pin::pin;

    use super::*;

    /// Turns of one worker, and as many heavy connections as pass without them.
    fn turns(metrics: &Arc<Metrics>) -> Turns {
        let turns = Turns::new(1, Arc::clone(metrics));
        turns.heavy.store(turns.few, Ordering::Relaxed);
        turns
    }

    fn heavy(turns: &Turns) -> Weight<'_> {
        let weight = Weight::new(turns);
        weight.asked(REQUEST_BYTES_FREE + 1);
        weight
    }

    #[tokio::test]
    async fn those_with_large_requests_take_turns_and_the_others_pass() {
        let metrics = Arc::new(Metrics::default());
        let turns = turns(&metrics);
        let other = turns.turn().await;
        let (weight, polls) = (heavy(&turns), Cell::new(0));
        let mut waits = pin!(turns.each(&weight, |_| {
            polls.set(polls.get() + 1);
            if polls.get() == 2 { Poll::Ready(()) } else { Poll::Pending }
        }));
        assert!(futures_util::poll!(&mut waits).is_pending());
        assert_eq!((polls.get(), metrics.turn_waits.value()), (0, 1));
        assert_eq!(turns.each(&Weight::new(&turns), |_| Poll::Ready(7)).await, 7);
        drop(other);
        assert!(futures_util::poll!(&mut waits).is_pending());
        assert_eq!(polls.get(), 0, "it has its turn and lets by who is ready");
        assert!(futures_util::poll!(&mut waits).is_pending());
        assert_eq!(polls.get(), 1);
        // It waits for something else now: the turn is free.
        drop(turns.turn().await);
        assert!(futures_util::poll!(&mut waits).is_pending());
        assert!(futures_util::poll!(&mut waits).is_ready());
    }

    #[tokio::test]
    async fn a_few_with_large_requests_take_no_turns() {
        let metrics = Arc::new(Metrics::default());
        let turns = turns(&metrics);
        turns.heavy.fetch_sub(1, Ordering::Relaxed);
        let _other = turns.turn().await;
        let weight = heavy(&turns);
        assert_eq!(turns.each(&weight, |_| Poll::Ready(7)).await, 7);
    }

    #[test]
    fn a_connection_is_heavy_by_its_last_request_or_by_what_it_wrote_last() {
        let metrics = Arc::new(Metrics::default());
        let turns = turns(&metrics);
        let weight = heavy(&turns);
        assert!(weight.takes_turns());
        weight.asked(100);
        assert!(!weight.takes_turns());
        weight.answered(TURN_ANSWER_BYTES_MIN);
        weight.asked(REQUEST_BYTES_FREE + 1);
        assert!(weight.takes_turns());
        assert_eq!(turns.heavy.load(Ordering::Relaxed), turns.few + 1);
        drop(weight);
        assert_eq!(turns.heavy.load(Ordering::Relaxed), turns.few);
    }
}
