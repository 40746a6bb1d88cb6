//! Partitions that are moved aside, under the name that Apache Kafka gives strays and leaves alone:
//! `<topic>-<partition>.<32 hex digits>-stray`.
//!
//! A stray, which the metadata did not know when it was found, has random digits there, and is left for people. The log of
//! a deleted topic that is kept has its topic's id there, and is brought back or deleted as the metadata says. It is
//! closed: all of it is durable in its files, and no round of the journal is for it any more. Its line stays in the
//! manifest, because nothing else knows the log start.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::start::BelongsTo;
use super::start::find::Found;
use super::{Belongs, LogDir, layout};
use crate::error::LogDirError;
use crate::ids::{PartitionIndex, TopicId};
use crate::journal::{JournalSink as _, JournalledLog, LogCheckpoint, LogKey};
use crate::log::{LastStop, Log, LogContext};
use crate::options::LogOptions;
use crate::partition_metadata;
use crate::reserve::with_reserve;
use crate::seam::{Disk, OpenMode};

/// The kept logs of a directory.
pub(super) type KeptLogs = HashMap<LogKey, KeptLog>;

/// A log of a deleted topic that is kept.
#[derive(Clone, Debug)]
pub(super) struct KeptLog {
    /// The topic, as far as the directory's name tells it.
    topic: String,
    /// Where it is: under its own name when it could not be moved.
    dir: PathBuf,
    /// What the manifest says of it; `None` when the manifest was lost.
    pub(super) line: Option<LogCheckpoint>,
    /// Size of its files.
    bytes: u64,
}

/// What a directory that was moved aside is.
pub(super) enum Aside {
    /// None of the metadata's business.
    Stray,
    /// A log that is kept.
    Kept,
    /// A log whose topic, of this name, was brought back: the directory has its own name again.
    Back(String),
    /// A log that is kept no longer.
    Doomed,
}

/// Tells what a directory is that was moved aside, and moves it back when its topic was.
pub(super) fn look(
    disk: &dyn Disk,
    path: &Path,
    dir: &Path,
    key: LogKey,
    belongs: BelongsTo<'_>,
) -> Result<Aside, LogDirError> {
    // The digits of a stray are nobody's id.
    if partition_metadata::read(disk, dir).ok().flatten() != Some(key.topic_id) {
        return Ok(Aside::Stray);
    }
    match belongs("", key.topic_id, key.partition) {
        // Whoever does not ask the metadata leaves it as it is.
        Belongs::Kept { .. } | Belongs::Here(_) => Ok(Aside::Kept),
        Belongs::Nowhere(_) => Ok(Aside::Doomed),
        Belongs::Elsewhere(topic) => {
            let to = path.join(layout::partition(&topic, key.partition));
            if disk.exists(&to) {
                let (dir, to) = (dir.display(), to.display());
                tracing::error!(
                    %dir, %to, "another topic's partition is in the way of one that came back; start the broker again"
                );
                return Ok(Aside::Stray);
            }
            let moved = disk.rename(dir, &to).and_then(|()| disk.sync_dir(path));
            moved.map_err(|source| LogDirError::Io { act: "rename", path: dir.to_path_buf(), source })?;
            Ok(Aside::Back(topic))
        }
    }
}

/// Moves a log aside that nobody knows.
pub(super) fn move_stray(context: &LogContext, found: &Found, log: &Log) -> Result<(), LogDirError> {
    let name = layout::aside(&found.topic, found.key.partition, context.seams.rng.uuid());
    tracing::warn!(
        dir = %found.dir.display(),
        to = name,
        "the metadata does not know this partition: moved aside; delete it if nobody wants its records"
    );
    close_and_move(context, found, log, &name).map(drop)
}

/// Moves a log aside whose topic was deleted before it could be.
pub(super) fn keep(context: &LogContext, found: &Found, log: &Log) -> Result<KeptLog, LogDirError> {
    let name = layout::aside(&found.topic, found.key.partition, found.key.topic_id.0);
    let line = close_and_move(context, found, log, &name)?;
    let (topic, dir) = (found.topic.clone(), context.log_dir.join(name));
    Ok(KeptLog { topic, dir, line: Some(line), bytes: log.size_bytes() })
}

