//! The metadata's part of `barnabas log verify`: a look at the write-ahead log and the snapshot that changes nothing.

use std::io;
use std::path::Path;

use barnabas_storage::log_dir;
use barnabas_storage::seam::Disk;
use barnabas_storage::verify::{Finding, Severity};
use openraft::entry::EntryPayload;

use crate::consensus::snapshot::SnapshotFile;
use crate::error::OpenError;
use crate::metadata::{MetadataImage, Touched};
use crate::wal::{self, LogState};

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
    let end_damaged = wal::has_damaged_end(&**disk, directory);
    match (file.load(), state) {
        (Err(error), _) => damage(error),
        (Ok(Some(_)), None) => damage(file.damaged("the metadata log that belongs to it is missing")),
        (Ok(snapshot), Some(state)) => {
            let (meta, image) = snapshot.unzip();
            if meta.and_then(|meta| meta.last_log_id) < state.purged() {
                damage(file.damaged("it is missing or older than the metadata log"));
            } else if let Some(error) = other_cluster(&**disk, directory, image.unwrap_or_default(), &state) {
                damage(error);
            }
        }
        (Ok(None), None) if log_dir::has_served(&**disk, directory) => damage(wal::gone(directory)),
        (Ok(None), None) => {}
    }
    if end_damaged {
        let path = directory.join("barnabas-metadata.end");
        let (severity, what) = (Severity::Rebuildable, "it is there, but not as a clean stop writes it".to_owned());
        findings.push(Finding { path, position: None, severity, what, action: "a start removes it" });
    }
    Ok(findings)
}

/// The cluster's id stands in two places.
fn other_cluster(disk: &dyn Disk, directory: &Path, mut image: MetadataImage, state: &LogState) -> Option<OpenError> {
    for entry in state.range(&..) {
        if let EntryPayload::Normal(proposal) = entry.payload {
            image.apply(image.applied_index() + 1, &proposal.0, &mut Touched::default());
        }
    }
    let expected = log_dir::identity(disk, directory)?.cluster_id;
    let found = image.cluster_id().to_owned();
    let differs = !found.is_empty() && found != expected;
    differs.then(|| OpenError::Damaged {
        file: directory.join("meta.properties"),
        reason: format!("it names cluster {expected}, the metadata log is of cluster {found}"),
    })
}
