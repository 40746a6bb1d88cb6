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
use barnabas_storage::{LeaderEpoch, LogSlice, Offset, PartitionIndex, TopicId};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};

use super::check_leader_epoch;
use super::current_leader::{self, CurrentLeader};
use super::fetch_response::{FetchAnswer, PartitionAnswer, encode};
use crate::api::error_code::ErrorCode;
use crate::api::shape::{Kind, array, int8, int32, int64, structs, structure, text, uuid};
use crate::api::{Api, Chunk, Need, QuotaClass, Reply, RequestContext, RunsOn, SecondStage, Shape, TwoStage, Versions};
use crate::partition::fetch_session::{
    PartitionKey, SessionError, SessionFetch, SessionRequest, Told, TopicKey, Wanted,
};
use crate::partition::purgatory::{PendingRead, readable};
use crate::partition::{Partition, TopicPartitions};

/// Fetch.
pub struct Fetch;

const TOPIC_IDS_SINCE: i16 = 13;
const REPLICA_STATE_SINCE: i16 = 15;
const READ_COMMITTED: i8 = 1;

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
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Read, resource: ResourceType::Topic }];
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
struct Limits {
    max_wait: Duration,
    min_bytes: u64,
    max_bytes: usize,
    read_committed: bool,
}

impl Limits {
    fn of(context: &RequestContext, request: &FetchRequest) -> Self {
        let cap = usize::try_from(context.broker.config.read(&key::FETCH_MAX_BYTES)).unwrap_or(0);
        let max_bytes = usize::try_from(request.max_bytes).unwrap_or(0).min(cap);
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

/// One look at every partition.
struct Round {
    found: Vec<Found>,
    bytes: u64,
    /// Something that must be told at once: an error or a diverging epoch.
    is_special: bool,
}

/// What one partition has: its answer, its records still to be loaded.
struct Found {
    answer: PartitionAnswer,
    slice: Option<LogSlice>,
    partition: Option<Arc<Partition>>,
}

impl Round {
    fn read(context: &RequestContext, limits: &Limits, partitions: &[(PartitionKey, Wanted)]) -> Self {
        let mut round = Self { found: Vec::with_capacity(partitions.len()), bytes: 0, is_special: false };
        let mut budget = Budget { left: limits.max_bytes, is_untouched: true };
        for (key, wanted) in partitions {
            let found = read_partition(context, key, wanted, &mut budget);
            round.bytes += found.slice.as_ref().map_or(0, |slice| slice.len() as u64);
            round.is_special |= found.answer.error.is_some() || found.answer.diverging.is_some();
            round.found.push(found);
        }
        round
    }

    fn is_enough(&self, limits: &Limits) -> bool {
        self.found.is_empty() || self.is_special || limits.max_wait.is_zero() || self.bytes >= limits.min_bytes
    }

    fn pending<'a>(&'a self, partitions: &[(PartitionKey, Wanted)]) -> Vec<PendingRead<'a>> {
        let pending = self.found.iter().zip(partitions).filter_map(|(found, (_, wanted))| {
            let partition = found.partition.as_deref()?;
            Some(PendingRead { partition, from: wanted.offset, max_bytes: wanted.max_bytes as u64 })
        });
        pending.collect()
    }
}

/// What an answer may still hold.
struct Budget {
    left: usize,
    /// No partition gave data so far: the next one may exceed every limit by its first batch.
    is_untouched: bool,
}

fn read_partition(context: &RequestContext, key: &PartitionKey, wanted: &Wanted, budget: &mut Budget) -> Found {
    let mut answer = blank(key);
    let partition = match find(context, key, &mut answer) {
        Ok(partition) => partition,
        Err(error) => {
            answer.error = Some(error);
            return Found { answer, slice: None, partition: None };
        }
    };
    let slice = match read(&partition, wanted, budget, &mut answer) {
        Ok(slice) => slice,
        Err(error) => {
            answer.error = Some(error);
            if error == ResponseError::FencedLeaderEpoch {
                answer.current_leader = Some(CurrentLeader::here(context, &partition));
            }
            None
        }
    };
    Found { answer, slice, partition: Some(partition) }
}

/// The partition, when this client may read it.
fn find(
    context: &RequestContext,
    key: &PartitionKey,
    answer: &mut PartitionAnswer,
) -> Result<Arc<Partition>, ResponseError> {
    let topic = find_topic(context, &key.topic)?;
    topic.partition(key.index).map_err(|error| {
        answer.current_leader = CurrentLeader::of_error(&error);
        error.code()
    })
}