fn close_and_move(context: &LogContext, found: &Found, log: &Log, name: &str) -> Result<LogCheckpoint, LogDirError> {
    let failed = |act, source| LogDirError::Io { act, path: found.dir.clone(), source };
    let closed = log.close().map_err(|error| failed("close", error))?;
    let disk = &*context.seams.disk;
    disk.rename(&found.dir, &context.log_dir.join(name)).map_err(|error| failed("rename", error))?;
    disk.sync_dir(&context.log_dir).map_err(|error| failed("sync the directory of", error))?;
    Ok(closed)
}

impl KeptLog {
    /// One that an earlier run has kept.
    pub(super) fn found(disk: &dyn Disk, topic: String, dir: PathBuf) -> Self {
        let length = |name: &str| disk.open(&dir.join(name), OpenMode::Read).and_then(|file| file.len()).unwrap_or(0);
        let entries = disk.list(&dir).unwrap_or_default();
        let bytes = entries.iter().filter(|entry| !entry.is_dir).map(|entry| length(&entry.name)).sum();
        Self { topic, dir, line: None, bytes }
    }
}

impl LogDir {
    /// Takes the log of a deleted topic out of service and keeps it, durably, until [`LogDir::restore_log`] or
    /// [`LogDir::delete_log`]. Keeping an absent log is not an error.
    ///
    /// # Errors
    /// See [`LogDirError`]. A log that a full disk does not let be closed takes nothing more and stays where it is, with
    /// the journal behind it: it can be restored or deleted all the same.
    pub fn keep_log(&self, topic_id: TopicId, partition: PartitionIndex) -> Result<(), LogDirError> {
        let _changing = self.changing.lock();
        self.check_open()?;
        let Some(log) = self.log(topic_id, partition) else { return Ok(()) };
        log.mark_deleted();
        self.journal.settle(&*log);
        let KeptLog { topic, dir: from, .. } = self.close_kept(&log)?;
        let to = self.path.join(layout::aside(&topic, partition, topic_id.0));
        self.move_kept(LogKey { topic_id, partition }, &from, to)
    }

    /// Takes a log out of service whose topic was deleted; it is still where it was.
    fn close_kept(&self, log: &Log) -> Result<KeptLog, LogDirError> {
        let closed = log.close().map_err(|error| self.journal.disk_error("close a log in", &self.path, error))?;
        // From here on no earlier round of the journal is for it.
        self.journal.record(closed.clone())?;
        let key = LogKey { topic_id: log.topic_id(), partition: log.partition() };
        let dir = self.path.join(layout::partition(log.topic(), key.partition));
        let kept = KeptLog { topic: log.topic().to_string(), dir, line: Some(closed), bytes: log.size_bytes() };
        self.kept.lock().insert(key, kept.clone());
        self.logs.write().remove(&key);
        self.journal.set_aside(key);
        Ok(kept)
    }

    /// Brings a kept log back into service under its topic's name; `None` when there is none such.
    ///
    /// # Errors
    /// See [`LogDirError`]; the log is kept then as before.
    pub fn restore_log(
        &self,
        topic: &str,
        topic_id: TopicId,
        partition: PartitionIndex,
        options: LogOptions,
    ) -> Result<Option<Arc<Log>>, LogDirError> {
        // Asked first: most logs were never kept, and a deletion may hold the lock for long.
        if !self.is_kept(topic_id, partition) {
            return Ok(None);
        }
        let _changing = self.changing.lock();
        let key = LogKey { topic_id, partition };
        self.check_open()?;
        if let Some(unclosed) = self.unclosed(key) {
            self.close_kept(&unclosed)?;
        }
        let Some(KeptLog { dir: from, line, .. }) = self.kept.lock().get(&key).cloned() else { return Ok(None) };
        let dir = self.path.join(layout::partition(topic, partition));
        self.move_back(key, &from, &dir)?;
        // The journal has nothing of it, and its line may be older than its files.
        let (log, recovery) =
            Log::open(&self.context, &dir, topic, topic_id, partition, options, LastStop::Unknown, line.as_ref(), &[])?;
        self.damaged.fetch_or(recovery.damaged, Ordering::Relaxed);
        let checkpoint = JournalledLog::checkpoint(&*log);
        let checkpoint = checkpoint.map_err(|error| self.journal.disk_error("checkpoint", &dir, error))?;
        self.journal.record(checkpoint)?;
        let member: Arc<dyn JournalledLog> = log.clone();
        self.journal.add_log(&member);
        self.logs.write().insert(key, Arc::clone(&log));
        self.kept.lock().remove(&key);
        Ok(Some(log))
    }

