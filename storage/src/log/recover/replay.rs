//! The journalled batches of a log: proven to be in their segments, or written there again.
//!
//! A segment is read once, in order, and each batch compared with the checksum of its journal entry. What a killed
//! process wrote is still there, so as a rule nothing is written; after a power cut the missing batches are, in pieces of
//! a mebibyte. The same bytes at the same places: doing it twice changes nothing (JRN-2). A segment in which whole batches
//! of another log lie there was put in the place of ours: they are kept beside it first.

use std::io::{self, IoSlice};
use std::sync::Arc;

use super::Recovery;
use super::verify::Behind;
use crate::ids::Offset;
use crate::journal::ReplayBatch;
use crate::log::Log;
use crate::log::leftovers::keep_copy;
use crate::seam::{DiskFile, OpenMode};
use crate::segment::{DATA, Segment, file_path};

/// Read of a segment at a time.
const WINDOW: usize = 256 << 10;
/// Written at a time.
const PIECE: usize = 1 << 20;

/// What the segments hold as the journal says.
pub(super) struct Proven {
    /// Segment base and position of each batch, in the order of offsets.
    places: Vec<(Offset, u64)>,
    /// The first place that is not behind the verification.
    next: usize,
    /// The end of what is durable without gaps, from the checkpoint on.
    pub(super) reaches: Offset,
}

impl Proven {
    pub(super) fn nothing() -> Self {
        Self { places: Vec::new(), next: 0, reaches: Offset::ZERO }
    }

    /// True when the batch at this position is. Positions are asked for in order.
    pub(super) fn has(&mut self, segment: &Segment, position: u64) -> bool {
        let place = (segment.base, position);
        while self.places.get(self.next).is_some_and(|passed| *passed < place) {
            self.next += 1;
        }
        self.places.get(self.next) == Some(&place)
    }
}

impl Recovery<'_> {
    /// Brings the segments to what the journal says.
    pub(super) fn replay(&mut self, batches: &[ReplayBatch]) -> io::Result<()> {
        let (recovery_point, log_start) = self
            .checkpoint
            .map_or((Offset::ZERO, Offset::ZERO), |checkpoint| (checkpoint.recovery_point, checkpoint.log_start));
        self.proven.reaches = recovery_point.max(log_start);
        let wanted = |batch: &&ReplayBatch| batch.next_offset > recovery_point && batch.next_offset > log_start;
        let mut target: Option<Target> = None;
        for batch in batches.iter().filter(wanted) {
            if target.as_ref().is_none_or(|target| target.base != batch.segment_base) {
                if let Some(done) = &mut target {
                    done.flush()?;
                }
                target = Some(self.target(batch.segment_base)?);
            }
            if let Some(target) = &mut target
                && !target.holds(batch)?
            {
                target.keep_foreign(self.log, batch.position)?;
                target.write(batch)?;
                self.report.batches_rewritten += 1;
            }
            self.report.batches_replayed += 1;
            self.proven.places.push((batch.segment_base, batch.position));
            if batch.base_offset <= self.proven.reaches {
                self.proven.reaches = self.proven.reaches.max(batch.next_offset);
            }
        }
        target.map_or(Ok(()), |mut target| target.flush())
    }

    fn target(&self, base: Offset) -> io::Result<Target> {
        let log = self.log;
        let path = file_path(&log.directory, base, DATA);
        if !log.disk().exists(&path) {
            log.name_made();
        }
        let file = log.disk().open(&path, OpenMode::Create)?;
        let len = file.len()?;
        let (window, piece) = (Vec::new(), Vec::new());
        Ok(Target { base, file, len, kept: false, window, window_at: 0, piece, piece_at: 0, piece_len: 0 })
    }
}

/// A segment under replay.
struct Target {
    base: Offset,
    file: Arc<dyn DiskFile>,
    /// Its length before anything was written.
    len: u64,
    /// What was another log's has been copied.
    kept: bool,
    window: Vec<u8>,
    window_at: u64,
    /// What is to be written from `piece_at` on.
    piece: Vec<Vec<u8>>,
    piece_at: u64,
    piece_len: usize,
}

impl Target {
    /// True when the segment has the batch at its place.
    fn holds(&mut self, batch: &ReplayBatch) -> io::Result<bool> {
        let end = batch.position.saturating_add(batch.length as u64);
        if end > self.len {
            return Ok(false);
        }
        if batch.position < self.window_at || end > self.window_at + self.window.len() as u64 {
            let left = usize::try_from(self.len - batch.position).unwrap_or(usize::MAX);
            self.window.resize(batch.length.max(WINDOW).min(left), 0);
            self.window_at = batch.position;
            self.file.read_exact_at(&mut self.window, batch.position)?;
        }
        let skip = usize::try_from(batch.position - self.window_at).unwrap_or(usize::MAX);
        Ok(self.window.get(skip..skip + batch.length).is_some_and(|bytes| batch.proof.holds(bytes)))
    }

    /// Of the log itself no other whole batch can stand where one is journalled: a crash leaves it torn, or nothing.
    fn keep_foreign(&mut self, log: &Log, position: u64) -> io::Result<()> {
        if !self.kept && Behind::of(&*self.file, position, self.len)? == Behind::Foreign {
            keep_copy(log, self.base, &*self.file, position)?;
            self.kept = true;
        }
        Ok(())
    }

    fn write(&mut self, batch: &ReplayBatch) -> io::Result<()> {
        if batch.position != self.piece_at + self.piece_len as u64 || self.piece_len >= PIECE {
            self.flush()?;
            self.piece_at = batch.position;
        }
        self.piece.push(batch.read()?);
        self.piece_len += batch.length;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let pieces: Vec<IoSlice<'_>> = self.piece.iter().map(|bytes| IoSlice::new(bytes)).collect();
        if !pieces.is_empty() {
            self.file.write_all_at(&pieces, self.piece_at)?;
        }
        self.piece.clear();
        self.piece_len = 0;
        Ok(())
    }
}
