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

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Weak};

use barnabas_storage::seam::mutant;
use barnabas_storage::{Log, LogObserver, Offset};
use parking_lot::Mutex;

use super::CommitError;
use super::purgatory::Countdown;

/// Who hears that the high watermark moved: the log, which retains nothing above it.
pub(super) trait CommitListener: Send + Sync {
    /// The high watermark is now `to`.
    fn committed(&self, to: Offset);
}

impl CommitListener for Log {
    fn committed(&self, to: Offset) {
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

/// A high watermark, and how many bytes this leadership had committed when it stood there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The high watermark.
    pub offset: Offset,
    /// Only differences mean something.
    bytes: u64,
}

/// One partition's high watermark: the first offset that is not committed, so that consumers do not see it.
pub(super) struct HighWatermark {
    /// Copy of the mark's offset for those who only look.
    offset: AtomicI64,
    /// Weak, because the log holds us as its observer.
    log: Weak<dyn CommitListener>,
    state: Mutex<State>,
}

/// How many requests wait for a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// For batches to be committed.
    pub produces: usize,
    /// For bytes to read.
    pub fetches: usize,
}

struct State {
    /// Everything below its offset is committed: in `group` mode synced, else appended.
    mark: Mark,
    /// Batches that were appended and are not committed, in order: the offset after each, and its bytes. Bounded by what
    /// the journal lets in.
    uncommitted: VecDeque<(Offset, u64)>,
    stopped: Option<Stopped>,
    commits: Vec<CommitWaiter>,
    readers: Vec<ReadWaiter>,
}

/// Waits until `last_offset` is committed.
struct CommitWaiter {
    last_offset: Offset,
    countdown: Arc<Countdown>,
}

/// Waits until enough bytes are committed.
struct ReadWaiter {
    /// The reader takes no more than this from the partition.
    max_bytes: u64,
    /// What there is to be read, and what the countdown was lowered by.
    readable: u64,
    countdown: Arc<Countdown>,
}

impl ReadWaiter {
    /// More bytes can be read. A partition that has all the bytes that the reader takes from it ends the wait: waiting
    /// for `min.bytes` above the partition's own limit would only delay.
    fn add(&mut self, bytes: u64) {
        self.readable = self.readable.saturating_add(bytes);
        if self.readable >= self.max_bytes {
            self.countdown.finish();
        } else {
            self.countdown.lower(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }
}

impl State {
    /// Moves the high watermark and tells those who waited for it.
    fn advance(&mut self, to: Offset) {
        let committed = self.uncommitted.iter().take_while(|(next, _)| *next <= to).count();
        let bytes = self.uncommitted.drain(..committed).map(|(_, bytes)| bytes).sum();
        self.mark.offset = to;
        self.commits.retain(|waiter| {
            let waits = waiter.last_offset >= to;
            if !waits {
                waiter.countdown.lower(1);
            }
            waits
        });
        self.add_committed(bytes);
    }

    fn add_committed(&mut self, bytes: u64) {
        if bytes == 0 {
            return;
        }
        self.mark.bytes = self.mark.bytes.saturating_add(bytes);
        self.readers.retain_mut(|waiter| {
            waiter.add(bytes);
            !waiter.countdown.is_done()
        });
    }
}

impl HighWatermark {
    pub(super) fn new(log: Weak<dyn CommitListener>, offset: Offset) -> Self {
        let state = State {
            mark: Mark { offset, bytes: 0 },
            uncommitted: VecDeque::new(),
            stopped: None,
            commits: Vec::new(),
            readers: Vec::new(),
        };
        Self { offset: AtomicI64::new(offset.0), log, state: Mutex::new(state) }
    }

    pub(super) fn offset(&self) -> Offset {
        Offset(self.offset.load(Ordering::Acquire))
    }

    pub(super) fn mark(&self) -> Mark {
        self.state.lock().mark
    }

    /// A batch that ends before `next` was appended. The sync may have been quicker than we are.
    pub(super) fn appended(&self, next: Offset, bytes: u64) {
        if mutant("high_watermark_is_log_end") {
            self.advance(next);
        }
        let mut state = self.state.lock();
        if next <= state.mark.offset {
            state.add_committed(bytes);
            return;
        }
        let later = state.uncommitted.iter().rev().take_while(|(other, _)| *other > next).count();
        let place = state.uncommitted.len() - later;
        state.uncommitted.insert(place, (next, bytes));
    }

    /// Moves to `to` unless it is there already, and tells those who waited for it.
    pub(super) fn advance(&self, to: Offset) {
        let mut state = self.state.lock();
        if to <= state.mark.offset {
            return;
        }
        self.offset.store(to.0, Ordering::Release);
        if let Some(log) = self.log.upgrade() {
            log.committed(to);
        }
        state.advance(to);
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
            _ if state.mark.offset > last_offset => Some(Ok(())),
            Some(Stopped::Offline) => Some(Err(CommitError::Offline)),
            Some(Stopped::NotLeader) => Some(Err(CommitError::NotLeader)),
            None => None,
        }
    }

    /// Lowers `countdown` by one as soon as the fate of `last_offset` is known, perhaps at once.
    pub(super) fn enter_commit(&self, last_offset: Offset, countdown: &Arc<Countdown>) {
        let mut state = self.state.lock();
        if state.mark.offset > last_offset || state.stopped.is_some() {
            countdown.lower(1);
        } else {
            state.commits.push(CommitWaiter { last_offset, countdown: Arc::clone(countdown) });
        }
    }

    /// Lowers `countdown` by the bytes that can be read or will be: `found` at `mark`, and what was and will be committed
    /// since. `max_bytes` is the most that the reader takes from here.
    pub(super) fn enter_read(&self, mark: Mark, found: u64, max_bytes: u64, countdown: &Arc<Countdown>) {
        let mut state = self.state.lock();
        if state.stopped.is_some() {
            countdown.finish();
            return;
        }
        let mut waiter = ReadWaiter { max_bytes, readable: 0, countdown: Arc::clone(countdown) };
        let readable = found.saturating_add(state.mark.bytes.saturating_sub(mark.bytes));
        if readable > 0 {
            waiter.add(readable);
        }
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

    pub(super) fn waiting(&self) -> Waiting {
        let state = self.state.lock();
        Waiting { produces: state.commits.len(), fetches: state.readers.len() }
    }
}

impl LogObserver for HighWatermark {
    /// In `group` mode this is what commits. In `interval` and `os` the append did it already, and a sync that lags
    /// behind changes nothing.
    fn synced(&self, synced: Offset) {
        self.advance(if mutant("high_watermark_one_too_high") { Offset(synced.0 + 1) } else { synced });
    }

    fn offline(&self) {
        self.stop(Stopped::Offline);
    }
}

#[cfg(test)]
mod tests;
