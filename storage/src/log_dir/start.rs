//! The start of a log directory: lock, look, replay, recover, and only then serve (JOURNAL.md, "States").
//!
//! After a crash the ring goes on behind its last round, and frees nothing before a checkpoint has made the logs durable:
//! a start has nothing to sync but what it read and builds on, and a crash on the way costs nothing.

mod kafkas;
mod session;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use self::kafkas::{KafkaOffsets, checkpoint_of};
use self::session::{begin_anew, go_on};
use super::layout::{self, SubDir};
use super::refused::{self, Refused};
use super::{Belongs, LogDirOptions, MetaProperties, RecoveryReport, empty, remove_tree};
use crate::error::LogDirError;
use crate::ids::{PartitionIndex, TopicId};
use crate::journal::replay::{self, Replay};
use crate::journal::ring::{Place, RingFiles, Tail};
use crate::journal::{Journal, JournalledLog, LogCheckpoint, LogKey, ReplayBatch};
use crate::log::{LastStop, Log, LogContext, LogRecovery};
use crate::manifest::Manifest;
use crate::options::LogOptions;
use crate::seam::Seams;
use crate::{clean_shutdown, meta_properties, parallel, partition_metadata, reserve};

/// The number of the first round ever.
const FIRST_ROUND: u64 = 1;

/// What the metadata says of a log.
pub(super) type BelongsTo<'a> = &'a (dyn Fn(&str, TopicId, PartitionIndex) -> Belongs + Sync);

/// What a start hands over.
pub(super) struct Started {
    pub(super) meta: MetaProperties,
    pub(super) journal: Arc<Journal>,
    pub(super) context: LogContext,
    pub(super) logs: HashMap<LogKey, Arc<Log>>,
    pub(super) report: RecoveryReport,
    pub(super) refused: Refused,
    pub(super) lock: Box<dyn Send + Sync>,
}

/// A partition's directory that was found.
struct Found {
    dir: PathBuf,
    topic: String,
    key: LogKey,
    /// `None` for a stray.
    options: Option<LogOptions>,
    checkpoint: Option<LogCheckpoint>,
    /// The manifest has a line of it.
    listed: bool,
    replay: Vec<ReplayBatch>,
}

/// What the last stop left.
struct Left {
    last_stop: LastStop,
    /// Somebody else was the last to stop here, or may have been.
    others_ran: bool,
    manifest: Option<Manifest>,
    ring: RingFiles,
    replay: Replay,
    /// Where the next round goes, if the session goes on.
    head: Tail,
}

/// Opens the directory.
pub(super) fn start(
    seams: Seams,
    path: &Path,
    options: &LogDirOptions,
    belongs: BelongsTo<'_>,
) -> Result<Started, LogDirError> {
    let lock = lock(&seams, path)?;
    let meta = meta_properties::read(&*seams.disk, path)?;
    let meta = meta.ok_or_else(|| LogDirError::NotFormatted(path.to_path_buf()))?;
    make_room(&seams, path)?;
    let mut left = look(&seams, path, &meta)?;
    let (found, mut refused) = find_partitions(&seams, path, &mut left, belongs)?;
    let (last_stop, others_ran) = (left.last_stop, left.others_ran);
    let named = std::mem::take(&mut left.replay.named);
    refused.anew = last_stop != LastStop::Killed || left.manifest.is_none();
    let journal = match left.manifest.take().filter(|_| last_stop == LastStop::Killed) {
        Some(manifest) => go_on(&seams, path, left, manifest)?.make(seams.clone(), path, options),
        None => begin_anew(&seams, path, options, &meta, left)?.make(seams.clone(), path, options),
    };
    let context =
        LogContext { seams, journal: Arc::clone(&journal) as Arc<_>, log_dir: path.to_path_buf(), others_ran };
    let recovered = recover(&context, found, last_stop, options.recovery_threads, &mut refused)?;
    serve(&journal, context, recovered, refused, named, last_stop == LastStop::Clean, meta, lock)
}

