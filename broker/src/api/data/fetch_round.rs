//! One look at the partitions of a fetch: what each has to say, within the limits of the request, and its records brought
//! into a form that can be sent.
//!
//! Must not know: sessions, versions, the wire.

use std::sync::Arc;

use barnabas_auth::{Operation, ResourceType};
use barnabas_storage::advice::LOOK_AT_DISK;
use barnabas_storage::{LeaderEpoch, LogSlice, Offset};
use kafka_protocol::error::ResponseError;

use super::check_leader_epoch;
use super::current_leader::CurrentLeader;
use super::fetch::Limits;
use super::fetch_response::PartitionAnswer;
use crate::api::error_code::ErrorCode;
use crate::api::{Chunk, RequestContext};
use crate::limits::UNSENT_BYTES_FREE;
use crate::partition::fetch_session::{PartitionKey, TopicKey, Wanted};
use crate::partition::purgatory::PendingRead;
use crate::partition::{Mark, Partition, TopicPartitions};

/// One look at every partition.
pub(super) struct Round {
    pub(super) found: Vec<Found>,
    bytes: u64,
    /// Something that must be told at once: an error or a diverging epoch.
    is_special: bool,
}

/// What one partition has: its answer, its records still to be loaded.
pub(super) struct Found {
    answer: PartitionAnswer,
    slice: Option<LogSlice>,
    /// `None` when the partition was not read.
    seen: Option<Seen>,
}

/// How far a partition was seen.
struct Seen {
    partition: Arc<Partition>,
    from: Offset,
    /// Where the read stopped.
    mark: Mark,
    /// Bytes that count for `min_bytes`: of the slice, or all that the request takes when only limits kept it away.
    bytes: u64,
}

impl Round {
    pub(super) fn read(context: &RequestContext, limits: &Limits, partitions: &[(PartitionKey, Wanted)]) -> Self {
        let mut round = Self { found: Vec::with_capacity(partitions.len()), bytes: 0, is_special: false };
        let mut budget = Budget { left: limits.max_bytes, is_untouched: true };
        for (key, wanted) in partitions {
            let found = read_partition(context, key, wanted, &mut budget);
            round.bytes += found.seen.as_ref().map_or(0, |seen| seen.bytes);
            round.is_special |= found.answer.error.is_some() || found.answer.diverging.is_some();
            round.found.push(found);
        }
        round
    }

    pub(super) fn is_enough(&self, limits: &Limits) -> bool {
        self.found.is_empty() || self.is_special || limits.max_wait.is_zero() || self.bytes >= limits.min_bytes
    }

