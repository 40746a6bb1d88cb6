//! Produce (key 0): appends one batch per partition and answers as `acks` asks.
//!
//! First stage: every partition is checked and appended, in the order of the connection. Second stage, for acks=-1
//! only: the high watermark passes every batch, or `timeout_ms` is over; what is pending then gets REQUEST_TIMED_OUT
//! and stays in the log. Errors are per partition and never touch a neighbour; every requested partition is answered
//! once, in request order. acks=0 answers nothing, and closes the connection when a partition refused its batch.
//!
//! Where it differs from Apache Kafka: acks=-1 means synced to disk (in `durability.mode` group); transactions are not
//! served yet, so a request with a transactional id, or a transactional batch, gets
//! TRANSACTIONAL_ID_AUTHORIZATION_FAILED, which every client takes as final; record_errors names at most 256 records
//! of a batch, and one for 64 bytes of it; internal topics refuse every client, whatever it calls itself.
//!
//! Versions: advertised from 0, because old librdkafka sends no compression otherwise; 0-2 close the connection. 3 record
//! batches v2; 5 log_start_offset (KIP-107); 7 zstd (KIP-110); 8 record_errors and error_message (KIP-467); 9 flexible;
//! 10 current_leader and node_endpoints (KIP-951); 12 (KIP-890, only matters in transactions); 13 topic ids (KIP-516).

use std::sync::Arc;
use std::time::Duration;

use barnabas_auth::{Operation, ResourceType};
use barnabas_storage::{AppendError, AppendOrigin, Appended, PartitionIndex, TopicId};
use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{BrokerId, ProduceRequest, ProduceResponse};
use kafka_protocol::protocol::{Request, StrBytes};

use super::current_leader::{self, CurrentLeader};
use crate::api::error_code::ErrorCode;
use crate::api::shape::{bytes, int16, int32, structs, text, uuid};
use crate::api::table::encode;
use crate::api::{
    Api, CloseReason, Need, QuotaClass, Reply, RequestContext, RunsOn, SecondStage, Shape, TwoStage, Versions,
};
use crate::partition::purgatory::{PendingCommit, all_committed};
use crate::partition::{TopicPartitions, is_internal_topic};
use crate::quota::ThrottleTime;

/// Produce.
pub struct Produce;

/// First version that may carry zstd.
const ZSTD_SINCE: i16 = 7;
/// First version that names topics by id.
const TOPIC_IDS_SINCE: i16 = 13;
/// First version that names the records a batch was refused for.
const RECORD_ERRORS_SINCE: i16 = 8;
/// First version that says who leads instead.
const CURRENT_LEADER_SINCE: i16 = 10;
/// The transactional bit of a batch's attributes, and where they stand.
const TRANSACTIONAL: u16 = 0x10;
const ATTRIBUTES_AT: std::ops::Range<usize> = 21..23;

impl Api for Produce {
    type Request = ProduceRequest;
    const NAME: &'static str = "Produce";
    const VERSIONS: Versions = Versions::new(3, 13);
    const ADVERTISED: Versions = Versions::new(0, 13);
    const SHAPE: Shape = Shape {
        flexible: 9,
        fields: &[
            text().nullable(3),
            int16(),
            int32(),
            structs(&[text().until(12), uuid().since(TOPIC_IDS_SINCE), structs(&[int32(), bytes().nullable(3)])]),
        ],
    };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Write, resource: ResourceType::Topic }];
    const RUNS_ON: RunsOn = RunsOn::PartitionLeader;
    /// The batches are appended from the frame; only the answer is made.
    const COST: fn(usize) -> usize = |_| 4096;
    const QUOTA: QuotaClass = QuotaClass::Produce;
}

impl TwoStage for Produce {
    fn begin(context: RequestContext, request: ProduceRequest) -> SecondStage {
        let acks = match request.acks {
            0 => Acks::None,
            1 => Acks::Leader,
            -1 => Acks::All,
            _ => Acks::Invalid,
        };
        let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
        let throttle = context.throttle_time();
        let produced = produce(&context, request, acks);
        Box::pin(async move {
            let produced = if acks == Acks::All { await_commits(&context, produced, timeout).await } else { produced };
            count_errors(&context, &produced);
            match acks {
                Acks::None => answer_nothing(&produced),
                Acks::Leader | Acks::Invalid | Acks::All => {
                    encode(&response(&context, produced, throttle), context.version)
                }
            }
        })
    }
}

/// Kafka's `acks`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Acks {
    None,
    Leader,
    All,
    Invalid,
}

/// What became of one topic's batches, in request order.
struct ProducedTopic {
    answer: TopicProduceResponse,
    partitions: Vec<ProducedPartition>,
}

