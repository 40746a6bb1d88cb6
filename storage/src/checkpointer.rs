//! The checkpointer: makes logs durable in their own files, writes the manifest, and frees the ring up to there.
//!
//! It also flushes `interval` logs in time.
//!
//! Holds JRN-4, the order of a checkpoint, and the manifest's half of JRN-3. It runs when the ring fills, at an
//! interval, and on demand of one log. Every checkpoint of a log takes a ticket before it looks at the log, and is
//! written only if no younger one has been: a slow one never covers what a truncation has recorded since.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::advice::{FREE_SPACE, LOOK_AT_DISK};
use crate::error::LogDirError;
use crate::journal::ring::Tail;
use crate::journal::{Journal, JournalSink as _, JournalledLog, LogCheckpoint, LogKey};
use crate::manifest::{Manifest, ManifestLog};
use crate::parallel;
use crate::reserve::with_reserve;

/// How often free space is looked at, and a checkpoint that found a full disk is tried again.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Appends are refused below `free_bytes_min`, or on a small file system below this share of it.
const FREE_SHARE_MIN: u64 = 16;

/// `interval` logs are not synced more often than this, whatever `flush.ms` says.
const FLUSH_INTERVAL_MIN: Duration = Duration::from_millis(10);

/// Writes the manifest, alone.
pub(crate) struct Checkpointer {
    book: Mutex<Book>,
    tickets: AtomicU64,
    wakeup: Mutex<Wakeup>,
    woken: Condvar,
    closed: AtomicBool,
    has_room: AtomicBool,
    interval: Duration,
    free_bytes_min: u64,
}

/// The manifest as it will be written next.
struct Book {
    manifest: Manifest,
    /// The ticket of each log's line.
    tickets: HashMap<LogKey, u64>,
    /// Logs that were deleted while rounds with entries of theirs may be live: the next round at that time.
    graves: HashMap<LogKey, u64>,
    /// False while the logs are recovered: the old manifest must stay until all of them are durable.
    writable: bool,
    /// The last write failed for want of space.
    unwritten: bool,
}

#[derive(Default)]
struct Wakeup {
    woken: bool,
}

impl Checkpointer {
    /// Starts from `manifest`, which is not written before [`Checkpointer::begin`]. `written`: it is the one that the disk
    /// has, and its session goes on.
    pub(crate) fn new(manifest: Manifest, written: bool, interval: Duration, free_bytes_min: u64) -> Self {
        let book =
            Book { manifest, tickets: HashMap::new(), graves: HashMap::new(), writable: false, unwritten: !written };
        Self {
            book: Mutex::new(book),
            tickets: AtomicU64::new(0),
            wakeup: Mutex::default(),
            woken: Condvar::new(),
            closed: AtomicBool::new(false),
            has_room: AtomicBool::new(true),
            interval,
            free_bytes_min,
        }
    }

    /// The logs are recovered. A new session's manifest is written, and one that goes on when some logs have new
    /// checkpoints (`renewed`): earlier rounds are not for them.
    pub(crate) fn begin(
        &self,
        journal: &Journal,
        logs: &HashSet<LogKey>,
        renewed: Vec<LogCheckpoint>,
        graves: impl Iterator<Item = LogKey>,
    ) -> Result<(), LogDirError> {
        let next_round = journal.end().round;
        let mut book = self.book.lock();
        let known = book.manifest.logs.len();
        book.manifest.logs.retain(|key, _| logs.contains(key));
        book.unwritten |= book.manifest.logs.len() < known;
        book.graves = graves.map(|key| (key, next_round)).collect();
        book.unwritten |= !renewed.is_empty();
        for checkpoint in renewed {
            book.apply(0, checkpoint, Some(next_round));
        }
        book.writable = true;
        self.look_for_room(journal);
        if book.unwritten { write(journal, &mut book) } else { Ok(()) }
    }

    /// The thread: checkpoints until the journal stops.
    pub(crate) fn run(journal: &Arc<Journal>) {
        let this = &journal.checkpointer;
        let mut last = journal.seams.clock.monotonic();
        let mut flush_interval = LOOK_INTERVAL;
        while this.wait(flush_interval) && !journal.is_offline() {
            flush_interval = flush_interval_logs(journal);
            this.look_for_room(journal);
            journal.grow_if_filling();
            let now = journal.seams.clock.monotonic();
            if journal.wants_checkpoint() || now.saturating_sub(last) >= this.interval {
                last = now;
                if let Err(error) = Self::checkpoint_all(journal) {
                    let dir = journal.dir.display();
                    tracing::warn!(%dir, %error, "a checkpoint failed: it is tried again; {LOOK_AT_DISK}");
                }
            }
        }
    }

