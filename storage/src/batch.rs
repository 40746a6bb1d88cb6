//! The header of a record batch (format v2, KIP-98), walking batches that lie one after the other, and building one.
//!
//! Must not know: files, offsets of a log, producers' state. FORMAT.md 3 has the layout.

use bytes::Bytes;

use crate::compression::Codec;
use crate::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp};

mod build;
mod walk;

pub use build::{BatchBuilder, RecordFields};
pub use walk::{Batch, Batches, Record, Records, batches};

/// Bytes of the header, before the records.
pub const HEADER_LEN: usize = 61;
/// Bytes before the part that the length field counts.
pub const LENGTH_PREFIX: usize = 12;
/// Where the bytes begin that the checksum covers: the attributes. Base offset and leader epoch lie before, so that a
/// broker patches them for free.
pub const CRC_START: usize = 21;
/// The only magic that is written since Kafka 4.0 (KIP-724).
pub const MAGIC: i8 = 2;

const TIMESTAMP_TYPE_BIT: i16 = 1 << 3;
const TRANSACTIONAL_BIT: i16 = 1 << 4;
const CONTROL_BIT: i16 = 1 << 5;
const DELETE_HORIZON_BIT: i16 = 1 << 6;

/// What is wrong with a batch's bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Fewer bytes than the header or than its length field says.
    #[error("the batch ends before its length")]
    Truncated,
    /// A length field below the header's own size.
    #[error("the batch's length is too small")]
    Length,
    /// Another format than v2.
    #[error("magic {0} is not record batch format 2")]
    Magic(i8),
    /// The bytes do not match the checksum.
    #[error("the batch's checksum does not match")]
    Checksum,
    /// The records do not parse.
    #[error("{0}")]
    Records(&'static str),
    /// The records do not decompress within the bound.
    #[error("{0}")]
    Compression(&'static str),
}

impl BatchError {
    /// A batch whose offsets do not follow those before it.
    pub(crate) const OUT_OF_ORDER: Self = Self::Records("the batch's offsets do not follow those before it");
}

/// The 61 bytes before the records, as they stand in file and frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader([u8; HEADER_LEN]);

impl BatchHeader {
    /// Takes the header from the front of `bytes`; `None` when they are too few. Checks nothing.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.first_chunk().map(|header| Self(*header))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; HEADER_LEN] {
        &self.0
    }

    fn field<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut field = [0; N];
        field.copy_from_slice(&self.0[at..at + N]);
        field
    }

    fn set<const N: usize>(&mut self, at: usize, value: [u8; N]) {
        self.0[at..at + N].copy_from_slice(&value);
    }

    /// Offset of the first record.
    #[must_use]
    pub fn base_offset(&self) -> Offset {
        Offset(i64::from_be_bytes(self.field(0)))
    }

    /// Bytes after the length field; a plausible batch has at least 49.
    #[must_use]
    pub fn length(&self) -> i32 {
        i32::from_be_bytes(self.field(8))
    }

    /// Bytes of the whole batch; `None` for a length that no batch can have.
    #[must_use]
    pub fn size(&self) -> Option<usize> {
        let size = usize::try_from(self.length()).ok()? + LENGTH_PREFIX;
        (size >= HEADER_LEN).then_some(size)
    }

    /// The leader epoch under which the batch was appended.
    #[must_use]
    pub fn leader_epoch(&self) -> LeaderEpoch {
        LeaderEpoch(i32::from_be_bytes(self.field(12)))
    }

    /// The format's number.
    #[must_use]
    pub fn magic(&self) -> i8 {
        i8::from_be_bytes(self.field(16))
    }

    /// CRC-32C of everything from the attributes on.
    #[must_use]
    pub fn crc(&self) -> u32 {
        u32::from_be_bytes(self.field(17))
    }

    /// The attribute bits.
    #[must_use]
    pub fn attributes(&self) -> i16 {
        i16::from_be_bytes(self.field(21))
    }

    /// How the records are compressed; the number itself when no codec has it.
    ///
    /// # Errors
    /// The unknown number.
    pub fn codec(&self) -> Result<Codec, u8> {
        Codec::of_attributes(self.attributes())
    }

    /// True when the broker set the timestamps (`LogAppendTime`): then the max timestamp counts for every record.
    #[must_use]
    pub fn is_log_append_time(&self) -> bool {
        self.attributes() & TIMESTAMP_TYPE_BIT != 0
    }

    /// True for a batch of a transaction.
    #[must_use]
    pub fn is_transactional(&self) -> bool {
        self.attributes() & TRANSACTIONAL_BIT != 0
    }

    /// True for a batch that only brokers write.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.attributes() & CONTROL_BIT != 0
    }

    /// True when the base timestamp is the time at which tombstones may go (KIP-534).
    #[must_use]
    pub fn has_delete_horizon(&self) -> bool {
        self.attributes() & DELETE_HORIZON_BIT != 0
    }

    /// Last offset minus base offset.
    #[must_use]
    pub fn last_offset_delta(&self) -> i32 {
        i32::from_be_bytes(self.field(23))
    }

    /// Offset of the last record (or of the one that compaction removed). Saturates: damaged bytes must not wrap.
    #[must_use]
    pub fn last_offset(&self) -> Offset {
        Offset(self.base_offset().0.saturating_add(i64::from(self.last_offset_delta())))
    }

    /// Offset after the last record.
    #[must_use]
    pub fn next_offset(&self) -> Offset {
        Offset(self.last_offset().0.saturating_add(1))
    }

    /// What the records' timestamp deltas are relative to.
    #[must_use]
    pub fn base_timestamp(&self) -> Timestamp {
        Timestamp(i64::from_be_bytes(self.field(27)))
    }

    /// The greatest timestamp of the records.
    #[must_use]
    pub fn max_timestamp(&self) -> Timestamp {
        Timestamp(i64::from_be_bytes(self.field(35)))
    }

    /// The idempotent producer, or [`ProducerId::NONE`].
    #[must_use]
    pub fn producer_id(&self) -> ProducerId {
        ProducerId(i64::from_be_bytes(self.field(43)))
    }

    /// Its epoch.
    #[must_use]
    pub fn producer_epoch(&self) -> ProducerEpoch {
        ProducerEpoch(i16::from_be_bytes(self.field(51)))
    }

    /// Sequence number of the first record, or -1.
    #[must_use]
    pub fn base_sequence(&self) -> i32 {
        i32::from_be_bytes(self.field(53))
    }

    /// Sequence number of the last record: it wraps from 2^31-1 to 0.
    #[must_use]
    pub fn last_sequence(&self) -> i32 {
        let base = self.base_sequence();
        if base < 0 { base } else { base.wrapping_add(self.last_offset_delta()) & i32::MAX }
    }

    /// How many records there are.
    #[must_use]
    pub fn record_count(&self) -> i32 {
        i32::from_be_bytes(self.field(57))
    }

    /// Moves the batch to its place in the log. Not covered by the checksum.
    pub fn set_base_offset(&mut self, offset: Offset) {
        self.set(0, offset.0.to_be_bytes());
    }

    /// Writes the leader epoch. Not covered by the checksum.
    pub fn set_leader_epoch(&mut self, epoch: LeaderEpoch) {
        self.set(12, epoch.0.to_be_bytes());
    }

    /// Writes the max timestamp; call [`BatchHeader::seal`] after the last such change.
    pub fn set_max_timestamp(&mut self, timestamp: Timestamp) {
        self.set(35, timestamp.0.to_be_bytes());
    }

    /// Marks the timestamps as the broker's (or not); call [`BatchHeader::seal`] after the last such change.
    pub fn set_log_append_time(&mut self, on: bool) {
        let cleared = self.attributes() & !TIMESTAMP_TYPE_BIT;
        self.set(21, (if on { cleared | TIMESTAMP_TYPE_BIT } else { cleared }).to_be_bytes());
    }

    /// Computes the checksum for this header before `records` and writes it.
    pub fn seal(&mut self, records: &[u8]) {
        let crc = self.checksum(records);
        self.set(17, crc.to_be_bytes());
    }

    /// The checksum of this header before `records`.
    #[must_use]
    pub fn checksum(&self, records: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.0[CRC_START..]), records)
    }

    /// Checks all that can be said of a stored batch without its records: magic, length, a sane last offset delta.
    ///
    /// # Errors
    /// See [`BatchError`].
    pub fn check_plausible(&self) -> Result<usize, BatchError> {
        if self.magic() != MAGIC {
            return Err(BatchError::Magic(self.magic()));
        }
        if self.last_offset_delta() < 0 || self.base_offset().0 < 0 {
            return Err(BatchError::Records("the batch's offsets are negative"));
        }
        self.size().ok_or(BatchError::Length)
    }
}

impl std::fmt::Debug for BatchHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchHeader")
            .field("base_offset", &self.base_offset().0)
            .field("last_offset", &self.last_offset().0)
            .field("length", &self.length())
            .field("leader_epoch", &self.leader_epoch().0)
            .field("magic", &self.magic())
            .field("attributes", &self.attributes())
            .field("max_timestamp", &self.max_timestamp().0)
            .field("producer_id", &self.producer_id().0)
            .field("base_sequence", &self.base_sequence())
            .finish_non_exhaustive()
    }
}

/// Checks length, magic and checksum of the one batch that `bytes` are.
///
/// # Errors
/// See [`BatchError`].
pub fn check_whole(bytes: &Bytes) -> Result<BatchHeader, BatchError> {
    let header = BatchHeader::read(bytes).ok_or(BatchError::Truncated)?;
    let size = header.check_plausible()?;
    match bytes.len() == size {
        false => Err(BatchError::Truncated),
        true if header.checksum(&bytes[HEADER_LEN..]) != header.crc() => Err(BatchError::Checksum),
        true => Ok(header),
    }
}

#[cfg(test)]
mod tests;
