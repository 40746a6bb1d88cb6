//! One entry of `log.dirs`: its lock, identity, journal, checkpoints and logs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::error::LogDirError;
use crate::ids::{PartitionIndex, Timestamp, TopicId};
use crate::log::Log;
use crate::options::LogOptions;
use crate::seam::Seams;

/// What meta.properties says (KRaft form, version 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaProperties {
    /// The cluster's id, 22 characters of base64url.
    pub cluster_id: String,
    /// Kafka's `node.id`.
    pub node_id: i32,
    /// This directory's id.
    pub directory_id: TopicId,
}

/// How a log directory works; every bound has its setting in `config`.
#[derive(Clone, Debug)]
pub struct LogDirOptions {
    /// Size of the journal's ring when it is made.
    pub journal_bytes_initial: u64,
    /// Size it may grow to.
    pub journal_bytes_max: u64,
    /// Above this size a batch skips the journal and its file is synced instead.
    pub journal_batch_bytes_max: usize,
    /// How often positions are checkpointed.
    pub checkpoint_interval: Duration,
    /// Threads that recover logs at start (`num.recovery.threads.per.data.dir`).
    pub recovery_threads: usize,
    /// Free space below which client appends are refused.
    pub free_bytes_min: u64,
}

impl Default for LogDirOptions {
    fn default() -> Self {
        Self {
            journal_bytes_initial: 64 << 20,
            journal_bytes_max: 512 << 20,
            journal_batch_bytes_max: 256 << 10,
            checkpoint_interval: Duration::from_secs(5),
            recovery_threads: 2,
            free_bytes_min: 64 << 20,
        }
    }
}

/// What the start found and did.
#[derive(Clone, Debug, Default)]
pub struct RecoveryReport {
    /// The last stop was clean: nothing was recovered.
    pub clean: bool,
    /// Batches written again from the journal.
    pub batches_replayed: u64,
    /// Bytes cut as a torn tail, over all logs.
    pub bytes_cut: u64,
    /// Logs with damage below the synced point: fenced.
    pub damaged: Vec<PathBuf>,
}

/// One log directory, locked by this process.
pub struct LogDir {
    _private: (),
}

impl LogDir {
    /// Writes meta.properties into an empty or absent directory and syncs it.
    ///
    /// # Errors
    /// `Malformed` when the directory is formatted already.
    pub fn format(_seams: &Seams, _path: &Path, _meta: &MetaProperties) -> Result<(), LogDirError> {
        todo!()
    }

    /// Reads meta.properties; `None` when there is none.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub fn read_meta(_seams: &Seams, _path: &Path) -> Result<Option<MetaProperties>, LogDirError> {
        todo!()
    }

    /// Locks the directory, replays the journal, recovers the logs and starts the journal's writer and the
    /// checkpointer. `options_of` names the settings of a log by topic name and id; `None` means that the metadata
    /// does not know the topic: the directory is renamed to `-stray` form and left.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub fn open(
        _seams: Seams,
        _path: &Path,
        _options: LogDirOptions,
        _options_of: &(dyn Fn(&str, TopicId, PartitionIndex) -> Option<LogOptions> + Sync),
    ) -> Result<(Arc<Self>, RecoveryReport), LogDirError> {
        todo!()
    }

    /// What meta.properties says.
    #[must_use]
    pub fn meta(&self) -> &MetaProperties {
        todo!()
    }

    /// Every open log.
    #[must_use]
    pub fn logs(&self) -> Vec<Arc<Log>> {
        todo!()
    }

    /// The log of a partition, when this directory has it.
    #[must_use]
    pub fn log(&self, _topic_id: TopicId, _partition: PartitionIndex) -> Option<Arc<Log>> {
        todo!()
    }

    /// Makes the directory and partition.metadata of a partition, durable before it returns. Returns the existing log
    /// when it is there already.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub fn create_log(
        &self,
        _topic: &str,
        _topic_id: TopicId,
        _partition: PartitionIndex,
        _options: LogOptions,
    ) -> Result<Arc<Log>, LogDirError> {
        todo!()
    }

    /// Closes a log and renames its directory to `-delete`; files go after `file.delete.delay.ms`. Durable before it
    /// returns. Deleting an absent log is not an error.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub fn delete_log(&self, _topic_id: TopicId, _partition: PartitionIndex) -> Result<(), LogDirError> {
        todo!()
    }

    /// Runs what is due: retention, delayed deletes, producer expiry, interval flushes. The broker calls it from a
    /// background thread.
    pub fn run_due(&self, _now: Timestamp) {
        todo!()
    }

    /// True after a failed write or sync.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        todo!()
    }

    /// Clean stop: no append is accepted any more, everything is synced and checkpointed, the journal is empty, the
    /// clean-shutdown file is written, the lock released.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub fn close(&self) -> Result<(), LogDirError> {
        todo!()
    }
}
