//! A range of a segment file, to be sent or read without copying it first (design decision 3).

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::ids::Offset;
pub use crate::mmap::MappedRange;
use crate::segment::Segment;

/// Whole batches of one segment, located but not yet read. Holds the file open: retention or deletion of the segment
/// does not disturb it.
#[derive(Clone)]
pub struct LogSlice {
    segment: Arc<Segment>,
    position: u64,
    len: usize,
    /// Bound of the offsets in it.
    next_offset: Offset,
}

impl LogSlice {
    /// A range of an open file.
    pub(crate) fn new(segment: Arc<Segment>, position: u64, len: usize, next_offset: Offset) -> Self {
        Self { segment, position, len, next_offset }
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

    /// The mapped range when all of it is resident in memory and known to be what was written, so that the kernel can
    /// send it without a disk read on an async worker. `None` means: use [`LogSlice::read`] off the async workers.
    #[must_use]
    pub fn resident(&self) -> Option<MappedRange> {
        if self.segment.is_proven(self.position, self.len) {
            self.segment.data.resident(self.position, self.len)
        } else {
            None
        }
    }

    /// Reads the range by pread and checks every checksum. Blocks: call it off the async workers unless the range is
    /// known to be hot.
    ///
    /// # Errors
    /// The I/O error; a short file is `UnexpectedEof`, damage is `InvalidData`.
    pub fn read(&self) -> io::Result<Bytes> {
        self.segment.read_proven(self.position, self.len, self.next_offset)
    }
}

impl std::fmt::Debug for LogSlice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { segment, position, len, .. } = self;
        f.debug_struct("LogSlice").field("file", &segment.data).field("position", position).field("len", len).finish()
    }
}
