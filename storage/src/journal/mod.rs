//! The journal of a log directory: a ring of preallocated files through which the batches of all its logs become
//! durable together. JOURNAL.md has the format, the states and the invariants JRN-1 to JRN-10.
//!
//! Must not know: what a batch holds beyond its place in a segment.

mod file_sync;
mod format;
mod members;
mod queue;
pub(crate) mod replay;
pub(crate) mod ring;
mod sink;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex, RwLock};

use self::file_sync::FileSyncs;
use self::format::EntryRow;
use self::members::Members;
use self::queue::{Queue, Queued};
use self::ring::{Place, Ring, Tail};
#[cfg(test)]
pub(crate) use self::sink::EntryProof;
pub(crate) use self::sink::{EntryKind, JournalEntry, JournalSink, JournalledLog, LogCheckpoint, LogKey, ReplayBatch};
pub(crate) use self::writer::ROUND_BYTES_MAX;
use self::writer::Writer;
use crate::advice::{LOOK_AT_DISK, MEND_DISK};
use crate::checkpointer::Checkpointer;
use crate::error::LogDirError;
use crate::failed_sync::FailedSync;
use crate::ids::TopicId;
use crate::seam::{Seams, Thread};

/// The ring grows by at most this part of the free space.
const GROWTH_SHARE: u64 = 8;
/// A ring smaller than this many rounds would wait for its checkpoints all the time.
const ROUNDS_PER_RING: u64 = 4;

/// More than this of live rounds is time for a checkpoint, however large the ring: a start reads them all.
const LIVE_BYTES_WANTED: u64 = 32 << 20;

/// So much written past the ring is time for a checkpoint: a start verifies it, at a gigabyte or two a second.
const UNPROVEN_BYTES_WANTED: u64 = 256 << 20;

/// A running journal. Its threads end with [`Journal::stop`].
pub(crate) struct Journal {
    pub(crate) seams: Seams,
    pub(crate) dir: PathBuf,
    directory: TopicId,
    session: u64,
    batch_bytes_max: usize,
    ring_bytes_max: u64,
    queue: Queue,
    ring: Mutex<Ring>,
    /// A checkpoint has freed a part of the ring, or the ring has grown.
    freed: Condvar,
    growing: AtomicBool,
    /// Bytes that were written past the ring since the last checkpoint began.
    unproven: AtomicU64,
    file_syncs: FileSyncs,
    members: Members,
    /// Held alone while a log's directory is renamed, and shared while checkpoints work in them.
    moving: RwLock<()>,
    pub(crate) checkpointer: Checkpointer,
    threads: Mutex<Vec<Thread>>,
}

/// What a journal starts from.
pub(crate) struct JournalStart {
    pub(crate) seams: Seams,
    pub(crate) dir: PathBuf,
    pub(crate) directory: TopicId,
    pub(crate) session: u64,
    pub(crate) batch_bytes_max: usize,
    pub(crate) ring_bytes_max: u64,
    pub(crate) ring: Ring,
    pub(crate) checkpointer: Checkpointer,
}

impl Journal {
    /// Starts without threads: logs may be opened with it, but nothing is written to the ring until
    /// [`Journal::start_threads`].
    pub(crate) fn new(start: JournalStart) -> Arc<Self> {
        let ring_share = usize::try_from(start.ring.capacity() / (2 * ROUNDS_PER_RING)).unwrap_or(usize::MAX);
        let batch_bytes_max = start.batch_bytes_max.min(ROUND_BYTES_MAX / 4).min(ring_share);
        Arc::new(Self {
            seams: start.seams,
            dir: start.dir,
            directory: start.directory,
            session: start.session,
            batch_bytes_max,
            ring_bytes_max: start.ring_bytes_max,
            queue: Queue::default(),
            ring: Mutex::new(start.ring),
            freed: Condvar::new(),
            growing: AtomicBool::new(false),
            unproven: AtomicU64::new(0),
            file_syncs: FileSyncs::default(),
            members: Members::default(),
            moving: RwLock::new(()),
            checkpointer: start.checkpointer,
            threads: Mutex::new(Vec::new()),
        })
    }

    /// Starts the writer, the file syncers and the checkpointer.
    ///
    /// # Errors
    /// When the machine has no thread left.
    pub(crate) fn start_threads(self: &Arc<Self>) -> io::Result<()> {
        self.spawn("journal-writer", |journal| Writer::new().run(journal))?;
        self.spawn("checkpointer", Checkpointer::run)?;
        for _ in 0..file_sync::FILE_SYNC_THREADS {
            self.spawn("file-sync", Self::run_file_syncs)?;
        }
        Ok(())
    }

    fn spawn(self: &Arc<Self>, name: &str, work: impl FnOnce(&Arc<Self>) + Send + 'static) -> io::Result<()> {
        let journal = Arc::clone(self);
        let thread = self.seams.spawn.thread(name, Box::new(move || work(&journal)))?;
        self.threads.lock().push(thread);
        Ok(())
    }

