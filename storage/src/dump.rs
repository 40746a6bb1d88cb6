//! What the files of a segment hold, for people who look at them: batches, records, entries of indexes, producers.
//! Reads only, and trusts nothing.
//!
//! Must not know: how it is shown.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};

use crate::batch::{BatchError, BatchHeader, HEADER_LEN, check_whole};
use crate::batch_scan::header_of;
use crate::compression::{Codec, DECOMPRESSED_BYTES_MAX, decompress};
use crate::ids::{Offset, ProducerEpoch, ProducerId, Timestamp};
use crate::index_file::{GrowingIndex, IndexEntry};
use crate::offset_index::{self, GrowingOffsets};
use crate::record::take_record_with_headers;
use crate::seam::{Disk, DiskFile, OpenMode};
use crate::time_index::GrowingTimes;
use crate::whole_file;

/// A batch as it lies in a segment.
#[derive(Clone, Debug)]
pub struct DumpedBatch {
    /// Its header.
    pub header: BatchHeader,
    /// Where it starts in the file.
    pub position: u64,
    /// Its size in bytes.
    pub size: usize,
    /// Whether its checksum is right.
    pub is_valid: bool,
    bytes: Bytes,
}

/// A record with what a reader of the log does not need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpedRecord {
    /// Its offset in the log.
    pub offset: Offset,
    /// Its timestamp: the batch's max timestamp under `LogAppendTime`.
    pub timestamp: Timestamp,
    /// Its producer's sequence; -1 for none.
    pub sequence: i32,
    /// The key.
    pub key: Option<Bytes>,
    /// The value.
    pub value: Option<Bytes>,
    /// The keys of its headers.
    pub header_keys: Vec<String>,
}

impl DumpedBatch {
    /// Its records, decompressed when they have to be.
    ///
    /// # Errors
    /// They do not decompress within [`DECOMPRESSED_BYTES_MAX`], or are damaged.
    pub fn records(&self) -> Result<Vec<DumpedRecord>, BatchError> {
        let stored = self.bytes.slice(HEADER_LEN..);
        let bytes = match self.header.codec() {
            Ok(Codec::None) => stored,
            Ok(codec) => Bytes::from(decompress(codec, &stored, DECOMPRESSED_BYTES_MAX)?),
            Err(_) => return Err(BatchError::Compression("unknown compression codec")),
        };
        let mut rest = &bytes[..];
        let mut records = Vec::new();
        while !rest.is_empty() {
            let (raw, headers) = take_record_with_headers(&mut rest).map_err(BatchError::Records)?;
            let timestamp = if self.header.is_log_append_time() {
                self.header.max_timestamp()
            } else {
                Timestamp(self.header.base_timestamp().0.wrapping_add(raw.timestamp_delta))
            };
            records.push(DumpedRecord {
                offset: Offset(self.header.base_offset().0.wrapping_add(i64::from(raw.offset_delta))),
                timestamp,
                sequence: sequence(&self.header, raw.offset_delta),
                key: raw.key.map(|key| bytes.slice_ref(key)),
                value: raw.value.map(|value| bytes.slice_ref(value)),
                header_keys: headers.into_iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect(),
            });
        }
        Ok(records)
    }
}

impl DumpedBatch {
    /// Without its records, where many batches are kept.
    #[must_use]
    pub fn without_records(self) -> Self {
        Self { bytes: Bytes::new(), ..self }
    }
}

/// Sequences wrap at the greatest number to 0.
fn sequence(header: &BatchHeader, delta: i32) -> i32 {
    match header.base_sequence() {
        none if none < 0 => none,
        base => base.wrapping_add(delta) & i32::MAX,
    }
}

/// The batches of a segment's file, from its start on.
pub struct SegmentDump {
    file: Arc<dyn DiskFile>,
    position: u64,
    end: u64,
}

