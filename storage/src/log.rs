//! One partition's log: its state and its locks. What it does is in `log/`: open and recover, append, read, look up
//! offsets, checkpoint, truncate, retain. INVARIANTS.md has LOG-1 to LOG-12.
//!
//! Locks, outermost first: `appends` (one append, truncation or close at a time), `stable` (one checkpoint, or one change
//! of files), `writer`, `segments`, a segment's indexes, `end`. The journal's threads take `stable` and what is below
//! it, never `appends`; a reader takes `segments` and `end` for the time of a look-up in a map.
//!
//! Must not know: replication, requests, other logs.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::{Mutex, RwLock};

use crate::error::LogDirError;
use crate::ids::{LeaderEpoch, Offset, PartitionIndex, Timestamp, TopicId};
use crate::journal::{JournalSink, LogCheckpoint};
use crate::leader_epoch::LeaderEpochs;
use crate::options::LogOptions;
use crate::producer_state::{ActiveProducer, ProducerStates};
use crate::seam::Seams;
use crate::segments::Segments;

mod append;
mod checkpoint;
mod checksums;
mod leftovers;
mod offsets;
mod open;
mod read;
mod recover;
mod retention;
mod snapshots;
mod tail;
mod truncate;

#[cfg(test)]
mod tests;

pub use self::append::{AppendOrigin, Appended};
pub use self::offsets::{FoundOffset, OffsetQuery};
pub(crate) use self::open::{LastStop, LogRecovery};
pub use self::read::Read;
use self::tail::{LogEnd, Tail};

/// What every log of a directory shares.
#[derive(Clone)]
pub(crate) struct LogContext {
    /// Disk, clock, random numbers, threads.
    pub(crate) seams: Seams,
    /// The directory's journal.
    pub(crate) journal: Arc<dyn JournalSink>,
    /// The directory, for messages.
    pub(crate) log_dir: PathBuf,
    /// Another broker may have run here since our last stop: what we keep beside Kafka's files proves nothing.
    pub(crate) others_ran: bool,
    /// A sync has failed since the machine's last start, or may have: what is seen above the checkpoints is not on the disk
    /// because it counts as clean.
    pub(crate) sync_failed: bool,
}

/// Hears of a log's progress. Called from storage's threads, in order, holding no lock of the log; must not block.
pub trait LogObserver: Send + Sync {
    /// Everything below `synced` is on disk. For `interval` and `os` logs, where commitment does not wait, it is only
    /// informative.
    fn synced(&self, synced: Offset);

    /// A write or sync failed: the log directory is offline and nothing later will be synced.
    fn offline(&self);
}

/// One partition's log. All methods may be called from any thread; appends are serialised by a lock inside.
///
/// Offsets, in this order: log start <= synced <= log end (`group`), log start <= high watermark <= log end.
pub struct Log {
    topic: Arc<str>,
    topic_id: TopicId,
    partition: PartitionIndex,
    directory: PathBuf,
    context: LogContext,
    /// Itself, for journal entries.
    me: Weak<Self>,
    options: RwLock<Arc<LogOptions>>,
    observer: RwLock<Option<Arc<dyn LogObserver>>>,
    appends: Mutex<()>,
    stable: Mutex<LogCheckpoint>,
    writer: Mutex<Writer>,
    segments: RwLock<Segments>,
    epochs: RwLock<LeaderEpochs>,
    end: LogEnd,
    log_start: AtomicI64,
    /// What the log start will be as soon as a checkpoint says so; else at or below it. Nobody is told of it before.
    start_to_come: AtomicI64,
    synced: AtomicI64,
    high_watermark: AtomicI64,
    /// Segments below this base have nothing that is not synced. Moved by syncs.
    file_synced_base: AtomicI64,
    /// Counts files made; the directory is synced up to `names_synced`.
    names_made: AtomicU64,
    names_synced: Mutex<u64>,
    deleted: AtomicBool,
    /// Where stored data is damaged below the synced point: from there on nothing is served, and nothing is appended.
    damage: OnceLock<Offset>,
    /// The lowest offset that a reader was refused for damage: it is told once.
    told_damage: AtomicI64,
    /// Files renamed to `.deleted`, and when they go.
    expired: Mutex<Vec<(Timestamp, PathBuf)>>,
}

