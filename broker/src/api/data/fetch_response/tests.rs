//! Golden: what is written here equals what the codec writes, in every version.

use barnabas_raft::BrokerId;
use barnabas_storage::TopicId;
use bytes::Bytes;
use kafka_protocol::messages::fetch_response::{
    EpochEndOffset, FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint, PartitionData,
};
use kafka_protocol::messages::{BrokerId as WireBrokerId, FetchResponse, TopicName};
use kafka_protocol::protocol::{Encodable, StrBytes};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

#[derive(Clone, Debug)]
struct Topic {
    name: String,
    id: u128,
    partitions: Vec<Partition>,
}

#[derive(Clone, Debug)]
struct Partition {
    index: i32,
    error: bool,
    offsets: (i64, i64, i64),
    diverging: Option<(i32, i64)>,
    leader: Option<(i32, i32)>,
    records: Option<Vec<u8>>,
}

type Endpoint = (i32, String, u16, Option<String>);

fn a_partition() -> impl Strategy<Value = Partition> {
    let offsets = (any::<i64>(), any::<i64>(), any::<i64>());
    let diverging = option::of((0..i32::MAX, 0..i64::MAX));
    let leader = option::of((0..i32::MAX, 0..i32::MAX));
    let records = option::of(vec(any::<u8>(), 0..300));
    (any::<i32>(), any::<bool>(), offsets, diverging, leader, records).prop_map(
        |(index, error, offsets, diverging, leader, records)| Partition {
            index,
            error,
            offsets,
            diverging,
            leader,
            records,
        },
    )
}

fn topics() -> impl Strategy<Value = Vec<Topic>> {
    let topic = ("[a-z]{1,200}", any::<u128>(), vec(a_partition(), 1..5));
    vec(topic.prop_map(|(name, id, partitions)| Topic { name, id, partitions }), 0..5)
}

fn endpoints() -> impl Strategy<Value = Vec<Endpoint>> {
    vec((any::<i32>(), "[a-z.]{0,40}", any::<u16>(), option::of("[a-z]{0,9}")), 0..3)
}

fn ours(version: i16, error: bool, session_id: i32, committed: bool, topics: &[Topic], ends: &[Endpoint]) -> Bytes {
    let key = |topic: &Topic| {
        if version >= 13 {
            TopicKey::Id(TopicId(Uuid::from_u128(topic.id)))
        } else {
            TopicKey::Name(topic.name.as_str().into())
        }
    };
    let partition = |topic: &Topic, partition: &Partition| PartitionAnswer {
        topic: key(topic),
        index: PartitionIndex(partition.index),
        error: partition.error.then_some(ResponseError::OffsetOutOfRange),
        high_watermark: Offset(partition.offsets.0),
        last_stable_offset: Offset(partition.offsets.1),
        log_start_offset: Offset(partition.offsets.2),
        diverging: partition.diverging.map(|(epoch, end)| (LeaderEpoch(epoch), Offset(end))),
        current_leader: partition
            .leader
            .map(|(id, epoch)| CurrentLeader { id: BrokerId(id), epoch: LeaderEpoch(epoch) }),
        records: partition.records.clone().map(|records| Chunk::Memory(records.into())),
    };
    let partitions = topics.iter().flat_map(|topic| topic.partitions.iter().map(move |each| partition(topic, each)));
    let endpoint = |(id, host, port, rack): &Endpoint| LeaderEndpoint {
        id: BrokerId(*id),
        host: host.clone(),
        port: *port,
        rack: rack.clone(),
    };
    let chunks = encode(FetchAnswer {
        throttle_time_ms: 0,
        version,
        error: error.then_some(ResponseError::FetchSessionIdNotFound),
        session_id,
        read_committed: committed,
        partitions: partitions.collect(),
        endpoints: ends.iter().map(endpoint).collect(),
    });
    let mut joined = BytesMut::new();
    for chunk in chunks {
        match chunk {
            Chunk::Memory(bytes) => joined.extend_from_slice(&bytes),
            Chunk::Mapped(_) => panic!("nothing is mapped here"),
        }
    }
    joined.freeze()
}

