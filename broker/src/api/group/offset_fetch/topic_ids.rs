//! OffsetFetch version 10 on the wire: version 9 with the topic's id (16 bytes) in the place of its name.

use bytes::Bytes;
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::{GroupId, OffsetFetchRequest};

use crate::api::later_version::{CodecError, Fields};

/// Reads a request.
pub(super) fn decode(from: &mut Bytes) -> Result<OffsetFetchRequest, CodecError> {
    let mut fields = Fields(from);
    let request =
        OffsetFetchRequest::default().with_groups(fields.array(group)?).with_require_stable(fields.boolean()?);
    fields.end()?;
    Ok(request)
}

fn group(fields: &mut Fields<'_>) -> Result<OffsetFetchRequestGroup, CodecError> {
    let group = OffsetFetchRequestGroup::default()
        .with_group_id(GroupId(fields.text()?))
        .with_member_id(fields.nullable_text()?)
        .with_member_epoch(fields.int32()?)
        .with_topics(fields.nullable_array(topic)?);
    fields.end()?;
    Ok(group)
}

fn topic(fields: &mut Fields<'_>) -> Result<OffsetFetchRequestTopics, CodecError> {
    let topic = OffsetFetchRequestTopics::default()
        .with_topic_id(fields.uuid()?)
        .with_partition_indexes(fields.array(|fields| fields.int32())?);
    fields.end()?;
    Ok(topic)
}

/// Writes a request.
#[cfg(test)]
pub(super) fn encode(request: &OffsetFetchRequest) -> Result<Bytes, CodecError> {
    use bytes::{BufMut, BytesMut};
    let mut into = BytesMut::new();
    let put_count = |into: &mut BytesMut, count: Option<usize>| {
        into.put_u8(count.map_or(0, |count| u8::try_from(count).unwrap() + 1));
    };
    let put_text = |into: &mut BytesMut, text: Option<&str>| {
        put_count(into, text.map(str::len));
        into.put_slice(text.unwrap_or_default().as_bytes());
    };
    put_count(&mut into, Some(request.groups.len()));
    for group in &request.groups {
        put_text(&mut into, Some(&group.group_id));
        put_text(&mut into, group.member_id.as_deref());
        into.put_i32(group.member_epoch);
        put_count(&mut into, group.topics.as_ref().map(Vec::len));
        for topic in group.topics.iter().flatten() {
            into.put_slice(topic.topic_id.as_bytes());
            put_count(&mut into, Some(topic.partition_indexes.len()));
            topic.partition_indexes.iter().for_each(|index| into.put_i32(*index));
            into.put_u8(0);
        }
        into.put_u8(0);
    }
    into.put_slice(&[u8::from(request.require_stable), 0]);
    Ok(into.freeze())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Taken by hand from the schema of Kafka 4.3.1.
    const FRAME: &[u8] = b"\x03\x02g\x02m\x00\x00\x00\x05\x02\
        \x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\
        \x03\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\
        \x02h\x00\xff\xff\xff\xff\x00\x00\
        \x01\x00";

    #[test]
    fn a_fetch_by_id_is_read_as_the_schema_says() {
        let mut from = Bytes::from_static(FRAME);
        let request = decode(&mut from).unwrap();
        assert!(from.is_empty() && request.require_stable);
        let group = |index: usize| {
            let one = &request.groups[index];
            (one.group_id.as_str(), one.member_id.as_deref(), one.member_epoch)
        };
        assert_eq!([group(0), group(1)], [("g", Some("m"), 5), ("h", None, -1)]);
        let topics = request.groups[0].topics.as_ref().unwrap();
        assert_eq!(topics[0].topic_id, Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10));
        assert_eq!(topics[0].partition_indexes, [0, 7]);
        assert_eq!(request.groups[1].topics, None);
        assert_eq!(encode(&request).unwrap(), FRAME);
    }

    #[test]
    fn a_fetch_by_id_that_is_cut_short_is_an_error() {
        for length in 0..FRAME.len() {
            assert!(decode(&mut Bytes::from_static(&FRAME[..length])).is_err(), "{length}");
        }
    }
}
