//! What makes sure that the bytes which are served are those that were written.
//!
//! A range is proven when this process wrote it, or has read it and found every checksum right: of each batch, and of
//! the blocks in the segment's checksums file, which also cover what a batch's own checksum leaves out. A sealed segment
//! whose file was changed since by anybody has to be proven again. What is not proven is read by pread, off the async
//! workers, and proven on the way: each byte once a process, so that a hot read stays as cheap as it was.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::{CHECKSUMS, OFFSET_INDEX, Segment, TIME_INDEX};
use crate::batch::{BatchError, check_whole};
use crate::batch_scan::{BatchScan, Found, ScanError, header_of};
use crate::checksums::{Block, Blocks, Checksums};
use crate::ids::Offset;
use crate::offset_index::GrowingOffsets;
use crate::time_index::GrowingTimes;

/// What is known of a segment's bytes.
#[derive(Default)]
pub(super) struct Proof {
    /// Proven ranges, start to end, none touching another.
    ranges: BTreeMap<u64, u64>,
    /// The state of the file for which they hold; of a growing one nothing.
    changed: Option<i128>,
    /// The checksums file, once asked for.
    checksums: Option<Option<Arc<Checksums>>>,
}

impl Proof {
    fn holds(&self, start: u64, end: u64) -> bool {
        self.ranges.range(..=start).next_back().is_some_and(|(_, known)| *known >= end)
    }

    fn add(&mut self, mut start: u64, mut end: u64) {
        while let Some((&from, &to)) = self.ranges.range(..=end).next_back().filter(|(_, to)| **to >= start) {
            self.ranges.remove(&from);
            (start, end) = (start.min(from), end.max(to));
        }
        self.ranges.insert(start, end);
    }

    /// Forgets what was proven of another state of the file.
    fn as_of(&mut self, changed: Option<i128>) {
        if self.changed != changed {
            self.ranges.clear();
            self.changed = changed;
        }
    }
}

impl Segment {
    /// True when these bytes may be sent without a look at them.
    pub(crate) fn is_proven(&self, position: u64, len: usize) -> bool {
        let growing = self.is_growing();
        if growing && position >= self.data.written_from() {
            return true;
        }
        let mut proof = self.proof.lock();
        if !growing {
            let Ok(changed) = self.data.changed() else { return false };
            proof.as_of(Some(changed));
        }
        proof.holds(position, position + len as u64)
    }

    /// Reads a range of whole batches that end at or below `next_offset`, and proves it.
    pub(crate) fn read_proven(&self, position: u64, len: usize, next_offset: Offset) -> io::Result<Bytes> {
        let changed = if self.is_growing() { None } else { Some(self.data.changed()?) };
        let bytes = self.data.read(position, len)?;
        self.check_batches(position, &bytes, next_offset)?;
        let end = position + len as u64;
        if let Some(checksums) = self.checksums()? {
            self.check_blocks(&checksums, position, end)?;
        }
        let mut proof = self.proof.lock();
        if !self.is_growing() {
            proof.as_of(changed);
        }
        proof.add(position, end);
        Ok(bytes)
    }

    /// What this process has written is proven; noted when the segment is sealed.
    pub(super) fn prove_written(&self) {
        let (from, end) = (self.data.written_from(), self.len());
        let mut proof = self.proof.lock();
        proof.as_of(self.data.changed().ok());
        if from < end {
            proof.add(from, end);
        }
    }

    fn check_batches(&self, position: u64, bytes: &Bytes, next_offset: Offset) -> io::Result<()> {
        let (mut at, mut near) = (0, self.base);
        while at < bytes.len() {
            let rest = bytes.slice(at..);
            let checked = header_of(&rest).and_then(|(header, size)| {
                let batch = rest.get(..size).map(|_| rest.slice(..size)).ok_or(BatchError::Truncated)?;
                check_whole(&batch)?;
                let follows = header.base_offset() >= near && header.next_offset() <= next_offset;
                if follows { Ok((header, size)) } else { Err(BatchError::OUT_OF_ORDER) }
            });
            let (header, size) = checked.map_err(|reason| self.damaged(position + at as u64, &reason.to_string()))?;
            near = header.next_offset();
            at += size;
        }
        Ok(())
    }

    fn check_blocks(&self, checksums: &Checksums, start: u64, end: u64) -> io::Result<()> {
        let blocks = &checksums.blocks.all;
        let first = blocks.partition_point(|block| block.end <= start);
        for block in blocks[first..].iter().take_while(|block| block.start < end) {
            let proven = {
                let growing = self.is_growing();
                let mut proof = self.proof.lock();
                if !growing {
                    proof.as_of(self.data.changed().ok());
                }
                proof.holds(block.start, block.end)
            };
            if !proven {
                self.check_block(block)?;
            }
        }
        Ok(())
    }

