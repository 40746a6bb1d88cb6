//! What a log and the journal know of each other: the entry, the way into the journal, and what the journal calls back.
//!
//! Locks: the journal calls `mark_synced` and `fail` from its own threads; neither may take the lock under which a log
//! appends. Entries of one log must be submitted in offset order, so `submit` is called under that lock and never
//! blocks; [`JournalSink::admit`] does, and is called before the lock is taken.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::error::LogDirError;
use crate::ids::{LeaderEpoch, Offset, PartitionIndex, TopicId};
use crate::seam::DiskFile;

/// One batch on its way to the disk.
pub(crate) struct JournalEntry {
    /// Whose batch; told when it is synced.
    pub(crate) log: Arc<dyn JournalledLog>,
    /// The way it takes.
    pub(crate) kind: EntryKind,
}

/// Which way a batch becomes durable.
pub(crate) enum EntryKind {
    /// Through the ring: the bytes are written there a second time.
    Batch {
        /// The batch's leader epoch.
        leader_epoch: LeaderEpoch,
        /// Offset of its first record.
        base_offset: Offset,
        /// Offset after its last record.
        next_offset: Offset,
        /// Base offset of the segment that holds it.
        segment_base: Offset,
        /// Where it starts in that segment's file.
        position: u64,
        /// The first 61 bytes as they stand in the segment.
        header: [u8; 61],
        /// The rest of the batch.
        tail: Bytes,
    },
    /// Past the ring: the log's files are synced up to this offset. For batches above `journal_batch_bytes_max`.
    SyncThrough {
        /// Offset after the last record written so far.
        next_offset: Offset,
    },
}

/// A log as the journal sees it.
pub(crate) trait JournalledLog: Send + Sync {
    /// Which topic.
    fn topic_id(&self) -> TopicId;
    /// Which partition of it.
    fn partition(&self) -> PartitionIndex;
    /// Everything below `next_offset` is durable. Two threads may call it: a lower offset than before is ignored.
    fn mark_synced(&self, next_offset: Offset);
    /// Syncs the files behind every batch written so far. A log does not hold its append lock while it waits.
    fn sync_active_files(&self) -> io::Result<()>;
    /// Makes the log durable without the journal (files, then their directory) and says up to where.
    fn checkpoint(&self) -> io::Result<LogCheckpoint>;
    /// True when a checkpoint would say something new.
    fn is_dirty(&self) -> bool;
    /// How soon an `interval` log wants its batches synced; `None` in the other modes.
    fn flush_interval(&self) -> Option<Duration>;
    /// Syncs what was appended and not synced yet, and marks it.
    fn flush(&self) -> io::Result<()>;
    /// The directory is offline: nothing later will be synced.
    fn fail(&self);
}

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LogKey {
    /// Which topic.
    pub(crate) topic_id: TopicId,
    /// Which partition of it.
    pub(crate) partition: PartitionIndex,
}

impl LogKey {
    /// The log's.
    pub(crate) fn of(log: &dyn JournalledLog) -> Self {
        Self { topic_id: log.topic_id(), partition: log.partition() }
    }
}

/// Up to where a log is durable without the journal; what the manifest keeps of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogCheckpoint {
    /// Which topic.
    pub(crate) topic_id: TopicId,
    /// Which partition of it.
    pub(crate) partition: PartitionIndex,
    /// The log start offset.
    pub(crate) log_start: Offset,
    /// Everything below is in the segment files and synced: damage below it is corruption, not a torn tail.
    pub(crate) recovery_point: Offset,
    /// Base offset of the segment in which recovery begins to read.
    pub(crate) segment_base: Offset,
    /// The position there at which it begins: where the batch at `recovery_point` will start.
    pub(crate) position: u64,
    /// The high watermark when the checkpoint was taken.
    pub(crate) high_watermark: Offset,
}

/// A journalled batch that the log must hold after a start. Sorted by offset; between two of them there may be a gap
/// whose batches skipped the journal: they are in the segment, or were never acknowledged and neither was what follows.
///
/// Its bytes stay in the ring until the segment turns out not to have them.
#[derive(Clone, Debug)]
pub(crate) struct ReplayBatch {
    /// Offset of the first record.
    pub(crate) base_offset: Offset,
    /// Offset after the last record.
    pub(crate) next_offset: Offset,
    /// Base offset of the segment it belongs to.
    pub(crate) segment_base: Offset,
    /// Where it starts there.
    pub(crate) position: u64,
    /// Its bytes.
    pub(crate) length: usize,
    /// What the journal says of the bytes.
    pub(crate) proof: EntryProof,
    /// The file of the ring that holds them, and where.
    pub(crate) ring_file: Arc<dyn DiskFile>,
    /// Where they start in it.
    pub(crate) ring_position: u64,
}

/// The checksum of an entry, split at its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntryProof {
    /// Of what stands before the batch.
    pub(crate) before: u32,
    /// Of all of it.
    pub(crate) whole: u32,
}

impl EntryProof {
    /// True when these are the bytes that were journalled.
    pub(crate) fn holds(self, batch: &[u8]) -> bool {
        crc32c::crc32c_append(self.before, batch) == self.whole
    }
}

impl ReplayBatch {
    /// The batch out of the ring; `InvalidData` when it is damaged there.
    pub(crate) fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.length];
        self.ring_file.read_exact_at(&mut bytes, self.ring_position)?;
        if self.proof.holds(&bytes) {
            return Ok(bytes);
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "offset {} is damaged in the segment and in the journal: an acknowledged batch is lost",
                self.base_offset
            ),
        ))
    }
}

/// The journal as a log sees it.
pub(crate) trait JournalSink: Send + Sync {
    /// Blocks while the queue holds more than its bound. Call it before the append lock is taken.
    fn admit(&self);
    /// Queues an entry; never blocks (the queue may pass its bound by one batch a thread). Dropped when offline.
    fn submit(&self, entry: JournalEntry);
    /// So many bytes were written that do not go through the ring: they bring the next checkpoint nearer.
    fn written_past(&self, bytes: u64);
    /// Blocks until every entry of this log that was submitted before is synced, or the directory is offline. The log
    /// lets no append in meanwhile, but holds no lock that `checkpoint` or `is_dirty` take: when the ring is full, only a
    /// checkpoint makes the room that the entries need.
    fn settle(&self, log: &dyn JournalledLog);
    /// True after a failed write or sync.
    fn is_offline(&self) -> bool;
    /// Batches above this size take the way of [`EntryKind::SyncThrough`].
    fn batch_bytes_max(&self) -> usize;
    /// False when the file system has less free space than the mark. Looked up in the background.
    fn has_room(&self) -> bool;
    /// Takes the directory offline for good; `act` (present tense) and `path` say where the error came from.
    fn fail(&self, act: &'static str, path: &Path, error: &io::Error);
    /// Checkpoints one log: what its log start offset is now, is durable when this returns. Not under the append lock.
    fn checkpoint_now(&self, log: &dyn JournalledLog) -> Result<(), LogDirError>;
    /// Writes a checkpoint that the log made itself into the manifest; entries journalled before it are never replayed.
    /// A truncation calls this: appends held off, `settle`, append lock taken, files synced up to the target, `record`
    /// with the target as recovery point, and only then the files are cut and synced.
    fn record(&self, checkpoint: LogCheckpoint) -> Result<(), LogDirError>;
}
