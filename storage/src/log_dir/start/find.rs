//! The partitions of a directory, with where each begins to recover.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::kafkas::{KafkaOffsets, checkpoint_of};
use super::{BelongsTo, Left};
use crate::error::LogDirError;
use crate::ids::{PartitionIndex, TopicId};
use crate::journal::{LogCheckpoint, LogKey, ReplayBatch};
use crate::log_dir::aside::{self, Aside, KeptLog};
use crate::log_dir::layout::{self, SubDir};
use crate::log_dir::refused::Refused;
use crate::log_dir::{Belongs, empty, remove_tree};
use crate::options::LogOptions;
use crate::partition_metadata;
use crate::seam::Seams;

/// A partition's directory that was found.
pub(in crate::log_dir) struct Found {
    pub(in crate::log_dir) dir: PathBuf,
    pub(in crate::log_dir) topic: String,
    pub(in crate::log_dir) key: LogKey,
    pub(super) fate: Fate,
    pub(super) checkpoint: Option<LogCheckpoint>,
    /// The manifest has a line of it.
    pub(super) listed: bool,
    pub(super) replay: Vec<ReplayBatch>,
}

/// What becomes of a directory once it is recovered.
#[derive(Clone)]
pub(super) enum Fate {
    /// It is served.
    Served(LogOptions),
    /// Its topic was deleted and is kept: it is moved aside.
    Kept(LogOptions),
    /// Nobody knows it: it is moved aside.
    Stray,
}

impl Fate {
    pub(super) fn options(&self) -> LogOptions {
        match self {
            Self::Served(options) | Self::Kept(options) => options.clone(),
            Self::Stray => LogOptions::default(),
        }
    }
}

/// What was found so far.
#[derive(Default)]
struct Finds {
    logs: BTreeMap<LogKey, Found>,
    refused: Refused,
    /// Topics of which deleted partitions are there.
    deleted: Vec<TopicId>,
}

/// Lists the partitions.
pub(super) fn partitions(
    seams: &Seams,
    path: &Path,
    left: &mut Left,
    belongs: BelongsTo<'_>,
) -> Result<(Vec<Found>, Refused), LogDirError> {
    let disk = &*seams.disk;
    let failed = |act, path: &Path, source| LogDirError::Io { act, path: path.to_path_buf(), source };
    let kafkas = KafkaOffsets::read(seams, path).map_err(|error| failed("read the checkpoints of", path, error))?;
    let mut finds = Finds::default();
    for entry in disk.list(path).map_err(|error| failed("list", path, error))? {
        let dir = path.join(&entry.name);
        let kind = if entry.is_dir { layout::parse(&entry.name) } else { continue };
        let (dir, topic, partition) = match kind {
            SubDir::Partition(topic, partition) => (dir, topic, partition),
            SubDir::Deleted => {
                finds.deleted.extend(partition_metadata::read(disk, &dir).ok().flatten());
                finds.refused.doomed.push(dir);
                continue;
            }
            SubDir::Aside(topic, partition, unique) => {
                let key = LogKey { topic_id: TopicId(unique), partition };
                match aside::look(disk, path, &dir, key, belongs)? {
                    Aside::Back(topic) => (path.join(layout::partition(&topic, partition)), topic, partition),
                    Aside::Kept => {
                        finds.keep(left, key, KeptLog::found(disk, topic, dir));
                        continue;
                    }
                    Aside::Doomed => {
                        finds.deleted.push(key.topic_id);
                        finds.refused.doomed.push(dir);
                        continue;
                    }
                    Aside::Stray => continue,
                }
            }
            SubDir::Foreign => {
                let dir = dir.display();
                tracing::warn!(%dir, "not a partition: ignored; move it elsewhere, unless the file system made it");
                continue;
            }
            SubDir::ClusterMetadata => continue,
        };
        take(&mut finds, seams, left, &kafkas, belongs, (dir, topic, partition))?;
    }
    finds.refuse_lost(left, belongs);
    Ok((finds.logs.into_values().collect(), finds.refused))
}

impl Finds {
    /// Takes in a log that an earlier run has kept: it is durable in its files, whatever the journal still has of it.
    fn keep(&mut self, left: &mut Left, key: LogKey, mut kept: KeptLog) {
        left.replay.batches.remove(&key);
        let line = left.manifest.as_ref().and_then(|manifest| manifest.logs.get(&key));
        kept.line = line.map(|line| line.checkpoint.clone());
        self.refused.kept.insert(key, kept);
    }