fn find_topic(context: &RequestContext, topic: &TopicKey) -> Result<Arc<TopicPartitions>, ResponseError> {
    let partitions = &context.broker.partitions;
    let may_read = |name: &str| context.allowed(Operation::Read, ResourceType::Topic, name);
    match topic {
        TopicKey::Id(id) => {
            let topic = partitions.topic_by_id(*id).ok_or(ResponseError::UnknownTopicId)?;
            if may_read(&topic.name) { Ok(topic) } else { Err(ResponseError::TopicAuthorizationFailed) }
        }
        TopicKey::Name(name) if !may_read(name) => Err(ResponseError::TopicAuthorizationFailed),
        TopicKey::Name(name) => partitions.topic(name).ok_or(ResponseError::UnknownTopicOrPartition),
    }
}

fn read(
    partition: &Partition,
    wanted: &Wanted,
    budget: &mut Budget,
    answer: &mut PartitionAnswer,
) -> Result<Option<LogSlice>, ResponseError> {
    check_leader_epoch(partition, wanted.leader_epoch)?;
    answer.diverging = diverging(partition, wanted)?;
    let slice = if answer.diverging.is_some() {
        None
    } else {
        let max_bytes = wanted.max_bytes.min(budget.left);
        let read = partition.read(wanted.offset, max_bytes, budget.is_untouched);
        read.map_err(|error| {
            answer.tell_offsets(partition);
            error.code()
        })?
        .slice
    };
    if let Some(slice) = &slice {
        budget.left = budget.left.saturating_sub(slice.len());
        budget.is_untouched = false;
    }
    // After the read, so that it covers every record of the answer.
    answer.tell_offsets(partition);
    Ok(slice)
}

impl PartitionAnswer {
    fn tell_offsets(&mut self, partition: &Partition) {
        self.high_watermark = partition.high_watermark();
        self.last_stable_offset = partition.last_stable_offset();
        self.log_start_offset = partition.log().log_start_offset();
    }
}

/// Where the reader's log and ours part, when its last fetched epoch tells (KIP-595).
fn diverging(partition: &Partition, wanted: &Wanted) -> Result<Option<(LeaderEpoch, Offset)>, ResponseError> {
    if wanted.last_fetched_epoch < LeaderEpoch(0) {
        return Ok(None);
    }
    let ended = partition.end_offset_for_epoch(wanted.last_fetched_epoch);
    let (epoch, end_offset) = ended.ok_or(ResponseError::OffsetOutOfRange)?;
    let diverges = epoch < wanted.last_fetched_epoch || end_offset < wanted.offset;
    Ok(diverges.then_some((epoch, end_offset)))
}

/// Turns slices into chunks: mapped when all of it is in memory, else read off the async workers in one go.
async fn load(context: &RequestContext, found: Vec<Found>) -> Vec<PartitionAnswer> {
    let mut answers = Vec::with_capacity(found.len());
    let mut cold = Vec::new();
    for (position, Found { mut answer, slice, .. }) in found.into_iter().enumerate() {
        if let Some(slice) = slice {
            match slice.resident() {
                Some(range) => answer.records = Some(Chunk::Mapped(range)),
                None => cold.push((position, slice)),
            }
        }
        answers.push(answer);
    }
    if cold.is_empty() {
        return answers;
    }
    let read = move || cold.into_iter().map(|(position, slice)| (position, slice.read())).collect::<Vec<_>>();
    for (position, bytes) in context.broker.tasks.blocking(read).await {
        let Some(answer) = answers.get_mut(position) else { continue };
        match bytes {
            Ok(bytes) => answer.records = Some(Chunk::Memory(bytes)),
            Err(error) => {
                tracing::error!(topic = ?answer.topic, partition = answer.index.0, %error, "records could not be read");
                answer.error = Some(ResponseError::KafkaStorageError);
            }
        }
    }
    answers
}

fn blank(key: &PartitionKey) -> PartitionAnswer {
    PartitionAnswer {
        topic: key.topic.clone(),
        index: key.index,
        error: None,
        high_watermark: Offset::NONE,
        last_stable_offset: Offset::NONE,
        log_start_offset: Offset::NONE,
        diverging: None,
        current_leader: None,
        records: None,
    }
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
    Reply::Body(encode(FetchAnswer { version, error: None, session_id, read_committed, partitions, endpoints }))
}

/// The whole request is refused, without partitions and without a session.
fn refuse(context: &RequestContext, limits: &Limits, error: SessionError) -> Reply {
    Reply::Body(encode(FetchAnswer {
        version: context.version,
        error: Some(error.code()),
        session_id: 0,
        read_committed: limits.read_committed,
        partitions: Vec::new(),
        endpoints: Vec::new(),
    }))
}

/// No broker replicates from this one yet.
fn refuse_replica(context: &RequestContext, limits: &Limits, request: SessionRequest) -> Reply {
    let refused = request.wanted.iter().map(|(key, _)| {
        let error = Some(ResponseError::NotLeaderOrFollower);
        PartitionAnswer { error, ..blank(key) }
    });
    respond(context, limits, 0, refused.collect())
}
