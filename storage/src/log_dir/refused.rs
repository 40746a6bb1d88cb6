//! Partitions that a start does not serve, because their files are damaged or gone: nobody makes them anew in silence,
//! and the manifest keeps what it knew of them.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::aside::KeptLogs;
use crate::advice::REPAIR_LOG;
use crate::error::LogDirError;
use crate::journal::{LogCheckpoint, LogKey};

/// What is not served, and why.
#[derive(Default)]
pub(super) struct Refused {
    by_directory: HashMap<PathBuf, String>,
    by_key: HashMap<LogKey, LogCheckpoint>,
    /// This start begins a new manifest.
    pub(super) anew: bool,
    /// Logs of deleted topics that are kept.
    pub(super) kept: KeptLogs,
    /// Directories of deleted partitions, which go once a manifest without them is written.
    pub(super) doomed: Vec<PathBuf>,
}

/// True for an error that tells of one log's files, not of the disk.
pub(super) fn is_damage(error: &LogDirError) -> bool {
    match error {
        LogDirError::Malformed { .. } | LogDirError::InconsistentTopicId(_) => true,
        LogDirError::Io { source, .. } => {
            matches!(source.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof | ErrorKind::NotFound)
        }
        LogDirError::Locked(_) | LogDirError::NotFormatted(_) | LogDirError::Offline(_) => false,
    }
}

impl Refused {
    /// A directory that could not be opened.
    pub(super) fn directory(&mut self, dir: &Path, error: &LogDirError) {
        let mut reason = error.to_string();
        if let Some(source) = std::error::Error::source(error) {
            reason = format!("{reason}: {source}");
        }
        let dir_shown = dir.display();
        tracing::error!(dir = %dir_shown, reason, "the partition is damaged: it is not served, the others are; {REPAIR_LOG}");
        self.by_directory.insert(dir.to_path_buf(), reason);
    }

    /// What the manifest said of a refused log.
    pub(super) fn keep(&mut self, key: LogKey, line: Option<LogCheckpoint>) {
        self.by_key.extend(line.map(|line| (key, line)));
    }

    /// Logs that the manifest or the journal knows, with records, and of which no directory is there.
    pub(super) fn lost(&mut self, lines: impl Iterator<Item = (LogKey, LogCheckpoint)>) {
        for (key, line) in lines.filter(|(_, line)| line.recovery_point > line.log_start) {
            if self.by_key.contains_key(&key) {
                continue;
            }
            tracing::error!(
                topic_id = %key.topic_id, partition = key.partition.0, end = line.recovery_point.0,
                "a partition is known whose directory is not there: it is not served, nor made anew; \
                 restore the directory, or delete the topic"
            );
            self.by_key.insert(key, line);
        }
    }

    /// Why a partition is refused.
    pub(super) fn reason(&self, dir: &Path, key: LogKey) -> Option<String> {
        let lost = || {
            let line = self.by_key.get(&key)?;
            let end = line.recovery_point;
            Some(format!(
                "the partition has offsets up to {end}, but its directory is gone or names another topic: \
                 restore it from a copy, or run `barnabas log verify`"
            ))
        };
        self.by_directory.get(dir).cloned().or_else(lost)
    }

    /// What a report names.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.by_directory.keys().cloned().collect()
    }

    /// Logs whose lines stay in the manifest.
    pub(super) fn keys(&self) -> impl Iterator<Item = LogKey> {
        self.by_key.keys().chain(self.kept.keys()).copied()
    }

    /// The lines themselves, for a manifest that begins anew.
    pub(super) fn begun_anew(&self) -> Vec<LogCheckpoint> {
        let kept = self.kept.values().filter_map(|kept| kept.line.as_ref());
        if self.anew { self.by_key.values().chain(kept).cloned().collect() } else { Vec::new() }
    }
}