fn codecs(version: i16, error: bool, session_id: i32, committed: bool, topics: &[Topic], ends: &[Endpoint]) -> Bytes {
    let partition = |partition: &Partition| {
        let mut data = PartitionData::default()
            .with_partition_index(partition.index)
            .with_error_code(i16::from(partition.error))
            .with_high_watermark(partition.offsets.0)
            .with_last_stable_offset(partition.offsets.1)
            .with_log_start_offset(partition.offsets.2)
            .with_aborted_transactions(committed.then(Vec::new))
            .with_records(Some(partition.records.clone().unwrap_or_default().into()));
        if let Some((epoch, end)) = partition.diverging {
            data = data.with_diverging_epoch(EpochEndOffset::default().with_epoch(epoch).with_end_offset(end));
        }
        if let Some((id, epoch)) = partition.leader {
            let leader = LeaderIdAndEpoch::default().with_leader_id(WireBrokerId(id)).with_leader_epoch(epoch);
            data = data.with_current_leader(leader);
        }
        data
    };
    let topic = |topic: &Topic| {
        FetchableTopicResponse::default()
            .with_topic(TopicName(StrBytes::from_string(topic.name.clone())))
            .with_topic_id(Uuid::from_u128(topic.id))
            .with_partitions(topic.partitions.iter().map(partition).collect())
    };
    let endpoint = |(id, host, port, rack): &Endpoint| {
        NodeEndpoint::default()
            .with_node_id(WireBrokerId(*id))
            .with_host(StrBytes::from_string(host.clone()))
            .with_port(i32::from(*port))
            .with_rack(rack.clone().map(StrBytes::from_string))
    };
    let error = if error { ResponseError::FetchSessionIdNotFound.code() } else { 0 };
    let response = FetchResponse::default()
        .with_error_code(error)
        .with_session_id(session_id)
        .with_responses(topics.iter().map(topic).collect())
        .with_node_endpoints(ends.iter().map(endpoint).collect());
    let mut bytes = BytesMut::new();
    response.encode(&mut bytes, version).unwrap();
    bytes.freeze()
}

/// Neighbours of one topic are written under one topic: so they must differ in name and id.
fn distinct(mut topics: Vec<Topic>) -> Vec<Topic> {
    topics.sort_by(|one, next| one.name.cmp(&next.name));
    topics.dedup_by(|one, next| one.name == next.name || one.id == next.id);
    topics
}

proptest! {
    #[test]
    fn the_bytes_equal_the_codecs_in_every_version(
        topics in topics(), ends in endpoints(), error: bool, session_id: i32, committed: bool,
    ) {
        let topics = distinct(topics);
        for version in 4..=18 {
            let session_id = if version < 7 { 0 } else { session_id };
            let ends = if version < 16 { &[] } else { ends.as_slice() };
            prop_assert_eq!(
                ours(version, error, session_id, committed, &topics, ends),
                codecs(version, error, session_id, committed, &topics, ends),
                "version {}", version
            );
        }
    }
}

#[test]
fn an_empty_partition_carries_zero_bytes_of_records_never_null() {
    let partition =
        Partition { index: 0, error: true, offsets: (-1, -1, -1), diverging: None, leader: None, records: None };
    let topics = [Topic { name: "t".to_owned(), id: 1, partitions: vec![partition] }];
    let plain = ours(11, false, 0, false, &topics, &[]);
    assert!(plain.ends_with(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]), "no replica, then length 0: {plain:?}");
    let flexible = ours(12, false, 0, false, &topics, &[]);
    assert!(flexible.ends_with(&[0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0]), "no replica, then length 0 + 1: {flexible:?}");
}
