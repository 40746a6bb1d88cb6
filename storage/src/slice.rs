//! A range of a segment file, to be sent or read without copying it first (design decision 3).

use std::io;
use std::sync::Arc;

use bytes::Bytes;

pub use crate::mmap::MappedRange;
use crate::segment_file::SegmentFile;

/// Whole batches of one segment, located but not yet read. Holds the file open: retention or deletion of the segment
/// does not disturb it.
#[derive(Debug, Clone)]
pub struct LogSlice {
    file: Arc<SegmentFile>,
    position: u64,
    len: usize,
}

impl LogSlice {
    /// A range of an open file.
    pub(crate) fn new(file: Arc<SegmentFile>, position: u64, len: usize) -> Self {
        Self { file, position, len }
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when no batch lies in the range.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The mapped range when all of it is resident in memory, so that the kernel can send it without a disk read on
    /// an async worker. `None` means: use [`LogSlice::read`] off the async workers.
    #[must_use]
    pub fn resident(&self) -> Option<MappedRange> {
        self.file.resident(self.position, self.len)
    }

    /// Reads the range by pread. Blocks: call it off the async workers unless the range is known to be hot.
    ///
    /// # Errors
    /// The I/O error; a short file is `UnexpectedEof`.
    pub fn read(&self) -> io::Result<Bytes> {
        self.file.read(self.position, self.len)
    }
}
