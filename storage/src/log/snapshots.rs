//! The producer snapshots of a log: when they are written, which are kept, and the state after a start (LOG-5).

use std::io;
use std::sync::Arc;

use super::{Log, Writer};
use crate::batch::HEADER_LEN;
use crate::batch_scan::{BatchScan, Found, ScanError};
use crate::checksums::Companion;
use crate::ids::Offset;
use crate::producer_state::{EndMarker, ProducerStates, snapshot};
use crate::seam::{OpenMode, mutant};
use crate::segment::{SNAPSHOT, Segment, file_path};
use crate::whole_file;

/// A checkpoint writes a snapshot once so many bytes came after the last one: so many a start reads again.
pub(super) const SNAPSHOT_LAG_BYTES: u64 = 4 << 20;
/// Snapshots kept beside those at segment bases. Two, because a start after a crash begins at the older one: a snapshot
/// of Apache Kafka's holds only the last batch of each producer, and the batches read after it fill the windows again.
const KEPT: usize = 2;
/// A start that finds fewer reads a log from offset 0 instead, when that is no more than this.
const REREAD_BYTES_MAX: u64 = 8 << 20;

impl Log {
    /// Writes the state below `offset`; `durable` says whether it is synced.
    pub(super) fn write_snapshot(&self, states: &ProducerStates, offset: Offset, durable: bool) -> io::Result<()> {
        self.store_snapshot(&snapshot::encode(states), offset, durable)
    }

    pub(super) fn store_snapshot(&self, bytes: &[u8], offset: Offset, durable: bool) -> io::Result<()> {
        let path = file_path(&self.directory, offset, SNAPSHOT);
        if durable {
            return whole_file::replace(&**self.disk(), &path, bytes);
        }
        // In place: until the checkpoint that syncs it, a crash may leave it torn, and then its checksum says so.
        let file = self.disk().open(&path, OpenMode::Create)?;
        file.set_len(0)?;
        file.write_all_at(&[io::IoSlice::new(bytes)], 0)?;
        self.name_made();
        Ok(())
    }

    /// Offsets of the snapshot files, ascending.
    pub(super) fn snapshot_offsets(&self) -> io::Result<Vec<Offset>> {
        let names = self.disk().list(&self.directory)?;
        let mut offsets: Vec<Offset> = names.iter().filter_map(|entry| offset_of(&entry.name, SNAPSHOT)).collect();
        offsets.sort_unstable();
        Ok(offsets)
    }

    /// Removes snapshots above `end`, and those that neither stand at a segment's base nor belong to the last ones.
    pub(super) fn remove_snapshots(&self, end: Offset) -> io::Result<()> {
        let bases: Vec<Offset> = self.segments.read().all().iter().map(|segment| segment.base).collect();
        let offsets = self.snapshot_offsets()?;
        let below = offsets.partition_point(|offset| *offset <= end);
        let recent = below.saturating_sub(KEPT);
        for (index, offset) in offsets.into_iter().enumerate() {
            let kept = index < below && (index >= recent || bases.contains(&offset));
            if !kept {
                self.disk().remove_file(&file_path(&self.directory, offset, SNAPSHOT))?;
            }
        }
        Ok(())
    }

    /// Removes snapshots above `end`.
    pub(super) fn remove_snapshots_above(&self, end: Offset) -> io::Result<()> {
        for offset in self.snapshot_offsets()?.into_iter().filter(|offset| *offset > end) {
            self.disk().remove_file(&file_path(&self.directory, offset, SNAPSHOT))?;
        }
        Ok(())
    }

