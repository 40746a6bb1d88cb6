//! ListOffsets, OffsetForLeaderEpoch, InitProducerId.

use barnabas_storage::batch::BatchBuilder;
use barnabas_storage::{PartitionIndex, Timestamp};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::list_offsets_response::ListOffsetsPartitionResponse;
use kafka_protocol::messages::offset_for_leader_epoch_request::{OffsetForLeaderPartition, OffsetForLeaderTopic};
use kafka_protocol::messages::{
    InitProducerIdRequest, ListOffsetsRequest, OffsetForLeaderEpochRequest, ProducerId, TransactionalId,
};
use kafka_protocol::protocol::StrBytes;

use super::bench::{Bench, batch, name};
use crate::api::OneStage;
use crate::api::data::init_producer_id::InitProducerId;
use crate::api::data::list_offsets::ListOffsets;
use crate::api::data::offset_for_leader_epoch::OffsetForLeaderEpoch;

async fn list(bench: &Bench, version: i16, asked: &[(&str, i32, i64)]) -> Vec<ListOffsetsPartitionResponse> {
    let topics = asked.iter().map(|(topic, partition, timestamp)| {
        let partition = ListOffsetsPartition::default()
            .with_partition_index(*partition)
            .with_current_leader_epoch(-1)
            .with_timestamp(*timestamp);
        ListOffsetsTopic::default().with_name(name(topic)).with_partitions(vec![partition])
    });
    let request = ListOffsetsRequest::default().with_replica_id((-1).into()).with_topics(topics.collect());
    let response = ListOffsets::handle(bench.context::<ListOffsets>(version), request).await.unwrap();
    response.topics.into_iter().flat_map(|topic| topic.partitions).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offsets_are_found_by_place_and_by_time() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    for batch in 0..3 {
        let records = (0..10).fold(BatchBuilder::new(), |all, record| {
            all.record(Timestamp(1000 * batch + 10 * record), None, Some(b"v"))
        });
        bench.append("t", 0, &records.build()).await;
    }
    let asked = [(-2, 0, -1), (-1, 30, -1), (-3, 29, 2090), (-4, 0, -1), (0, 0, 0), (1, 1, 10), (1025, 13, 1030)];
    for (timestamp, offset, found_time) in asked {
        let found = list(&bench, 10, &[("t", 0, timestamp)]).await.remove(0);
        let found = (found.error_code, found.offset, found.timestamp);
        assert_eq!(found, (0, offset, found_time), "timestamp {timestamp}");
    }
    for nothing in [2091, -5] {
        let found = list(&bench, 10, &[("t", 0, nothing)]).await.remove(0);
        assert_eq!((found.error_code, found.offset, found.timestamp), (0, -1, -1), "timestamp {nothing}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_asked_partition_gets_its_own_error() {
    let bench = Bench::start().await;
    bench.create("t", 3, &[]).await;
    let asked = [("t", 0, -1), ("unknown", 0, -1), ("t", 3, -1), ("t", 1, -3), ("t", 2, -1), ("t", 2, -2)];
    let codes: Vec<i16> = list(&bench, 6, &asked).await.iter().map(|found| found.error_code).collect();
    assert_eq!(codes, [0, 3, 3, 35, 42, 42], "-3 is of version 7; a partition is asked for once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_epoch_ends_where_the_log_does() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    let ours = bench.broker().partitions.by_name("t", PartitionIndex(0)).unwrap().leader_epoch().0;
    let ask = async |topic: &str, current: i32, epoch: i32| {
        let partition = OffsetForLeaderPartition::default().with_current_leader_epoch(current).with_leader_epoch(epoch);
        let topic = OffsetForLeaderTopic::default().with_topic(name(topic)).with_partitions(vec![partition]);
        let request = OffsetForLeaderEpochRequest::default().with_topics(vec![topic]);
        let response = OffsetForLeaderEpoch::handle(bench.context::<OffsetForLeaderEpoch>(4), request).await.unwrap();
        let found = &response.topics[0].partitions[0];
        (found.error_code, found.leader_epoch, found.end_offset)
    };
    assert_eq!(ask("t", -1, ours).await, (0, ours, 0), "before the first record");
    bench.append("t", 0, &batch(7, 1)).await;
    assert_eq!(ask("t", ours, ours).await, (0, ours, 7));
    assert_eq!(ask("t", -1, ours + 1).await, (0, -1, -1), "not yet");
    assert_eq!(ask("t", ours + 1, ours).await, (75, -1, -1));
    assert_eq!(ask("unknown", -1, ours).await, (3, -1, -1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn producer_ids_are_fresh_and_transactions_refused() {
    let bench = Bench::start().await;
    let ask = async |request: InitProducerIdRequest| {
        let answer = InitProducerId::handle(bench.context::<InitProducerId>(4), request).await.unwrap();
        (answer.error_code, answer.producer_id.0, answer.producer_epoch)
    };
    let plain = || {
        InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1)
    };
    let (error, first, epoch) = ask(plain()).await;
    assert_eq!((error, epoch), (0, 0));
    assert_eq!(ask(plain()).await, (0, first + 1, 0));
    let again = plain().with_producer_id(ProducerId(first)).with_producer_epoch(3);
    assert_eq!(ask(again).await, (0, first + 2, 0), "without transactions an old id is let go");
    let half = plain().with_producer_id(ProducerId(first));
    assert_eq!(ask(half).await, (42, -1, -1));
    let named = |id: &'static str| plain().with_transactional_id(Some(TransactionalId(StrBytes::from_static_str(id))));
    assert_eq!(ask(named("")).await, (42, -1, -1));
    assert_eq!(ask(named("x")).await, (53, -1, -1));
}
