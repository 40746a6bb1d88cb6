//! One entry of `log.dirs`: its lock, identity, journal, checkpoints and logs.
//!
//! Must not know: what the metadata says about a topic, beyond the settings it is given.

mod aside;
mod creation;
mod layout;
mod refused;
mod start;
mod stop;
mod upkeep;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use self::upkeep::Upkeep;
use crate::error::LogDirError;
use crate::failed_sync::FailedSync;
use crate::ids::{Offset, PartitionIndex, Timestamp, TopicId};
use crate::journal::{Journal, JournalSink as _, LogCheckpoint, LogKey};
use crate::log::{Log, LogContext};
use crate::meta_properties;
use crate::options::LogOptions;
use crate::seam::{Disk, Seams};

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

/// What the metadata says of a partition's directory, by the name of its topic and the id in it.
#[derive(Clone, Debug)]
pub enum Belongs {
    /// The topic is known by this name; its settings.
    Here(LogOptions),
    /// The id is that of a topic of another name.
    Elsewhere(String),
    /// The id is that of a deleted topic that is kept, of this name; its settings.
    Kept {
        /// Its name.
        topic: String,
        /// Its settings.
        options: LogOptions,
    },
    /// No topic has the id; the id of the topic that has the name, if one has.
    Nowhere(Option<TopicId>),
}

/// How a log directory works; every bound has its setting in `config`.
#[derive(Clone, Debug)]
pub struct LogDirOptions {
    /// Size of the journal's ring when it is made: written with zeros before the first start is ready, so keep it small.
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
    /// How often retention looks at the logs (`log.retention.check.interval.ms`).
    pub retention_check_interval: Duration,
    /// When a silent producer is forgotten (`producer.id.expiration.ms`).
    pub producer_id_expiration: Duration,
    /// How often silent producers are looked for (`producer.id.expiration.check.interval.ms`).
    pub producer_id_check_interval: Duration,
}

impl Default for LogDirOptions {
    fn default() -> Self {
        Self {
            journal_bytes_initial: 8 << 20,
            journal_bytes_max: 512 << 20,
            journal_batch_bytes_max: 256 << 10,
            checkpoint_interval: Duration::from_secs(5),
            recovery_threads: 2,
            free_bytes_min: 64 << 20,
            retention_check_interval: Duration::from_secs(300),
            producer_id_expiration: Duration::from_secs(86_400),
            producer_id_check_interval: Duration::from_secs(600),
        }
    }
}

/// What the start found and did.
#[derive(Clone, Debug, Default)]
pub struct RecoveryReport {
    /// The last stop was clean: nothing was recovered.
    pub clean: bool,
    /// Batches that the journal held above the checkpoints.
    pub batches_replayed: u64,
    /// Of these, the ones that the segments had not: they were written again.
    pub batches_rewritten: u64,
    /// Bytes cut as a torn tail, over all logs.
    pub bytes_cut: u64,
    /// Logs with damage below the synced point: fenced.
    pub damaged: Vec<PathBuf>,
}

/// One log directory, locked by this process.
pub struct LogDir {
    path: PathBuf,
    meta: MetaProperties,
    journal: Arc<Journal>,
    context: LogContext,
    logs: RwLock<HashMap<LogKey, Arc<Log>>>,
    /// Of deleted topics.
    kept: Mutex<aside::KeptLogs>,
    /// Held while a log is made or deleted: one after the other.
    changing: Mutex<()>,
    upkeep: Upkeep,
    /// Partitions that are not served.
    refused: refused::Refused,
    /// Some log was found damaged: the next start must look again, so no stop counts as clean.
    damaged: AtomicBool,
    closed: AtomicBool,
    lock: Mutex<Option<Box<dyn Send + Sync>>>,
}

