//! `%020d.index`: where batches start (FORMAT.md 4).

use crate::index_file::{GrowingIndex, IndexEntry, SealedIndex};

/// Bytes of an entry.
pub(crate) const ENTRY_LEN: usize = 8;

/// A batch that the index knows: the last offset of it, and where it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OffsetEntry {
    /// Last offset of the batch, relative to the segment's base.
    pub(crate) relative: i32,
    /// Where the batch starts in the segment.
    pub(crate) position: i32,
}

impl OffsetEntry {
    /// The position as a file position.
    pub(crate) fn start(self) -> u64 {
        u64::try_from(self.position).unwrap_or(0)
    }
}

impl IndexEntry<ENTRY_LEN> for OffsetEntry {
    fn encode(self) -> [u8; ENTRY_LEN] {
        let mut bytes = [0; ENTRY_LEN];
        bytes[..4].copy_from_slice(&self.relative.to_be_bytes());
        bytes[4..].copy_from_slice(&self.position.to_be_bytes());
        bytes
    }

    fn decode(bytes: [u8; ENTRY_LEN]) -> Self {
        let [a, b, c, d, e, f, g, h] = bytes;
        Self { relative: i32::from_be_bytes([a, b, c, d]), position: i32::from_be_bytes([e, f, g, h]) }
    }
}

/// The offset index of the segment that is appended to.
pub(crate) type GrowingOffsets = GrowingIndex<OffsetEntry, ENTRY_LEN>;
/// The offset index of a sealed segment.
pub(crate) type SealedOffsets = SealedIndex<ENTRY_LEN>;

impl GrowingOffsets {
    /// How many entries may be believed: offsets and positions rise, and positions lie below `end`.
    pub(crate) fn plausible(&self, end: u64) -> usize {
        let mut last = OffsetEntry { relative: -1, position: -1 };
        let mut count = 0;
        for entry in self.entries() {
            let rises = entry.relative > last.relative && entry.position > last.position;
            if !rises || entry.start() >= end {
                break;
            }
            last = *entry;
            count += 1;
        }
        count
    }
}
