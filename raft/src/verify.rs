//! The metadata's part of `barnabas log verify`: a look at the write-ahead log and the snapshot that changes nothing.

use std::io;
use std::path::Path;

use barnabas_storage::log_dir;
use barnabas_storage::seam::Disk;
use barnabas_storage::verify::{Finding, Severity};

use crate::consensus::snapshot::SnapshotFile;
use crate::error::OpenError;
use crate::wal;

const ACTION: &str =
    "restore the barnabas-metadata files from a copy: topics and their ids are in them and nowhere else";

/// Looks at the files of a directory. One that has none is no finding unless a broker has served from it.
///
/// # Errors
/// When the directory cannot be listed.
pub fn verify(disk: &std::sync::Arc<dyn Disk>, directory: &Path) -> io::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut damage = |error: OpenError| {
        let (path, what) = match error {
            OpenError::Damaged { file, reason } => (file, reason),
            other => (directory.to_path_buf(), other.to_string()),
        };
        findings.push(Finding { path, position: None, severity: Severity::Damage, what, action: ACTION });
    };
    let state = match wal::inspect(&**disk, directory) {
        Ok(state) => state,
        Err(error) => {
            damage(error);
            return Ok(findings);
        }
    };
    let file = SnapshotFile::new(std::sync::Arc::clone(disk), directory.to_path_buf());
    match (file.load(), state) {
        (Err(error), _) => damage(error),
        (Ok(Some(_)), None) => damage(file.damaged("the metadata log that belongs to it is missing")),
        (Ok(snapshot), Some(state)) => {
            if snapshot.and_then(|(meta, _)| meta.last_log_id) < state.purged() {
                damage(file.damaged("it is missing or older than the metadata log"));
            }
        }
        (Ok(None), None) if log_dir::has_served(&**disk, directory) => damage(wal::gone(directory)),
        (Ok(None), None) => {}
    }
    Ok(findings)
}
