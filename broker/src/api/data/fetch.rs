//! Fetch (key 1): committed batches of many partitions, now or as soon as there are enough bytes.
//!
//! First stage: the session (KIP-227) takes in the request, in the order of the connection. Second stage: every
//! partition is read; with fewer than `min_bytes`, no error and time left, the request waits for the partitions to
//! commit more and reads once again. The answer's records are ranges of segments, sent without a copy when they are in
//! memory and read off the async workers when they are not.
//!
//! Limits (KIP-74): partitions are read in request order against one budget, `max_bytes` cut to `fetch.max.bytes`. The
//! first partition with data gives a whole batch even above every limit; later ones only what fits.
//!
//! Where it differs from Apache Kafka: batches are always whole, never cut at the limit; a partition that has all that
//! the request takes from it ends the wait, though `min_bytes` asks for more; OFFSET_OUT_OF_RANGE carries the high
//! watermark and the log start offset, so that a client can reset without another request; a partition gets only codes
//! that the Java consumer knows (0, 1, 3, 6, 29, 56, 74, 75, 100). There is no replication yet: a fetch of a replica
//! gets NOT_LEADER_OR_FOLLOWER, and no other replica is ever preferred. There are no transactions yet: the last stable
//! offset is the high watermark and the list of aborted ones is empty.
//!
//! Versions: 4 isolation_level (KIP-98); 5 log_start_offset (KIP-107); 7 sessions (KIP-227); 9 leader epochs (KIP-320);
//! 10 zstd (KIP-110); 11 rack_id (KIP-392); 12 flexible, last_fetched_epoch (KIP-595); 13 topic ids (KIP-516); 15
//! replica_state (KIP-903); 16 current_leader and node_endpoints (KIP-951); 17 directory id (KIP-853); 18 high watermark
//! of a follower (KIP-1166).

use std::sync::Arc;
use std::time::Duration;

use barnabas_auth::{Operation, ResourceType};
use barnabas_config::key;
use barnabas_storage::{LeaderEpoch, Offset, PartitionIndex, TopicId};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use kafka_protocol::protocol::Request;

use super::current_leader;
use super::fetch_response::{FetchAnswer, PartitionAnswer, encode};
use super::fetch_round::{Round, blank, load};
use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::error_code::ErrorCode;
use crate::api::shape::{Kind, array, int8, int32, int64, structs, structure, text, uuid};
use crate::api::{Api, Chunk, Need, QuotaClass, Reply, RequestContext, RunsOn, SecondStage, Shape, TwoStage, Versions};
use crate::partition::fetch_session::{
    PartitionKey, SessionError, SessionFetch, SessionRequest, Told, TopicKey, Wanted,
};
use crate::partition::purgatory::readable;
use crate::quota::{QuotaKind, ThrottleTime};

/// Fetch.
pub struct Fetch;

const TOPIC_IDS_SINCE: i16 = 13;
const REPLICA_STATE_SINCE: i16 = 15;
const READ_COMMITTED: i8 = 1;
/// What one partition's answer takes beside its records, about.
const PARTITION_BYTES: usize = 48;

impl Api for Fetch {
    type Request = FetchRequest;
    const NAME: &'static str = "Fetch";
    const VERSIONS: Versions = Versions::new(4, 18);
    const SHAPE: Shape = Shape {
        flexible: 12,
        fields: &[
            text().nullable(12).since(12).tagged(0),
            structure(&[int32(), int64()]).since(15).tagged(1),
            int32().until(14),
            int32(),
            int32(),
            int32(),
            int8(),
            int32().since(7),
            int32().since(7),
            structs(&[
                text().until(12),
                uuid().since(13),
                structs(&[
                    int32(),
                    int32().since(9),
                    int64(),
                    int32().since(12),
                    int64().since(5),
                    int32(),
                    uuid().since(17).tagged(0),
                    int64().since(18).tagged(1),
                ]),
            ]),
            structs(&[text().until(12), uuid().since(13), array(&Kind::Fixed(4))]).since(7),
            text().since(11),
        ],
    };
    const NEEDS: &'static [Need] = &[
        Need { operation: Operation::Read, resource: ResourceType::Topic },
        Need { operation: Operation::ClusterAction, resource: ResourceType::Cluster },
    ];
    const RUNS_ON: RunsOn = RunsOn::PartitionLeader;
    const QUOTA: QuotaClass = QuotaClass::Fetch;
}