impl LogDir {
    /// Writes meta.properties into an empty or absent directory and syncs it.
    ///
    /// # Errors
    /// `Malformed` when the directory is formatted already.
    pub fn format(seams: &Seams, path: &Path, meta: &MetaProperties) -> Result<(), LogDirError> {
        let made = seams.disk.create_dir_all(path);
        made.map_err(|source| LogDirError::Io { act: "make", path: path.to_path_buf(), source })?;
        let listed = seams.disk.list(path);
        let listed = listed.map_err(|source| LogDirError::Io { act: "list", path: path.to_path_buf(), source })?;
        if let Some(data) = listed.iter().find(|entry| layout::is_data(&entry.name))
            && !listed.iter().any(|entry| entry.name == "meta.properties")
        {
            return Err(LogDirError::Malformed {
                file: path.join("meta.properties"),
                reason: format!(
                    "it is gone, but {} is there: restore it from a copy, else nothing says whose data this is",
                    data.name
                ),
            });
        }
        if meta_properties::read(&*seams.disk, path)?.is_some() {
            return Err(LogDirError::Malformed {
                file: path.to_path_buf(),
                reason: "it is formatted already: choose another directory, or empty this one".to_owned(),
            });
        }
        meta_properties::write(&*seams.disk, path, meta)
    }

    /// Reads meta.properties; `None` when there is none.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub fn read_meta(seams: &Seams, path: &Path) -> Result<Option<MetaProperties>, LogDirError> {
        meta_properties::read(&*seams.disk, path)
    }

    /// Locks the directory, replays the journal, recovers the logs and starts the journal's writer and the
    /// checkpointer. `belongs` tells of a log by topic name and id what the metadata says: a directory whose topic it does
    /// not know is renamed to `-stray` form and left, one that has the id of another topic is not served.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub fn open(
        seams: Seams,
        path: &Path,
        options: LogDirOptions,
        belongs: &(dyn Fn(&str, TopicId, PartitionIndex) -> Belongs + Sync),
    ) -> Result<(Arc<Self>, RecoveryReport), LogDirError> {
        let disk = Arc::clone(&seams.disk);
        let mut started = start::start(seams, path, &options, belongs).inspect_err(|error| {
            if let LogDirError::Io { .. } = error {
                FailedSync::of_logs(&*disk, path).note();
            }
        })?;
        let this = Self {
            path: path.to_path_buf(),
            meta: started.meta,
            journal: started.journal,
            context: started.context,
            logs: RwLock::new(started.logs),
            kept: Mutex::new(std::mem::take(&mut started.refused.kept)),
            changing: Mutex::new(()),
            upkeep: Upkeep::new(&options),
            refused: started.refused,
            damaged: AtomicBool::new(!started.report.damaged.is_empty()),
            closed: AtomicBool::new(false),
            lock: Mutex::new(Some(started.lock)),
        };
        Ok((Arc::new(this), started.report))
    }

    /// What meta.properties says.
    #[must_use]
    pub fn meta(&self) -> &MetaProperties {
        &self.meta
    }

    /// Every open log.
    #[must_use]
    pub fn logs(&self) -> Vec<Arc<Log>> {
        self.logs.read().values().cloned().collect()
    }

    /// How many there are.
    #[must_use]
    pub fn log_count(&self) -> usize {
        self.logs.read().len()
    }

    /// The log of a partition, when this directory has it.
    #[must_use]
    pub fn log(&self, topic_id: TopicId, partition: PartitionIndex) -> Option<Arc<Log>> {
        self.logs.read().get(&LogKey { topic_id, partition }).cloned()
    }

    /// Makes the directory and partition.metadata of a partition, durable before it returns. Returns the existing log
    /// when it is there already.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub fn create_log(
        &self,
        topic: &str,
        topic_id: TopicId,
        partition: PartitionIndex,
        options: LogOptions,
    ) -> Result<Arc<Log>, LogDirError> {
        self.create_logs(topic, topic_id, &[partition], &options)?;
        self.log(topic_id, partition).ok_or_else(|| LogDirError::Offline(self.path.clone()))
    }

    /// Closes a log and renames its directory to `-delete`; files go after `file.delete.delay.ms`, those of a log that was
    /// kept at once. Durable before it returns. Deleting an absent log is not an error.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub fn delete_log(&self, topic_id: TopicId, partition: PartitionIndex) -> Result<(), LogDirError> {
        let _changing = self.changing.lock();
        self.check_open()?;
        let key = LogKey { topic_id, partition };
        let Some(log) = self.logs.write().remove(&key) else { return self.delete_kept(key) };
        log.mark_deleted();
        self.journal.settle(&*log);
        let from = self.path.join(layout::partition(log.topic(), partition));
        let to = self.path.join(layout::deleted(log.topic(), partition, self.context.seams.rng.uuid()));
        self.journal.remove_log(key, || self.rename(&from, &to))?;
        let delay = i64::try_from(log.options().file_delete_delay_ms).unwrap_or(i64::MAX);
        self.upkeep.remove_later(to, Timestamp(self.context.seams.clock.now().0.saturating_add(delay)));
        Ok(())
    }

    /// Runs what is due: retention, delayed deletes, producer expiry. The broker calls it every second or so from a
    /// background thread; each kind of work has its own interval.
    pub fn run_due(&self, now: Timestamp) {
        if !self.closed.load(Ordering::SeqCst) {
            self.upkeep.run(self, now);
        }
    }

    /// When a silent producer is forgotten from now on (`producer.id.expiration.ms`).
    pub fn set_producer_id_expiration(&self, after: Duration) {
        self.upkeep.set_producer_expiration(after);
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file system is above the free-space mark now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.journal.checkpointer.look_for_room(&self.journal);
        self.journal.has_room()
    }

    /// Bytes of the journal that a start would have to read, and bytes that they may become before appends wait.
    #[must_use]
    pub fn journal_bytes(&self) -> (u64, u64) {
        self.journal.fill()
    }

    /// True after a failed write or sync.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.journal.is_offline()
    }

    /// Checkpoints every log now, as the background thread does at its interval: frees the journal.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub fn checkpoint(&self) -> Result<(), LogDirError> {
        self.check_open()?;
        crate::checkpointer::Checkpointer::checkpoint_all(&self.journal)
    }

    /// Clean stop: no append is accepted any more, everything is synced and checkpointed, the journal is empty, the
    /// clean-shutdown file is written, the lock released.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub fn close(&self) -> Result<(), LogDirError> {
        if self.closed.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let _changing = self.changing.lock();
        let stopped = stop::stop(self);
        self.journal.abandon();
        self.logs.write().clear();
        self.lock.lock().take();
        stopped
    }

    fn check_open(&self) -> Result<(), LogDirError> {
        let is_open = !self.is_offline() && !self.closed.load(Ordering::SeqCst);
        if is_open { Ok(()) } else { Err(LogDirError::Offline(self.path.clone())) }
    }
}

