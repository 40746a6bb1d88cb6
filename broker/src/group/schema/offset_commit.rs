//! `OffsetCommitValue`: one committed offset.

use std::sync::Arc;

use barnabas_storage::{LeaderEpoch, Offset, Timestamp};
use bytes::{BufMut, Bytes, BytesMut};

use super::primitive::{Reader, SchemaError, put_text};

const WRITTEN: i16 = 3;
const WRITTEN_WITH_EXPIRY: i16 = 1;
const FIRST_FLEXIBLE: i16 = 4;

/// One committed offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetCommitValue {
    /// The next offset that the group wants.
    pub offset: Offset,
    /// The leader epoch of the last consumed record, [`LeaderEpoch::NONE`] when not told.
    pub leader_epoch: LeaderEpoch,
    /// What the consumer wanted to remember.
    pub metadata: Arc<str>,
    /// When it was committed.
    pub commit_timestamp: Timestamp,
    /// When it expires, if the commit said so (OffsetCommit up to v4).
    pub expire_timestamp: Option<Timestamp>,
}

impl OffsetCommitValue {
    /// Writes version 3, or version 1 when there is an explicit expiry (which has no leader epoch, as in Kafka).
    ///
    /// # Errors
    /// When the metadata is too long for its field.
    pub fn encode(&self) -> Result<Bytes, SchemaError> {
        let mut into = BytesMut::with_capacity(24 + self.metadata.len());
        let version = if self.expire_timestamp.is_some() { WRITTEN_WITH_EXPIRY } else { WRITTEN };
        into.put_i16(version);
        into.put_i64(self.offset.0);
        if version >= 3 {
            into.put_i32(self.leader_epoch.0);
        }
        put_text(&mut into, &self.metadata)?;
        into.put_i64(self.commit_timestamp.0);
        if let Some(expire) = self.expire_timestamp {
            into.put_i64(expire.0);
        }
        Ok(into.freeze())
    }

    /// Reads versions 0 to 4.
    ///
    /// # Errors
    /// See [`SchemaError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SchemaError> {
        let mut reader = Reader::new(bytes);
        let version = reader.int16()?;
        if !(0..=FIRST_FLEXIBLE).contains(&version) {
            return Err(SchemaError::UnknownVersion(version));
        }
        reader.set_flexible(version >= FIRST_FLEXIBLE);
        let offset = Offset(reader.int64()?);
        let leader_epoch = if version >= 3 { LeaderEpoch(reader.int32()?) } else { LeaderEpoch::NONE };
        let metadata = reader.text()?;
        let commit_timestamp = Timestamp(reader.int64()?);
        let expire_timestamp = if version == 1 { Some(Timestamp(reader.int64()?)) } else { None };
        reader.skip_tags()?;
        let expire_timestamp = expire_timestamp.filter(|at| *at != Timestamp::NONE);
        Ok(Self { offset, leader_epoch, metadata, commit_timestamp, expire_timestamp })
    }
}