impl TwoStage for Fetch {
    fn begin(context: RequestContext, request: FetchRequest) -> SecondStage {
        let limits = Limits::of(&context, &request);
        let is_replica = replica_id(context.version, &request) >= 0;
        let session = session_request(context.version, request);
        if is_replica {
            return Box::pin(async move { refuse_replica(&context, &limits, session) });
        }
        match context.broker.fetch_sessions.begin(session) {
            Ok(fetch) => Box::pin(fetch_and_answer(context, limits, fetch)),
            Err(error) => Box::pin(async move { refuse(&context, &limits, error) }),
        }
    }
}

/// What bounds an answer and its wait.
pub(super) struct Limits {
    pub(super) max_wait: Duration,
    pub(super) min_bytes: u64,
    pub(super) max_bytes: usize,
    read_committed: bool,
}

impl Limits {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float saturates")]
    fn of(context: &RequestContext, request: &FetchRequest) -> Self {
        let cap = usize::try_from(context.broker.config.read(&key::FETCH_MAX_BYTES)).unwrap_or(0);
        // More than the quota of all windows would never be answered.
        let quota = context.broker.quotas.most_at_once(QuotaKind::Fetch, context.client());
        let quota = quota.map_or(usize::MAX, |bytes| bytes as usize);
        let max_bytes = usize::try_from(request.max_bytes).unwrap_or(0).min(cap).min(quota);
        Self {
            max_wait: Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)),
            // More than fits an answer is never there to be waited for.
            min_bytes: u64::try_from(request.min_bytes).unwrap_or(0).min(max_bytes as u64),
            max_bytes,
            read_committed: request.isolation_level == READ_COMMITTED,
        }
    }
}

fn replica_id(version: i16, request: &FetchRequest) -> i32 {
    if version >= REPLICA_STATE_SINCE { request.replica_state.replica_id.0 } else { request.replica_id.0 }
}

fn session_request(version: i16, request: FetchRequest) -> SessionRequest {
    let by_id = version >= TOPIC_IDS_SINCE;
    let mut wanted = Vec::with_capacity(request.topics.iter().map(|topic| topic.partitions.len()).sum());
    for FetchTopic { topic, topic_id, partitions, .. } in request.topics {
        let topic = if by_id { TopicKey::Id(TopicId(topic_id)) } else { TopicKey::Name(Arc::from(topic.as_str())) };
        wanted.extend(partitions.iter().map(|partition| want(&topic, partition)));
    }
    let mut forgotten = Vec::new();
    for ForgottenTopic { topic, topic_id, partitions, .. } in request.forgotten_topics_data {
        let topic = if by_id { TopicKey::Id(TopicId(topic_id)) } else { TopicKey::Name(Arc::from(topic.as_str())) };
        let key = |index| PartitionKey { topic: topic.clone(), index: PartitionIndex(index) };
        forgotten.extend(partitions.into_iter().map(key));
    }
    SessionRequest { id: request.session_id, epoch: request.session_epoch, by_id, wanted, forgotten }
}

fn want(topic: &TopicKey, partition: &FetchPartition) -> (PartitionKey, Wanted) {
    let key = PartitionKey { topic: topic.clone(), index: PartitionIndex(partition.partition) };
    let wanted = Wanted {
        leader_epoch: LeaderEpoch(partition.current_leader_epoch),
        offset: Offset(partition.fetch_offset),
        last_fetched_epoch: LeaderEpoch(partition.last_fetched_epoch),
        max_bytes: usize::try_from(partition.partition_max_bytes).unwrap_or(0),
    };
    (key, wanted)
}

async fn fetch_and_answer(context: RequestContext, limits: Limits, fetch: SessionFetch) -> Reply {
    let mut round = Round::read(&context, &limits, fetch.partitions());
    if !round.is_enough(&limits) {
        let news = readable(&round.pending(fetch.partitions()), limits.min_bytes);
        // Whatever ended the wait, what is there now is the answer.
        let _ = context.broker.tasks.within(limits.max_wait, news).await;
        round = Round::read(&context, &limits, fetch.partitions());
    }
    let answers = load(&context, round.found).await;
    if let Some(time) = throttled(&context, &answers) {
        return answer_nothing(&context, &limits, fetch.session_id(), time);
    }
    let told: Vec<Told> = answers.iter().map(told).collect();
    match context.broker.fetch_sessions.finish(&fetch, &told) {
        Err(error) => refuse(&context, &limits, error),
        Ok(selected) => {
            let mut included = selected.included.into_iter().peekable();
            let answers = answers.into_iter().enumerate();
            let answers = answers.filter(|(position, _)| included.next_if_eq(position).is_some());
            respond(&context, &limits, selected.session_id, answers.map(|(_, answer)| answer).collect())
        }
    }
}

