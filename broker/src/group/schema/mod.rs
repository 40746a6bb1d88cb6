//! Kafka's record schemas of `__consumer_offsets`, byte for byte (groups and committed offsets; the keys of newer group
//! types are recognised and passed over).
//!
//! Must not know: state machines, logs, requests.
//!
//! 1. A key starts with its type (int16), a value with its version (int16). No value is a tombstone.
//! 2. Written are OffsetCommitValue v4 (v1 with an explicit expiry), as by Kafka since 4.2, and GroupMetadataValue v3, the
//!    version that the widest range of tools reads; read are 0 to 4, unknown tagged fields of v4 passed over.

use bytes::Bytes;

mod group_metadata;
mod offset_commit;
mod primitive;
mod subscription;

pub use group_metadata::{GroupMetadataValue, StoredMember};
pub use offset_commit::OffsetCommitValue;
pub use primitive::SchemaError;
pub use subscription::subscribed_topics;

use primitive::{Reader, put_text};

use crate::group::ids::GroupId;
use crate::group::offsets::TopicPartition;
use barnabas_storage::PartitionIndex;
use bytes::{BufMut, BytesMut};

const OFFSET_COMMIT_LEGACY: i16 = 0;
const OFFSET_COMMIT: i16 = 1;
const GROUP_METADATA: i16 = 2;

/// What a record is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A committed offset.
    Offset(GroupId, TopicPartition),
    /// A group's generation and members.
    Group(GroupId),
    /// A record of a newer group type, by its type number.
    Other(i16),
}

impl Key {
    /// Reads a record's key.
    ///
    /// # Errors
    /// See [`SchemaError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SchemaError> {
        let mut reader = Reader::new(bytes);
        match reader.int16()? {
            OFFSET_COMMIT_LEGACY | OFFSET_COMMIT => {
                let group = GroupId::from(&*reader.text()?);
                let topic = reader.text()?;
                let partition = PartitionIndex(reader.int32()?);
                Ok(Self::Offset(group, TopicPartition { topic, partition }))
            }
            GROUP_METADATA => Ok(Self::Group(GroupId::from(&*reader.text()?))),
            other => Ok(Self::Other(other)),
        }
    }

    /// Writes the key of a committed offset.
    ///
    /// # Errors
    /// When a name is too long for its field.
    pub fn offset(group: &GroupId, at: &TopicPartition) -> Result<Bytes, SchemaError> {
        let mut into = BytesMut::with_capacity(10 + group.as_str().len() + at.topic.len());
        into.put_i16(OFFSET_COMMIT);
        put_text(&mut into, group.as_str())?;
        put_text(&mut into, &at.topic)?;
        into.put_i32(at.partition.0);
        Ok(into.freeze())
    }

    /// Writes the key of a group's metadata.
    ///
    /// # Errors
    /// When the name is too long for its field.
    pub fn group(group: &GroupId) -> Result<Bytes, SchemaError> {
        let mut into = BytesMut::with_capacity(4 + group.as_str().len());
        into.put_i16(GROUP_METADATA);
        put_text(&mut into, group.as_str())?;
        Ok(into.freeze())
    }
}

#[cfg(test)]
mod tests;
