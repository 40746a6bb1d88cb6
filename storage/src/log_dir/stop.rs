//! The clean stop: after it the directory is Apache Kafka's again (JRN-9).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::LogDir;
use crate::checkpoint_file;
use crate::checkpointer::Checkpointer;
use crate::clean_shutdown;
use crate::error::LogDirError;
use crate::ids::{Offset, PartitionIndex};
use crate::journal::LogCheckpoint;
use crate::log::Log;
use crate::parallel;

/// Closes the logs, ends the journal's threads and writes what the next start, ours or Kafka's, looks at. In this
/// order: until the manifest says `clean` it counts, and after that Kafka's files do; the clean-shutdown file is last.
pub(super) fn stop(dir: &LogDir) -> Result<(), LogDirError> {
    let offline = || LogDirError::Offline(dir.path.clone());
    if dir.is_offline() {
        return Err(offline());
    }
    let close = |log: Arc<Log>| (log.close(), log);
    let all = parallel::each(&*dir.context.seams.spawn, "log-close", parallel::SYNCING_THREADS, dir.logs(), close);
    let mut closed = Vec::new();
    for (checkpoint, log) in all {
        closed.push((log, checkpoint.map_err(|error| dir.journal.disk_error("close a log in", &dir.path, error))?));
    }
    dir.journal.settle_all();
    let tail = dir.journal.end();
    dir.journal.stop();
    if dir.is_offline() {
        return Err(offline());
    }
    let lines: Vec<(&str, &LogCheckpoint)> = closed.iter().map(|(log, line)| (&**log.topic(), line)).collect();
    write_kafkas(dir, &lines)?;
    let checkpoints = closed.iter().map(|(_, checkpoint)| checkpoint.clone()).collect();
    let damaged = dir.damaged.load(Ordering::Relaxed);
    Checkpointer::end(&dir.journal, checkpoints, tail, !damaged)?;
    if damaged {
        return Ok(());
    }
    let written = clean_shutdown::write(&*dir.context.seams.disk, &dir.path);
    written.map_err(|source| LogDirError::Io {
        act: "write the clean-shutdown file in",
        path: dir.path.clone(),
        source,
    })
}

/// Kafka's checkpoint files.
fn write_kafkas(dir: &LogDir, logs: &[(&str, &LogCheckpoint)]) -> Result<(), LogDirError> {
    let write = |name: &str, offset_of: fn(&LogCheckpoint) -> Option<Offset>| {
        let line = |(topic, checkpoint): &(_, &LogCheckpoint)| -> Option<(_, PartitionIndex, Offset)> {
            Some((*topic, checkpoint.partition, offset_of(checkpoint)?))
        };
        let lines: Vec<_> = logs.iter().filter_map(line).collect();
        let path = dir.path.join(name);
        let written = checkpoint_file::write(&*dir.context.seams.disk, &path, &lines);
        written.map_err(|source| LogDirError::Io { act: "write", path, source })
    };
    write(checkpoint_file::RECOVERY_POINT, |checkpoint| Some(checkpoint.recovery_point))?;
    // Kafka leaves out logs that start at their first segment. The others are those that start above 0.
    write(checkpoint_file::LOG_START, |checkpoint| Some(checkpoint.log_start).filter(|start| *start > Offset::ZERO))?;
    write(checkpoint_file::HIGH_WATERMARK, |checkpoint| Some(checkpoint.high_watermark))
}
