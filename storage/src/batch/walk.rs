//! Walking batches that lie one after the other, and the records of one.

use bytes::Bytes;

use super::{BatchError, BatchHeader, HEADER_LEN, check_whole};
use crate::compression::{Codec, DECOMPRESSED_BYTES_MAX, decompress};
use crate::ids::{Offset, Timestamp};
use crate::record::take_record;

/// One whole batch.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Its header.
    pub header: BatchHeader,
    /// All its bytes, header included.
    pub bytes: Bytes,
}

impl Batch {
    /// Its records, decompressed when they have to be.
    ///
    /// # Errors
    /// When they do not decompress within [`DECOMPRESSED_BYTES_MAX`].
    pub fn records(&self) -> Result<Records, BatchError> {
        let stored = self.bytes.slice(HEADER_LEN..);
        let bytes = match self.header.codec() {
            Ok(Codec::None) => stored,
            Ok(codec) => Bytes::from(decompress(codec, &stored, DECOMPRESSED_BYTES_MAX)?),
            Err(_) => return Err(BatchError::Compression("unknown compression codec")),
        };
        Ok(Records { header: self.header, bytes, failed: false })
    }
}

/// The batches of `bytes`, which a read of the log gave. Each is checked (length, magic, checksum); after the first
/// that is not whole the walk gives its error and ends.
#[must_use]
pub fn batches(bytes: Bytes) -> Batches {
    Batches { bytes }
}

/// See [`batches`].
#[derive(Clone, Debug)]
pub struct Batches {
    bytes: Bytes,
}

impl Batches {
    fn take(&mut self) -> Result<Batch, BatchError> {
        let header = BatchHeader::read(&self.bytes).ok_or(BatchError::Truncated)?;
        let size = header.check_plausible()?;
        if size > self.bytes.len() {
            return Err(BatchError::Truncated);
        }
        let bytes = self.bytes.split_to(size);
        Ok(Batch { header: check_whole(&bytes)?, bytes })
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.bytes.is_empty() {
            return None;
        }
        let taken = self.take();
        if taken.is_err() {
            self.bytes.clear();
        }
        Some(taken)
    }
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its offset in the log.
    pub offset: Offset,
    /// Its timestamp: the batch's max timestamp under `LogAppendTime`.
    pub timestamp: Timestamp,
    /// The key.
    pub key: Option<Bytes>,
    /// The value; `None` is a tombstone.
    pub value: Option<Bytes>,
}

/// The records of one batch; ends after the first error.
#[derive(Clone, Debug)]
pub struct Records {
    header: BatchHeader,
    bytes: Bytes,
    failed: bool,
}

impl Iterator for Records {
    type Item = Result<Record, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.bytes.is_empty() {
            return None;
        }
        let mut rest = &self.bytes[..];
        let raw = match take_record(&mut rest) {
            Ok(raw) => raw,
            Err(reason) => {
                self.failed = true;
                return Some(Err(BatchError::Records(reason)));
            }
        };
        let timestamp = if self.header.is_log_append_time() {
            self.header.max_timestamp()
        } else {
            Timestamp(self.header.base_timestamp().0.wrapping_add(raw.timestamp_delta))
        };
        let record = Record {
            offset: Offset(self.header.base_offset().0.wrapping_add(i64::from(raw.offset_delta))),
            timestamp,
            key: raw.key.map(|key| self.bytes.slice_ref(key)),
            value: raw.value.map(|value| self.bytes.slice_ref(value)),
        };
        let consumed = self.bytes.len() - rest.len();
        let _ = self.bytes.split_to(consumed);
        Some(Ok(record))
    }
}
