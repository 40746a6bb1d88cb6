//! What waits for the thread of the write-ahead log, in order; bounded, so that raft waits when more does.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use super::writer::Write;

/// Writes that may wait for the thread.
const QUEUE: usize = 1024;
/// Writes that one sync may cover.
const MAX_ROUND: usize = 256;

/// The queue.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Something waits, or the queue was closed.
    work: Condvar,
    /// There is room again, or the queue was closed.
    room: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Write>,
    closed: bool,
}

impl Queue {
    /// Blocks while the queue is full. False when it is closed; the write is dropped then.
    pub(super) fn push(&self, write: Write) -> bool {
        let mut state = self.state.lock();
        self.room.wait_while(&mut state, |state| state.waiting.len() >= QUEUE && !state.closed);
        if state.closed {
            return false;
        }
        state.waiting.push_back(write);
        self.work.notify_one();
        true
    }

    /// What one round is to write. Blocks while nothing waits; empty when the queue is closed and empty.
    pub(super) fn take(&self) -> Vec<Write> {
        let mut state = self.state.lock();
        self.work.wait_while(&mut state, |state| state.waiting.is_empty() && !state.closed);
        let count = state.waiting.len().min(MAX_ROUND);
        let round = state.waiting.drain(..count).collect();
        self.room.notify_all();
        round
    }

    /// Takes nothing more. What waits is still given out.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.work.notify_all();
        self.room.notify_all();
    }
}
