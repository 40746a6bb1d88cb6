//! Making a partition's directory, and opening one.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};
use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, RwLock};

use super::recover::Recovery;
use super::{Log, LogContext, LogEnd, Writer};
use crate::error::LogDirError;
use crate::ids::{Offset, PartitionIndex, TopicId};
use crate::journal::{LogCheckpoint, ReplayBatch};
use crate::leader_epoch::LeaderEpochs;
use crate::options::LogOptions;
use crate::partition_metadata;
use crate::producer_state::ProducerStates;
use crate::segments::Segments;

/// How the directory was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LastStop {
    /// Cleanly: everything in it is trusted.
    Clean,
    /// It was not stopped. The journal holds what counts above the checkpoint, and goes on doing so until the next one.
    Killed,
    /// Not by us, or without its last steps: there is no journal behind the segments.
    Unknown,
}

/// What opening a log found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogRecovery {
    /// Batches that the journal held above the checkpoint.
    pub(crate) batches_replayed: u64,
    /// Of these, the ones that the segments had not: they were written again.
    pub(crate) batches_rewritten: u64,
    /// The log is durable without the journal, and no earlier round of it may be replayed again: its checkpoint has to be
    /// in the manifest before it takes appends.
    pub(crate) renewed: bool,
    /// Bytes cut as a torn tail.
    pub(crate) bytes_cut: u64,
    /// Something below the synced point is damaged: the log is fenced.
    pub(crate) damaged: bool,
}

impl Log {
    /// Makes the directory and partition.metadata. The caller syncs the log directory, which may hold many that are new.
    /// Data files are made by the first append.
    pub(crate) fn create(
        context: &LogContext,
        directory: &Path,
        topic: &str,
        topic_id: TopicId,
        partition: PartitionIndex,
        options: LogOptions,
    ) -> Result<Arc<Self>, LogDirError> {
        let disk = &*context.seams.disk;
        let failed = |source| LogDirError::Io { act: "make", path: directory.to_path_buf(), source };
        // A crash while it was made leaves an empty directory; anything else is somebody's data.
        if disk.exists(directory) && !disk.list(directory).map_err(failed)?.is_empty() {
            let opened =
                Self::open(context, directory, topic, topic_id, partition, options, LastStop::Unknown, None, &[]);
            return opened.map(|(log, _)| log);
        }
        if !disk.exists(directory) {
            disk.create_dir(directory).map_err(failed)?;
        }
        partition_metadata::write(disk, directory, topic_id)?;
        Ok(Self::assemble(context, directory, topic, topic_id, partition, options))
    }

    /// Opens a directory. After a clean stop everything in it is trusted. Otherwise what lies above `checkpoint` is
    /// verified batch by batch, after `replay` has been written again where the segments have it not; a torn tail is cut,
    /// damage below the checkpoint fences the log. Without a checkpoint (a directory of Apache Kafka that was not
    /// stopped cleanly) everything is verified. See [`LogRecovery::renewed`] for what is synced.
    #[allow(clippy::too_many_arguments, reason = "what identifies a log, and the three sources of its recovery")]
    pub(crate) fn open(
        context: &LogContext,
        directory: &Path,
        topic: &str,
        topic_id: TopicId,
        partition: PartitionIndex,
        options: LogOptions,
        last_stop: LastStop,
        checkpoint: Option<&LogCheckpoint>,
        replay: &[ReplayBatch],
    ) -> Result<(Arc<Self>, LogRecovery), LogDirError> {
        match partition_metadata::read(&*context.seams.disk, directory)? {
            Some(found) if found != topic_id => {
                return Err(LogDirError::InconsistentTopicId(directory.to_path_buf()));
            }
            Some(_) => {}
            None => partition_metadata::write(&*context.seams.disk, directory, topic_id)?,
        }
        let log = Self::assemble(context, directory, topic, topic_id, partition, options);
        let report = Recovery::new(&log, last_stop, checkpoint).run(replay)?;
        Ok((log, report))
    }

    fn assemble(
        context: &LogContext,
        directory: &Path,
        topic: &str,
        topic_id: TopicId,
        partition: PartitionIndex,
        options: LogOptions,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            topic: Arc::from(topic),
            topic_id,
            partition,
            directory: directory.to_path_buf(),
            context: context.clone(),
            me: me.clone(),
            options: RwLock::new(Arc::new(options)),
            observer: RwLock::new(None),
            appends: Mutex::new(()),
            stable: Mutex::new(LogCheckpoint {
                topic_id,
                partition,
                log_start: Offset::ZERO,
                recovery_point: Offset::ZERO,
                segment_base: Offset::ZERO,
                position: 0,
                high_watermark: Offset::ZERO,
            }),
            writer: Mutex::new(Writer {
                producers: ProducerStates::default(),
                since_snapshot: 0,
                epochs_changed: false,
                roll_jitter_ms: 0,
                closed: false,
            }),
            segments: RwLock::new(Segments::default()),
            epochs: RwLock::new(LeaderEpochs::default()),
            end: LogEnd::new(),
            log_start: AtomicI64::new(0),
            start_to_come: AtomicI64::new(0),
            synced: AtomicI64::new(0),
            high_watermark: AtomicI64::new(0),
            file_synced_base: AtomicI64::new(0),
            names_made: AtomicU64::new(0),
            names_synced: Mutex::new(0),
            deleted: AtomicBool::new(false),
            damage: OnceLock::new(),
            told_damage: AtomicI64::new(i64::MAX),
            expired: Mutex::new(Vec::new()),
        })
    }
}