    /// Serves this log from now on.
    pub(crate) fn add_log(&self, log: &Arc<dyn JournalledLog>) {
        self.members.add(log);
    }

    /// Serves it no more, and then has `take_away` rename its directory. Nothing of it waits any more.
    ///
    /// # Errors
    /// When the renaming fails; the log is gone all the same, and the next start finds a stray.
    pub(crate) fn remove_log(
        &self,
        key: LogKey,
        take_away: impl FnOnce() -> io::Result<()>,
    ) -> Result<(), LogDirError> {
        let _moving = self.moving.write();
        self.members.remove(key);
        self.checkpointer.forget(key, self.end().round);
        take_away().map_err(|error| self.disk_error("rename a deleted log in", &self.dir, error))
    }

    /// Serves it no more: its line stays in the manifest, and its directory may be renamed.
    pub(crate) fn set_aside(&self, key: LogKey) {
        let _moving = self.moving.write();
        self.members.remove(key);
    }

    /// What an error means: a full disk is no reason to stop, everything else takes the directory offline (JRN-8).
    pub(crate) fn disk_error(&self, act: &'static str, path: &Path, error: io::Error) -> LogDirError {
        if error.kind() == io::ErrorKind::StorageFull {
            return LogDirError::Io { act, path: path.to_path_buf(), source: error };
        }
        self.take_offline(act, path, &error);
        LogDirError::Offline(self.dir.clone())
    }

    /// Does something to the files of a log while its directory is sure to stay; `None` when the log is deleted.
    pub(crate) fn with_files_in_place<T>(&self, key: LogKey, work: impl FnOnce() -> T) -> Option<T> {
        let _staying = self.moving.read();
        self.members.has(key).then(work)
    }

    /// The logs that a checkpoint has to look at.
    pub(crate) fn logs(&self) -> Vec<Arc<dyn JournalledLog>> {
        self.members.all()
    }

    /// Waits for everything submitted so far.
    pub(crate) fn settle_all(&self) {
        self.queue.settle();
        self.file_syncs.settle_all();
    }

    /// Ends the threads and waits for them. What still waits is written first, unless the directory is offline.
    pub(crate) fn stop(&self) {
        self.queue.close();
        self.queue.settle();
        self.end_threads();
    }

    /// Ends the threads as a crash would: what waits is dropped.
    pub(crate) fn abandon(&self) {
        self.queue.abandon();
        self.end_threads();
    }

    fn end_threads(&self) {
        self.file_syncs.close();
        self.checkpointer.close();
        self.freed.notify_all();
        let threads = std::mem::take(&mut *self.threads.lock());
        for thread in threads {
            // A panic of that thread has been reported by the panic hook.
            let _ = thread.join();
        }
    }

    /// Where a replay would begin if all that is written now were checkpointed.
    pub(crate) fn end(&self) -> Tail {
        self.ring.lock().end()
    }

    /// The manifest says that no round below is needed.
    pub(crate) fn free_below(&self, round: u64) {
        self.ring.lock().free_below(round);
        self.freed.notify_all();
    }

    /// More than a quarter of the ring is live: time for a larger one.
    fn is_filling(&self) -> bool {
        let ring = self.ring.lock();
        ring.live_bytes() * 4 > ring.capacity()
    }

    /// Bytes of live rounds, and bytes that rounds may use.
    pub(crate) fn fill(&self) -> (u64, u64) {
        let ring = self.ring.lock();
        (ring.live_bytes(), ring.capacity())
    }

    /// A start now would have more to do than we want it to, or the ring fills.
    pub(crate) fn wants_checkpoint(&self) -> bool {
        self.unproven.load(Ordering::Relaxed) > UNPROVEN_BYTES_WANTED
            || self.is_filling()
            || self.ring.lock().live_bytes() > LIVE_BYTES_WANTED
    }

    /// A checkpoint begins. What is written from now on, the next one counts.
    pub(crate) fn checkpoint_begins(&self) -> Tail {
        self.unproven.store(0, Ordering::Relaxed);
        self.end()
    }

    fn round_bytes_max(&self) -> usize {
        let share = self.ring.lock().capacity() / ROUNDS_PER_RING;
        usize::try_from(share).map_or(ROUND_BYTES_MAX, |share| share.min(ROUND_BYTES_MAX))
    }

    /// Waits until a round of this length has a place. `None` when the directory goes offline or is abandoned.
    fn wait_for_place(&self, length: u64) -> Option<Place> {
        let mut ring = self.ring.lock();
        loop {
            if self.members.is_offline() || self.checkpointer.is_closed() {
                return None;
            }
            if let Some(place) = ring.place_for(length) {
                return Some(place);
            }
            self.checkpointer.wake();
            self.freed.wait(&mut ring);
        }
    }

