//! One partition's log.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::{AppendError, LogDirError, ReadError};
use crate::ids::{LeaderEpoch, Offset, PartitionIndex, Timestamp, TopicId};
use crate::options::LogOptions;
use crate::slice::LogSlice;

/// Who appends: decides which checks apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendOrigin {
    /// A produce request. zstd is allowed from Produce v7.
    Client {
        /// Whether the request's version may carry zstd.
        zstd_allowed: bool,
    },
    /// A coordinator of this broker: control batches allowed, no size limit but the segment's.
    Coordinator,
}

/// What an append did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Offset of the batch's first record.
    pub base_offset: Offset,
    /// Offset of its last record.
    pub last_offset: Offset,
    /// The broker's time when the topic uses `LogAppendTime`, else [`Timestamp::NONE`].
    pub log_append_time: Timestamp,
    /// The log start offset after the append.
    pub log_start_offset: Offset,
    /// True when the batch was already there: an idempotent producer's retry. The offsets are the first append's.
    pub duplicate: bool,
}

/// What a read found.
#[derive(Clone, Debug)]
pub struct Read {
    /// Whole batches; `None` when nothing lies between the asked offset and the bound.
    pub slice: Option<LogSlice>,
    /// Offset after the last batch of the slice; the asked offset when there is none.
    pub next_offset: Offset,
}

/// A special or timestamp query of ListOffsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetQuery {
    /// -2: the log start offset.
    Earliest,
    /// -1: the bound (high watermark or last stable offset).
    Latest,
    /// -3: the record with the greatest timestamp.
    MaxTimestamp,
    /// -4: the first offset on local disk.
    EarliestLocal,
    /// -5: the last tiered offset: none here.
    LatestTiered,
    /// The first record at or after this time.
    At(Timestamp),
}

/// The answer to an [`OffsetQuery`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundOffset {
    /// The offset.
    pub offset: Offset,
    /// The record's timestamp, [`Timestamp::NONE`] for the specials that have none.
    pub timestamp: Timestamp,
    /// The leader epoch of that offset, [`LeaderEpoch::NONE`] when unknown.
    pub leader_epoch: LeaderEpoch,
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
    _private: (),
}

impl Log {
    /// The topic's name, as in the directory's name.
    #[must_use]
    pub fn topic(&self) -> &Arc<str> {
        todo!()
    }

    /// The partition's index.
    #[must_use]
    pub fn partition(&self) -> PartitionIndex {
        todo!()
    }

    /// The topic id of partition.metadata.
    #[must_use]
    pub fn topic_id(&self) -> TopicId {
        todo!()
    }

    /// Who hears of syncs. Set once, before the first append; replaces an earlier one.
    pub fn observe(&self, _observer: Arc<dyn LogObserver>) {
        todo!()
    }

    /// Validates one batch, gives it offsets, writes it to the active segment and hands it to the journal. Returns
    /// before the sync: the batch is durable when `synced_offset()` passes `last_offset`. The bytes are not changed
    /// nor copied: base offset, leader epoch (and for LogAppendTime timestamp and CRC) go into a patched header.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub fn append_as_leader(
        &self,
        _batch: &Bytes,
        _leader_epoch: LeaderEpoch,
        _origin: AppendOrigin,
    ) -> Result<Appended, AppendError> {
        todo!()
    }

    /// Finds whole batches from the one that covers `from`, below `up_to` (exclusive), at most `max_bytes` long; with
    /// `at_least_one`, the first batch even when it is larger. The slice stays within one segment.
    ///
    /// # Errors
    /// `OutOfRange` when `from` is below the log start or above the log end.
    pub fn read(
        &self,
        _from: Offset,
        _max_bytes: usize,
        _up_to: Offset,
        _at_least_one: bool,
    ) -> Result<Read, ReadError> {
        todo!()
    }

    /// Answers a ListOffsets query. A record at or above `up_to` is not found. May read from disk: call it off the
    /// async workers for `At` and `MaxTimestamp`.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn find_offset(&self, _query: OffsetQuery, _up_to: Offset) -> Result<Option<FoundOffset>, ReadError> {
        todo!()
    }

    /// The largest leader epoch at or below `epoch`, and the offset at which it ended (the log end for the latest
    /// one). `None` when the log knows no such epoch.
    #[must_use]
    pub fn end_offset_for_epoch(&self, _epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
        todo!()
    }

    /// The latest leader epoch with a record, or `None` for a log that never had one.
    #[must_use]
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        todo!()
    }

    /// The first offset that can be read. Moved by DeleteRecords and retention. Durable lazily.
    #[must_use]
    pub fn log_start_offset(&self) -> Offset {
        todo!()
    }

    /// The offset that the next record gets. Moved by append and truncate.
    #[must_use]
    pub fn log_end_offset(&self) -> Offset {
        todo!()
    }

    /// The end of the contiguous prefix that is on disk for certain. Moved by the journal and by file syncs.
    #[must_use]
    pub fn synced_offset(&self) -> Offset {
        todo!()
    }

    /// The high watermark last told by [`Log::set_high_watermark`] (or read from the checkpoint at the start).
    #[must_use]
    pub fn high_watermark(&self) -> Offset {
        todo!()
    }

    /// Told by the partition; never above the log end, never below the log start. Bounds retention.
    pub fn set_high_watermark(&self, _offset: Offset) {
        todo!()
    }

    /// Bytes from the batch that covers `from` up to the one below `up_to`, as an estimate from segment positions (for
    /// the fetch purgatory's min bytes). Never reads the disk.
    #[must_use]
    pub fn bytes_between(&self, _from: Offset, _up_to: Offset) -> u64 {
        todo!()
    }

    /// The present settings.
    #[must_use]
    pub fn options(&self) -> Arc<LogOptions> {
        todo!()
    }

    /// Changes the settings. A switch to `group` syncs the file before it returns.
    ///
    /// # Errors
    /// When that sync fails; the directory is offline then.
    pub fn set_options(&self, _options: LogOptions) -> Result<(), LogDirError> {
        todo!()
    }

    /// Raises the log start offset (DeleteRecords); `to` must not lie above the high watermark. Returns the new log
    /// start offset. Durable before it returns.
    ///
    /// # Errors
    /// `OutOfRange` for an offset above the high watermark.
    pub fn delete_records(&self, _to: Offset) -> Result<Offset, ReadError> {
        todo!()
    }

    /// Cuts the log so that `to` is its end. Synced before it returns.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub fn truncate_to(&self, _to: Offset) -> Result<(), LogDirError> {
        todo!()
    }

    /// Deletes what retention lets go, as of `now`; returns how many segments went. Blocks.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub fn apply_retention(&self, _now: Timestamp) -> Result<usize, LogDirError> {
        todo!()
    }

    /// Forgets producers that were silent for `producer.id.expiration.ms`.
    pub fn expire_producers(&self, _now: Timestamp, _expiration_ms: i64) {
        todo!()
    }

    /// Size of all segments in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        todo!()
    }
}
