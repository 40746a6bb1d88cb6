//! Golden bytes, written out by hand from Kafka's schema files.

use std::sync::Arc;

use barnabas_storage::{LeaderEpoch, Offset, Timestamp, TopicId};
use uuid::Uuid;

use super::*;
use crate::group::ids::{InstanceId, MemberId};

fn bytes(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn offset_value() -> OffsetCommitValue {
    OffsetCommitValue {
        offset: Offset(0x0102),
        leader_epoch: LeaderEpoch(7),
        metadata: Arc::from("m"),
        commit_timestamp: Timestamp(0x0304),
        expire_timestamp: None,
        topic_id: TopicId::ZERO,
    }
}

fn group_value() -> GroupMetadataValue {
    GroupMetadataValue {
        protocol_type: Some(Arc::from("consumer")),
        generation: 3,
        protocol: Some(Arc::from("range")),
        leader: Some(MemberId::from("m1")),
        state_timestamp: Timestamp(9),
        members: vec![StoredMember {
            id: MemberId::from("m1"),
            instance: Some(InstanceId::from("i")),
            client_id: Arc::from("c"),
            client_host: Arc::from("/h"),
            rebalance_timeout_ms: 300,
            session_timeout_ms: 45,
            subscription: Bytes::from_static(&[1, 2]),
            assignment: Bytes::from_static(&[3]),
        }],
    }
}

#[test]
fn offset_key_has_kafkas_bytes() {
    let at = TopicPartition { topic: Arc::from("t"), partition: PartitionIndex(5) };
    let key = Key::offset(&GroupId::from("g"), &at).unwrap();
    assert_eq!(key[..], bytes(&[&[0, 1], &[0, 1], b"g", &[0, 1], b"t", &[0, 0, 0, 5]]));
    assert_eq!(Key::decode(&key), Ok(Key::Offset(GroupId::from("g"), at.clone())));
    let mut legacy = key.to_vec();
    legacy[1] = 0;
    assert_eq!(Key::decode(&legacy), Ok(Key::Offset(GroupId::from("g"), at)));
}

#[test]
fn group_key_has_kafkas_bytes_and_newer_types_are_passed_over() {
    let key = Key::group(&GroupId::from("gr")).unwrap();
    assert_eq!(key[..], bytes(&[&[0, 2], &[0, 2], b"gr"]));
    assert_eq!(Key::decode(&key), Ok(Key::Group(GroupId::from("gr"))));
    assert_eq!(Key::decode(&[0, 8, 1, 2, 3]), Ok(Key::Other(8)));
}

#[test]
fn offset_value_is_written_as_v4_and_as_v1_with_an_expiry() {
    let v4 = bytes(&[&[0, 4], &[0, 0, 0, 0, 0, 0, 1, 2], &[0, 0, 0, 7], &[2], b"m", &[0, 0, 0, 0, 0, 0, 3, 4]]);
    assert_eq!(offset_value().encode().unwrap()[..], bytes(&[&v4, &[0]]));
    let known = OffsetCommitValue { topic_id: TopicId(Uuid::from_bytes([9; 16])), ..offset_value() };
    assert_eq!(known.encode().unwrap()[..], bytes(&[&v4, &[1, 0, 16], &[9; 16]]));
    assert_eq!(OffsetCommitValue::decode(&known.encode().unwrap()), Ok(known));
    let noted = OffsetCommitValue { metadata: Arc::from("x".repeat(300)), ..offset_value() };
    assert_eq!(OffsetCommitValue::decode(&noted.encode().unwrap()), Ok(noted));
    let expiring = OffsetCommitValue { expire_timestamp: Some(Timestamp(5)), ..offset_value() };
    let v1 = bytes(&[
        &[0, 1],
        &[0, 0, 0, 0, 0, 0, 1, 2],
        &[0, 1],
        b"m",
        &[0, 0, 0, 0, 0, 0, 3, 4],
        &[0, 0, 0, 0, 0, 0, 0, 5],
    ]);
    assert_eq!(expiring.encode().unwrap()[..], v1);
    let read = OffsetCommitValue::decode(&v1).unwrap();
    assert_eq!(read, OffsetCommitValue { leader_epoch: LeaderEpoch::NONE, ..expiring });
}

#[test]
fn offset_value_is_read_in_every_version() {
    let offset = [0, 0, 0, 0, 0, 0, 1, 2];
    let time = [0, 0, 0, 0, 0, 0, 3, 4];
    let without_epoch = OffsetCommitValue { leader_epoch: LeaderEpoch::NONE, ..offset_value() };
    for version in [0, 2] {
        let written = bytes(&[&[0, version], &offset, &[0, 1], b"m", &time]);
        assert_eq!(OffsetCommitValue::decode(&written), Ok(without_epoch.clone()), "v{version}");
    }
    let v1 = bytes(&[&[0, 1], &offset, &[0, 1], b"m", &time, &[0xff; 8]]);
    assert_eq!(OffsetCommitValue::decode(&v1), Ok(without_epoch));
    let v3 = bytes(&[&[0, 3], &offset, &[0, 0, 0, 7], &[0, 1], b"m", &time]);
    assert_eq!(OffsetCommitValue::decode(&v3), Ok(offset_value()));
    // v4 is flexible: compact text, then tagged fields, one of which is unknown to us.
    let v4 = bytes(&[&[0, 4], &offset, &[0, 0, 0, 7], &[2], b"m", &time, &[1, 1, 2, 9, 9]]);
    assert_eq!(OffsetCommitValue::decode(&v4), Ok(offset_value()));
    let short_id = bytes(&[&[0, 4], &offset, &[0, 0, 0, 7], &[2], b"m", &time, &[1, 0, 2, 9, 9]]);
    assert_eq!(OffsetCommitValue::decode(&short_id), Err(SchemaError::BadLength));
    assert_eq!(OffsetCommitValue::decode(&[0, 5]), Err(SchemaError::UnknownVersion(5)));
}

#[test]
fn group_value_is_written_as_v3() {
    let v3 = bytes(&[
        &[0, 3],
        &[0, 8],
        b"consumer",
        &[0, 0, 0, 3],
        &[0, 5],
        b"range",
        &[0, 2],
        b"m1",
        &[0, 0, 0, 0, 0, 0, 0, 9],
        &[0, 0, 0, 1],
        &[0, 2],
        b"m1",
        &[0, 1],
        b"i",
        &[0, 1],
        b"c",
        &[0, 2],
        b"/h",
        &[0, 0, 1, 44],
        &[0, 0, 0, 45],
        &[0, 0, 0, 2, 1, 2],
        &[0, 0, 0, 1, 3],
    ]);
    assert_eq!(group_value().encode().unwrap()[..], v3);
    assert_eq!(GroupMetadataValue::decode(&v3), Ok(group_value()));
}

#[test]
fn group_value_is_read_in_every_version() {
    let head = bytes(&[&[0, 8], b"consumer", &[0, 0, 0, 3], &[0, 5], b"range", &[0, 2], b"m1"]);
    let tail = bytes(&[&[0, 0, 0, 45], &[0, 0, 0, 2, 1, 2], &[0, 0, 0, 1, 3]]);
    let names = bytes(&[&[0, 1], b"c", &[0, 2], b"/h"]);
    let member = [&[0, 2][..], b"m1"].concat();
    let time = [0, 0, 0, 0, 0, 0, 0, 9];
    let one = [0, 0, 0, 1];
    let rebalance = [0, 0, 1, 44];
    let mut expected = group_value();
    expected.members[0].instance = None;
    let v2 = bytes(&[&[0, 2], &head, &time, &one, &member, &names, &rebalance, &tail]);
    assert_eq!(GroupMetadataValue::decode(&v2), Ok(expected.clone()));
    expected.state_timestamp = Timestamp::NONE;
    let v1 = bytes(&[&[0, 1], &head, &one, &member, &names, &rebalance, &tail]);
    assert_eq!(GroupMetadataValue::decode(&v1), Ok(expected.clone()));
    expected.members[0].rebalance_timeout_ms = 45;
    let v0 = bytes(&[&[0, 0], &head, &one, &member, &names, &tail]);
    assert_eq!(GroupMetadataValue::decode(&v0), Ok(expected));
    let v4 = bytes(&[
        &[0, 4, 9],
        b"consumer",
        &[0, 0, 0, 3, 6],
        b"range",
        &[3],
        b"m1",
        &time,
        &[2, 3],
        b"m1",
        &[2],
        b"i",
        &[2],
        b"c",
        &[3],
        b"/h",
        &rebalance,
        &[0, 0, 0, 45],
        &[3, 1, 2],
        &[2, 3],
        &[0],
        &[0],
    ]);
    assert_eq!(GroupMetadataValue::decode(&v4), Ok(group_value()));
}

#[test]
fn damaged_values_are_refused_without_a_panic() {
    let whole = group_value().encode().unwrap();
    for length in 0..whole.len() {
        assert!(GroupMetadataValue::decode(&whole[..length]).is_err(), "{length}");
    }
    let mut huge = whole.to_vec();
    // The count of members.
    huge[35..39].copy_from_slice(&i32::MAX.to_be_bytes());
    assert_eq!(GroupMetadataValue::decode(&huge), Err(SchemaError::BadLength));
    let long = OffsetCommitValue { metadata: Arc::from("x".repeat(40_000)), ..offset_value() };
    assert_eq!(long.encode(), Err(SchemaError::TooLong(40_000)));
}