fn lock(seams: &Seams, path: &Path) -> Result<Box<dyn Send + Sync>, LogDirError> {
    if !seams.disk.exists(path) {
        return Err(LogDirError::NotFormatted(path.to_path_buf()));
    }
    let file = path.join(".lock");
    seams.disk.lock(&file).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => LogDirError::Locked(path.to_path_buf()),
        _ => LogDirError::Io { act: "lock", path: file, source: error },
    })
}

/// A start writes checkpoints and a manifest: on a full disk the reserved room is for that.
fn make_room(seams: &Seams, path: &Path) -> Result<(), LogDirError> {
    let failed = |source| LogDirError::Io { act: "make room in", path: path.to_path_buf(), source };
    if seams.disk.free_bytes(path).map_err(failed)? < reserve::BYTES / 2 {
        reserve::release(&*seams.disk, path).map_err(failed)?;
    }
    Ok(())
}

/// Reads what the last stop left, and refuses what does not fit together (JRN-9, JRN-10).
fn look(seams: &Seams, path: &Path, meta: &MetaProperties) -> Result<Left, LogDirError> {
    let disk = &*seams.disk;
    let manifest = Manifest::read(disk, path)?;
    let ring = RingFiles::open(disk, path, meta.directory_id)?;
    let refuse = |reason: String| Err(LogDirError::Malformed { file: Manifest::path(path), reason });
    if let Some(manifest) = &manifest
        && manifest.directory != meta.directory_id
    {
        return refuse(format!("it belongs to directory {}, not to {}", manifest.directory, meta.directory_id));
    }
    match &manifest {
        None if ring.was_used()? => {
            return refuse(
                "it is gone, but a journal is there: without it acknowledged batches would be lost. Restore it, or, to \
                 go on without them, move the barnabas-journal files away"
                    .to_owned(),
            );
        }
        Some(manifest) if !manifest.clean && ring.is_empty() => {
            return refuse(
                "the journal that it speaks of is gone, and acknowledged batches with it. Restore the directory from a \
                 replica, or, to go on without them, move barnabas-manifest away"
                    .to_owned(),
            );
        }
        Some(manifest) if !manifest.clean && clean_shutdown::is_there(disk, path) => {
            return refuse(
                "another broker ran on this directory after an unclean stop of ours: the journal no longer fits the \
                 segments. To go on with the segments as they are, move barnabas-manifest and the barnabas-journal \
                 files away"
                    .to_owned(),
            );
        }
        _ => {}
    }
    let others_ran = match &manifest {
        Some(manifest) => manifest.clean && !clean_shutdown::is_ours(disk, path),
        None => true,
    };
    let clean = clean_shutdown::take(disk, path);
    let clean = clean.map_err(|source| LogDirError::Io {
        act: "remove the clean-shutdown file in",
        path: path.to_path_buf(),
        source,
    })?;
    let tail = manifest.as_ref().map_or(Tail { round: FIRST_ROUND, place: Place::START }, |manifest| manifest.tail);
    let (last_stop, (replay, head)) = match &manifest {
        Some(manifest) if !manifest.clean => (LastStop::Killed, replay::read(&ring, manifest)?),
        Some(_) | None => (if clean { LastStop::Clean } else { LastStop::Unknown }, (Replay::default(), tail)),
    };
    Ok(Left { last_stop, others_ran, manifest, ring, replay, head })
}

