//! Produce.

use std::sync::Arc;

use barnabas_storage::batch::BatchBuilder;
use barnabas_storage::{ProducerEpoch, ProducerId, Timestamp};
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::TransactionalId;
use kafka_protocol::protocol::{Encodable, StrBytes};

use super::bench::{Bench, assert_same_batch, batch, body, name, produce_request, records};
use crate::api::data::produce::Produce;
use crate::api::{CloseReason, Reply, TwoStage};

fn error_codes(response: &kafka_protocol::messages::ProduceResponse) -> Vec<i16> {
    response.responses.iter().flat_map(|topic| &topic.partition_responses).map(|each| each.error_code).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_fetched_is_what_was_produced() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    let sent = [batch(3, 10), batch(1, 0), batch(500, 100)];
    let mut offset = 0;
    for (batch, count) in sent.iter().zip([3, 1, 500]) {
        let answer = bench.append("t", 0, batch).await;
        assert_eq!((answer.error_code, answer.base_offset, answer.log_append_time_ms), (0, offset, -1));
        assert_eq!(answer.log_start_offset, 0);
        let read = bench.read("t", 0, offset).await;
        assert_same_batch(records(&read), batch);
        offset += count;
        assert_eq!(read.high_watermark, offset);
    }
    let all = bench.read("t", 0, 0).await;
    assert_eq!(records(&all).len(), sent.iter().map(Bytes::len).sum::<usize>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelined_produces_keep_their_order() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    let begun: Vec<_> = (0..100)
        .map(|_| Produce::begin(bench.context::<Produce>(9), produce_request(-1, &[("t", 0, batch(2, 10))])))
        .collect();
    for (request, reply) in begun.into_iter().enumerate() {
        let response: kafka_protocol::messages::ProduceResponse =
            kafka_protocol::protocol::Decodable::decode(&mut body(reply.await), 9).unwrap();
        assert_eq!(response.responses[0].partition_responses[0].base_offset, 2 * i64::try_from(request).unwrap());
    }
}

/// Bytes of a frame that tell whether anybody uses them.
struct Watched {
    bytes: Bytes,
    _in_use: Arc<()>,
}

impl AsRef<[u8]> for Watched {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_nobody_waits_for_yet_keeps_nothing_of_its_frame() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    let mut frame = BytesMut::new();
    let request = produce_request(-1, &[("t", 0, batch(2, 10)), ("unknown", 0, batch(2, 10))]);
    request.encode(&mut frame, 9).unwrap();
    let in_use = Arc::new(());
    let mut frame = Bytes::from_owner(Watched { bytes: frame.freeze(), _in_use: Arc::clone(&in_use) });
    let request = kafka_protocol::protocol::Decodable::decode(&mut frame, 9).unwrap();
    drop(frame);
    let stage = Produce::begin(bench.context::<Produce>(9), request);
    let unused = async {
        while Arc::strong_count(&in_use) > 1 {
            tokio::task::yield_now().await;
        }
    };
    let unused = bench.broker().tasks.within(std::time::Duration::from_secs(60), unused).await;
    assert!(unused.is_some(), "the answer keeps its frame");
    let response = kafka_protocol::protocol::Decodable::decode(&mut body(stage.await), 9).unwrap();
    assert_eq!(error_codes(&response), [0, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_partition_never_fails_its_neighbours() {
    let bench = Bench::start().await;
    bench.create("t", 2, &[]).await;
    bench.create("two-replicas", 1, &[("min.insync.replicas", "2")]).await;
    let good = batch(1, 10);
    let mut corrupt = BytesMut::from(&good[..]);
    corrupt[70] ^= 1;
    let two: Bytes = [&good[..], &good[..]].concat().into();
    let batches = [
        ("t", 0, good.clone()),
        ("unknown", 0, good.clone()),
        ("t", 2, good.clone()),
        ("t", -1, good.clone()),
        ("__consumer_offsets", 0, good.clone()),
        ("t", 0, corrupt.freeze()),
        ("t", 0, two),
        ("t", 0, Bytes::new()),
        ("two-replicas", 0, good.clone()),
        ("t", 1, good.clone()),
    ];
    let response = bench.produce(9, produce_request(-1, &batches)).await;
    assert_eq!(error_codes(&response), [0, 3, 3, 3, 3, 2, 87, 87, 19, 0]);
    let asked: Vec<_> = batches.iter().map(|(topic, partition, _)| (name(topic), *partition)).collect();
    let topics = response.responses.iter();
    let answered: Vec<_> = topics.map(|topic| (topic.name.clone(), topic.partition_responses[0].index)).collect();
    assert_eq!(answered, asked, "once each, in request order");
    for refused in response.responses.iter().flat_map(|topic| &topic.partition_responses) {
        assert_eq!(refused.base_offset == -1, refused.error_code != 0);
    }
    assert_eq!(
        error_codes(&bench.produce(9, produce_request(1, &batches[8..])).await),
        [0, 0],
        "acks=1 needs no other"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acks_are_none_one_or_all() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    let good = || batch(1, 10);
    for acks in [2, -2, i16::MAX] {
        let batches = [("t", 0, good()), ("unknown", 0, good())];
        assert_eq!(error_codes(&bench.produce(3, produce_request(acks, &batches)).await), [21, 21]);
    }
    let silent = Produce::begin(bench.context::<Produce>(9), produce_request(0, &[("t", 0, good())])).await;
    assert!(matches!(silent, Reply::Nothing));
    let refused =
        Produce::begin(bench.context::<Produce>(9), produce_request(0, &[("t", 0, good()), ("t", 7, good())])).await;
    assert!(matches!(refused, Reply::Close(CloseReason::RefusedWithoutAcks(_))));
    assert_eq!(bench.append("t", 0, &good()).await.base_offset, 2, "both silent batches are in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_are_refused_until_they_are_served() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    let transactional = BatchBuilder::new()
        .producer(ProducerId(1), ProducerEpoch(0), 0)
        .transactional()
        .record(Timestamp(1), None, Some(b"v"))
        .build();
    let batches = [("t", 0, transactional), ("t", 0, batch(1, 1))];
    assert_eq!(error_codes(&bench.produce(9, produce_request(-1, &batches)).await), [53, 0]);
    let id = Some(TransactionalId(StrBytes::from_static_str("x")));
    let request = produce_request(-1, &batches).with_transactional_id(id);
    assert_eq!(error_codes(&bench.produce(9, request).await), [53, 53]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_are_named_by_id_from_version_13_on() {
    let bench = Bench::start().await;
    let id = bench.create("t", 1, &[]).await;
    let mut request = produce_request(-1, &[("", 0, batch(1, 1)), ("", 0, batch(1, 1))]);
    request.topic_data[0].topic_id = id.0;
    request.topic_data[1].topic_id = uuid::Uuid::from_u128(77);
    let response = bench.produce(13, request).await;
    assert_eq!(error_codes(&response), [0, 100]);
    assert_eq!(response.responses[0].topic_id, id.0);
    assert_eq!(response.responses[1].topic_id, uuid::Uuid::from_u128(77));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_of_an_idempotent_producer_gets_the_first_offset() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[]).await;
    let numbered = |sequence| {
        BatchBuilder::new()
            .producer(ProducerId(9), ProducerEpoch(0), sequence)
            .record(Timestamp(1), None, Some(b"v"))
            .build()
    };
    for sequence in 0..3 {
        assert_eq!(bench.append("t", 0, &numbered(sequence)).await.base_offset, i64::from(sequence));
    }
    let retry = bench.append("t", 0, &numbered(1)).await;
    assert_eq!((retry.error_code, retry.base_offset), (0, 1));
    assert_eq!(bench.append("t", 0, &numbered(5)).await.error_code, 45);
    assert_eq!(bench.read("t", 0, 0).await.high_watermark, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zstd_needs_version_7_and_large_batches_are_refused() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[("max.message.bytes", "1000")]).await;
    let mut zstd = BytesMut::from(&batch(1, 10)[..]);
    zstd[22] |= 4;
    let crc = crc32c(&zstd[21..]);
    (&mut zstd[17..21]).put_u32(crc);
    let zstd = zstd.freeze();
    assert_eq!(error_codes(&bench.produce(6, produce_request(-1, &[("t", 0, zstd)])).await), [76]);
    let large = bench.append("t", 0, &batch(1, 2000)).await;
    assert_eq!(large.error_code, 10);
    assert!(large.error_message.is_some_and(|message| message.contains("max.message.bytes")));
}

fn crc32c(bytes: &[u8]) -> u32 {
    let table = |byte: u32| (0..8).fold(byte, |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 });
    !bytes.iter().fold(!0u32, |crc, byte| crc >> 8 ^ table((crc ^ u32::from(*byte)) & 0xff))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn log_append_time_is_told() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[("message.timestamp.type", "LogAppendTime")]).await;
    let answer = bench.append("t", 0, &batch(2, 10)).await;
    assert!(answer.log_append_time_ms > 1_500_000_000_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_of_the_answer_can_be_encoded() {
    let bench = Bench::start().await;
    let id = bench.create("t", 1, &[]).await;
    for version in 3..=13 {
        let mut request = produce_request(-1, &[("t", 0, batch(1, 1)), ("nope", 0, batch(1, 1))]);
        if version >= 13 {
            request.topic_data[0].name = name("");
            request.topic_data[0].topic_id = id.0;
            request.topic_data[1].name = name("");
        }
        let mut wire = BytesMut::new();
        request.encode(&mut wire, version).unwrap();
        let response = bench.produce(version, request).await;
        assert_eq!(error_codes(&response), [0, if version >= 13 { 100 } else { 3 }], "version {version}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_records_a_compacted_topic_refuses_are_named_from_version_8_on() {
    let bench = Bench::start().await;
    bench.create("t", 1, &[("cleanup.policy", "compact")]).await;
    let keyed = |keys: [Option<&[u8]>; 3]| {
        keys.into_iter().fold(BatchBuilder::new(), |batch, key| batch.record(Timestamp(1), key, Some(b"v"))).build()
    };
    let refused = keyed([Some(b"k"), None, Some(b"k")]);
    let named = |response: kafka_protocol::messages::ProduceResponse| {
        let answer = response.responses[0].partition_responses[0].clone();
        let records =
            answer.record_errors.iter().map(|record| (record.batch_index, record.batch_index_error_message.is_some()));
        (answer.error_code, records.collect::<Vec<_>>())
    };
    let produce = |version| bench.produce(version, produce_request(-1, &[("t", 0, refused.clone())]));
    assert_eq!(named(produce(7).await), (87, Vec::new()));
    assert_eq!(named(produce(8).await), (87, vec![(1, true)]));
    assert_eq!(bench.append("t", 0, &keyed([Some(b"k"); 3])).await.error_code, 0);
}
