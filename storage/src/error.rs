//! Errors of storage, one enum per operation. `broker` maps each to a Kafka error code in one place.

use std::io;
use std::path::PathBuf;

use crate::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

/// Why a batch was not appended. Nothing was written unless the variant says so.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// No bytes, more than one batch, or a batch whose length does not fit its bytes.
    #[error("a produce request carries exactly one record batch per partition: {0}")]
    Framing(&'static str),
    /// Checksum, length or magic is wrong: the bytes were damaged on the way.
    #[error("the record batch is corrupt: {0}")]
    Corrupt(&'static str),
    /// The batch is whole but breaks a rule of the format or of the topic.
    #[error("invalid record batch: {0}")]
    InvalidRecord(String),
    /// Records without a key, and the topic is compacted.
    #[error("a compacted topic accepts no record without a key: record {} has none", first(.records))]
    MissingKey {
        /// Which, the first 256 at most.
        records: Vec<RefusedRecord>,
    },
    /// A record's timestamp is outside the window of the topic.
    #[error("timestamp {timestamp} is outside the window the topic accepts")]
    InvalidTimestamp {
        /// The offending timestamp in milliseconds.
        timestamp: i64,
        /// Which records, those of them without a key where the topic is compacted among them, the first 256 at most.
        records: Vec<RefusedRecord>,
    },
    /// The codec is unknown or not allowed in this request.
    #[error("compression codec {0} is not supported here")]
    UnsupportedCompression(u8),
    /// Larger than `max.message.bytes`.
    #[error("batch of {size} bytes is larger than max.message.bytes {limit}")]
    TooLarge {
        /// Size of the batch in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Larger than `segment.bytes`.
    #[error("batch of {size} bytes is larger than segment.bytes {limit}")]
    LargerThanSegment {
        /// Size of the batch in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The producer's sequence does not follow its last one.
    #[error("producer {producer_id} sent sequence {got}, expected {expected}")]
    OutOfOrderSequence {
        /// Which producer.
        producer_id: ProducerId,
        /// What it sent.
        got: i32,
        /// What had to come.
        expected: i32,
    },
    /// The producer's epoch is older than the one known.
    #[error("producer {producer_id} has epoch {got}, the log knows {current}")]
    ProducerFenced {
        /// Which producer.
        producer_id: ProducerId,
        /// What it sent.
        got: ProducerEpoch,
        /// What the log knows.
        current: ProducerEpoch,
    },
    /// The leader epoch of the append is older than one already in the log.
    #[error("leader epoch {got} is older than {current}")]
    StaleLeaderEpoch {
        /// What came.
        got: LeaderEpoch,
        /// What the log holds.
        current: LeaderEpoch,
    },
    /// The disk is below its free-space mark: certainly refused, try again later.
    #[error("the log directory is full: free space or shorten retention")]
    DiskFull,
    /// The log directory is offline: an earlier write or sync failed, and that is final until a restart.
    #[error("log directory {0} is offline after a disk error: replace the disk, then restart")]
    Offline(PathBuf),
    /// Stored data below the synced point is damaged: the log takes nothing more until it is repaired.
    #[error("stored data is damaged near offset {0}: it is kept as it is; restore the partition from a copy")]
    Damaged(Offset),
    /// The log was deleted or closed meanwhile.
    #[error("the log is closed")]
    Closed,
    /// The write failed; the batch may be partly on disk, and the directory is offline now.
    #[error("write to the log")]
    Io(#[source] io::Error),
}

impl AppendError {
    /// The records that had the whole batch refused, where single ones are to blame.
    pub fn refused_records(&self) -> &[RefusedRecord] {
        match self {
            Self::MissingKey { records } | Self::InvalidTimestamp { records, .. } => records,
            _ => &[],
        }
    }
}

/// A record that a batch was refused for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedRecord {
    /// Its place in the batch, from 0.
    pub index: i32,
    /// What is wrong with it.
    pub reason: &'static str,
}

fn first(records: &[RefusedRecord]) -> i32 {
    records.first().map_or(0, |record| record.index)
}

/// Why a read was refused.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Below the log start offset or above the log end offset.
    #[error("offset {asked} is outside {start}..={end}")]
    OutOfRange {
        /// What was asked.
        asked: Offset,
        /// Log start offset.
        start: Offset,
        /// Log end offset.
        end: Offset,
    },
    /// Stored bytes below the synced point are damaged; they are fenced, not served.
    #[error("stored data is damaged near offset {0}: it is kept as it is; restore the partition from a copy")]
    Damaged(Offset),
    /// The log directory is offline.
    #[error("log directory {0} is offline after a disk error: replace the disk, then restart")]
    Offline(PathBuf),
    /// The log was deleted or closed meanwhile.
    #[error("the log is closed")]
    Closed,
    /// The read failed.
    #[error("read from the log")]
    Io(#[source] io::Error),
}

/// Why a log directory, or a log in it, could not be opened, made, changed or removed.
#[derive(Debug, thiserror::Error)]
pub enum LogDirError {
    /// Another process holds `.lock`.
    #[error("{0} is in use by another broker process")]
    Locked(PathBuf),
    /// meta.properties is absent: the directory was never formatted.
    #[error("{0} is not formatted")]
    NotFormatted(PathBuf),
    /// A file has a form this program does not read.
    #[error("{file}: {reason}")]
    Malformed {
        /// Which file.
        file: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A log of that name exists with another topic id.
    #[error("{0} belongs to another topic id")]
    InconsistentTopicId(PathBuf),
    /// A write or sync failed; final for this directory until a restart.
    #[error("log directory {0} is offline after a disk error: replace the disk, then restart")]
    Offline(PathBuf),
    /// A file operation failed.
    #[error("{act} {path}")]
    Io {
        /// What was done, present tense.
        act: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}