/// What became of one partition's batch.
struct ProducedPartition {
    index: i32,
    result: Result<Appended, Refusal>,
    /// Set when the answer waits for the high watermark.
    pending: Option<PendingCommit>,
}

/// Why a batch was refused.
struct Refusal {
    error: ResponseError,
    message: Option<String>,
    leader: Option<CurrentLeader>,
    records: Vec<BatchIndexAndErrorMessage>,
}

impl From<ResponseError> for Refusal {
    fn from(error: ResponseError) -> Self {
        Self { error, message: None, leader: None, records: Vec::new() }
    }
}

impl<E: ErrorCode + std::error::Error> From<&E> for Refusal {
    fn from(error: &E) -> Self {
        Self { error: error.code(), message: Some(error.to_string()), leader: None, records: Vec::new() }
    }
}

fn produce(context: &RequestContext, request: ProduceRequest, acks: Acks) -> Vec<ProducedTopic> {
    let transactional = request.transactional_id.is_some();
    request.topic_data.into_iter().map(|topic| produce_topic(context, topic, acks, transactional)).collect()
}

fn produce_topic(context: &RequestContext, data: TopicProduceData, acks: Acks, transactional: bool) -> ProducedTopic {
    let topic = if acks == Acks::Invalid {
        Err(ResponseError::InvalidRequiredAcks)
    } else if transactional {
        Err(ResponseError::TransactionalIdAuthorizationFailed)
    } else {
        find_topic(context, &data)
    };
    let partitions = data.partition_data.into_iter().map(|partition| match &topic {
        Ok(topic) => produce_partition(context, topic, partition, acks),
        Err(error) => ProducedPartition { index: partition.index, result: Err((*error).into()), pending: None },
    });
    let partitions = partitions.collect();
    // A name of its own: one that is cut from the frame would keep the frame until the answer leaves.
    let name = StrBytes::from_string(data.name.to_string()).into();
    ProducedTopic { answer: TopicProduceResponse::default().with_name(name).with_topic_id(data.topic_id), partitions }
}

/// The topic, when this client may write to it.
fn find_topic(context: &RequestContext, data: &TopicProduceData) -> Result<Arc<TopicPartitions>, ResponseError> {
    let partitions = &context.broker.partitions;
    let may_write = |name: &str| context.allowed(Operation::Write, ResourceType::Topic, name);
    let topic = if context.version >= TOPIC_IDS_SINCE {
        let topic = partitions.topic_by_id(TopicId(data.topic_id)).ok_or(ResponseError::UnknownTopicId)?;
        may_write(&topic.name).then_some(topic).ok_or(ResponseError::TopicAuthorizationFailed)?
    } else {
        if !may_write(&data.name) {
            return Err(ResponseError::TopicAuthorizationFailed);
        }
        partitions.topic(&data.name).ok_or(ResponseError::UnknownTopicOrPartition)?
    };
    if is_internal_topic(&topic.name) { Err(ResponseError::InvalidTopicException) } else { Ok(topic) }
}

fn produce_partition(
    context: &RequestContext,
    topic: &TopicPartitions,
    data: PartitionProduceData,
    acks: Acks,
) -> ProducedPartition {
    let batch = data.records.unwrap_or_default();
    match append(context, topic, PartitionIndex(data.index), &batch, acks) {
        Ok((appended, pending)) => ProducedPartition { index: data.index, result: Ok(appended), pending },
        Err(refusal) => ProducedPartition { index: data.index, result: Err(refusal), pending: None },
    }
}

fn append(
    context: &RequestContext,
    topic: &TopicPartitions,
    index: PartitionIndex,
    batch: &Bytes,
    acks: Acks,
) -> Result<(Appended, Option<PendingCommit>), Refusal> {
    if is_transactional(batch) {
        return Err(ResponseError::TransactionalIdAuthorizationFailed.into());
    }
    let partition = topic
        .partition(index)
        .map_err(|error| Refusal { leader: CurrentLeader::of_error(&error), ..Refusal::from(&error) })?;
    if acks == Acks::All && !partition.has_enough_replicas() {
        return Err(ResponseError::NotEnoughReplicas.into());
    }
    let origin = AppendOrigin::Client { zstd_allowed: context.version >= ZSTD_SINCE };
    let appended = partition.append_as_leader(batch, origin).map_err(|error| Refusal {
        records: if context.version < RECORD_ERRORS_SINCE { Vec::new() } else { record_errors(&error) },
        ..Refusal::from(&error)
    })?;
    let pending = (acks == Acks::All).then(|| PendingCommit::new(&partition, appended.last_offset));
    Ok((appended, pending))
}

