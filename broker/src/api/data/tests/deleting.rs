//! Records are deleted up to an offset, and producers are described.

use barnabas_storage::batch::BatchBuilder;
use barnabas_storage::{ProducerEpoch, ProducerId, Timestamp};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::{DeleteRecordsRequest, DescribeProducersRequest};

use super::bench::{Bench, batch, name, produce_request};
use crate::api::OneStage;
use crate::api::data::delete_records::DeleteRecords;
use crate::api::data::describe_producers::DescribeProducers;

/// Deletes before an offset; the code and where the partition begins.
async fn delete(bench: &Bench, version: i16, topic: &str, partition: i32, before: i64) -> (i16, i64) {
    let partition = DeleteRecordsPartition::default().with_partition_index(partition).with_offset(before);
    let topic = DeleteRecordsTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
    let request = DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000);
    let answer = DeleteRecords::handle(bench.context::<DeleteRecords>(version), request).await.unwrap();
    let result = &answer.topics[0].partitions[0];
    (result.error_code, result.low_watermark)
}

#[tokio::test(flavor = "multi_thread")]
async fn records_before_an_offset_are_deleted_and_cannot_be_read() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    bench.create("compacted", 1, &[("cleanup.policy", "compact")]).await;
    for _ in 0..3 {
        assert_eq!(bench.append("t", 0, &batch(4, 10)).await.error_code, 0);
    }
    let out_of_range = (ResponseError::OffsetOutOfRange.code(), -1);
    for version in 0..=2 {
        let before = 3 + i64::from(version);
        assert_eq!(delete(&bench, version, "t", 0, before).await, (0, before), "version {version}");
        assert_eq!(delete(&bench, version, "t", 0, 1).await, (0, before), "it never goes back");
        assert_eq!(delete(&bench, version, "t", 0, 13).await, out_of_range);
        assert_eq!(delete(&bench, version, "t", 0, -2).await, out_of_range);
    }
    assert_eq!(bench.read("t", 0, 2).await.error_code, ResponseError::OffsetOutOfRange.code());
    assert_eq!(bench.read("t", 0, 5).await.log_start_offset, 5);
    assert_eq!(delete(&bench, 2, "t", 0, -1).await, (0, 12), "up to the high watermark");
    let unknown = (ResponseError::UnknownTopicOrPartition.code(), -1);
    assert_eq!(delete(&bench, 2, "t", 7, 0).await, unknown);
    assert_eq!(delete(&bench, 2, "absent", 0, 0).await, unknown);
    let refused = (ResponseError::PolicyViolation.code(), -1);
    assert_eq!(delete(&bench, 2, "compacted", 0, 0).await, refused);
    bench.create("protected", 1, &[("barnabas.delete.protection", "true")]).await;
    assert_eq!(delete(&bench, 2, "protected", 0, -1).await, refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_acknowledged_and_not_yet_synced_are_waited_for() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    for round in 1..=50 {
        bench.produce(9, produce_request(1, &[("t", 0, batch(1, 10))])).await;
        assert_eq!(delete(&bench, 2, "t", 0, round).await, (0, round));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn idempotent_producers_are_described() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    let sent =
        BatchBuilder::new().producer(ProducerId(7), ProducerEpoch(1), 0).record(Timestamp(1000), None, Some(b"v"));
    let sent = sent.build();
    assert_eq!(bench.append("t", 0, &sent).await.error_code, 0);
    let topic = TopicRequest::default().with_name(name("t")).with_partition_indexes(vec![0, 3]);
    let request = DescribeProducersRequest::default().with_topics(vec![topic]);
    let context = bench.context::<DescribeProducers>(0);
    let answer = DescribeProducers::handle(context, request).await.unwrap();
    let partitions = &answer.topics[0].partitions;
    let producer = &partitions[0].active_producers[0];
    assert_eq!((producer.producer_id.0, producer.producer_epoch, producer.last_sequence), (7, 1, 0));
    assert_eq!((producer.last_timestamp, producer.current_txn_start_offset), (1000, -1));
    assert_eq!(partitions[1].error_code, ResponseError::UnknownTopicOrPartition.code());
}