impl SegmentDump {
    /// Opens a file, and looks no further than `bytes_max`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(disk: &dyn Disk, path: &Path, bytes_max: u64) -> io::Result<Self> {
        let file = disk.open(path, OpenMode::Read)?;
        let end = file.len()?.min(bytes_max);
        Ok(Self { file, position: 0, end })
    }

    /// The next batch, damaged or not; `None` at the end, or where what follows is no batch.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn next_batch(&mut self) -> io::Result<Option<DumpedBatch>> {
        let left = self.end - self.position;
        if left < HEADER_LEN as u64 {
            return Ok(None);
        }
        let mut head = [0; HEADER_LEN];
        self.file.read_exact_at(&mut head, self.position)?;
        let Ok((header, size)) = header_of(&head) else { return Ok(None) };
        if size as u64 > left {
            return Ok(None);
        }
        let mut bytes = vec![0; size];
        self.file.read_exact_at(&mut bytes, self.position)?;
        let bytes = Bytes::from(bytes);
        let position = self.position;
        self.position += size as u64;
        Ok(Some(DumpedBatch { header, position, size, is_valid: check_whole(&bytes).is_ok(), bytes }))
    }

    /// Bytes behind the last batch: a torn end, or damage.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.end - self.position
    }
}

/// An entry of an offset index: the last offset of a batch, relative to the segment's base, and where the batch starts.
pub type OffsetIndexEntry = (i32, i32);
/// An entry of a time index: a timestamp, and the relative offset that brought it.
pub type TimeIndexEntry = (Timestamp, i32);

/// The entries of an offset index.
///
/// # Errors
/// It cannot be read.
pub fn offset_index(disk: &dyn Disk, path: &Path) -> io::Result<Vec<OffsetIndexEntry>> {
    let index: GrowingOffsets = read_index(disk, path)?;
    Ok(index.entries().iter().map(|entry| (entry.relative, entry.position)).collect())
}

/// The entries of a time index.
///
/// # Errors
/// It cannot be read.
pub fn time_index(disk: &dyn Disk, path: &Path) -> io::Result<Vec<TimeIndexEntry>> {
    let index: GrowingTimes = read_index(disk, path)?;
    Ok(index.entries().iter().map(|entry| (entry.timestamp, entry.relative)).collect())
}

fn read_index<E: IndexEntry<N>, const N: usize>(disk: &dyn Disk, path: &Path) -> io::Result<GrowingIndex<E, N>> {
    // A missing index is an empty one to the broker, and a slip of the keyboard here.
    disk.open(path, OpenMode::Read)?;
    GrowingIndex::read(disk, path)
}

/// Whether an index may be believed: whole entries, of which the last is not before the segment's base.
///
/// # Errors
/// It cannot be read.
pub fn is_sane(disk: &dyn Disk, path: &Path, entry_len: u64) -> io::Result<bool> {
    Ok(disk.open(path, OpenMode::Read)?.len()?.is_multiple_of(entry_len))
}

/// Bytes of an entry of an offset index.
pub const OFFSET_ENTRY_LEN: u64 = offset_index::ENTRY_LEN as u64;
/// Bytes of an entry of a time index.
pub const TIME_ENTRY_LEN: u64 = crate::time_index::ENTRY_LEN as u64;

/// An entry of a snapshot of producers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DumpedProducer {
    /// Its id.
    pub id: ProducerId,
    /// Its epoch.
    pub epoch: ProducerEpoch,
    /// Sequence of the last record of its batch; -1 for none.
    pub last_sequence: i32,
    /// Offset of the last record of its batch; -1 for none.
    pub last_offset: Offset,
    /// Number of records in the batch minus one.
    pub offset_delta: i32,
    /// Time of the batch.
    pub timestamp: Timestamp,
    /// Which generation of the transaction coordinator ended its last transaction; -1 for none.
    pub coordinator_epoch: i32,
    /// First offset of its open transaction; -1 for none.
    pub transaction_start: Offset,
}

/// The entries of a snapshot of producers; `None` when it is damaged.
///
/// # Errors
/// It cannot be read.
pub fn producers(disk: &dyn Disk, path: &Path) -> io::Result<Option<Vec<DumpedProducer>>> {
    let bytes = whole_file::read(disk, path)?.ok_or(io::ErrorKind::NotFound)?;
    Ok(read_producers(&bytes))
}