    fn round_written(self: &Journal, place: Place, length: u64) {
        self.ring.lock().advance(place, length);
        if self.wants_checkpoint() {
            self.checkpointer.wake();
        }
    }

    /// Adds a file to the ring when it fills and may grow. Called by the checkpointer's thread, which does not wait for
    /// it.
    pub(crate) fn grow_if_filling(self: &Arc<Self>) {
        let files = self.ring.lock().files.clone();
        let Some(length) = files.next_length(self.ring_bytes_max) else { return };
        if !self.is_filling() || !self.has_room_for(length) || self.growing.swap(true, Ordering::SeqCst) {
            return;
        }
        let grown = self.spawn("journal-growth", move |journal| {
            match files.make_next(&*journal.seams.disk, length) {
                Ok(file) => journal.ring.lock().files.push(file),
                // The ring stays as it is: producers wait a little more often.
                Err(error) => {
                    let dir = journal.dir.display();
                    tracing::warn!(%dir, %error, "the journal could not grow: producers wait more often; {LOOK_AT_DISK}");
                }
            }
            journal.freed.notify_all();
            journal.growing.store(false, Ordering::SeqCst);
        });
        if grown.is_err() {
            self.growing.store(false, Ordering::SeqCst);
        }
    }

    /// A small disk is for the logs: the ring does not take a large share of what is left.
    fn has_room_for(&self, length: u64) -> bool {
        let free = self.seams.disk.free_bytes(&self.dir);
        free.is_ok_and(|free| self.checkpointer.has_room() && length <= free / GROWTH_SHARE)
    }

    fn run_file_syncs(self: &Arc<Self>) {
        while let Some(sync) = self.file_syncs.next() {
            if let Err(error) = sync.log.sync_active_files() {
                self.take_offline("sync the files of a log in", &self.dir, &error);
                return;
            }
            let durable = self.file_syncs.done(&sync);
            if !self.members.is_offline() {
                sync.log.mark_synced(durable);
            }
        }
    }

    /// Latches: the first error is logged, every log is told, everyone who waits goes on (JRN-8).
    fn take_offline(&self, act: &'static str, path: &Path, error: &io::Error) {
        if !self.members.latch() {
            return;
        }
        let (dir, path) = (self.dir.display(), path.display());
        tracing::error!(%dir, "log directory is offline: could not {act} {path}: {error}; {MEND_DISK}");
        self.queue.abandon();
        self.file_syncs.close();
        self.checkpointer.wake();
        // Under the ring's lock, so that a writer between its look at the latch and its wait is not missed.
        drop(self.ring.lock());
        self.freed.notify_all();
        // Behind those who wait for room, whom a disk that hangs must not hold up; before anybody can end the process for it.
        FailedSync::of_logs(&*self.seams.disk, &self.dir).note();
        for log in self.members.all() {
            log.fail();
        }
    }
}

impl JournalSink for Journal {
    fn admit(&self) {
        self.queue.admit();
    }

    fn submit(&self, entry: JournalEntry) {
        if self.members.is_offline() {
            return;
        }
        match entry.kind {
            EntryKind::SyncThrough { next_offset } => self.file_syncs.request(entry.log, next_offset),
            EntryKind::Batch { leader_epoch, base_offset, next_offset, segment_base, position, header, tail } => {
                let length = u32::try_from(header.len() + tail.len())
                    .expect("invariant: a batch's own length field has 32 bits");
                let (topic_id, partition) = (entry.log.topic_id(), entry.log.partition());
                let row = EntryRow {
                    topic_id,
                    partition,
                    leader_epoch,
                    base_offset,
                    next_offset,
                    segment_base,
                    position,
                    length,
                };
                self.queue.push(Queued { log: entry.log, row, header, tail });
            }
        }
    }

    fn written_past(&self, bytes: u64) {
        let before = self.unproven.fetch_add(bytes, Ordering::Relaxed);
        if before <= UNPROVEN_BYTES_WANTED && before + bytes > UNPROVEN_BYTES_WANTED {
            self.checkpointer.wake();
        }
    }

    fn settle(&self, log: &dyn JournalledLog) {
        self.queue.settle();
        self.file_syncs.settle(log);
    }

    fn is_offline(&self) -> bool {
        self.members.is_offline()
    }

    fn batch_bytes_max(&self) -> usize {
        self.batch_bytes_max
    }

    fn has_room(&self) -> bool {
        self.checkpointer.has_room()
    }

    fn fail(&self, act: &'static str, path: &Path, error: &io::Error) {
        self.take_offline(act, path, error);
    }

    fn checkpoint_now(&self, log: &dyn JournalledLog) -> Result<(), LogDirError> {
        Checkpointer::checkpoint_one(self, log)
    }

    fn record(&self, checkpoint: LogCheckpoint) -> Result<(), LogDirError> {
        Checkpointer::record(self, checkpoint)
    }
}

#[cfg(test)]
mod tests;
