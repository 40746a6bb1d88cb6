//! The index files of a segment against its batches.

use std::path::Path;

use super::Findings;
use super::segment::{Seen, Walk};
use crate::ids::Offset;
use crate::offset_index::{self, GrowingOffsets, OffsetEntry};
use crate::seam::Disk;
use crate::time_index::{self, GrowingTimes, TimeEntry};
use crate::whole_file;

/// Compares an offset index; entries of batches from `trusted` on may be stale and are not looked at.
pub(super) fn offsets(disk: &dyn Disk, path: &Path, walk: &Walk, trusted: u64, findings: &mut Findings) {
    if !is_exact(disk, path, offset_index::ENTRY_LEN, trusted < walk.len, findings) {
        return;
    }
    let Ok(index) = GrowingOffsets::read(disk, path) else { return };
    let wrong = index.entries().iter().filter(|entry| entry.position < 0 || entry.start() < trusted);
    let wrong = wrong.filter(|entry| !leads(walk, entry)).count();
    let falls = index.plausible(u64::MAX) < index.entries().len() && trusted >= walk.len;
    if wrong > 0 || falls {
        findings.rebuildable(path, format!("{} of {} entries lead nowhere", wrong.max(1), index.entries().len()));
    }
}

fn leads(walk: &Walk, entry: &OffsetEntry) -> bool {
    let at = walk.batches.binary_search_by_key(&entry.start(), |batch| batch.position);
    at.is_ok_and(|at| walk.batches[at].last_offset.0 - walk.base.0 == i64::from(entry.relative))
}

/// Compares a time index; the last entry of one that was `finished` has to hold the greatest timestamp.
pub(super) fn times(disk: &dyn Disk, path: &Path, walk: &Walk, finished: bool, findings: &mut Findings) {
    if !finished || !is_exact(disk, path, time_index::ENTRY_LEN, false, findings) {
        return;
    }
    let Ok(index) = GrowingTimes::read(disk, path) else { return };
    let wrong = index.entries().iter().filter(|entry| !holds(walk, entry)).count();
    let falls = index.plausible() < index.entries().len();
    let latest = walk.batches.iter().map(|batch| batch.max_timestamp).max();
    let told = index.entries().last().map(|last| last.timestamp);
    let ends = latest.is_none_or(|latest| latest.0 < 0 || told == Some(latest));
    if wrong > 0 || falls || !ends {
        findings.rebuildable(path, format!("its {} entries do not fit the batches", index.entries().len()));
    }
}

fn holds(walk: &Walk, entry: &TimeEntry) -> bool {
    let offset = Offset(walk.base.0.saturating_add(i64::from(entry.relative)));
    let at = walk.batches.binary_search_by_key(&offset, |batch: &Seen| batch.last_offset);
    at.is_ok_and(|at| walk.batches[at].max_timestamp == entry.timestamp)
}

/// The file is there and has whole entries.
fn is_exact(disk: &dyn Disk, path: &Path, entry: usize, may_lack: bool, findings: &mut Findings) -> bool {
    match whole_file::read(disk, path) {
        Ok(Some(bytes)) if bytes.len().is_multiple_of(entry) => true,
        Ok(None) if may_lack => false,
        Ok(Some(_)) if may_lack => false,
        Ok(Some(bytes)) => {
            findings.rebuildable(path, format!("{} bytes are no whole entries", bytes.len()));
            false
        }
        Ok(None) => {
            findings.rebuildable(path, "it is gone");
            false
        }
        Err(error) => {
            findings.rebuildable(path, format!("it cannot be read: {error}"));
            false
        }
    }
}