/// Version, checksum of what follows, count, entries (FORMAT.md 8).
fn read_producers(mut bytes: &[u8]) -> Option<Vec<DumpedProducer>> {
    let version = bytes.try_get_i16().ok()?;
    let checksum = bytes.try_get_u32().ok()?;
    if version != 1 || checksum != crc32c::crc32c(bytes) {
        return None;
    }
    let count = bytes.try_get_i32().ok()?;
    let entry = |_| {
        Some(DumpedProducer {
            id: ProducerId(bytes.try_get_i64().ok()?),
            epoch: ProducerEpoch(bytes.try_get_i16().ok()?),
            last_sequence: bytes.try_get_i32().ok()?,
            last_offset: Offset(bytes.try_get_i64().ok()?),
            offset_delta: bytes.try_get_i32().ok()?,
            timestamp: Timestamp(bytes.try_get_i64().ok()?),
            coordinator_epoch: bytes.try_get_i32().ok()?,
            transaction_start: Offset(bytes.try_get_i64().ok()?),
        })
    };
    (0..count).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;
    use crate::batch::{BatchBuilder, RecordFields};
    use crate::ids::LeaderEpoch;
    use crate::seam::Seams;

    fn dump(bytes: &[u8]) -> SegmentDump {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        SegmentDump::open(&*Seams::system().disk, file.path(), u64::MAX).unwrap()
    }

    fn segment() -> Vec<u8> {
        let mut first = BatchBuilder::new().producer(ProducerId(7), ProducerEpoch(0), i32::MAX);
        let headers = [("h", Some(&b"x"[..]))];
        first.push(&RecordFields { timestamp: 5, key: Some(b"k"), value: None, headers: &headers });
        first = first.record(Timestamp(6), None, Some(b"v"));
        let first = first.at(Offset(10), LeaderEpoch(1)).build();
        let second = BatchBuilder::new().record(Timestamp(9), None, Some(b"w")).at(Offset(12), LeaderEpoch(1)).build();
        [&first[..], &second].concat()
    }

    #[test]
    fn batches_come_with_their_places_and_records_with_sequences_and_headers() {
        let mut dump = dump(&segment());
        let first = dump.next_batch().unwrap().unwrap();
        let second = dump.next_batch().unwrap().unwrap();
        assert!(dump.next_batch().unwrap().is_none() && dump.left() == 0);
        assert_eq!((first.position, second.position), (0, first.size as u64));
        assert!(first.is_valid && second.is_valid);
        let records = first.records().unwrap();
        assert_eq!(
            (records[0].offset, records[0].timestamp, records[0].sequence),
            (Offset(10), Timestamp(5), i32::MAX)
        );
        assert_eq!((&records[0].header_keys[..], &records[0].value), (&["h".to_owned()][..], &None));
        assert_eq!((records[1].sequence, records[1].value.as_deref()), (0, Some(&b"v"[..])));
        assert_eq!(second.records().unwrap()[0].sequence, -1);
    }

    #[test]
    fn damage_is_shown_and_a_torn_end_is_counted() {
        let mut bytes = segment();
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        bytes.extend_from_slice(&[1; 30]);
        let mut dump = dump(&bytes);
        assert!(dump.next_batch().unwrap().unwrap().is_valid);
        assert!(!dump.next_batch().unwrap().unwrap().is_valid);
        assert!(dump.next_batch().unwrap().is_none());
        assert_eq!(dump.left(), 30);
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..150, flip in 1u8..) {
            let mut damaged = segment();
            let length = damaged.len();
            damaged[at % length] ^= flip;
            for bytes in [bytes, damaged] {
                let mut dump = dump(&bytes);
                while let Some(batch) = dump.next_batch().unwrap() {
                    let _ = batch.records();
                }
                let _ = read_producers(&bytes);
            }
        }
    }
}
