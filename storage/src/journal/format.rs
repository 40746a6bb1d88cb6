//! The bytes of the journal: file header, round header, entry (JOURNAL.md, "Files"). No I/O here.
//!
//! Holds JRN-1: a round and each entry in it say what they are and check themselves.

use bytes::{Buf, BufMut};
use uuid::Uuid;

use super::sink::EntryProof;
use crate::ids::{LeaderEpoch, Offset, PartitionIndex, TopicId};

/// The format this program writes, and the only one it reads.
pub(crate) const FORMAT_VERSION: u32 = 1;
/// Files and rounds are laid out in blocks of this size.
pub(crate) const BLOCK: usize = 4096;
/// Bytes of a round header.
pub(super) const ROUND_HEADER: usize = 64;
/// Bytes of an entry without its batch.
pub(super) const ENTRY: usize = 64;

const FILE_MAGIC: u64 = u64::from_be_bytes(*b"BarnJrnl");
const ROUND_MAGIC: u64 = u64::from_be_bytes(*b"BarnRnd1");
const FILE_HEADER: usize = 44;
const ROUND_CRC_AT: usize = 48;
const ENTRY_CRC_AT: usize = 60;

/// The first block of a ring file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) index: u32,
    pub(crate) length: u64,
    pub(crate) directory: TopicId,
}

/// Whose round, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoundId {
    pub(crate) directory: TopicId,
    pub(crate) session: u64,
    pub(crate) number: u64,
}

/// What a round header says besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RoundHeader {
    pub(super) id: RoundId,
    /// Bytes of the whole round, a multiple of [`BLOCK`].
    pub(super) length: u32,
    pub(super) entries: u32,
    crc: u32,
}

/// One entry without its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryRow {
    pub(super) topic_id: TopicId,
    pub(super) partition: PartitionIndex,
    pub(super) leader_epoch: LeaderEpoch,
    pub(super) base_offset: Offset,
    pub(super) next_offset: Offset,
    pub(super) segment_base: Offset,
    pub(super) position: u64,
    /// Bytes of the batch.
    pub(super) length: u32,
}

impl FileHeader {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut block = Vec::with_capacity(BLOCK);
        block.put_u64(FILE_MAGIC);
        block.put_u32(FORMAT_VERSION);
        block.put_u32(self.index);
        block.put_u64(self.length);
        block.put_slice(self.directory.0.as_bytes());
        block.put_u32(crc32c::crc32c(&block));
        block.resize(BLOCK, 0);
        block
    }

    /// Reads block 0 of a file.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub(super) fn decode(block: &[u8; BLOCK]) -> Result<Self, String> {
        let mut bytes = &block[..FILE_HEADER];
        if bytes.get_u64() != FILE_MAGIC {
            return Err("this is not a journal file: the magic is wrong".to_owned());
        }
        let version = bytes.get_u32();
        if version != FORMAT_VERSION {
            return Err(format!(
                "journal format version {version}, but this program reads {FORMAT_VERSION}: start the version that wrote \
                 it, stop it cleanly, then start this one"
            ));
        }
        let (index, length) = (bytes.get_u32(), bytes.get_u64());
        let directory = get_id(&mut bytes);
        if bytes.get_u32() != crc32c::crc32c(&block[..FILE_HEADER - 4]) {
            return Err("the journal file's header is damaged: its checksum is wrong".to_owned());
        }
        Ok(Self { index, length, directory })
    }
}

impl EntryRow {
    /// Appends the row to a round's table; the checksum covers the batch too, which follows in `pieces`.
    pub(super) fn encode(&self, table: &mut Vec<u8>, pieces: [&[u8]; 2]) {
        let start = table.len();
        table.put_slice(self.topic_id.0.as_bytes());
        table.put_i32(self.partition.0);
        table.put_i32(self.leader_epoch.0);
        table.put_i64(self.base_offset.0);
        table.put_i64(self.next_offset.0);
        table.put_i64(self.segment_base.0);
        table.put_u64(self.position);
        table.put_u32(self.length);
        let crc = pieces.iter().fold(crc32c::crc32c(&table[start..]), |crc, piece| crc32c::crc32c_append(crc, piece));
        table.put_u32(crc);
    }

    /// Reads a row, and what it says of the batch's bytes. Nothing is checked: the round's checksum covers the row.
    pub(super) fn decode(row: &[u8; ENTRY]) -> (Self, EntryProof) {
        let mut bytes = &row[..];
        let entry = Self {
            topic_id: get_id(&mut bytes),
            partition: PartitionIndex(bytes.get_i32()),
            leader_epoch: LeaderEpoch(bytes.get_i32()),
            base_offset: Offset(bytes.get_i64()),
            next_offset: Offset(bytes.get_i64()),
            segment_base: Offset(bytes.get_i64()),
            position: bytes.get_u64(),
            length: bytes.get_u32(),
        };
        (entry, EntryProof { before: crc32c::crc32c(&row[..ENTRY_CRC_AT]), whole: bytes.get_u32() })
    }
}