    pub(super) fn pending<'a>(&'a self, partitions: &[(PartitionKey, Wanted)]) -> Vec<PendingRead<'a>> {
        let pending = self.found.iter().zip(partitions).filter_map(|(found, (_, wanted))| {
            let Seen { partition, mark, bytes, .. } = found.seen.as_ref()?;
            Some(PendingRead { partition, mark: *mark, found: *bytes, max_bytes: wanted.max_bytes as u64 })
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
            return Found { answer, slice: None, seen: None };
        }
    };
    match read(&partition, wanted, budget, &mut answer) {
        Ok((slice, mark)) => {
            let kept_away = if wanted.offset < mark.offset { wanted.max_bytes } else { 0 };
            let bytes = slice.as_ref().map_or(kept_away, LogSlice::len) as u64;
            Found { answer, slice, seen: Some(Seen { partition, from: wanted.offset, mark, bytes }) }
        }
        Err(error) => {
            answer.error = Some(error);
            if error == ResponseError::FencedLeaderEpoch {
                answer.current_leader = Some(CurrentLeader::here(context, &partition));
            }
            Found { answer, slice: None, seen: None }
        }
    }
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
) -> Result<(Option<LogSlice>, Mark), ResponseError> {
    check_leader_epoch(partition, wanted.leader_epoch)?;
    answer.diverging = diverging(partition, wanted)?;
    if answer.diverging.is_some() {
        answer.tell_offsets(partition);
        return Ok((None, partition.mark()));
    }
    let read = partition.read(wanted.offset, wanted.max_bytes.min(budget.left), budget.is_untouched);
    partition.traffic().fetched(&read);
    // After the read, so that the high watermark covers every record of the answer.
    answer.tell_offsets(partition);
    let (read, mark) = read.map_err(|error| error.code())?;
    if let Some(slice) = &read.slice {
        budget.left = budget.left.saturating_sub(slice.len());
        budget.is_untouched = false;
    }
    Ok((read.slice, mark))
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

/// Turns slices into chunks: at once when all of it is in memory, else read off the async workers in one go, no more than
/// [`crate::limits::COLD_FETCH_BYTES_MAX`] for one answer, and once there is room for them.
pub(super) async fn load(context: &RequestContext, found: Vec<Found>) -> Vec<PartitionAnswer> {
    let mut answers = Vec::with_capacity(found.len());
    let mut cold = Vec::new();
    let is_encrypted = context.connection.protocol.is_tls();
    let (mut cold_left, mut copied_left) = (context.broker.unsent.share(), UNSENT_BYTES_FREE);
    for (position, Found { mut answer, slice, seen }) in found.into_iter().enumerate() {
        if let (Some(slice), Some(seen)) = (slice, seen) {
            let traffic = seen.partition.traffic();
            if let Some(chunk) = hot(&slice, &mut copied_left, is_encrypted) {
                traffic.bytes_out.add(slice.len() as u64);
                answer.records = Some(chunk);
            } else if let Some(slice) = cut_cold(&seen.partition, seen.from, slice, &mut cold_left, cold.is_empty()) {
                traffic.bytes_out.add(slice.len() as u64);
                cold.push((position, slice));
            }
        }
        answers.push(answer);
    }
    if cold.is_empty() {
        return answers;
    }
    // Until the answer is made; from then on the connection holds it.
    let cold_bytes = cold.iter().map(|(_, slice)| slice.len()).sum();
    let _held = context.broker.unsent.hold_when_free(cold_bytes).await;
    let read = move || cold.into_iter().map(|(position, slice)| (position, slice.read())).collect::<Vec<_>>();
    for (position, bytes) in context.broker.tasks.blocking(read).await {
        let Some(answer) = answers.get_mut(position) else { continue };
        match bytes {
            Ok(bytes) => answer.records = Some(Chunk::Memory(bytes)),
            Err(error) => {
                let (topic, partition) = (&answer.topic, answer.index.0);
                tracing::error!(?topic, partition, %error, "records could not be read: clients ask again; {LOOK_AT_DISK}");
                answer.error = Some(ResponseError::KafkaStorageError);
            }
        }
    }
    answers
}

/// A slice that is in memory: a small one as a copy, else its mapped range. What is to be encrypted has to be looked at,
/// and so is never a map: a large one is read like one that is not in memory.
fn hot(slice: &LogSlice, copied_left: &mut usize, is_encrypted: bool) -> Option<Chunk> {
    let range = slice.resident()?;
    if slice.len() > *copied_left {
        return (!is_encrypted).then_some(Chunk::Mapped(range));
    }
    *copied_left -= slice.len();
    slice.read().ok().map(Chunk::Memory)
}

/// What may be read into memory of a slice that is not there; at least a batch of the first one. The client asks again
/// for the rest.
pub(super) fn cut_cold(
    partition: &Partition,
    from: Offset,
    slice: LogSlice,
    left: &mut usize,
    is_first: bool,
) -> Option<LogSlice> {
    let cut = if slice.len() <= *left { Some(slice) } else { partition.read(from, *left, is_first).ok()?.0.slice };
    *left = left.saturating_sub(cut.as_ref().map_or(0, LogSlice::len));
    cut
}

/// What an answer says of a partition before it was looked at.
pub(super) fn blank(key: &PartitionKey) -> PartitionAnswer {
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