/// What only the appender changes.
struct Writer {
    producers: ProducerStates,
    /// Bytes appended since the last producer snapshot.
    since_snapshot: u64,
    /// The epochs have entries that the file has not.
    epochs_changed: bool,
    /// `segment.jitter.ms`, drawn for the active segment.
    roll_jitter_ms: i64,
    closed: bool,
}

impl Log {
    /// The topic's name, as in the directory's name.
    #[must_use]
    pub fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    /// The partition's index.
    #[must_use]
    pub fn partition(&self) -> PartitionIndex {
        self.partition
    }

    /// The topic id of partition.metadata.
    #[must_use]
    pub fn topic_id(&self) -> TopicId {
        self.topic_id
    }

    /// Whether its directory went offline after a disk error.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.context.journal.is_offline()
    }

    /// Who hears of syncs. Set once, before the first append; replaces an earlier one.
    pub fn observe(&self, observer: Arc<dyn LogObserver>) {
        *self.observer.write() = Some(Arc::clone(&observer));
        // The directory may have gone offline before anybody listened.
        if self.context.journal.is_offline() {
            observer.offline();
        }
    }

    /// The largest leader epoch at or below `epoch`, and the offset at which it ended (the log end for the latest
    /// one). `None` when the log knows no such epoch.
    #[must_use]
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        let log_end = self.log_end_offset();
        self.epochs.read().end_offset(epoch, log_end)
    }

    /// The latest leader epoch with a record, or `None` for a log that never had one.
    #[must_use]
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.read().latest()
    }

    /// The first offset that can be read. Moved by DeleteRecords and retention, durably before they return.
    #[must_use]
    pub fn log_start_offset(&self) -> Offset {
        Offset(self.log_start.load(Ordering::Acquire))
    }

    /// The offset that the next record gets. Moved by append and truncate.
    #[must_use]
    pub fn log_end_offset(&self) -> Offset {
        self.end.tail().log_end
    }

    /// The end of the contiguous prefix that is on disk for certain. Moved by the journal and by file syncs.
    #[must_use]
    pub fn synced_offset(&self) -> Offset {
        Offset(self.synced.load(Ordering::Acquire))
    }

    /// The high watermark last told by [`Log::set_high_watermark`] (or read from the checkpoint at the start).
    #[must_use]
    pub fn high_watermark(&self) -> Offset {
        Offset(self.high_watermark.load(Ordering::Acquire))
    }

    /// Told by the partition; never above the log end, never below the log start. Bounds retention.
    pub fn set_high_watermark(&self, offset: Offset) {
        let bounded = offset.min(self.log_end_offset()).max(self.log_start_offset());
        self.high_watermark.store(bounded.0, Ordering::Release);
    }

    /// The present settings.
    #[must_use]
    pub fn options(&self) -> Arc<LogOptions> {
        Arc::clone(&self.options.read())
    }

    /// Size of all segments in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.segments.read().bytes()
    }

    /// The idempotent producers that are remembered, ordered by id.
    #[must_use]
    pub fn active_producers(&self) -> Vec<ActiveProducer> {
        self.writer.lock().producers.active()
    }

    /// Forgets producers that were silent for `producer.id.expiration.ms`.
    pub fn expire_producers(&self, now: Timestamp, expiration_ms: i64) {
        self.writer.lock().producers.expire(now, expiration_ms);
    }

    /// The log is gone: appends and reads are refused from now on. Slices that were handed out stay readable.
    pub(crate) fn mark_deleted(&self) {
        self.deleted.store(true, Ordering::Release);
        let _appends = self.appends.lock();
        self.writer.lock().closed = true;
    }

    /// True from [`Log::mark_deleted`] on.
    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    fn now(&self) -> Timestamp {
        self.context.seams.clock.now()
    }

    fn disk(&self) -> &Arc<dyn crate::seam::Disk> {
        &self.context.seams.disk
    }

    fn offline(&self) -> LogDirError {
        LogDirError::Offline(self.context.log_dir.clone())
    }

    /// An error that ends the directory's service.
    fn fatal(&self, act: &'static str, path: &Path, error: &std::io::Error) -> LogDirError {
        self.context.journal.fail(act, path, error);
        self.offline()
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("directory", &self.directory).finish_non_exhaustive()
    }
}