impl RoundHeader {
    /// Reads the first 64 bytes of a block; `None` when it does not begin a round. The checksum is not looked at yet.
    pub(super) fn decode(block: &[u8; ROUND_HEADER]) -> Option<Self> {
        let mut bytes = &block[..];
        if bytes.get_u64() != ROUND_MAGIC {
            return None;
        }
        let id = RoundId { directory: get_id(&mut bytes), session: bytes.get_u64(), number: bytes.get_u64() };
        Some(Self { id, length: bytes.get_u32(), entries: bytes.get_u32(), crc: bytes.get_u32() })
    }

    /// Bytes of header and table.
    pub(super) fn head_length(&self) -> usize {
        // A count that overflows cannot fit its round's length, which the caller checks.
        usize::try_from(self.entries)
            .map_or(usize::MAX, |entries| entries.saturating_mul(ENTRY))
            .saturating_add(ROUND_HEADER)
    }

    /// Checks header and table against the checksum. `head` is the first `head_length()` bytes of the round.
    pub(super) fn matches(&self, head: &[u8]) -> bool {
        let crc = crc32c::crc32c_append(crc32c::crc32c(&head[..ROUND_CRC_AT]), &head[ROUND_HEADER..]);
        crc == self.crc
    }
}

/// Completes a round whose table already stands in `head` behind 64 free bytes; `batches` is the length of all batches.
/// Returns the length of the round, padding included.
pub(super) fn finish_round(head: &mut [u8], id: RoundId, batches: usize) -> usize {
    let entries = (head.len() - ROUND_HEADER) / ENTRY;
    let length = round_length(entries, batches);
    let mut bytes = &mut head[..ROUND_HEADER];
    bytes.put_u64(ROUND_MAGIC);
    bytes.put_slice(id.directory.0.as_bytes());
    bytes.put_u64(id.session);
    bytes.put_u64(id.number);
    bytes.put_u32(u32::try_from(length).expect("invariant: a round is bounded by ROUND_BYTES_MAX"));
    bytes.put_u32(u32::try_from(entries).expect("invariant: a round is bounded by ROUND_BYTES_MAX"));
    let crc = crc32c::crc32c_append(crc32c::crc32c(&head[..ROUND_CRC_AT]), &head[ROUND_HEADER..]);
    let mut bytes = &mut head[ROUND_CRC_AT..ROUND_HEADER];
    bytes.put_u32(crc);
    bytes.put_bytes(0, 12);
    length
}

/// Bytes of a round with so many entries and so many bytes of batches, padding included.
pub(super) fn round_length(entries: usize, batches: usize) -> usize {
    (ROUND_HEADER + entries * ENTRY + batches).next_multiple_of(BLOCK)
}

fn get_id(bytes: &mut &[u8]) -> TopicId {
    TopicId(Uuid::from_u128(bytes.get_u128()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> RoundId {
        RoundId { directory: TopicId(Uuid::from_u128(5)), session: 9, number: 3 }
    }

    fn row(length: usize) -> EntryRow {
        EntryRow {
            topic_id: TopicId(Uuid::from_u128(7)),
            partition: PartitionIndex(2),
            leader_epoch: LeaderEpoch(1),
            base_offset: Offset(10),
            next_offset: Offset(20),
            segment_base: Offset(4),
            position: 1234,
            length: u32::try_from(length).unwrap(),
        }
    }

    #[test]
    fn a_file_header_reads_back_and_damage_is_named() {
        let header = FileHeader { index: 3, length: 8192, directory: TopicId(Uuid::from_u128(5)) };
        let mut block: [u8; BLOCK] = header.encode().try_into().unwrap();
        assert_eq!(FileHeader::decode(&block), Ok(header));
        block[20] ^= 1;
        assert!(FileHeader::decode(&block).unwrap_err().contains("damaged"));
        block[11] = 9;
        assert!(FileHeader::decode(&block).unwrap_err().contains("version 9"));
        block[0] = 0;
        assert!(FileHeader::decode(&block).unwrap_err().contains("magic"));
    }

    #[test]
    fn every_flipped_bit_of_a_round_is_noticed() {
        let batch = [1u8, 2, 3, 4, 5];
        let mut head = vec![0; ROUND_HEADER];
        row(batch.len()).encode(&mut head, [&batch[..2], &batch[2..]]);
        assert_eq!(finish_round(&mut head, id(), batch.len()), BLOCK);
        let mut round = head.clone();
        round.extend_from_slice(&batch);
        let check = |round: &[u8]| -> bool {
            let Some(header) = RoundHeader::decode(round[..ROUND_HEADER].try_into().unwrap()) else { return false };
            header.id == id() && header.entries == 1 && header.matches(&round[..ROUND_HEADER + ENTRY]) && {
                let (found, proof) = EntryRow::decode(round[ROUND_HEADER..].first_chunk().unwrap());
                found == row(batch.len()) && proof.holds(&round[ROUND_HEADER + ENTRY..])
            }
        };
        assert!(check(&round));
        for bit in 0..round.len() * 8 {
            let unused = (52 * 8..64 * 8).contains(&bit);
            round[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(check(&round), unused, "bit {bit}");
            round[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
