//! The small files of a partition: checksums files, producer snapshots, leader epochs.

use std::path::Path;

use super::segment::Walk;
use super::{Findings, action};
use crate::checksums::Checksums;
use crate::ids::{Offset, PartitionIndex, Timestamp, TopicId};
use crate::leader_epoch::{self, LeaderEpochs};
use crate::partition_metadata;
use crate::producer_state::snapshot;
use crate::seam::Disk;
use crate::segment::{OFFSET_INDEX, SNAPSHOT, TIME_INDEX};
use crate::whole_file;

/// Whose partition it is.
#[derive(Clone, Copy)]
pub(super) struct Owner {
    pub(super) topic_id: TopicId,
    pub(super) partition: PartitionIndex,
}

/// Reads a checksums file; `None` when it is absent or not to be used, which is told if it `counts`.
pub(super) fn checksums(
    disk: &dyn Disk,
    path: &Path,
    owner: Owner,
    base: Offset,
    counts: bool,
    findings: &mut Findings,
) -> Option<Checksums> {
    let read = match Checksums::read(disk, path) {
        Ok(read) => read?,
        Err(error) => {
            findings.rebuildable(path, format!("it cannot be read: {error}"));
            return None;
        }
    };
    match read {
        Ok(found) if found.base == base && found.topic_id == owner.topic_id && found.partition == owner.partition => {
            Some(found)
        }
        Ok(found) => {
            let what = format!("it is of partition {} of {}, from {}", found.partition, found.topic_id, found.base);
            findings.damage(path, None, what, action::REPAIR);
            None
        }
        Err(reason) if counts => {
            findings.damage(path, None, reason, action::REPAIR);
            None
        }
        Err(_) => {
            findings.note(path, None, "it was being written when the broker ended");
            None
        }
    }
}

/// The files that a checksums file speaks of, of a segment that it covers. `last` says that it was written by the clean
/// stop that was the last thing to happen.
pub(super) fn compare(disk: &dyn Disk, directory: &Path, checksums: &Checksums, last: bool, findings: &mut Findings) {
    for companion in &checksums.companions {
        let path = directory.join(&companion.name);
        let of_segment = companion.name.ends_with(OFFSET_INDEX) || companion.name.ends_with(TIME_INDEX);
        let is_snapshot = companion.name.ends_with(SNAPSHOT);
        if !of_segment && !is_snapshot && !last {
            // It goes on changing while the log grows.
            continue;
        }
        match whole_file::read(disk, &path) {
            Ok(Some(bytes)) if companion.matches(&bytes) => {}
            Ok(None) if is_snapshot && !last => findings.note(&path, None, "it is gone; newer ones are there"),
            Ok(None) => findings.rebuildable(&path, "it is gone"),
            Ok(Some(_)) if companion.name == partition_metadata::NAME => {
                findings.damage(&path, None, "it is not what was written", action::REPAIR);
            }
            Ok(Some(_)) => findings.rebuildable(&path, "it is not what was written"),
            Err(error) => findings.rebuildable(&path, format!("it cannot be read: {error}")),
        }
    }
}

/// A producer snapshot of this name. One that is not `synced` is made again by a start.
pub(super) fn producers(disk: &dyn Disk, path: &Path, offset: Offset, synced: bool, findings: &mut Findings) {
    let what = match whole_file::read(disk, path).ok().flatten() {
        None => "it cannot be read".to_owned(),
        Some(bytes) => match snapshot::decode(&bytes, Timestamp::NONE) {
            None => "its checksum does not match".to_owned(),
            Some(states) if states.last_offset().is_some_and(|last| last >= offset) => {
                format!("it tells of batches at or above {offset}: it is of another place")
            }
            Some(_) => return,
        },
    };
    if synced { findings.rebuildable(path, what) } else { findings.note(path, None, what) }
}

/// The epochs, against the batches below `synced`.
pub(super) fn epochs(disk: &dyn Disk, directory: &Path, walks: &[Walk], synced: Offset, findings: &mut Findings) {
    let path = directory.join(leader_epoch::NAME);
    let end = walks.last().map_or(Offset::ZERO, Walk::next_offset);
    let batches = || walks.iter().flat_map(|walk| &walk.batches).filter(|batch| batch.base_offset < synced);
    match LeaderEpochs::read(disk, directory) {
        Ok(Some(epochs)) => {
            let differs = |batch: &&super::segment::Seen| {
                batch.epoch.0 >= 0 && epochs.epoch_of(batch.base_offset).is_some_and(|epoch| epoch != batch.epoch)
            };
            let lacks = batches()
                .next_back()
                .is_some_and(|last| last.epoch.0 >= 0 && epochs.epoch_of(last.base_offset).is_none());
            if let Some(batch) = batches().find(differs) {
                let what =
                    format!("it differs from the batch at offset {}, of epoch {}", batch.base_offset, batch.epoch);
                findings.rebuildable(&path, what);
            } else if epochs.latest_start().is_some_and(|start| start > end) {
                findings.rebuildable(&path, format!("it tells of an epoch above the log's end, {end}"));
            } else if lacks {
                findings.rebuildable(&path, "it says nothing of the last batches");
            }
        }
        Ok(None) if disk.exists(&path) => findings.rebuildable(&path, "it does not parse"),
        Ok(None) if batches().any(|batch| batch.epoch.0 >= 0) => findings.rebuildable(&path, "it is gone"),
        Ok(None) => {}
        Err(error) => findings.rebuildable(&path, format!("it cannot be read: {error}")),
    }
}