/// The records to blame: clients fail those by what is said of each, and the rest of the batch with them (KIP-467).
fn record_errors(error: &AppendError) -> Vec<BatchIndexAndErrorMessage> {
    let told = error.refused_records().iter().map(|record| {
        BatchIndexAndErrorMessage::default()
            .with_batch_index(record.index)
            .with_batch_index_error_message(Some(StrBytes::from_static_str(record.reason)))
    });
    told.collect()
}

fn is_transactional(batch: &Bytes) -> bool {
    let attributes = batch.get(ATTRIBUTES_AT).and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_be_bytes);
    attributes & TRANSACTIONAL != 0
}

/// Waits for every appended batch; a batch that is not known to be committed becomes an error.
async fn await_commits(
    context: &RequestContext,
    mut produced: Vec<ProducedTopic>,
    timeout: Duration,
) -> Vec<ProducedTopic> {
    let partitions = produced.iter_mut().flat_map(|topic| &mut topic.partitions);
    let pending: Vec<PendingCommit> = partitions.filter_map(|partition| partition.pending.take()).collect();
    let outcomes = all_committed(&context.broker.tasks, &pending, timeout).await;
    let partitions = produced.iter_mut().flat_map(|topic| &mut topic.partitions);
    for (partition, outcome) in partitions.filter(|partition| partition.result.is_ok()).zip(outcomes) {
        if let Err(error) = outcome {
            partition.result = Err(Refusal::from(&error));
        }
    }
    produced
}

fn count_errors(context: &RequestContext, produced: &[ProducedTopic]) {
    let partitions = produced.iter().flat_map(|topic| &topic.partitions);
    let refusals = partitions.filter_map(|partition| partition.result.as_ref().err());
    let errors = &context.broker.metrics.request_errors;
    refusals.for_each(|refusal| errors.count(ProduceRequest::KEY, refusal.error.code()));
}

/// acks=0: silence, or a closed connection, which is the only way to tell of an error (as Kafka does it).
fn answer_nothing(produced: &[ProducedTopic]) -> Reply {
    let mut partitions = produced.iter().flat_map(|topic| &topic.partitions);
    match partitions.find_map(|partition| partition.result.as_ref().err()) {
        None => Reply::Nothing,
        Some(refusal) => Reply::Close(CloseReason::RefusedWithoutAcks(refusal.error.to_string())),
    }
}

#[inline(never)] // the gate counts its instructions
fn response(context: &RequestContext, produced: Vec<ProducedTopic>, throttle: ThrottleTime) -> ProduceResponse {
    let leaders: Vec<CurrentLeader> = if context.version >= CURRENT_LEADER_SINCE {
        let partitions = produced.iter().flat_map(|topic| &topic.partitions);
        partitions.filter_map(|partition| partition.result.as_ref().err()?.leader).collect()
    } else {
        Vec::new()
    };
    let endpoints = current_leader::endpoints(context, leaders).into_iter().map(|leader| {
        NodeEndpoint::default()
            .with_node_id(BrokerId(leader.id.0))
            .with_host(StrBytes::from_string(leader.host))
            .with_port(i32::from(leader.port))
            .with_rack(leader.rack.map(StrBytes::from_string))
    });
    let endpoints = endpoints.collect();
    let responses = produced.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|partition| answer(context.version, partition));
        topic.answer.with_partition_responses(partitions.collect())
    });
    ProduceResponse::default()
        .with_responses(responses.collect())
        .with_throttle_time_ms(throttle.millis())
        .with_node_endpoints(endpoints)
}

fn answer(version: i16, produced: ProducedPartition) -> PartitionProduceResponse {
    let answer = PartitionProduceResponse::default().with_index(produced.index);
    match produced.result {
        Ok(appended) => answer
            .with_base_offset(appended.base_offset.0)
            .with_log_append_time_ms(appended.log_append_time.0)
            .with_log_start_offset(appended.log_start_offset.0),
        Err(refusal) => {
            let answer = answer
                .with_error_code(refusal.error.code())
                .with_base_offset(-1)
                .with_log_append_time_ms(-1)
                .with_log_start_offset(-1)
                .with_record_errors(refusal.records)
                .with_error_message(refusal.message.map(StrBytes::from_string));
            match refusal.leader.filter(|_| version >= CURRENT_LEADER_SINCE) {
                None => answer,
                Some(leader) => answer.with_current_leader(
                    LeaderIdAndEpoch::default().with_leader_id(BrokerId(leader.id.0)).with_leader_epoch(leader.epoch.0),
                ),
            }
        }
    }
}
