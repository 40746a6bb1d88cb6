//! The log of a deleted topic that is kept (`log_dir/aside.rs`): looked at as any other, and named as what it is.

use std::path::{Path, PathBuf};

use super::partition::Partition;
use super::root::Known;
use super::{Findings, action};
use crate::journal::LogKey;
use crate::partition_metadata;
use crate::seam::Disk;

/// Whether a directory that was moved aside is a log of this key: the digits of a stray are nobody's id.
pub(super) fn is_kept(disk: &dyn Disk, path: &Path, key: LogKey, known: &Known) -> bool {
    let names_itself = || partition_metadata::read(disk, path).is_ok_and(|found| found == Some(key.topic_id));
    known.lists(key) || names_itself()
}

/// Looks at one.
pub(super) fn look_at(
    disk: &dyn Disk,
    path: PathBuf,
    topic: String,
    key: LogKey,
    known: &Known,
    findings: &mut Findings,
) {
    let mut found = Findings::default();
    if let Err(error) = Partition::kept(disk, path.clone(), topic.clone(), key, known).look(&mut found) {
        found.damage(&path, None, format!("it cannot be read: {error}"), action::CUT);
    }
    let what = format!("the kept log of partition {} of {topic}, a topic that was deleted", key.partition);
    if !known.lists(key) {
        let unknown =
            format!("{what}: the manifest does not list it, so that nothing tells which records were deleted");
        findings.note(&path, None, unknown);
    } else {
        findings.note(&path, None, what);
    }
    findings.all.extend(found.all.into_iter().map(|mut finding| {
        finding.what = format!("in the kept log of partition {} of {topic}: {}", key.partition, finding.what);
        finding
    }));
}