/// Lists the partitions, with where each begins to recover.
fn find_partitions(
    seams: &Seams,
    path: &Path,
    left: &mut Left,
    belongs: BelongsTo<'_>,
) -> Result<(Vec<Found>, Refused), LogDirError> {
    let disk = &*seams.disk;
    let failed = |act, path: &Path, source| LogDirError::Io { act, path: path.to_path_buf(), source };
    let kafkas = KafkaOffsets::read(seams, path).map_err(|error| failed("read the checkpoints of", path, error))?;
    let mut found: BTreeMap<LogKey, Found> = BTreeMap::new();
    let (mut refused, mut deleted) = (Refused::default(), Vec::new());
    for entry in disk.list(path).map_err(|error| failed("list", path, error))? {
        let dir = path.join(&entry.name);
        let kind = if entry.is_dir { layout::parse(&entry.name) } else { continue };
        let (topic, partition) = match kind {
            SubDir::Partition(topic, partition) => (topic, partition),
            SubDir::Deleted => {
                deleted.extend(partition_metadata::read(disk, &dir).ok().flatten());
                refused.doomed.push(dir);
                continue;
            }
            SubDir::Foreign => {
                tracing::warn!(dir = %dir.display(), "not a partition: ignored");
                continue;
            }
            SubDir::Stray | SubDir::ClusterMetadata => continue,
        };
        let topic_id = match topic_id_of(seams, &dir, left.others_ran) {
            Ok(Some(topic_id)) => topic_id,
            Ok(None) => continue,
            Err(error @ LogDirError::Malformed { .. }) => {
                refused.directory(&dir, &error);
                continue;
            }
            Err(error) => return Err(error),
        };
        let key = LogKey { topic_id, partition };
        let options = match belongs(&topic, topic_id, partition) {
            Belongs::Here(options) => Some(options),
            Belongs::Nowhere(Some(topic_id)) if knows(left, LogKey { topic_id, partition }) => {
                refused.directory(&dir, &misnamed(&dir, "no topic"));
                continue;
            }
            Belongs::Nowhere(_) => None,
            Belongs::Elsewhere(name) => {
                refused.directory(&dir, &misnamed(&dir, &format!("topic {name}")));
                continue;
            }
        };
        let checkpoint = checkpoint_of(left, &kafkas, &topic, key);
        let replay = left.replay.batches.remove(&key).unwrap_or_default();
        let listed = left.manifest.as_ref().is_some_and(|manifest| manifest.logs.contains_key(&key));
        let log = Found { dir: dir.clone(), topic, key, options, checkpoint, listed, replay };
        if let Some(other) = found.insert(key, log) {
            let reason = format!("it has the topic id of {}: remove one of both", other.dir.display());
            return Err(LogDirError::Malformed { file: dir, reason });
        }
    }
    if let Some(manifest) = left.manifest.as_ref().filter(|_| !left.others_ran) {
        let lines =
            manifest.logs.iter().filter(|(key, _)| !found.contains_key(key) && !deleted.contains(&key.topic_id));
        refused.lost(lines.map(|(key, line)| (*key, line.checkpoint.clone())));
    }
    // What was made after the manifest has no line, but the journal has its batches.
    let known = |key: &LogKey| !matches!(belongs("", key.topic_id, key.partition), Belongs::Nowhere(_));
    let unclaimed = left.replay.batches.iter().filter(|(key, _)| !deleted.contains(&key.topic_id) && known(key));
    refused.lost(unclaimed.filter_map(|(key, batches)| {
        Some((*key, LogCheckpoint { recovery_point: batches.last()?.next_offset, ..empty(*key) }))
    }));
    Ok((found.into_values().collect(), refused))
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
        tracing::warn!(dir = %dir.display(), "the partition has no topic id (Kafka before 2.8): ignored");
        return Ok(None);
    }
    remove_tree(disk, dir).map_err(|error| failed("remove", error))?;
    Ok(None)
}

/// A log that is open again.
struct Recovered {
    found: Found,
    log: Arc<Log>,
    recovery: LogRecovery,
    /// For the manifest, before the log takes appends.
    renewed: Option<LogCheckpoint>,
}

