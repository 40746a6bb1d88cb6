//! Batches that skip the journal: the files of their log are synced by a few threads of their own, so that the rounds
//! of other logs go on meanwhile.
//!
//! Holds JRN-5: while a log has such a batch unsynced it has a *lane* here, and what the journal syncs of that log waits
//! in the lane.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex};

use super::sink::{JournalledLog, LogKey};
use crate::ids::Offset;

/// Threads that sync files.
pub(super) const FILE_SYNC_THREADS: usize = 2;

/// The lanes of the logs that have a file sync outstanding.
#[derive(Default)]
pub(super) struct FileSyncs {
    state: Mutex<State>,
    /// A lane waits for a thread, or the end has come.
    work: Condvar,
    /// A lane is gone.
    idle: Condvar,
    /// `state.lanes.len()`, and one more once closed, so that a log without any costs no lock.
    open_lanes: AtomicUsize,
}

#[derive(Default)]
struct State {
    lanes: HashMap<LogKey, Lane>,
    /// Lanes that wait for a thread.
    ready: VecDeque<LogKey>,
    closed: bool,
}

struct Lane {
    log: Arc<dyn JournalledLog>,
    /// The end of the last batch that skipped the journal.
    wanted: Offset,
    /// The end of the last batch that the journal synced meanwhile.
    journalled: Offset,
}

/// A sync to be done by a thread.
pub(super) struct FileSync {
    key: LogKey,
    pub(super) log: Arc<dyn JournalledLog>,
    /// Everything below was written before the sync began.
    covers: Offset,
}

impl FileSyncs {
    /// A batch that ends at `next_offset` was written and must be synced in its file.
    pub(super) fn request(&self, log: Arc<dyn JournalledLog>, next_offset: Offset) {
        let key = LogKey::of(&*log);
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        if let Some(lane) = state.lanes.get_mut(&key) {
            lane.wanted = lane.wanted.max(next_offset);
            return;
        }
        state.lanes.insert(key, Lane { log, wanted: next_offset, journalled: Offset::NONE });
        self.open_lanes.fetch_add(1, Ordering::SeqCst);
        state.ready.push_back(key);
        drop(state);
        self.work.notify_one();
    }

    /// The journal has synced up to `next_offset`. True when that may be told at once; else the lane keeps it. Never after
    /// the end, which a failed sync may have brought: what lies below may be lost.
    pub(super) fn may_mark(&self, log: &dyn JournalledLog, next_offset: Offset) -> bool {
        // A lane that this batch must wait for was opened before the batch was queued, so it is seen here.
        if self.open_lanes.load(Ordering::SeqCst) == 0 {
            return true;
        }
        let mut state = self.state.lock();
        match state.lanes.get_mut(&LogKey::of(log)) {
            Some(lane) => {
                lane.journalled = lane.journalled.max(next_offset);
                false
            }
            None => !state.closed,
        }
    }

    /// The next sync to do; blocks. `None` at the end.
    pub(super) fn next(&self) -> Option<FileSync> {
        let mut state = self.state.lock();
        self.work.wait_while(&mut state, |state| state.ready.is_empty() && !state.closed);
        let key = state.ready.pop_front()?;
        let lane = state.lanes.get(&key)?;
        Some(FileSync { key, log: Arc::clone(&lane.log), covers: lane.wanted })
    }

    /// The sync has succeeded. Returns the offset up to which the log is durable now.
    pub(super) fn done(&self, sync: &FileSync) -> Offset {
        let mut state = self.state.lock();
        let Some(lane) = state.lanes.get(&sync.key) else { return sync.covers };
        if lane.wanted > sync.covers {
            // Another came while this one ran.
            state.ready.push_back(sync.key);
            drop(state);
            self.work.notify_one();
            return sync.covers;
        }
        let durable = sync.covers.max(lane.journalled);
        state.lanes.remove(&sync.key);
        self.open_lanes.fetch_sub(1, Ordering::SeqCst);
        drop(state);
        self.idle.notify_all();
        durable
    }

    /// Blocks until this log has no file sync outstanding.
    pub(super) fn settle(&self, log: &dyn JournalledLog) {
        let key = LogKey::of(log);
        let mut state = self.state.lock();
        self.idle.wait_while(&mut state, |state| state.lanes.contains_key(&key));
    }

    /// Blocks until no log has one.
    pub(super) fn settle_all(&self) {
        let mut state = self.state.lock();
        self.idle.wait_while(&mut state, |state| !state.lanes.is_empty());
    }

    /// Lets the threads end; drops what waits.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        if !state.closed {
            // Before the lanes go: no moment without a lane, and not closed yet, is to be seen.
            self.open_lanes.fetch_add(1, Ordering::SeqCst);
        }
        state.closed = true;
        state.ready.clear();
        self.open_lanes.fetch_sub(state.lanes.len(), Ordering::SeqCst);
        state.lanes.clear();
        drop(state);
        self.work.notify_all();
        self.idle.notify_all();
    }
}
