//! OffsetCommit version 10 on the wire: version 9 with the topic's id (16 bytes) in the place of its name.

use bytes::Bytes;
use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::{GroupId, OffsetCommitRequest};
use kafka_protocol::protocol::Decodable;

use crate::api::later_version::{CodecError, Fields};

/// The version in whose form the codec reads partitions: they are the same.
const PARTITIONS_AS: i16 = 9;

/// Reads a request.
pub(super) fn decode(from: &mut Bytes) -> Result<OffsetCommitRequest, CodecError> {
    let mut fields = Fields(from);
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(fields.text()?))
        .with_generation_id_or_member_epoch(fields.int32()?)
        .with_member_id(fields.text()?)
        .with_group_instance_id(fields.nullable_text()?)
        .with_topics(fields.array(topic)?);
    fields.end()?;
    Ok(request)
}

fn topic(fields: &mut Fields<'_>) -> Result<OffsetCommitRequestTopic, CodecError> {
    let partition = |bytes: &mut Bytes| OffsetCommitRequestPartition::decode(bytes, PARTITIONS_AS);
    let topic = OffsetCommitRequestTopic::default()
        .with_topic_id(fields.uuid()?)
        .with_partitions(fields.array(|fields| fields.of(partition))?);
    fields.end()?;
    Ok(topic)
}

/// Writes a request.
#[cfg(test)]
pub(super) fn encode(request: &OffsetCommitRequest) -> Result<Bytes, CodecError> {
    use bytes::{BufMut, BytesMut};
    use kafka_protocol::protocol::Encodable;
    let mut into = BytesMut::new();
    let group = request.clone().with_topics(Vec::new());
    group.encode(&mut into, PARTITIONS_AS)?;
    // The count of topics and the tags.
    into.truncate(into.len() - 2);
    into.put_u8(u8::try_from(request.topics.len())? + 1);
    for topic in &request.topics {
        into.put_slice(topic.topic_id.as_bytes());
        into.put_u8(u8::try_from(topic.partitions.len())? + 1);
        for partition in &topic.partitions {
            partition.encode(&mut into, PARTITIONS_AS)?;
        }
        into.put_u8(0);
    }
    into.put_u8(0);
    Ok(into.freeze())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Taken by hand from the schema of Kafka 4.3.1.
    const FRAME: &[u8] = b"\x02g\x00\x00\x00\x05\x02m\x00\x02\
        \x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\
        \x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x2a\x00\x00\x00\x03\x05note\x00\
        \x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff\x00\x00\
        \x00\x01\x09\x02zz";

    #[test]
    fn a_commit_by_id_is_read_as_the_schema_says() {
        let mut from = Bytes::from_static(FRAME);
        let request = decode(&mut from).unwrap();
        assert!(from.is_empty());
        assert_eq!((request.group_id.as_str(), request.member_id.as_str()), ("g", "m"));
        assert_eq!((request.generation_id_or_member_epoch, &request.group_instance_id), (5, &None));
        assert_eq!(request.topics[0].topic_id, Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10));
        let partition = |index: usize| {
            let one = &request.topics[0].partitions[index];
            let metadata = one.committed_metadata.as_deref();
            (one.partition_index, one.committed_offset, one.committed_leader_epoch, metadata)
        };
        assert_eq!([partition(0), partition(1)], [(0, 42, 3, Some("note")), (7, 1, -1, None)]);
        assert_eq!(decode(&mut encode(&request).unwrap()).unwrap(), request);
    }

    #[test]
    fn a_commit_by_id_that_is_cut_short_is_an_error() {
        for length in 0..FRAME.len() {
            assert!(decode(&mut Bytes::from_static(&FRAME[..length])).is_err(), "{length}");
        }
    }
}