    /// Syncs the snapshots that a roll has written at the bases of these segments.
    pub(super) fn sync_snapshots(&self, segments: &[Arc<Segment>]) -> io::Result<()> {
        for segment in segments {
            match self.disk().open(&segment.path(SNAPSHOT), OpenMode::ReadWrite) {
                Ok(file) => file.sync_data()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Sets the producers' state at `end`: from a snapshot, and the batches after it.
    pub(super) fn restore_producers(&self, writer: &mut Writer, end: Offset, clean: bool) -> Result<(), ScanError> {
        let told = self.told_of_snapshot(end);
        let mut newest_first = Vec::new();
        for offset in self.snapshot_offsets().map_err(ScanError::Io)?.into_iter().rev() {
            if offset > end || newest_first.len() == KEPT {
                continue;
            }
            if let Some(states) =
                self.read_snapshot(offset, told.as_ref().filter(|_| offset == end)).map_err(ScanError::Io)?
            {
                newest_first.push((offset, states));
            }
        }
        let has_end = newest_first.first().is_some_and(|(offset, _)| *offset == end);
        let is_missed = !has_end && told.is_some();
        writer.since_snapshot = if has_end || end == Offset::ZERO { 0 } else { SNAPSHOT_LAG_BYTES };
        let (from, mut states) = self.base_state(newest_first, end, clean && !is_missed);
        self.replay_producers(&mut states, from, end)?;
        writer.producers = if mutant("producers_forgotten") { ProducerStates::default() } else { states };
        Ok(())
    }

    /// `None` when it is absent or, after a crash, torn; and when it is not what the last stop has `told` of it: that of
    /// another log would be believed.
    fn read_snapshot(&self, offset: Offset, told: Option<&Companion>) -> io::Result<Option<ProducerStates>> {
        let path = file_path(&self.directory, offset, SNAPSHOT);
        let bytes = whole_file::read(&**self.disk(), &path)?;
        if bytes.as_ref().zip(told).is_some_and(|(bytes, told)| !told.matches(bytes)) {
            tracing::warn!(
                file = %path.display(),
                "not the producers that were written; nothing need be done: they are read from the batches"
            );
            return Ok(None);
        }
        Ok(bytes.and_then(|bytes| snapshot::decode(&bytes, self.now())))
    }

    /// The state to begin with, and the offset from which the batches have to be read again.
    fn base_state(
        &self,
        mut newest_first: Vec<(Offset, ProducerStates)>,
        end: Offset,
        clean: bool,
    ) -> (Offset, ProducerStates) {
        if clean {
            // Without any the state is empty, as Apache Kafka has it.
            return newest_first.into_iter().next().unwrap_or((end, ProducerStates::default()));
        }
        let first_base = self.segments.read().first().map_or(end, |segment| segment.base);
        if newest_first.len() < KEPT && first_base == Offset::ZERO && self.size_below(end) <= REREAD_BYTES_MAX {
            newest_first.push((Offset::ZERO, ProducerStates::default()));
        }
        // Of the batches after an older one some may be deleted, and then only the newer one tells of them.
        while newest_first.len() > 1 && newest_first.last().is_some_and(|(offset, _)| *offset < first_base) {
            newest_first.pop();
        }
        newest_first.pop().unwrap_or_else(|| (self.log_start_offset(), ProducerStates::default()))
    }

    fn size_below(&self, offset: Offset) -> u64 {
        let segments = self.segments.read().all();
        segments.iter().filter(|segment| segment.base < offset).map(|segment| segment.len()).sum()
    }

    fn replay_producers(&self, states: &mut ProducerStates, from: Offset, end: Offset) -> Result<(), ScanError> {
        let now = self.now();
        let first = self.segments.read().floor(from).map_or(from, |segment| segment.base);
        for segment in self.segments.read().from(first) {
            // The one that a roll has written here may be lost in a crash, and later be the only one.
            if segment.base > from
                && segment.base < end
                && self.read_snapshot(segment.base, None).map_err(ScanError::Io)?.is_none()
            {
                self.write_snapshot(states, segment.base, true).map_err(ScanError::Io)?;
            }
            let file = segment.data.open().map_err(ScanError::Io)?;
            let start = segment.floor_by_offset(from).map_err(ScanError::Io)?;
            let mut scan = BatchScan::new(&**file, start, segment.len());
            while let Some(found) = scan.next_header()? {
                if found.header.producer_id().0 < 0 || found.header.last_offset() < from {
                    continue;
                }
                if found.header.last_offset() >= end {
                    return Ok(());
                }
                states.apply(&found.header, end_marker(&segment, &found)?, now);
            }
        }
        Ok(())
    }
}

fn end_marker(segment: &Segment, found: &Found) -> Result<Option<EndMarker>, ScanError> {
    if !found.header.is_control() {
        return Ok(None);
    }
    let bytes = segment.data.read(found.position, found.size).map_err(ScanError::Io)?;
    Ok(EndMarker::read(&bytes[HEADER_LEN..]))
}

pub(super) use crate::segment::base_of as offset_of;