    /// Checkpoints every dirty log and frees the ring.
    pub(crate) fn checkpoint_all(journal: &Arc<Journal>) -> Result<(), LogDirError> {
        // Everything journalled before this end was written to its segment before that.
        Self::checkpoint_to(journal, journal.checkpoint_begins())
    }

    /// `tail` was the ring's end at some moment before.
    pub(crate) fn checkpoint_to(journal: &Arc<Journal>, tail: Tail) -> Result<(), LogDirError> {
        let this = &journal.checkpointer;
        let dirty: Vec<_> = journal.logs().into_iter().filter(|log| log.is_dirty()).collect();
        let one = {
            let journal = Arc::clone(journal);
            move |log: Arc<dyn JournalledLog>| {
                let ticket = journal.checkpointer.ticket();
                // One that is deleted meanwhile has nothing left to checkpoint.
                checkpoint(&journal, &*log).map(|made| made.map(|made| (ticket, made, log)))
            }
        };
        let made = parallel::each(&*journal.seams.spawn, "checkpoint", parallel::SYNCING_THREADS, dirty, one);
        let checkpoints: Vec<_> = made.into_iter().filter_map(Result::transpose).collect::<Result<_, _>>()?;
        let mut book = this.book.lock();
        if checkpoints.is_empty() && book.manifest.tail.round == tail.round && !book.unwritten {
            return Ok(());
        }
        for (ticket, checkpoint, _) in &checkpoints {
            book.apply(*ticket, checkpoint.clone(), None);
        }
        // Another checkpoint may have overtaken this one, and what it freed is overwritten.
        if book.manifest.tail.round < tail.round {
            book.manifest.tail = tail;
        }
        write(journal, &mut book)?;
        book.graves.retain(|_, round| *round > tail.round);
        drop(book);
        journal.free_below(tail.round);
        for (_, checkpoint, log) in checkpoints {
            if !journal.is_offline() {
                log.mark_synced(checkpoint.recovery_point);
            }
        }
        Ok(())
    }

    /// Checkpoints one log.
    pub(crate) fn checkpoint_one(journal: &Journal, log: &dyn JournalledLog) -> Result<(), LogDirError> {
        let this = &journal.checkpointer;
        let ticket = this.ticket();
        let Some(checkpoint) = checkpoint(journal, log)? else { return Ok(()) };
        let mut book = this.book.lock();
        book.apply(ticket, checkpoint, None);
        write(journal, &mut book)
    }

    /// Writes a checkpoint that the log made itself. Nothing of this log waits in the queue, so rounds from the next
    /// one on are younger than it.
    pub(crate) fn record(journal: &Journal, checkpoint: LogCheckpoint) -> Result<(), LogDirError> {
        if journal.is_offline() {
            return Err(LogDirError::Offline(journal.dir.clone()));
        }
        let this = &journal.checkpointer;
        let ticket = this.ticket();
        let next_round = journal.end().round;
        let mut book = this.book.lock();
        book.apply(ticket, checkpoint, Some(next_round));
        write(journal, &mut book)
    }

    /// Takes a log into the manifest (from the next write on) that was just made and is empty.
    pub(crate) fn list(&self, checkpoint: LogCheckpoint) {
        let mut book = self.book.lock();
        let ticket = self.ticket();
        book.apply(ticket, checkpoint, None);
        book.unwritten = true;
    }

    /// Takes a log out of the manifest (from the next write on): its directory is gone. Rounds below `next_round` may
    /// still hold batches of it.
    pub(crate) fn forget(&self, key: LogKey, next_round: u64) {
        let mut book = self.book.lock();
        let ticket = self.ticket();
        book.tickets.insert(key, ticket);
        book.manifest.logs.remove(&key);
        // The next checkpoint says so, whether or not another log has news.
        book.unwritten = true;
        book.graves.insert(key, next_round);
    }

    /// True when rounds of a deleted log of this key may be live.
    pub(crate) fn has_grave(&self, key: LogKey) -> bool {
        self.book.lock().graves.contains_key(&key)
    }

    /// The last manifest of a stop, with an empty ring. `clean` says that Kafka's files count from now on.
    pub(crate) fn end(
        journal: &Journal,
        checkpoints: Vec<LogCheckpoint>,
        tail: Tail,
        clean: bool,
    ) -> Result<(), LogDirError> {
        let mut book = journal.checkpointer.book.lock();
        for checkpoint in checkpoints {
            book.apply(journal.checkpointer.ticket(), checkpoint, Some(tail.round));
        }
        book.manifest.tail = tail;
        book.manifest.clean = clean;
        write(journal, &mut book)
    }

