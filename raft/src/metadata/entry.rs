//! An entry: the records that one decision made, all or none.

use barnabas_storage::Timestamp;

use super::codec::{DecodeError, Reader, Writer};
use super::record::Record;

/// The present encoding of an entry.
const VERSION: u64 = 0;

/// Records that are applied together, and when they were decided. That moment is the only clock `apply` has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When the controller decided.
    pub timestamp: Timestamp,
    /// What it decided, in order.
    pub records: Vec<Record>,
}

impl Entry {
    /// The entry in bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.unsigned(VERSION);
        out.signed(self.timestamp.0);
        out.list(&self.records, |out, record| record.encode(out));
        out.into_bytes()
    }

    /// Reads an entry that is exactly `bytes`.
    ///
    /// # Errors
    /// See [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        let version = from.unsigned()?;
        if version != VERSION {
            return Err(DecodeError::Unknown { what: "entry", kind: 0, version });
        }
        let timestamp = Timestamp(from.signed()?);
        let records = from.list(Record::decode)?;
        from.end()?;
        Ok(Self { timestamp, records })
    }
}