impl Drop for LogDir {
    /// Without [`LogDir::close`] the stop is not clean: threads end, what waits for the journal is dropped.
    fn drop(&mut self) {
        self.journal.abandon();
    }
}

/// The checkpoint of a log that is about to be made.
pub(crate) fn empty(key: LogKey) -> LogCheckpoint {
    LogCheckpoint {
        topic_id: key.topic_id,
        partition: key.partition,
        log_start: Offset::ZERO,
        recovery_point: Offset::ZERO,
        segment_base: Offset::ZERO,
        position: 0,
        high_watermark: Offset::ZERO,
    }
}

/// What meta.properties of a directory says, when it is there and whole.
#[must_use]
pub fn identity(disk: &dyn Disk, directory: &Path) -> Option<MetaProperties> {
    meta_properties::read(disk, directory).ok().flatten()
}

/// True when a broker of ours has served from the directory.
#[must_use]
pub fn has_served(disk: &dyn Disk, directory: &Path) -> bool {
    disk.exists(&crate::manifest::Manifest::path(directory))
}

/// The topic and partition of a sub-directory, when its name is a partition's.
pub(crate) fn partition_of(name: &str) -> Option<(String, PartitionIndex)> {
    match layout::parse(name) {
        layout::SubDir::Partition(topic, partition) => Some((topic, partition)),
        _ => None,
    }
}

/// The kept log of a deleted topic that a directory of this name may be, and the topic as far as the name tells.
pub(crate) fn kept_of(name: &str) -> Option<(String, LogKey)> {
    match layout::parse(name) {
        layout::SubDir::Aside(topic, partition, unique) => {
            Some((topic, LogKey { topic_id: TopicId(unique), partition }))
        }
        _ => None,
    }
}

/// True for the name of a partition that was deleted.
pub(crate) fn is_deleted(name: &str) -> bool {
    layout::parse(name) == layout::SubDir::Deleted
}

/// Removes a directory with all that is in it.
fn remove_tree(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    for entry in disk.list(path)? {
        let path = path.join(&entry.name);
        if entry.is_dir { remove_tree(disk, &path)? } else { disk.remove_file(&path)? }
    }
    disk.remove_dir(path)
}

#[cfg(test)]
mod tests;