    /// Recovers the kept logs where they are, has everything beside them written, and closes them again: for a repair.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub(crate) fn recover_kept(&self) -> Result<(), LogDirError> {
        let _changing = self.changing.lock();
        let all: Vec<(LogKey, KeptLog)> = self.kept.lock().iter().map(|(key, kept)| (*key, kept.clone())).collect();
        for (LogKey { topic_id, partition }, KeptLog { topic, dir, line, .. }) in all {
            let options = LogOptions::default();
            let stop = LastStop::Unknown;
            let (log, recovery) =
                Log::open(&self.context, &dir, &topic, topic_id, partition, options, stop, line.as_ref(), &[])?;
            self.damaged.fetch_or(recovery.damaged, Ordering::Relaxed);
            let closed = log.write_all_checksums().and_then(|()| log.close());
            self.journal.record(closed.map_err(|error| self.journal.disk_error("close a log in", &dir, error))?)?;
        }
        Ok(())
    }

    /// Whether the log of a partition is kept here.
    #[must_use]
    pub fn is_kept(&self, topic_id: TopicId, partition: PartitionIndex) -> bool {
        let key = LogKey { topic_id, partition };
        self.kept.lock().contains_key(&key) || self.unclosed(key).is_some()
    }

    /// A log that was to be kept when the disk was full.
    fn unclosed(&self, key: LogKey) -> Option<Arc<Log>> {
        self.log(key.topic_id, key.partition).filter(|log| log.is_deleted())
    }

    /// Size of the kept logs in bytes.
    #[must_use]
    pub fn kept_bytes(&self) -> u64 {
        self.kept.lock().values().map(|kept| kept.bytes).sum()
    }

    /// Deletes a kept log, if there is one: nobody reads it, so that its files go as soon as the manifest can be written.
    pub(super) fn delete_kept(&self, key: LogKey) -> Result<(), LogDirError> {
        let Some(kept) = self.kept.lock().remove(&key) else { return Ok(()) };
        let seams = &self.context.seams;
        let to = self.path.join(layout::deleted(&kept.topic, key.partition, seams.rng.uuid()));
        self.journal.remove_log(key, || self.rename(&kept.dir, &to))?;
        self.upkeep.remove_later(to, seams.clock.now());
        Ok(())
    }

    fn move_back(&self, key: LogKey, from: &Path, to: &Path) -> Result<(), LogDirError> {
        if from == to {
            return Ok(());
        }
        if self.context.seams.disk.exists(to) {
            let reason = "another topic's partition is in the way of one that comes back: start the broker again";
            return Err(LogDirError::Malformed { file: to.to_path_buf(), reason: reason.to_owned() });
        }
        self.move_kept(key, from, to.to_path_buf())
    }

    fn move_kept(&self, key: LogKey, from: &Path, to: PathBuf) -> Result<(), LogDirError> {
        let moved = self.rename(from, &to);
        moved.map_err(|error| self.journal.disk_error("rename a log in", &self.path, error))?;
        if let Some(kept) = self.kept.lock().get_mut(&key) {
            kept.dir = to;
        }
        Ok(())
    }

    /// Renames a partition's directory, durably, also on a full disk.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        let disk = &*self.context.seams.disk;
        with_reserve(disk, &self.path, || disk.rename(from, to))?;
        disk.sync_dir(&self.path)
    }
}
