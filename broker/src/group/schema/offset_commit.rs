//! `OffsetCommitValue`: one committed offset.

use std::sync::Arc;

use barnabas_storage::{LeaderEpoch, Offset, Timestamp, TopicId};
use bytes::{BufMut, Bytes, BytesMut};

use uuid::Uuid;

use super::primitive::{Reader, SchemaError, put_compact_text, put_text};

const WRITTEN: i16 = 4;
const WRITTEN_WITH_EXPIRY: i16 = 1;
const FIRST_FLEXIBLE: i16 = 4;
/// Tagged field: the topic's id.
const TOPIC_ID: u8 = 0;
const TOPIC_ID_BYTES: u8 = 16;

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
    /// The topic that was meant, which a later one of the same name is not; [`TopicId::ZERO`] in records before version 4.
    pub topic_id: TopicId,
}

impl OffsetCommitValue {
    /// Whether it is an offset of this topic, as far as is known.
    #[must_use]
    pub fn is_of(&self, topic: TopicId) -> bool {
        self.topic_id == topic || self.topic_id == TopicId::ZERO || topic == TopicId::ZERO
    }

    /// Writes version 4, or version 1 when there is an explicit expiry (which has neither a leader epoch nor a topic id, as
    /// in Kafka).
    ///
    /// # Errors
    /// When the metadata is too long for its field.
    pub fn encode(&self) -> Result<Bytes, SchemaError> {
        let mut into = BytesMut::with_capacity(48 + self.metadata.len());
        if let Some(expire) = self.expire_timestamp {
            into.put_i16(WRITTEN_WITH_EXPIRY);
            into.put_i64(self.offset.0);
            put_text(&mut into, &self.metadata)?;
            into.put_i64(self.commit_timestamp.0);
            into.put_i64(expire.0);
            return Ok(into.freeze());
        }
        into.put_i16(WRITTEN);
        into.put_i64(self.offset.0);
        into.put_i32(self.leader_epoch.0);
        put_compact_text(&mut into, &self.metadata)?;
        into.put_i64(self.commit_timestamp.0);
        if self.topic_id == TopicId::ZERO {
            into.put_u8(0);
        } else {
            into.put_slice(&[1, TOPIC_ID, TOPIC_ID_BYTES]);
            into.put_slice(self.topic_id.0.as_bytes());
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
        let mut topic_id = TopicId::ZERO;
        reader.tags(|tag, value| {
            if tag == u32::from(TOPIC_ID) {
                topic_id = TopicId(Uuid::from_slice(value).map_err(|_| SchemaError::BadLength)?);
            }
            Ok(())
        })?;
        let expire_timestamp = expire_timestamp.filter(|at| *at != Timestamp::NONE);
        Ok(Self { offset, leader_epoch, metadata, commit_timestamp, expire_timestamp, topic_id })
    }
}