    fn check_block(&self, block: &Block) -> io::Result<()> {
        let mismatch = || self.damaged(block.start, "the batches are not those of its checksums file");
        if block.end > self.len() {
            return Err(mismatch());
        }
        let mut scan = BatchScan::new(&**self.data.open()?, block.start, block.end);
        let mut crc = 0;
        loop {
            match scan.next_header() {
                Ok(Some(Found { header, .. })) => crc = Blocks::extend(crc, &header),
                Ok(None) => break,
                Err(ScanError::Io(error)) => return Err(error),
                Err(ScanError::Damaged { position, reason, .. }) => {
                    return Err(self.damaged(position, &reason.to_string()));
                }
            }
        }
        if crc == block.crc { Ok(()) } else { Err(mismatch()) }
    }

    /// The checksums file, if there is a whole one of this segment that covers no more than the segment has.
    pub(crate) fn checksums(&self) -> io::Result<Option<Arc<Checksums>>> {
        let mut proof = self.proof.lock();
        if let Some(known) = &proof.checksums {
            return Ok(known.clone());
        }
        let read = Checksums::read(&*self.disk, &self.path(CHECKSUMS))?;
        let whole = match read {
            Some(Ok(checksums)) if checksums.base == self.base => Some(Arc::new(checksums)),
            Some(_) => {
                tracing::warn!(
                    file = %self.path(CHECKSUMS).display(),
                    "the checksums file is damaged; nothing need be done: batches have checksums of their own"
                );
                None
            }
            None => None,
        };
        proof.checksums = Some(whole.clone());
        Ok(whole)
    }

    /// The file was written anew.
    pub(crate) fn read_checksums_again(&self) {
        self.proof.lock().checksums = None;
    }

    /// The file is going to be removed: what it said holds no longer.
    pub(crate) fn forget_checksums(&self) {
        *self.proof.lock() = Proof { checksums: Some(None), ..Proof::default() };
        self.has_checksums.store(false, Ordering::Release);
        self.settled.store(false, Ordering::Release);
    }

    /// The blocks of all batches, from what was noted while they came, the file, and a walk over the rest.
    pub(crate) fn whole_blocks(&self) -> Result<Blocks, ScanError> {
        let mut blocks = self.blocks.lock();
        if blocks.all.is_empty()
            && let Some(checksums) = self.checksums().map_err(ScanError::Io)?
            && checksums.len() <= self.len()
        {
            *blocks = checksums.blocks.clone();
        }
        blocks.catch_up(&**self.data.open().map_err(ScanError::Io)?, self.len())?;
        Ok(blocks.clone())
    }

    /// Looks at the index files of a sealed segment, once a process. False when they are not what was written; without
    /// checksums, when they cannot be right.
    pub(crate) fn indexes_are_sound(&self) -> io::Result<bool> {
        let checksums = self.checksums()?;
        for suffix in [OFFSET_INDEX, TIME_INDEX] {
            let path = self.path(suffix);
            let bytes = crate::whole_file::read(&*self.disk, &path)?.unwrap_or_default();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let covered = checksums.as_ref().filter(|checksums| checksums.len() == self.len());
            let sound = match covered.and_then(|checksums| checksums.companion(name)) {
                Some(companion) => companion.matches(&bytes),
                None => self.is_plausible(suffix)?,
            };
            if !sound {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_plausible(&self, suffix: &str) -> io::Result<bool> {
        if suffix == TIME_INDEX {
            let times = GrowingTimes::read(&*self.disk, &self.path(suffix))?;
            return Ok(times.plausible() == times.entries().len());
        }
        let offsets = GrowingOffsets::read(&*self.disk, &self.path(suffix))?;
        Ok(offsets.plausible(self.len()) == offsets.entries().len())
    }

    /// An error that names the place and what can be done.
    fn damaged(&self, position: u64, reason: &str) -> io::Error {
        let file = self.data.path().display();
        let text = format!(
            "{file} is damaged at byte {position}: {reason}. It is not served; `barnabas log verify` on the stopped \
             directory names everything, and only a copy of the partition restores it"
        );
        io::Error::new(io::ErrorKind::InvalidData, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proven_ranges_join() {
        let mut proof = Proof::default();
        proof.add(10, 20);
        proof.add(30, 40);
        assert!(proof.holds(12, 20) && !proof.holds(12, 21) && !proof.holds(20, 30));
        proof.add(20, 30);
        assert!(proof.holds(10, 40) && proof.ranges.len() == 1);
        proof.add(5, 50);
        assert!(proof.holds(5, 50) && proof.ranges.len() == 1);
        proof.as_of(Some(1));
        assert!(!proof.holds(10, 11));
    }
}
