//! `%020d.timeindex`: which offset brought which greatest timestamp (FORMAT.md 5).

use crate::ids::Timestamp;
use crate::index_file::{GrowingIndex, IndexEntry, SealedIndex};

/// Bytes of an entry.
pub(crate) const ENTRY_LEN: usize = 12;

/// The greatest timestamp of the segment so far, and the last offset of the first batch that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    /// The timestamp.
    pub(crate) timestamp: Timestamp,
    /// Last offset of the batch, relative to the segment's base.
    pub(crate) relative: i32,
}

impl IndexEntry<ENTRY_LEN> for TimeEntry {
    fn encode(self) -> [u8; ENTRY_LEN] {
        let mut bytes = [0; ENTRY_LEN];
        bytes[..8].copy_from_slice(&self.timestamp.0.to_be_bytes());
        bytes[8..].copy_from_slice(&self.relative.to_be_bytes());
        bytes
    }

    fn decode(bytes: [u8; ENTRY_LEN]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = bytes;
        Self {
            timestamp: Timestamp(i64::from_be_bytes([a, b, c, d, e, f, g, h])),
            relative: i32::from_be_bytes([i, j, k, l]),
        }
    }
}

/// The time index of the segment that is appended to.
pub(crate) type GrowingTimes = GrowingIndex<TimeEntry, ENTRY_LEN>;
/// The time index of a sealed segment.
pub(crate) type SealedTimes = SealedIndex<ENTRY_LEN>;

impl GrowingTimes {
    /// How many entries may be believed: timestamps and offsets rise.
    pub(crate) fn plausible(&self) -> usize {
        let falls = |pair: &[TimeEntry]| pair[1].timestamp <= pair[0].timestamp || pair[1].relative <= pair[0].relative;
        self.entries().windows(2).position(falls).map_or(self.entries().len(), |index| index + 1)
    }

    /// Adds an entry when it is later than the last: timestamps in the file rise strictly.
    pub(crate) fn push_later(&mut self, entry: TimeEntry) {
        let last = self.entries().last().map_or(Timestamp::NONE, |last| last.timestamp);
        if entry.timestamp > last {
            self.push(entry);
        }
    }
}
