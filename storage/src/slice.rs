//! A range of a segment file, to be sent or read without copying it first (design decision 3).

use std::io;

use bytes::Bytes;

/// Whole batches of one segment, located but not yet read. Holds the file open: retention or deletion of the segment
/// does not disturb it.
#[derive(Debug, Clone)]
pub struct LogSlice {
    _private: (),
}

impl LogSlice {
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        todo!()
    }

    /// True when no batch lies in the range.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The mapped range when all of it is resident in memory, so that the kernel can send it without a disk read on
    /// an async worker. `None` means: use [`LogSlice::read`] off the async workers.
    #[must_use]
    pub fn resident(&self) -> Option<MappedRange> {
        todo!()
    }

    /// Reads the range by pread. Blocks: call it off the async workers unless the range is known to be hot.
    ///
    /// # Errors
    /// The I/O error; a short file is `UnexpectedEof`.
    pub fn read(&self) -> io::Result<Bytes> {
        todo!()
    }
}

/// Mapped bytes that only the kernel may touch: an I/O error there is an errno, in user space it would be SIGBUS.
#[derive(Debug, Clone)]
pub struct MappedRange {
    _private: (),
}

impl MappedRange {
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        todo!()
    }

    /// True when empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes from `skip` on, for a vectored write to a socket and nothing else.
    #[must_use]
    pub fn io_slice(&self, skip: usize) -> io::IoSlice<'_> {
        let _ = skip;
        todo!()
    }
}
