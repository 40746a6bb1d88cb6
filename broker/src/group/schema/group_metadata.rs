//! `GroupMetadataValue`: a classic group's last Stable or Empty generation.

use std::sync::Arc;

use barnabas_storage::Timestamp;
use bytes::{BufMut, Bytes, BytesMut};

use super::primitive::{Reader, SchemaError, put_bytes, put_nullable_text, put_text};
use crate::group::ids::{InstanceId, MemberId};

const WRITTEN: i16 = 3;
const FIRST_FLEXIBLE: i16 = 4;

/// A classic group's last Stable or Empty generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMetadataValue {
    /// "consumer", "connect", ...; `None` (written as "") for a group that never had a member.
    pub protocol_type: Option<Arc<str>>,
    /// The generation.
    pub generation: i32,
    /// The protocol the members agreed on.
    pub protocol: Option<Arc<str>>,
    /// The leader's member id.
    pub leader: Option<MemberId>,
    /// When the group came into its state; [`Timestamp::NONE`] in records of before v2.
    pub state_timestamp: Timestamp,
    /// The members; none in an Empty group.
    pub members: Vec<StoredMember>,
}

/// A member as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMember {
    /// Its id.
    pub id: MemberId,
    /// Its `group.instance.id`.
    pub instance: Option<InstanceId>,
    /// The client's id.
    pub client_id: Arc<str>,
    /// The client's address, with a leading slash.
    pub client_host: Arc<str>,
    /// `max.poll.interval.ms` of a consumer.
    pub rebalance_timeout_ms: i32,
    /// `session.timeout.ms`.
    pub session_timeout_ms: i32,
    /// Its metadata for the chosen protocol.
    pub subscription: Bytes,
    /// What the leader assigned to it.
    pub assignment: Bytes,
}

impl GroupMetadataValue {
    /// Writes version 3.
    ///
    /// # Errors
    /// When a text is too long for its field.
    pub fn encode(&self) -> Result<Bytes, SchemaError> {
        let mut into = BytesMut::with_capacity(64 + 256 * self.members.len());
        into.put_i16(WRITTEN);
        put_text(&mut into, self.protocol_type.as_deref().unwrap_or(""))?;
        into.put_i32(self.generation);
        put_nullable_text(&mut into, self.protocol.as_deref())?;
        put_nullable_text(&mut into, self.leader.as_ref().map(MemberId::as_str))?;
        into.put_i64(self.state_timestamp.0);
        into.put_i32(i32::try_from(self.members.len()).map_err(|_| SchemaError::TooLong(self.members.len()))?);
        for member in &self.members {
            put_text(&mut into, member.id.as_str())?;
            put_nullable_text(&mut into, member.instance.as_ref().map(InstanceId::as_str))?;
            put_text(&mut into, &member.client_id)?;
            put_text(&mut into, &member.client_host)?;
            into.put_i32(member.rebalance_timeout_ms);
            into.put_i32(member.session_timeout_ms);
            put_bytes(&mut into, &member.subscription)?;
            put_bytes(&mut into, &member.assignment)?;
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
        let protocol_type = Some(reader.text()?).filter(|text| !text.is_empty());
        let generation = reader.int32()?;
        let protocol = reader.nullable_text()?;
        let leader = reader.nullable_text()?.map(|id| MemberId::from(&*id));
        let state_timestamp = if version >= 2 { Timestamp(reader.int64()?) } else { Timestamp::NONE };
        let count = reader.array()?;
        let mut members = Vec::new();
        for _ in 0..count {
            members.push(StoredMember::decode(&mut reader, version)?);
        }
        reader.skip_tags()?;
        Ok(Self { protocol_type, generation, protocol, leader, state_timestamp, members })
    }
}

impl StoredMember {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, SchemaError> {
        let id = MemberId::from(&*reader.text()?);
        let instance = if version >= 3 { reader.nullable_text()?.map(|id| InstanceId::from(&*id)) } else { None };
        let client_id = reader.text()?;
        let client_host = reader.text()?;
        let rebalance_timeout_ms = if version >= 1 { reader.int32()? } else { -1 };
        let session_timeout_ms = reader.int32()?;
        let subscription = reader.bytes()?;
        let assignment = reader.bytes()?;
        reader.skip_tags()?;
        // A record without a rebalance timeout is from a JoinGroup v0: the session timeout takes its place.
        let rebalance_timeout_ms = if rebalance_timeout_ms == -1 { session_timeout_ms } else { rebalance_timeout_ms };
        Ok(Self {
            id,
            instance,
            client_id,
            client_host,
            rebalance_timeout_ms,
            session_timeout_ms,
            subscription,
            assignment,
        })
    }
}
