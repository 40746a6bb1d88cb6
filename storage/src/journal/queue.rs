//! What waits for the next round, of all logs, in the order in which it came.
//!
//! Holds the other half of JRN-7: the queue is bounded in bytes, and above its bound appenders wait.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};

use super::format::{EntryRow, round_length};
use super::sink::JournalledLog;

/// Batches that wait hold at most this much memory before [`Queue::admit`] blocks.
pub(crate) const QUEUE_BYTES_MAX: usize = 16 << 20;

/// One batch that waits.
pub(super) struct Queued {
    pub(super) log: Arc<dyn JournalledLog>,
    pub(super) row: EntryRow,
    pub(super) header: [u8; 61],
    pub(super) tail: Bytes,
}

/// The queue.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Something waits, or the queue was closed.
    work: Condvar,
    /// There is room again.
    room: Condvar,
    /// A round is done.
    settled: Condvar,
}

#[derive(Default)]
struct State {
    waiting: std::collections::VecDeque<Queued>,
    bytes: usize,
    /// Entries that ever came in.
    submitted: u64,
    /// Entries of these that are synced or given up.
    finished: u64,
    closed: bool,
}

impl Queued {
    fn length(&self) -> usize {
        self.header.len() + self.tail.len()
    }
}

impl Queue {
    /// Blocks while the queue is above its bound.
    pub(super) fn admit(&self) {
        let mut state = self.state.lock();
        self.room.wait_while(&mut state, |state| state.bytes >= QUEUE_BYTES_MAX && !state.closed);
    }

    /// Dropped when the queue is closed: nobody will sync it.
    pub(super) fn push(&self, entry: Queued) {
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        state.bytes += entry.length();
        state.submitted += 1;
        state.waiting.push_back(entry);
        if state.waiting.len() == 1 {
            self.work.notify_one();
        }
    }

    /// Moves what waits into `round` (which is empty), up to `bytes_max` as a round, at least one entry. Blocks while
    /// nothing waits; false when the queue is closed and empty.
    pub(super) fn take(&self, round: &mut Vec<Queued>, bytes_max: usize) -> bool {
        let mut state = self.state.lock();
        self.work.wait_while(&mut state, |state| state.waiting.is_empty() && !state.closed);
        let mut batches = 0;
        while let Some(next) = state.waiting.front() {
            let length = next.length();
            if !round.is_empty() && round_length(round.len() + 1, batches + length) > bytes_max {
                break;
            }
            batches += length;
            round.extend(state.waiting.pop_front());
        }
        let was_full = state.bytes >= QUEUE_BYTES_MAX;
        state.bytes -= batches;
        if was_full && state.bytes < QUEUE_BYTES_MAX {
            self.room.notify_all();
        }
        !round.is_empty()
    }

    /// So many entries, taken before, are synced or given up.
    pub(super) fn finish(&self, entries: usize) {
        self.state.lock().finished += entries as u64;
        self.settled.notify_all();
    }

    /// Blocks until everything pushed before is finished.
    pub(super) fn settle(&self) {
        let mut state = self.state.lock();
        let target = state.submitted;
        self.settled.wait_while(&mut state, |state| state.finished < target);
    }

    /// Takes nothing more. What waits is still given out.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.work.notify_all();
        self.room.notify_all();
    }

    /// Takes nothing more and drops what waits.
    pub(super) fn abandon(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.finished += state.waiting.len() as u64;
        state.bytes = 0;
        let dropped = std::mem::take(&mut state.waiting);
        drop(state);
        drop(dropped);
        self.work.notify_all();
        self.room.notify_all();
        self.settled.notify_all();
    }
}