    /// Asks the thread to look at the ring.
    pub(crate) fn wake(&self) {
        self.wakeup.lock().woken = true;
        self.woken.notify_all();
    }

    /// Ends the thread.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// True when the journal is ending.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// False when the file system was below the free-space mark at the last look.
    pub(crate) fn has_room(&self) -> bool {
        self.has_room.load(Ordering::Relaxed)
    }

    pub(crate) fn look_for_room(&self, journal: &Journal) {
        let disk = &*journal.seams.disk;
        let looked = disk.free_bytes(&journal.dir).and_then(|free| Ok((free, disk.total_bytes(&journal.dir)?)));
        match looked {
            Ok((free, total)) => {
                // A disk of some ten MiB is not refused as a whole.
                let has_room = free >= self.free_bytes_min.min(total / FREE_SHARE_MIN);
                let had_room = self.has_room.swap(has_room, Ordering::Relaxed);
                let dir = journal.dir.display();
                if had_room && !has_room {
                    tracing::warn!(%dir, free, "the disk is full: records are refused; {FREE_SPACE}");
                } else if has_room && !had_room {
                    tracing::info!(%dir, free, "the disk has room again: records are taken");
                }
            }
            Err(error) => tracing::warn!(dir = %journal.dir.display(), %error, "free space is unknown; {LOOK_AT_DISK}"),
        }
    }

    /// False when the journal is ending.
    fn wait(&self, flush_interval: Duration) -> bool {
        let mut wakeup = self.wakeup.lock();
        if !wakeup.woken {
            self.woken.wait_for(&mut wakeup, flush_interval.min(self.interval).min(LOOK_INTERVAL));
        }
        wakeup.woken = false;
        !self.is_closed()
    }

    fn ticket(&self) -> u64 {
        self.tickets.fetch_add(1, Ordering::SeqCst)
    }
}

impl Book {
    /// Takes a checkpoint in unless a younger one is there. With `replay_from`, older rounds are not for this log.
    fn apply(&mut self, ticket: u64, checkpoint: LogCheckpoint, replay_from: Option<u64>) {
        let key = key_of(&checkpoint);
        if self.tickets.get(&key).is_some_and(|younger| *younger > ticket) {
            return;
        }
        self.tickets.insert(key, ticket);
        let before = self.manifest.logs.get(&key).map_or(0, |line| line.replay_from);
        let replay_from = replay_from.unwrap_or(0).max(before);
        self.manifest.logs.insert(key, ManifestLog { replay_from, checkpoint });
    }
}

fn key_of(checkpoint: &LogCheckpoint) -> LogKey {
    LogKey { topic_id: checkpoint.topic_id, partition: checkpoint.partition }
}

/// Syncs what `interval` logs hold unsynced. Returns the shortest of their intervals, for the next time.
fn flush_interval_logs(journal: &Journal) -> Duration {
    let mut shortest = LOOK_INTERVAL;
    for log in journal.logs() {
        let Some(interval) = log.flush_interval() else { continue };
        shortest = shortest.min(interval.max(FLUSH_INTERVAL_MIN));
        if let Some(Err(error)) = journal.with_files_in_place(LogKey::of(&*log), || log.flush()) {
            journal.fail("sync the files of a log in", &journal.dir, &error);
            break;
        }
    }
    shortest
}

/// `None` when the log is deleted. Its files stay where they are meanwhile.
fn checkpoint(journal: &Journal, log: &dyn JournalledLog) -> Result<Option<LogCheckpoint>, LogDirError> {
    let checkpoint = journal.with_files_in_place(LogKey::of(log), || log.checkpoint()).transpose();
    checkpoint.map_err(|error| journal.disk_error("checkpoint a log in", &journal.dir, error))
}

fn write(journal: &Journal, book: &mut Book) -> Result<(), LogDirError> {
    if !book.writable {
        return Ok(());
    }
    if journal.is_offline() {
        return Err(LogDirError::Offline(journal.dir.clone()));
    }
    let disk = &*journal.seams.disk;
    let written = with_reserve(disk, &journal.dir, || book.manifest.write(disk, &journal.dir));
    book.unwritten = written.is_err();
    written.map_err(|error| journal.disk_error("write", &Manifest::path(&journal.dir), error))
}
