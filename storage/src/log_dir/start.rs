//! The start of a log directory: lock, look, replay, recover, and only then serve (JOURNAL.md, "States").
//!
//! After a crash the ring goes on behind its last round, and frees nothing before a checkpoint has made the logs durable:
//! a start has nothing to sync but what it read and builds on, and a crash on the way costs nothing.

pub(super) mod find;
mod kafkas;
mod session;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use self::find::{Fate, Found};
use self::session::{begin_anew, go_on};
use super::refused::{self, Refused};
use super::{Belongs, LogDirOptions, MetaProperties, RecoveryReport, aside, remove_tree};
use crate::error::LogDirError;
use crate::failed_sync::FailedSync;
use crate::ids::{PartitionIndex, TopicId};
use crate::journal::replay::{self, Replay};
use crate::journal::ring::{Place, RingFiles, Tail};
use crate::journal::{Journal, JournalledLog, LogCheckpoint, LogKey};
use crate::log::{LastStop, Log, LogContext, LogRecovery};
use crate::manifest::Manifest;
use crate::seam::Seams;
use crate::{clean_shutdown, meta_properties, parallel, reserve};

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
    let sync_failed = FailedSync::of_logs(&*seams.disk, path).is_noted();
    if sync_failed {
        left.ring.write_again()?;
    }
    let (found, mut refused) = find::partitions(&seams, path, &mut left, belongs)?;
    let (last_stop, others_ran) = (left.last_stop, left.others_ran);
    let named = std::mem::take(&mut left.replay.named);
    refused.anew = last_stop != LastStop::Killed || left.manifest.is_none();
    let journal = match left.manifest.take().filter(|_| last_stop == LastStop::Killed) {
        Some(manifest) => go_on(&seams, path, left, manifest)?.make(seams.clone(), path, options),
        None => begin_anew(&seams, path, options, &meta, left)?.make(seams.clone(), path, options),
    };
    let sink = Arc::clone(&journal) as Arc<_>;
    let context = LogContext { seams, journal: sink, log_dir: path.to_path_buf(), others_ran, sync_failed };
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
    let Found { dir, topic, key, fate, checkpoint, listed, .. } = &found;
    let options = fate.options();
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
    mut refused: Refused,
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
        match found.fate {
            Fate::Served(_) => all_renewed.extend(renewed),
            Fate::Kept(_) => {
                let kept = aside::keep(&context, &found, &log)?;
                all_renewed.extend(kept.line.clone());
                refused.kept.insert(found.key, kept);
                continue;
            }
            Fate::Stray => {
                aside::move_stray(&context, &found, &log)?;
                continue;
            }
        }
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
    if context.sync_failed {
        // Before anything else can fail.
        let forgotten = FailedSync::of_logs(&*context.seams.disk, &context.log_dir).forget();
        forgotten.map_err(|source| LogDirError::Io {
            act: "forget the failed sync of",
            path: context.log_dir.clone(),
            source,
        })?;
    }
    journal.start_threads().map_err(|source| LogDirError::Io {
        act: "start the threads of",
        path: context.log_dir.clone(),
        source,
    })?;
    Ok(Started { meta, journal: Arc::clone(journal), context, logs, report, refused, lock })
}
