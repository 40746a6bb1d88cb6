//! Finding the bytes of a fetch: whole batches of one segment, not yet read.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Log, Tail};
use crate::advice::REPAIR_LOG;
use crate::batch_scan::{BatchScan, Found, ScanError};
use crate::error::ReadError;
use crate::ids::Offset;
use crate::segment::Segment;
use crate::slice::LogSlice;

/// What a read found.
#[derive(Clone, Debug)]
pub struct Read {
    /// Whole batches; `None` when nothing lies between the asked offset and the bound.
    pub slice: Option<LogSlice>,
    /// Offset after the last batch of the slice; the asked offset when there is none.
    pub next_offset: Offset,
}

impl Log {
    /// Finds whole batches from the one that covers `from`, below `up_to` (exclusive), at most `max_bytes` long; with
    /// `at_least_one`, the first batch even when it is larger. The slice stays within one segment. Reads a few headers
    /// by pread; near the log end these pages are in memory.
    ///
    /// # Errors
    /// `OutOfRange` when `from` is below the log start or above the log end, `Damaged` for what is not as it was written.
    pub fn read(&self, from: Offset, max_bytes: usize, up_to: Offset, at_least_one: bool) -> Result<Read, ReadError> {
        let found = self.find_slice(from, max_bytes, up_to, at_least_one);
        if let Err(ReadError::Damaged(offset)) = &found
            && self.told_damage.fetch_min(offset.0, Ordering::Relaxed) > offset.0
        {
            let dir = self.directory.display();
            tracing::error!(%dir, offset = offset.0, "stored data is damaged; {REPAIR_LOG}");
        }
        found
    }

    fn find_slice(&self, from: Offset, max_bytes: usize, up_to: Offset, at_least_one: bool) -> Result<Read, ReadError> {
        let tail = self.check_readable(from)?;
        let up_to = up_to.min(tail.log_end).min(self.damage.get().copied().unwrap_or(Offset(i64::MAX)));
        let nothing = Read { slice: None, next_offset: from };
        if from >= up_to {
            return Ok(nothing);
        }
        if let Some(read) = self.read_recent(from, max_bytes, up_to, at_least_one) {
            return Ok(read);
        }
        let Some((segment, first)) = self.locate(from, &tail)? else { return Ok(nothing) };
        let covered = self.segments.read().after(segment.base).map_or(tail.log_end, |next| next.base.min(tail.log_end));
        if first.header.next_offset() > covered {
            return Err(ReadError::Damaged(from));
        }
        if first.header.next_offset() > up_to || (first.size > max_bytes && !at_least_one) {
            return Ok(nothing);
        }
        let segment_end = tail.end_of(&segment);
        let rest_fits = segment_end - first.position <= max_bytes as u64 && up_to >= covered;
        let (end, next_offset) = if rest_fits {
            (segment_end, covered)
        } else {
            cut(&segment, &first, segment_end, up_to, max_bytes).map_err(read_failed)?
        };
        let len =
            usize::try_from(end - first.position).map_err(|_| ReadError::Io(io::Error::other("a slice above 2^64")))?;
        let slice = LogSlice::new(segment, first.position, len, next_offset);
        Ok(Read { slice: Some(slice), next_offset })
    }

    /// A read among the last batches: the bounds are known without the file. `None` when they are not.
    fn read_recent(&self, from: Offset, max_bytes: usize, up_to: Offset, at_least_one: bool) -> Option<Read> {
        let span = self.end.span(from, max_bytes as u64, up_to, at_least_one)?;
        let segment = self.segments.read().floor(span.segment_base).filter(|found| found.base == span.segment_base)?;
        // Slices hold the file open.
        segment.data.open().ok()?;
        let len = usize::try_from(span.to.position - span.from.position).ok()?;
        if len == 0 {
            return Some(Read { slice: None, next_offset: from });
        }
        let slice = LogSlice::new(segment, span.from.position, len, span.to.offset);
        Some(Read { slice: Some(slice), next_offset: span.to.offset })
    }

