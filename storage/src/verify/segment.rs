//! One segment's data: every batch's checksum, the order of offsets, and what its checksums file says.

use std::io;
use std::path::Path;

use super::{Findings, action};
use crate::batch::BatchError;
use crate::batch_scan::{BatchScan, ScanError};
use crate::checksums::{Blocks, Checksums};
use crate::ids::{LeaderEpoch, Offset, Timestamp};
use crate::seam::{Disk, OpenMode};

/// A batch as indexes speak of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) position: u64,
    pub(super) base_offset: Offset,
    pub(super) last_offset: Offset,
    pub(super) max_timestamp: Timestamp,
    pub(super) epoch: LeaderEpoch,
    header: crate::batch::BatchHeader,
}

/// What a walk over a segment gave.
pub(super) struct Walk {
    pub(super) base: Offset,
    pub(super) len: u64,
    pub(super) batches: Vec<Seen>,
    /// Where and why it ended before the end.
    pub(super) broken: Option<(u64, String)>,
}

impl Walk {
    /// Reads the whole file.
    pub(super) fn over(disk: &dyn Disk, path: &Path, base: Offset, at_or_above: Offset) -> io::Result<Self> {
        let file = disk.open(path, OpenMode::Read)?;
        let len = file.len()?;
        let mut walk = Self { base, len, batches: Vec::new(), broken: None };
        let mut scan = BatchScan::new(&*file, 0, len).at_or_above(at_or_above);
        loop {
            match scan.next_whole() {
                Ok(None) => return Ok(walk),
                Ok(Some((found, _))) => {
                    let header = found.header;
                    if header.last_offset().0 - base.0 > i64::from(i32::MAX)
                        || header.last_offset() < header.base_offset()
                    {
                        walk.broken = Some((found.position, BatchError::OUT_OF_ORDER.to_string()));
                        return Ok(walk);
                    }
                    walk.batches.push(Seen {
                        position: found.position,
                        base_offset: header.base_offset(),
                        last_offset: header.last_offset(),
                        max_timestamp: header.max_timestamp(),
                        epoch: header.leader_epoch(),
                        header,
                    });
                }
                Err(ScanError::Io(error)) => {
                    walk.broken = Some((scan.position(), error.to_string()));
                    return Ok(walk);
                }
                Err(ScanError::Damaged { position, reason, .. }) => {
                    walk.broken = Some((position, reason.to_string()));
                    return Ok(walk);
                }
            }
        }
    }

    /// The offset after the last whole batch.
    pub(super) fn next_offset(&self) -> Offset {
        self.batches.last().map_or(self.base, |last| Offset(last.last_offset.0 + 1))
    }

    /// Where the whole batches end.
    pub(super) fn good_end(&self) -> u64 {
        self.broken.as_ref().map_or(self.len, |(position, _)| *position)
    }

    /// The first block whose batches are not those of the file.
    pub(super) fn first_mismatch(&self, checksums: &Checksums) -> Option<u64> {
        let mismatch = checksums.blocks.all.iter().find(|block| {
            let from = self.batches.partition_point(|batch| batch.position < block.start);
            let to = self.batches.partition_point(|batch| batch.position < block.end);
            let batches = &self.batches[from..to.max(from)];
            let crc = batches.iter().fold(0, |crc, batch| Blocks::extend(crc, &batch.header));
            block.end > self.good_end() || crc != block.crc
        });
        mismatch.map(|block| block.start)
    }
}

/// Compares the data with a checksums file that is whole and of this segment.
pub(super) fn compare(
    walk: &Walk,
    data: &Path,
    checksums: &Checksums,
    next_base: Option<Offset>,
    settled: bool,
    findings: &mut Findings,
) {
    let mismatch = walk.first_mismatch(checksums);
    if walk.broken.is_some() {
        // What stands before the break may be of another place all the same.
        let whole = |start: &u64| {
            checksums.blocks.all.iter().any(|block| block.start == *start && block.end <= walk.good_end())
        };
        if let Some(position) = mismatch.filter(whole) {
            findings.damage(
                data,
                Some(position),
                "the batches of the block that starts here are not those that were written",
                action::CUT,
            );
        }
        return;
    }
    if walk.len < checksums.len() {
        let what = format!("it has {} bytes, but had {} when its checksums were written", walk.len, checksums.len());
        // Nothing vouches for the front of a block whose end is gone.
        findings.damage(data, mismatch.or(Some(walk.len)), what, action::CUT);
    } else if walk.len > checksums.len() && settled {
        let what = format!("it has {} bytes, its checksums cover all that there were: {}", walk.len, checksums.len());
        // Bytes of another place are not those that were written from their first block on.
        findings.damage(data, mismatch.or(Some(checksums.len())), what, action::CUT);
    } else if let Some(position) = mismatch {
        let what = "the batches of the block that starts here are whole, but not those that were written: an offset or an \
                    epoch differs, or they came from elsewhere";
        findings.damage(data, Some(position), what, action::CUT);
    } else if let Some(next) = next_base.filter(|_| checksums.len() == walk.len)
        && next != checksums.next_offset()
    {
        let what = format!("the log goes on at {}, but the next segment starts at {next}", checksums.next_offset());
        findings.damage(data, Some(walk.len), what, action::CUT);
    }
}
