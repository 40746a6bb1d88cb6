//! Many requests on one connection before any answer is read.

use std::io::Write;
use std::net::TcpStream;

use barnabas_storage::Timestamp;
use barnabas_storage::batch::BatchBuilder;
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    ApiVersionsRequest, BrokerId, FetchRequest, ListOffsetsRequest, MetadataRequest, ProduceRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use crate::client::{Client, decode, frame};
use crate::fixture::Fixture;

const TOPIC: &str = "pipeline";

fn topic() -> TopicName {
    TopicName(StrBytes::from_static_str(TOPIC))
}

/// One batch of one record.
fn batch(value: &[u8]) -> Bytes {
    BatchBuilder::new().record(Timestamp(0), None, Some(value)).build()
}

fn produce(acks: i16) -> ProduceRequest {
    let partition = PartitionProduceData::default().with_index(0).with_records(Some(batch(b"pipelined")));
    let data = TopicProduceData::default().with_name(topic()).with_partition_data(vec![partition]);
    ProduceRequest::default().with_acks(acks).with_timeout_ms(10_000).with_topic_data(vec![data])
}

fn fetch(max_wait_ms: i32) -> FetchRequest {
    let partition = FetchPartition::default().with_partition(0).with_partition_max_bytes(1 << 16);
    let data = FetchTopic::default().with_topic(topic()).with_partitions(vec![partition]);
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(max_wait_ms)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_topics(vec![data])
}

fn list_offsets() -> ListOffsetsRequest {
    let partition = ListOffsetsPartition::default().with_partition_index(0).with_timestamp(-1);
    let data = ListOffsetsTopic::default().with_name(topic()).with_partitions(vec![partition]);
    ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![data])
}

fn metadata() -> MetadataRequest {
    let wanted = MetadataRequestTopic::default().with_name(Some(topic()));
    MetadataRequest::default().with_topics(Some(vec![wanted])).with_allow_auto_topic_creation(true)
}

/// Makes the topic: the first answer may say that it is being made.
fn make_topic(client: &mut Client) {
    barnabas_tests::harness::wait::until("the topic", std::time::Duration::from_secs(10), || {
        let response = client.ask(&metadata(), 9);
        response.topics.iter().all(|topic| topic.error_code == 0).then_some(())
    })
    .unwrap();
}

/// The request of this correlation id, and whether it is answered.
fn request(correlation_id: i32) -> (Bytes, bool) {
    match correlation_id % 7 {
        0 => (frame(&ApiVersionsRequest::default(), 0, correlation_id), true),
        1 => (frame(&produce(0), 7, correlation_id), false),
        2 => (frame(&produce(1), 7, correlation_id), true),
        3 => (frame(&produce(-1), 9, correlation_id), true),
        4 => (frame(&fetch(5), 11, correlation_id), true),
        5 => (frame(&metadata(), 9, correlation_id), true),
        _ => (frame(&list_offsets(), 6, correlation_id), true),
    }
}

#[test]
fn a_thousand_mixed_requests_are_answered_in_order() {
    let fixture = Fixture::start(&[]);
    let stream = TcpStream::connect(fixture.address()).unwrap();
    let mut sender = stream.try_clone().unwrap();
    let mut client = Client::of(stream);
    make_topic(&mut client);
    let sending = std::thread::spawn(move || {
        let mut all = BytesMut::new();
        (0..1000).for_each(|id| all.put(request(id).0));
        sender.write_all(&all).unwrap();
    });
    for correlation_id in (0..1000).filter(|id| request(*id).1) {
        let answer = client.answer().expect("an answer");
        assert_eq!(answer.correlation_id, correlation_id);
        if correlation_id % 7 == 3 {
            let response = decode::<ProduceRequest>(&answer, 9);
            assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
        }
    }
    sending.join().unwrap();
    let response = client.ask(&list_offsets(), 6);
    let produced = (0..1000).filter(|id| matches!(id % 7, 1..=3)).count();
    assert_eq!(response.topics[0].partitions[0].offset, i64::try_from(produced).unwrap());
}