    /// Logs that the manifest or the journal knows, and of which no directory was found.
    fn refuse_lost(&mut self, left: &Left, belongs: BelongsTo<'_>) {
        let Self { logs, refused, deleted } = self;
        let is_there = |key: &LogKey| logs.contains_key(key) || refused.kept.contains_key(key);
        if let Some(manifest) = left.manifest.as_ref().filter(|_| !left.others_ran) {
            let lines = manifest.logs.iter().filter(|(key, _)| !is_there(key) && !deleted.contains(&key.topic_id));
            let lines: Vec<_> = lines.map(|(key, line)| (*key, line.checkpoint.clone())).collect();
            refused.lost(lines.into_iter());
        }
        // What was made after the manifest has no line, but the journal has its batches.
        let known = |key: &LogKey| !matches!(belongs("", key.topic_id, key.partition), Belongs::Nowhere(_));
        let unclaimed = left.replay.batches.iter().filter(|(key, _)| !deleted.contains(&key.topic_id) && known(key));
        refused.lost(unclaimed.filter_map(|(key, batches)| {
            Some((*key, LogCheckpoint { recovery_point: batches.last()?.next_offset, ..empty(*key) }))
        }));
    }
}

/// Takes in a directory that has the name of a partition.
fn take(
    finds: &mut Finds,
    seams: &Seams,
    left: &mut Left,
    kafkas: &KafkaOffsets,
    belongs: BelongsTo<'_>,
    (dir, topic, partition): (PathBuf, String, PartitionIndex),
) -> Result<(), LogDirError> {
    let topic_id = match topic_id_of(seams, &dir, left.others_ran) {
        Ok(Some(topic_id)) => topic_id,
        Ok(None) => return Ok(()),
        Err(error @ LogDirError::Malformed { .. }) => {
            finds.refused.directory(&dir, &error);
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let key = LogKey { topic_id, partition };
    let fate = match fate_of(left, &topic, key, belongs(&topic, topic_id, partition)) {
        Ok(fate) => fate,
        Err(whose) => {
            finds.refused.directory(&dir, &misnamed(&dir, &whose));
            return Ok(());
        }
    };
    let checkpoint = checkpoint_of(left, kafkas, &topic, key);
    let replay = left.replay.batches.remove(&key).unwrap_or_default();
    let listed = left.manifest.as_ref().is_some_and(|manifest| manifest.logs.contains_key(&key));
    let log = Found { dir: dir.clone(), topic, key, fate, checkpoint, listed, replay };
    if let Some(other) = finds.logs.insert(key, log) {
        let reason = format!("it has the topic id of {}: remove one of both", other.dir.display());
        return Err(LogDirError::Malformed { file: dir, reason });
    }
    Ok(())
}

/// What becomes of a directory of this topic's name; the error is whose id it has instead.
fn fate_of(left: &Left, topic: &str, key: LogKey, belongs: Belongs) -> Result<Fate, String> {
    match belongs {
        Belongs::Here(options) => Ok(Fate::Served(options)),
        Belongs::Kept { topic: name, options } if name == topic => Ok(Fate::Kept(options)),
        Belongs::Nowhere(Some(topic_id)) if knows(left, LogKey { topic_id, ..key }) => Err("no topic".to_owned()),
        Belongs::Nowhere(_) => Ok(Fate::Stray),
        Belongs::Elsewhere(name) | Belongs::Kept { topic: name, .. } => Err(format!("topic {name}")),
    }
}

/// This directory held such a log before.
fn knows(left: &Left, key: LogKey) -> bool {
    let listed = left.manifest.as_ref().is_some_and(|manifest| manifest.logs.contains_key(&key));
    (listed && !left.others_ran) || left.replay.batches.contains_key(&key)
}

fn misnamed(dir: &Path, whose: &str) -> LogDirError {
    let reason = format!("it has the id of {whose}, not of the topic in the directory's name: restore it from a copy");
    LogDirError::Malformed { file: dir.join(partition_metadata::NAME), reason }
}

/// The topic id of a partition's directory; `None` when it is not to be opened: a creation that did not end (removed),
/// or a partition of a Kafka before topic ids (left alone).
fn topic_id_of(seams: &Seams, dir: &Path, others_ran: bool) -> Result<Option<TopicId>, LogDirError> {
    let disk = &*seams.disk;
    if let Some(topic_id) = partition_metadata::read(disk, dir)? {
        return Ok(Some(topic_id));
    }
    let failed = |act, source| LogDirError::Io { act, path: dir.to_path_buf(), source };
    let entries = disk.list(dir).map_err(|error| failed("list", error))?;
    if entries.iter().any(|entry| entry.name.ends_with(".log")) {
        if !others_ran {
            let reason = "it is gone: restore it from a copy".to_owned();
            return Err(LogDirError::Malformed { file: dir.join(partition_metadata::NAME), reason });
        }
        tracing::warn!(
            dir = %dir.display(),
            "the partition has no topic id (Kafka before 2.8): ignored; start a newer Apache Kafka on it, which gives it one"
        );
        return Ok(None);
    }
    remove_tree(disk, dir).map_err(|error| failed("remove", error))?;
    Ok(None)
}
