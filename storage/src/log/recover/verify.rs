//! Reading what lies above the synced point, batch by batch.

use std::io;
use std::sync::Arc;

use super::Recovery;
use crate::batch::BatchError;
use crate::batch_scan::{BatchScan, Found, ScanError};
use crate::ids::Offset;
use crate::seam::DiskFile;
use crate::segment::{Segment, UNINDEXED_BYTES_MAX};

/// Why the verification of a segment ended early.
enum Stop {
    /// At this position, in a part that was never known to be synced.
    Torn(u64, Behind),
    /// Below the synced point.
    Damaged(Offset),
}

/// What lies behind the end of a log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// What a crash leaves: no whole batch.
    Torn,
    /// A whole batch that does not continue the log: a segment of another one was put here. It is kept.
    Foreign,
}

impl Behind {
    pub(super) fn of(file: &dyn DiskFile, position: u64, end: u64) -> io::Result<Self> {
        match BatchScan::new(file, position, end).next_whole() {
            Ok(Some(_)) => Ok(Self::Foreign),
            Ok(None) | Err(ScanError::Damaged { .. }) => Ok(Self::Torn),
            Err(ScanError::Io(error)) => Err(error),
        }
    }
}

impl Recovery<'_> {
    /// Goes over the segments from the recovery point on; leaves all but the last sealed. Gives the offset of damage.
    pub(super) fn verify(&mut self, segments: &[Arc<Segment>]) -> Result<Option<Offset>, ScanError> {
        for (index, segment) in segments.iter().enumerate() {
            if self.is_gap(segment) {
                self.cut_from(&segments[index..], 0, Behind::Torn)?;
                break;
            }
            let stop = self.verify_segment(segment)?;
            self.touched.push(Arc::clone(segment));
            match stop {
                None => {}
                Some(Stop::Damaged(offset)) => return Ok(Some(offset)),
                Some(Stop::Torn(position, _)) if self.goes_on(segments.get(index + 1)) => {
                    self.cut_end(segment, position)?
                }
                Some(Stop::Torn(position, behind)) => {
                    self.cut_from(&segments[index..], position, behind)?;
                    break;
                }
            }
            if index + 1 < segments.len() {
                segment.seal().map_err(ScanError::Io)?;
            }
        }
        let reached = self.end();
        let synced = self.checkpoint.map_or(Offset::ZERO, |checkpoint| checkpoint.recovery_point);
        if self.clean && !self.log.context.others_ran && synced > Offset::ZERO && reached > synced {
            // After a stop of ours the log ends where the manifest says: an offset in the last segment is wrong.
            return Ok(segments.last().map(|last| last.base));
        }
        Ok((reached < synced).then_some(reached))
    }

    /// True when the next segment begins where this one ends: what is behind its last batch was never the log's.
    fn goes_on(&self, next: Option<&Arc<Segment>>) -> bool {
        next.is_some_and(|next| Some(next.base) == self.expected)
    }

    fn cut_end(&mut self, segment: &Segment, position: u64) -> Result<(), ScanError> {
        self.report.renewed = true;
        self.report.bytes_cut += segment.len() - position;
        let dir = self.log.directory.display();
        tracing::warn!(
            %dir,
            segment = segment.base.0,
            position,
            "bytes behind the last batch of a segment were cut; nothing need be done: they were no batch of this log"
        );
        self.log.drop_checksums(segment).map_err(ScanError::Io)?;
        segment.data.cut(position).map_err(ScanError::Io)
    }

    /// True when the segment does not continue the one before. Only compaction leaves holes, and that we know of ours.
    fn is_gap(&self, segment: &Segment) -> bool {
        match self.expected {
            None => false,
            Some(expected) if self.checkpoint.is_some() => segment.base != expected,
            Some(expected) => segment.base < expected,
        }
    }

    fn verify_segment(&mut self, segment: &Segment) -> Result<Option<Stop>, ScanError> {
        if self.is_of_another_log(segment).map_err(ScanError::Io)? {
            return Ok(Some(Stop::Damaged(segment.base)));
        }
        let synced_len = self.synced_len(segment);
        let trusted = if self.clean { segment.len() } else { synced_len.saturating_sub(UNINDEXED_BYTES_MAX) };
        let resume = segment.reopen(trusted).map_err(ScanError::Io)?;
        if self.expected.is_none() && resume == 0 {
            self.expected = Some(segment.base);
        }
        let file = Arc::clone(segment.data.open().map_err(ScanError::Io)?);
        let mut scan = BatchScan::new(&*file, resume, segment.len());
        loop {
            let position = scan.position();
            let synced = position < synced_len;
            let proven = self.proven.has(segment, position);
            let next = if synced || proven {
                scan.next_header()
            } else {
                scan.next_whole().map(|next| next.map(|(found, _)| found))
            };
            match next {
                Ok(None) => return Ok(None),
                Ok(Some(found)) if self.is_in_place(segment, &found, synced) => {
                    self.take(segment, &found, synced);
                }
                Err(ScanError::Io(error)) => return Err(ScanError::Io(error)),
                Err(ScanError::Damaged { position, near, reason: reason @ BatchError::Magic(0 | 1) })
                    if self.checkpoint.is_none() =>
                {
                    return Err(ScanError::Damaged { position, near, reason });
                }
                Ok(Some(_)) | Err(ScanError::Damaged { .. }) if synced => {
                    return Ok(Some(Stop::Damaged(self.expected.unwrap_or(segment.base))));
                }
                Ok(Some(_)) | Err(ScanError::Damaged { .. }) => {
                    let behind = Behind::of(&*file, position, segment.len()).map_err(ScanError::Io)?;
                    return Ok(Some(Stop::Torn(position, behind)));
                }
            }
        }
    }

    /// By its checksums file: nothing is appended to such a segment.
    fn is_of_another_log(&self, segment: &Segment) -> io::Result<bool> {
        if !self.clean || self.log.context.others_ran {
            return Ok(false);
        }
        Ok(segment.checksums()?.is_some_and(|checksums| !self.log.is_ours(&checksums)))
    }

    /// Up to where the segment's bytes are known to be on disk.
    fn synced_len(&self, segment: &Segment) -> u64 {
        match self.checkpoint {
            _ if self.clean => segment.len(),
            Some(checkpoint) if checkpoint.segment_base == segment.base => checkpoint.position,
            Some(_) | None => 0,
        }
    }

    /// The header fields that the checksum does not cover.
    fn is_in_place(&self, segment: &Segment, found: &Found, synced: bool) -> bool {
        let header = &found.header;
        let (base, epoch) = (header.base_offset(), header.leader_epoch());
        let follows = match self.expected {
            None => true,
            Some(expected) if self.checkpoint.is_some() && !self.clean => base == expected,
            Some(expected) => base >= expected,
        };
        let fits = base >= segment.base && header.last_offset().0 - segment.base.0 <= i64::from(i32::MAX);
        // The epochs of the synced part are known to the end; what comes after may only rise from there.
        let rises = synced || epoch.0 < 0 || self.epochs.latest().is_none_or(|latest| epoch >= latest);
        follows && fits && rises
    }

    fn take(&mut self, segment: &Segment, found: &Found, synced: bool) {
        segment.index(found, self.log.options().index_interval_bytes);
        if !synced {
            self.epochs.assign(found.header.leader_epoch(), found.header.base_offset());
        }
        self.expected = Some(found.header.next_offset());
    }
}