    /// Bytes from the batch that covers `from` up to the one below `up_to`, for the fetch purgatory's min
    /// bytes: exact among the last batches, an estimate from the index before them. Never reads the disk, and is never 0
    /// when there is something.
    #[must_use]
    pub fn bytes_between(&self, from: Offset, up_to: Offset) -> u64 {
        let tail = self.end.tail();
        let up_to = up_to.min(tail.log_end);
        if from >= up_to {
            return 0;
        }
        let segments = self.segments.read();
        let first = segments.floor(from).map_or(from, |segment| segment.base);
        let mut bytes = 0;
        for segment in segments.from(first).iter().take_while(|segment| segment.base < up_to) {
            let next_base = segments.after(segment.base).map_or(tail.log_end, |next| next.base);
            let position = |offset| {
                self.end.position_of(offset, segment).unwrap_or_else(|| segment.estimate_position(offset, next_base))
            };
            let end = if up_to >= next_base { tail.end_of(segment) } else { position(up_to) };
            let start = if from <= segment.base { 0 } else { position(from) };
            bytes += end.saturating_sub(start);
        }
        bytes.max(1)
    }

    /// The tail as of now, if `from` may be read.
    pub(super) fn check_readable(&self, from: Offset) -> Result<Tail, ReadError> {
        if self.deleted.load(Ordering::Acquire) {
            return Err(ReadError::Closed);
        }
        if self.context.journal.is_offline() {
            return Err(ReadError::Offline(self.context.log_dir.clone()));
        }
        let tail = self.end.tail();
        let start = self.log_start_offset();
        if from < start || from > tail.log_end {
            return Err(ReadError::OutOfRange { asked: from, start, end: tail.log_end });
        }
        match self.damage.get() {
            Some(damage) if from >= *damage => Err(ReadError::Damaged(*damage)),
            Some(_) | None => Ok(tail),
        }
    }

    /// The first batch that ends at or above `offset`, and its segment. Offsets may have holes: then it is a later one.
    pub(super) fn locate(&self, offset: Offset, tail: &Tail) -> Result<Option<(Arc<Segment>, Found)>, ReadError> {
        let mut next = {
            let segments = self.segments.read();
            segments.floor(offset).or_else(|| segments.first().cloned())
        };
        while let Some(segment) = next {
            if segment.base > tail.segment_base {
                return Ok(None);
            }
            self.check_extent(&segment)?;
            self.check_indexes(&segment)?;
            if let Some(found) = segment.find(offset, tail.end_of(&segment)).map_err(read_failed)? {
                return Ok(Some((segment, found)));
            }
            next = self.segments.read().after(segment.base);
        }
        Ok(None)
    }
}

/// Where the last batch ends that fits, and the offset after it. The first batch is in, whatever its size.
fn cut(
    segment: &Segment,
    first: &Found,
    segment_end: u64,
    up_to: Offset,
    max_bytes: usize,
) -> Result<(u64, Offset), ScanError> {
    let limit = first.position.saturating_add(max_bytes as u64).min(segment_end);
    let by_bytes = segment.floor_by_position(limit).map_err(ScanError::Io)?;
    let by_offset = segment.floor_by_offset(up_to).map_err(ScanError::Io)?;
    // An entry's batch may itself reach beyond the bounds, but everything before it lies within them.
    let start = by_bytes.min(by_offset).max(first.position);
    let mut scan = BatchScan::new(&**segment.data.open().map_err(ScanError::Io)?, start, segment_end);
    let mut cut = (first.end(), first.header.next_offset());
    while let Some(found) = scan.next_header()? {
        let fits = found.header.next_offset() <= up_to && found.end() <= limit;
        if fits {
            cut = (found.end(), found.header.next_offset());
        } else {
            if found.position > first.position {
                cut = (found.position, cut.1.max(found.header.base_offset()));
            }
            break;
        }
    }
    Ok(cut)
}

/// A batch in the middle of the log that does not parse is damage: it is not served.
pub(super) fn read_failed(error: ScanError) -> ReadError {
    match error {
        ScanError::Io(error) => ReadError::Io(error),
        ScanError::Damaged { near, .. } => ReadError::Damaged(near),
    }
}