/// How long the client has to wait before it gets these answers: then it gets none of them, and they are not charged.
fn throttled(context: &RequestContext, answers: &[PartitionAnswer]) -> Option<ThrottleTime> {
    if !context.broker.quotas.are_set(QuotaKind::Fetch) {
        return None;
    }
    let records: usize = answers.iter().filter_map(|answer| answer.records.as_ref()).map(Chunk::len).sum();
    let bytes = (records + answers.len() * PARTITION_BYTES) as f64;
    let time = context.charge(QuotaKind::Fetch, bytes);
    if time == ThrottleTime::NONE {
        return None;
    }
    context.broker.quotas.take_back(QuotaKind::Fetch, context.client(), bytes);
    Some(time)
}

fn told(answer: &PartitionAnswer) -> Told {
    Told {
        high_watermark: answer.high_watermark,
        log_start_offset: answer.log_start_offset,
        has_records: answer.records.is_some(),
        is_special: answer.error.is_some() || answer.diverging.is_some(),
    }
}

fn respond(context: &RequestContext, limits: &Limits, session_id: i32, partitions: Vec<PartitionAnswer>) -> Reply {
    let leaders = partitions.iter().filter_map(|partition| partition.current_leader);
    let endpoints = current_leader::endpoints(context, leaders);
    let (version, read_committed) = (context.version, limits.read_committed);
    let throttle_time_ms = 0;
    answer(
        context,
        FetchAnswer { version, throttle_time_ms, error: None, session_id, read_committed, partitions, endpoints },
    )
}

/// Counts the errors of an answer, and writes it.
fn answer(context: &RequestContext, answer: FetchAnswer) -> Reply {
    let errors = answer.error.into_iter().chain(answer.partitions.iter().filter_map(|partition| partition.error));
    errors.for_each(|error| context.broker.metrics.request_errors.count(FetchRequest::KEY, error.code()));
    Reply::Body(encode(answer))
}

/// No partitions, as Kafka answers who has to wait; the session stays as it was.
fn answer_nothing(context: &RequestContext, limits: &Limits, session_id: i32, time: ThrottleTime) -> Reply {
    answer(
        context,
        FetchAnswer {
            version: context.version,
            throttle_time_ms: time.millis(),
            error: None,
            session_id,
            read_committed: limits.read_committed,
            partitions: Vec::new(),
            endpoints: Vec::new(),
        },
    )
}

/// The whole request is refused, without partitions and without a session.
fn refuse(context: &RequestContext, limits: &Limits, error: SessionError) -> Reply {
    answer(
        context,
        FetchAnswer {
            version: context.version,
            throttle_time_ms: 0,
            error: Some(error.code()),
            session_id: 0,
            read_committed: limits.read_committed,
            partitions: Vec::new(),
            endpoints: Vec::new(),
        },
    )
}

/// No broker replicates from this one yet; who is no broker is told of the topics, as in Kafka.
fn refuse_replica(context: &RequestContext, limits: &Limits, request: SessionRequest) -> Reply {
    let is_broker = context.allowed(Operation::ClusterAction, ResourceType::Cluster, CLUSTER_NAME);
    let refused = request.wanted.iter().map(|(key, _)| {
        let error = if is_broker { no_replica(context, key) } else { ResponseError::TopicAuthorizationFailed };
        PartitionAnswer { error: Some(error), ..blank(key) }
    });
    respond(context, limits, 0, refused.collect())
}

/// Why a broker gets nothing of a partition: it is not there, or it has no replica but this one.
fn no_replica(context: &RequestContext, key: &PartitionKey) -> ResponseError {
    let partitions = &context.broker.partitions;
    let topic = match &key.topic {
        TopicKey::Id(id) => partitions.topic_by_id(*id).ok_or(ResponseError::UnknownTopicId),
        TopicKey::Name(name) => partitions.topic(name).ok_or(ResponseError::UnknownTopicOrPartition),
    };
    let partition = topic.and_then(|topic| topic.partition(key.index).map_err(|error| error.code()));
    partition.map_or_else(|error| error, |_| ResponseError::NotLeaderOrFollower)
}