/// Opens the logs on a few threads.
fn recover(
    context: &LogContext,
    found: Vec<Found>,
    last_stop: LastStop,
    threads: usize,
    refused: &mut Refused,
) -> Result<Vec<Recovered>, LogDirError> {
    let failed = AtomicBool::new(false);
    let work = {
        let context = context.clone();
        move |next: Found| {
            // After an error nothing that was opened counts.
            if failed.load(Ordering::Relaxed) {
                return None;
            }
            let (dir, key, line) = (next.dir.clone(), next.key, next.checkpoint.clone());
            let recovered = recover_one(&context, next, last_stop);
            let ends = recovered.as_ref().is_err_and(|error| !refused::is_damage(error));
            failed.fetch_or(ends, Ordering::Relaxed);
            Some((dir, key, line, recovered))
        }
    };
    let results = parallel::each(&*context.seams.spawn, "log-recovery", threads, found, work);
    let mut all = Vec::new();
    for (dir, key, line, recovered) in results.into_iter().flatten() {
        match recovered {
            Ok(recovered) => all.push(recovered),
            Err(error) if refused::is_damage(&error) => {
                refused.directory(&dir, &error);
                refused.keep(key, line);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

fn recover_one(context: &LogContext, mut found: Found, last_stop: LastStop) -> Result<Recovered, LogDirError> {
    let replay = std::mem::take(&mut found.replay);
    let Found { dir, topic, key, options, checkpoint, listed, .. } = &found;
    let options = options.clone().unwrap_or_default();
    let failed = |source| LogDirError::Io { act: "sync", path: dir.clone(), source };
    if last_stop == LastStop::Killed && !listed {
        // Its making may not have come to its end.
        context.seams.disk.sync_dir(dir).map_err(failed)?;
    }
    let checkpoint = checkpoint.as_ref();
    let (log, recovery) =
        Log::open(context, dir, topic, key.topic_id, key.partition, options, last_stop, checkpoint, &replay)?;
    let renewed = if recovery.renewed { Some(JournalledLog::checkpoint(&*log).map_err(failed)?) } else { None };
    Ok(Recovered { found, log, recovery, renewed })
}

/// Moves strays aside, writes the manifest if it has to be, and starts the threads.
#[allow(clippy::too_many_arguments, reason = "everything that the start has gathered goes in here")]
fn serve(
    journal: &Arc<Journal>,
    context: LogContext,
    recovered: Vec<Recovered>,
    refused: Refused,
    named: HashSet<LogKey>,
    clean: bool,
    meta: MetaProperties,
    lock: Box<dyn Send + Sync>,
) -> Result<Started, LogDirError> {
    let mut report = RecoveryReport { clean, ..RecoveryReport::default() };
    report.damaged.extend(refused.paths());
    let mut logs = HashMap::new();
    let mut all_renewed = Vec::new();
    for Recovered { found, log, recovery, renewed } in recovered {
        report.batches_replayed += recovery.batches_replayed;
        report.batches_rewritten += recovery.batches_rewritten;
        report.bytes_cut += recovery.bytes_cut;
        if recovery.damaged {
            report.damaged.push(found.dir.clone());
        }
        if found.options.is_none() {
            move_aside(&context, &found, &log)?;
            continue;
        }
        all_renewed.extend(renewed);
        let member: Arc<dyn JournalledLog> = log.clone();
        journal.add_log(&member);
        logs.insert(found.key, log);
    }
    let graves = named.into_iter().filter(|key| !logs.contains_key(key));
    // What is refused keeps its line: whoever repairs it needs to know how far it was synced.
    let known = logs.keys().copied().chain(refused.keys()).collect();
    all_renewed.extend(refused.begun_anew());
    journal.checkpointer.begin(journal, &known, all_renewed, graves)?;
    // Not before: without it and the manifest's line a crash would make the partition look lost.
    for dir in &refused.doomed {
        let removed = remove_tree(&*context.seams.disk, dir);
        removed.map_err(|source| LogDirError::Io { act: "remove", path: dir.clone(), source })?;
    }
    journal.start_threads().map_err(|source| LogDirError::Io {
        act: "start the threads of",
        path: context.log_dir.clone(),
        source,
    })?;
    logs.values().for_each(|log| log.sync_rest());
    Ok(Started { meta, journal: Arc::clone(journal), context, logs, report, refused, lock })
}

fn move_aside(context: &LogContext, found: &Found, log: &Log) -> Result<(), LogDirError> {
    let failed = |act, source| LogDirError::Io { act, path: found.dir.clone(), source };
    log.close().map_err(|error| failed("close", error))?;
    let name = layout::stray(&found.topic, found.key.partition, context.seams.rng.uuid());
    tracing::warn!(dir = %found.dir.display(), to = name, "the metadata does not know this partition: moved aside");
    let disk = &*context.seams.disk;
    disk.rename(&found.dir, &context.log_dir.join(name)).map_err(|error| failed("rename", error))?;
    disk.sync_dir(&context.log_dir).map_err(|error| failed("sync the directory of", error))
}
