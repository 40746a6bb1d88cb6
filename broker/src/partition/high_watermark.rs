//! One partition's high watermark and who waits for it to move.
//!
//! Must not know: requests, topics, why a waiter waits.
//!
//! Invariants:
//! 1. The high watermark never goes back while the partition is led.
//! 2. It moves, and waiters are entered and taken out, under one lock: a waiter either sees the new offset when it
//!    enters or is told of the move. No wake-up is missed and none is made for nothing.
//! 3. A waiter is entered once per partition and request, and its request holds the memory permit of its frame: the
//!    lists are bounded by the requests that the broker admits.
//! 4. Lock order: this lock before the log's. Storage calls us holding none of its locks.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Weak};

use barnabas_storage::{Log, LogObserver, Offset};
use parking_lot::Mutex;

use super::CommitError;
use super::purgatory::Countdown;

/// What the high watermark needs of the log behind it.
pub(super) trait Extent: Send + Sync {
    /// Bytes of whole batches from the one that covers `from` up to `up_to`.
    fn bytes_between(&self, from: Offset, up_to: Offset) -> u64;
    /// The high watermark is now `to`.
    fn high_watermark_moved(&self, to: Offset);
}

impl Extent for Log {
    fn bytes_between(&self, from: Offset, up_to: Offset) -> u64 {
        Log::bytes_between(self, from, up_to)
    }

    fn high_watermark_moved(&self, to: Offset) {
        self.set_high_watermark(to);
    }
}

/// Why the high watermark will not move any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The log directory went offline.
    Offline,
    /// The partition was deleted or is led elsewhere.
    NotLeader,
}

/// One partition's high watermark: the first offset that is not committed, so that consumers do not see it.
pub(super) struct HighWatermark {
    /// Copy of `State::offset` for those who only look.
    offset: AtomicI64,
    /// Weak, because the log holds us as its observer.
    log: Weak<dyn Extent>,
    state: Mutex<State>,
}

struct State {
    /// Everything below is committed: in `group` mode synced, else appended. Moved by [`HighWatermark::advance`] only.
    offset: Offset,
    stopped: Option<Stopped>,
    commits: Vec<CommitWaiter>,
    readers: Vec<ReadWaiter>,
}

/// Waits until `last_offset` is committed.
struct CommitWaiter {
    last_offset: Offset,
    countdown: Arc<Countdown>,
}

/// Waits until enough bytes from `from` on are committed.
struct ReadWaiter {
    from: Offset,
    /// The reader takes no more than this from the partition.
    max_bytes: u64,
    /// What the countdown was already lowered by.
    counted: u64,
    countdown: Arc<Countdown>,
}

impl ReadWaiter {
    /// Lowers the countdown by what became readable since the last call. A partition that has all the bytes that the
    /// reader takes from it ends the wait: waiting for `min.bytes` above the partition's own limit would only delay.
    fn count(&mut self, log: &dyn Extent, high_watermark: Offset) {
        if high_watermark <= self.from {
            return;
        }
        let readable = log.bytes_between(self.from, high_watermark).min(self.max_bytes);
        if readable >= self.max_bytes {
            self.countdown.finish();
        } else if readable > self.counted {
            self.countdown.lower(i64::try_from(readable - self.counted).unwrap_or(i64::MAX));
            self.counted = readable;
        }
    }
}

impl HighWatermark {
    pub(super) fn new(log: Weak<dyn Extent>, offset: Offset) -> Self {
        let state = State { offset, stopped: None, commits: Vec::new(), readers: Vec::new() };
        Self { offset: AtomicI64::new(offset.0), log, state: Mutex::new(state) }
    }

    pub(super) fn offset(&self) -> Offset {
        Offset(self.offset.load(Ordering::Acquire))
    }

    /// Moves to `to` unless it is there already, and tells those who waited for it.
    pub(super) fn advance(&self, to: Offset) {
        let mut state = self.state.lock();
        if to <= state.offset {
            return;
        }
        state.offset = to;
        self.offset.store(to.0, Ordering::Release);
        let Some(log) = self.log.upgrade() else { return };
        log.high_watermark_moved(to);
        state.commits.retain(|waiter| {
            let waits = waiter.last_offset >= to;
            if !waits {
                waiter.countdown.lower(1);
            }
            waits
        });
        state.readers.retain_mut(|waiter| {
            waiter.count(&*log, to);
            !waiter.countdown.is_done()
        });
    }

    /// No offset will be committed any more; whoever waits is told.
    pub(super) fn stop(&self, why: Stopped) {
        let mut state = self.state.lock();
        state.stopped.get_or_insert(why);
        for waiter in state.commits.drain(..) {
            waiter.countdown.lower(1);
        }
        for waiter in state.readers.drain(..) {
            waiter.countdown.finish();
        }
    }

    /// Wakes the readers, so that they look again: the leader epoch or the log start moved.
    pub(super) fn wake_readers(&self) {
        for waiter in self.state.lock().readers.drain(..) {
            waiter.countdown.finish();
        }
    }

    /// Whether `last_offset` is committed; `None` while that is open.
    pub(super) fn outcome(&self, last_offset: Offset) -> Option<Result<(), CommitError>> {
        if self.offset() > last_offset {
            return Some(Ok(()));
        }
        let state = self.state.lock();
        match state.stopped {
            _ if state.offset > last_offset => Some(Ok(())),
            Some(Stopped::Offline) => Some(Err(CommitError::Offline)),
            Some(Stopped::NotLeader) => Some(Err(CommitError::NotLeader)),
            None => None,
        }
    }

    /// Lowers `countdown` by one as soon as the fate of `last_offset` is known, perhaps at once.
    pub(super) fn enter_commit(&self, last_offset: Offset, countdown: &Arc<Countdown>) {
        let mut state = self.state.lock();
        if state.offset > last_offset || state.stopped.is_some() {
            countdown.lower(1);
        } else {
            state.commits.push(CommitWaiter { last_offset, countdown: Arc::clone(countdown) });
        }
    }

    /// Lowers `countdown` by the bytes that are or become readable from `from` on, `max_bytes` at most.
    pub(super) fn enter_read(&self, from: Offset, max_bytes: u64, countdown: &Arc<Countdown>) {
        let mut state = self.state.lock();
        let log = self.log.upgrade();
        let (Some(log), None) = (log, state.stopped) else {
            countdown.finish();
            return;
        };
        let mut waiter = ReadWaiter { from, max_bytes, counted: 0, countdown: Arc::clone(countdown) };
        waiter.count(&*log, state.offset);
        if !countdown.is_done() {
            state.readers.push(waiter);
        }
    }

    /// Takes the waiters of this countdown out: its request is answered or gone.
    pub(super) fn leave(&self, countdown: &Arc<Countdown>) {
        let mut state = self.state.lock();
        state.commits.retain(|waiter| !Arc::ptr_eq(&waiter.countdown, countdown));
        state.readers.retain(|waiter| !Arc::ptr_eq(&waiter.countdown, countdown));
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        let state = self.state.lock();
        state.commits.len() + state.readers.len()
    }
}

impl LogObserver for HighWatermark {
    /// In `group` mode this is what commits. In `interval` and `os` the append did it already, and a sync that lags
    /// behind changes nothing.
    fn synced(&self, synced: Offset) {
        self.advance(synced);
    }

    fn offline(&self) {
        self.stop(Stopped::Offline);
    }
}

#[cfg(test)]
mod tests;
