//! Walking the batches of a segment's file by pread, a chunk at a time.
//!
//! Must not know: indexes, producers' state.

use std::io;

use bytes::Bytes;

use crate::batch::{BatchError, BatchHeader, HEADER_LEN, check_whole};
use crate::ids::Offset;
use crate::seam::{DiskFile, mutant};

/// Read at a time when only headers matter: a chunk holds dozens of small batches, and wastes little on large ones.
const HEADER_CHUNK: usize = 4 << 10;
/// Read at a time when whole batches matter.
const WHOLE_CHUNK: usize = 256 << 10;

/// A batch and where it lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) header: BatchHeader,
    pub(crate) position: u64,
    pub(crate) size: usize,
}

impl Found {
    /// Where the next batch starts.
    pub(crate) fn end(&self) -> u64 {
        self.position + self.size as u64
    }
}

/// Why a walk stopped before the end.
#[derive(Debug)]
pub(crate) enum ScanError {
    /// The bytes at this position are no batch; it would have been the one after `near`.
    Damaged { position: u64, near: Offset, reason: BatchError },
    /// The file could not be read.
    Io(io::Error),
}

/// The header at the front of `bytes`, and the size of its batch.
pub(crate) fn header_of(bytes: &[u8]) -> Result<(BatchHeader, usize), BatchError> {
    let header = BatchHeader::read(bytes).ok_or(BatchError::Truncated)?;
    let size = header.check_plausible()?;
    Ok((header, size))
}

/// Walks from a position that is the start of a batch to `end`.
pub(crate) struct BatchScan<'a> {
    file: &'a dyn DiskFile,
    position: u64,
    end: u64,
    chunk: Bytes,
    chunk_at: u64,
    /// Offset after the last batch that was found, 0 before it.
    near: Offset,
}

impl<'a> BatchScan<'a> {
    pub(crate) fn new(file: &'a dyn DiskFile, position: u64, end: u64) -> Self {
        Self { file, position, end, chunk: Bytes::new(), chunk_at: position, near: Offset::ZERO }
    }

    /// The first batch has to start at or above `offset`.
    pub(crate) fn at_or_above(mut self, offset: Offset) -> Self {
        self.near = offset;
        self
    }

    /// Where the next batch starts.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The next batch's header, or `None` at the end. Says nothing about the records.
    pub(crate) fn next_header(&mut self) -> Result<Option<Found>, ScanError> {
        let found = self.peek(HEADER_CHUNK)?;
        if let Some(found) = &found {
            self.pass(found);
        }
        Ok(found)
    }

    /// The next batch, its checksum verified, or `None` at the end.
    pub(crate) fn next_whole(&mut self) -> Result<Option<(Found, Bytes)>, ScanError> {
        let Some(found) = self.peek(WHOLE_CHUNK)? else { return Ok(None) };
        let bytes = self.bytes(found.size, WHOLE_CHUNK)?;
        let near = self.near;
        if !mutant("torn_tail_kept") {
            check_whole(&bytes).map_err(|reason| ScanError::Damaged { position: found.position, near, reason })?;
        }
        self.pass(&found);
        Ok(Some((found, bytes)))
    }

    fn pass(&mut self, found: &Found) {
        self.position = found.end();
        self.near = found.header.next_offset();
    }

    fn peek(&mut self, chunk: usize) -> Result<Option<Found>, ScanError> {
        if self.position >= self.end {
            return Ok(None);
        }
        let position = self.position;
        let near = self.near;
        let damaged = |reason| ScanError::Damaged { position, near, reason };
        if self.end - position < HEADER_LEN as u64 {
            return Err(damaged(BatchError::Truncated));
        }
        let bytes = self.bytes(HEADER_LEN, chunk)?;
        let (header, size) = header_of(&bytes).map_err(damaged)?;
        if header.base_offset() < near {
            return Err(damaged(BatchError::OUT_OF_ORDER));
        }
        if size as u64 > self.end - position {
            return Err(damaged(BatchError::Truncated));
        }
        Ok(Some(Found { header, position, size }))
    }

    /// `len` bytes from the position; the caller has checked that the file has them.
    fn bytes(&mut self, len: usize, chunk: usize) -> Result<Bytes, ScanError> {
        let within = self.position.checked_sub(self.chunk_at).and_then(|skip| usize::try_from(skip).ok());
        if let Some(skip) = within.filter(|skip| skip + len <= self.chunk.len()) {
            return Ok(self.chunk.slice(skip..skip + len));
        }
        let left = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        let mut buffer = vec![0; len.max(chunk).min(left)];
        self.file.read_exact_at(&mut buffer, self.position).map_err(ScanError::Io)?;
        self.chunk = Bytes::from(buffer);
        self.chunk_at = self.position;
        Ok(self.chunk.slice(..len))
    }
}
