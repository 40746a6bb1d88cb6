//! Where a request waits on several partitions at once: a produce for its batches to be committed, a fetch for enough
//! bytes. One counter and one waker per request; no task, no polling, one wake-up when the counter reaches zero.
//!
//! Must not know: requests, and how a partition commits.
//!
//! Invariants:
//! 1. A waiter that is dropped (its connection went) leaves nothing behind in any partition.
//! 2. A wait for commits that is over was taken out by the partitions themselves; it takes their locks no second time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use barnabas_storage::Offset;
use futures_util::task::AtomicWaker;

use super::high_watermark::{HighWatermark, Mark};
use super::{CommitError, Partition};
use crate::seam::Tasks;

/// What is still missing before a request can go on. Lowered by partitions from any thread.
pub(super) struct Countdown {
    left: AtomicI64,
    waker: AtomicWaker,
}

impl Countdown {
    fn new(left: i64) -> Arc<Self> {
        Arc::new(Self { left: AtomicI64::new(left), waker: AtomicWaker::new() })
    }

    /// Takes `by` off; wakes the request when that reaches zero.
    pub(super) fn lower(&self, by: i64) {
        let before = self.left.fetch_sub(by, Ordering::AcqRel);
        if before > 0 && before <= by {
            self.waker.wake();
        }
    }

    /// Ends the wait whatever is missing.
    pub(super) fn finish(&self) {
        if self.left.swap(0, Ordering::AcqRel) > 0 {
            self.waker.wake();
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.left.load(Ordering::Acquire) <= 0
    }
}

/// A request's wait. Ready when the countdown has reached zero.
struct Wait {
    countdown: Arc<Countdown>,
    partitions: Vec<Arc<HighWatermark>>,
}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.countdown.is_done() {
            return Poll::Ready(());
        }
        self.countdown.waker.register(cx.waker());
        // Looked at again: it may have reached zero before the waker stood there.
        if self.countdown.is_done() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        for partition in &self.partitions {
            partition.leave(&self.countdown);
        }
    }
}

/// A batch that was appended and whose commitment a request awaits.
pub struct PendingCommit {
    high_watermark: Arc<HighWatermark>,
    last_offset: Offset,
}

impl PendingCommit {
    /// Of the batch that ends with `last_offset`.
    #[must_use]
    pub fn new(partition: &Partition, last_offset: Offset) -> Self {
        Self::of(Arc::clone(&partition.high_watermark), last_offset)
    }

    pub(super) fn of(high_watermark: Arc<HighWatermark>, last_offset: Offset) -> Self {
        Self { high_watermark, last_offset }
    }

    /// What is known now: a batch whose fate is open has timed out.
    fn outcome(&self) -> Result<(), CommitError> {
        self.high_watermark.outcome(self.last_offset).unwrap_or(Err(CommitError::TimedOut))
    }
}

/// Waits until every batch is committed or will not be, or the time is over; the outcomes in the order of `pending`.
/// Cancellation-safe.
pub async fn all_committed(
    tasks: &Tasks,
    pending: &[PendingCommit],
    timeout: Duration,
) -> Vec<Result<(), CommitError>> {
    await_commits(tasks, pending, timeout).await;
    pending.iter().map(PendingCommit::outcome).collect()
}

/// [`all_committed`] for one batch.
pub(super) async fn committed(tasks: &Tasks, pending: PendingCommit, timeout: Duration) -> Result<(), CommitError> {
    await_commits(tasks, std::slice::from_ref(&pending), timeout).await;
    pending.outcome()
}

async fn await_commits(tasks: &Tasks, pending: &[PendingCommit], timeout: Duration) {
    if pending.iter().all(|batch| batch.high_watermark.offset() > batch.last_offset) {
        return;
    }
    let countdown = Countdown::new(i64::try_from(pending.len()).unwrap_or(i64::MAX));
    let mut wait = Wait { countdown, partitions: Vec::with_capacity(pending.len()) };
    for batch in pending {
        batch.high_watermark.enter_commit(batch.last_offset, &wait.countdown);
        wait.partitions.push(Arc::clone(&batch.high_watermark));
    }
    // Whichever way it ended, the outcomes are read from the partitions afterwards.
    if tasks.within(timeout, &mut wait).await.is_some() {
        wait.partitions.clear();
    }
}

/// A read that found too little.
pub struct PendingRead<'a> {
    /// Of this partition.
    pub partition: &'a Partition,
    /// The high watermark it stopped at.
    pub mark: Mark,
    /// Bytes that it found.
    pub found: u64,
    /// The most that the request takes from this partition.
    pub max_bytes: u64,
}

/// Waits until `min_bytes` can be read from these partitions together, or one of them has something to say that is no
/// data (it was stopped, its leader epoch moved). Entered at once, before the first poll. Cancellation-safe.
pub fn readable(reads: &[PendingRead<'_>], min_bytes: u64) -> impl Future<Output = ()> + Send + use<> {
    let mut wait = ReadWait::for_bytes(min_bytes, reads.len());
    for read in reads {
        wait.enter(&read.partition.high_watermark, read.mark, read.found, read.max_bytes);
    }
    wait
}

/// A wait for bytes of several partitions.
pub(super) struct ReadWait(Wait);

impl ReadWait {
    pub(super) fn for_bytes(min_bytes: u64, partitions: usize) -> Self {
        let countdown = Countdown::new(i64::try_from(min_bytes).unwrap_or(i64::MAX));
        Self(Wait { countdown, partitions: Vec::with_capacity(partitions) })
    }

    pub(super) fn enter(&mut self, high_watermark: &Arc<HighWatermark>, mark: Mark, found: u64, max_bytes: u64) {
        if !self.0.countdown.is_done() {
            high_watermark.enter_read(mark, found, max_bytes, &self.0.countdown);
            self.0.partitions.push(Arc::clone(high_watermark));
        }
    }
}

impl Future for ReadWait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}
