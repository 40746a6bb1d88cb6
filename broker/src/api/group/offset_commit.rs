//! OffsetCommit (key 8): how far a group has read. Answered when the offsets are durable.
//!
//! Where it differs from Apache Kafka: it does not.
//!
//! Versions: 2-4 retention time; 6 leader epoch (KIP-320); 7 `group.instance.id` (KIP-345); 8 flexible; 9 a member of a
//! group that does not exist gets GROUP_ID_NOT_FOUND instead of ILLEGAL_GENERATION; 10 topic ids instead of names
//! (KIP-848), which `topic_ids` reads: an id that is not known is UNKNOWN_TOPIC_ID.

use std::collections::HashMap;
use std::sync::Arc;

use barnabas_auth::{Operation, ResourceType};
use barnabas_raft::TopicImage;
use barnabas_storage::{LeaderEpoch, Offset, PartitionIndex, TopicId};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
use kafka_protocol::messages::{OffsetCommitRequest, OffsetCommitResponse, TopicName};

use super::{READ_GROUP, instance_of, may_read_group, member_of};
use crate::api::error_code::ErrorCode;
use crate::api::later_version::Answer;
use crate::api::shape::{int32, int64, structs, text, uuid};
use crate::api::{Api, CloseReason, LaterVersion, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::group::classic::CommitIdentity;
use crate::group::error::GroupError;
use crate::group::ids::GroupId;
use crate::group::offsets::TopicPartition;
use crate::group::shard::{CommitRequest, NewOffset};

mod topic_ids;

/// OffsetCommit.
pub struct OffsetCommit;

const READ_TOPIC: Need = Need { operation: Operation::Read, resource: ResourceType::Topic };

const TOPIC_IDS_SINCE: i16 = 10;

/// The retention time that stands for the broker's.
const DEFAULT_RETENTION: i64 = -1;

impl Api for OffsetCommit {
    type Request = OffsetCommitRequest;
    const NAME: &'static str = "OffsetCommit";
    const VERSIONS: Versions = Versions::new(2, TOPIC_IDS_SINCE);
    const LATER_VERSION: Option<LaterVersion<Self::Request>> = Some(LaterVersion {
        version: TOPIC_IDS_SINCE,
        decode: topic_ids::decode,
        answer: Answer::As(TOPIC_IDS_SINCE),
        #[cfg(test)]
        encode: topic_ids::encode,
    });
    const SHAPE: Shape = Shape {
        flexible: 8,
        fields: &[
            text(),
            int32(),
            text(),
            text().since(7).nullable(7),
            int64().since(2).until(4),
            structs(&[
                text().until(9),
                uuid().since(10),
                structs(&[int32(), int64(), int32().since(6), text().nullable(0)]),
            ]),
        ],
    };
    const NEEDS: &'static [Need] = &[READ_GROUP, READ_TOPIC];
    const RUNS_ON: RunsOn = RunsOn::Coordinator;
}

/// What becomes of one partition of the request.
enum Checked {
    /// Refused before the group is asked.
    Refused(ResponseError),
    /// Its metadata is too long: refused, but a refusal by the group comes first.
    TooLarge,
    /// To be committed.
    Good(NewOffset),
}

/// What becomes of a topic of the request: an error is of the topic and all its partitions.
type CheckedTopic = Result<Vec<Checked>, ResponseError>;

impl OneStage for OffsetCommit {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<OffsetCommitResponse, CloseReason> {
        if !may_read_group(&context, &request.group_id) {
            let refuse = |topic| refused(topic, ResponseError::GroupAuthorizationFailed);
            return Ok(OffsetCommitResponse::default().with_topics(request.topics.iter().map(refuse).collect()));
        }
        let checked: Vec<_> = request.topics.iter().map(|topic| check_topic(&context, topic)).collect();
        let mut partitions = checked.iter().flatten().flatten();
        let asks_group = partitions.any(|checked| !matches!(checked, Checked::Refused(_)));
        let committed = if asks_group { commit(&context, &request, &checked).await } else { Ok(()) };
        Ok(OffsetCommitResponse::default().with_topics(answer(&request.topics, &checked, committed)))
    }

    fn error_codes(response: &OffsetCommitResponse) -> impl IntoIterator<Item = i16> {
        response.topics.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code)
    }
}

fn check_topic(context: &RequestContext, topic: &OffsetCommitRequestTopic) -> CheckedTopic {
    let image = context.broker.controller.image();
    let by_id = context.version >= TOPIC_IDS_SINCE;
    let known = if by_id { image.topic_by_id(TopicId(topic.topic_id)) } else { image.topic(&topic.name) };
    let name = match known {
        Some(known) => &*known.name,
        None if by_id => return Err(ResponseError::UnknownTopicId),
        None => &*topic.name,
    };
    if !context.allowed(READ_TOPIC.operation, READ_TOPIC.resource, name) {
        return Err(ResponseError::TopicAuthorizationFailed);
    }
    let known = known.ok_or(ResponseError::UnknownTopicOrPartition)?;
    Ok(topic.partitions.iter().map(|partition| check_partition(context, known, partition)).collect())
}

fn check_partition(context: &RequestContext, topic: &TopicImage, asked: &OffsetCommitRequestPartition) -> Checked {
    let partition = PartitionIndex(asked.partition_index);
    if topic.partition(partition).is_none() {
        return Checked::Refused(ResponseError::UnknownTopicOrPartition);
    }
    let metadata = asked.committed_metadata.as_deref().unwrap_or("");
    // Kafka counts the units of a Java string.
    if metadata.encode_utf16().count() > context.broker.groups.settings().offset_metadata_max {
        return Checked::TooLarge;
    }
    Checked::Good(NewOffset {
        at: TopicPartition { topic: Arc::clone(&topic.name), partition },
        topic_id: topic.id,
        offset: Offset(asked.committed_offset),
        leader_epoch: LeaderEpoch(asked.committed_leader_epoch),
        metadata: Arc::from(metadata),
    })
}

/// The answer in Kafka's order: partitions that were refused before the group was asked come first, and then a topic
/// stands once however often it was asked for; without any, topics stand as they were asked for. A topic without a
/// partition is left out unless it was refused.
fn answer(
    topics: &[OffsetCommitRequestTopic],
    checked: &[CheckedTopic],
    committed: Result<(), GroupError>,
) -> Vec<OffsetCommitResponseTopic> {
    let mut first = Merged::default();
    let mut asked = Vec::new();
    for (topic, checked) in topics.iter().zip(checked) {
        let checked = match checked {
            Ok(checked) => checked,
            Err(error) => {
                first.add(refused(topic, *error));
                continue;
            }
        };
        let (mut refused, mut of_group) = (Vec::new(), Vec::new());
        for (partition, checked) in topic.partitions.iter().zip(checked) {
            let outcome = match checked {
                Checked::Refused(error) => Err(*error),
                Checked::TooLarge => committed.and(Err(GroupError::OffsetMetadataTooLarge)).map_err(|e| e.code()),
                Checked::Good(_) => committed.map_err(|error| error.code()),
            };
            let is_refused = matches!(checked, Checked::Refused(_));
            let list = if is_refused { &mut refused } else { &mut of_group };
            list.push(told(partition, outcome.err().map_or(0, |error| error.code())));
        }
        if !refused.is_empty() {
            first.add(named(topic).with_partitions(refused));
        }
        if !of_group.is_empty() {
            asked.push(named(topic).with_partitions(of_group));
        }
    }
    if first.topics.is_empty() {
        return asked;
    }
    asked.into_iter().for_each(|topic| first.add(topic));
    first.topics
}

/// Topics of an answer, each once.
#[derive(Default)]
struct Merged {
    topics: Vec<OffsetCommitResponseTopic>,
    places: HashMap<(TopicName, TopicId), usize>,
}

impl Merged {
    fn add(&mut self, topic: OffsetCommitResponseTopic) {
        let place = *self.places.entry((topic.name.clone(), TopicId(topic.topic_id))).or_insert(self.topics.len());
        match self.topics.get_mut(place) {
            Some(present) => present.partitions.extend(topic.partitions),
            None => self.topics.push(topic),
        }
    }
}

/// The topic of an answer as the request names it.
fn named(topic: &OffsetCommitRequestTopic) -> OffsetCommitResponseTopic {
    OffsetCommitResponseTopic::default().with_name(topic.name.clone()).with_topic_id(topic.topic_id)
}

fn refused(topic: &OffsetCommitRequestTopic, error: ResponseError) -> OffsetCommitResponseTopic {
    named(topic).with_partitions(topic.partitions.iter().map(|partition| told(partition, error.code())).collect())
}

fn told(partition: &OffsetCommitRequestPartition, error: i16) -> OffsetCommitResponsePartition {
    OffsetCommitResponsePartition::default().with_partition_index(partition.partition_index).with_error_code(error)
}

async fn commit(
    context: &RequestContext,
    request: &OffsetCommitRequest,
    checked: &[CheckedTopic],
) -> Result<(), GroupError> {
    let good = |checked: &Checked| match checked {
        Checked::Good(offset) => Some(offset.clone()),
        Checked::Refused(_) | Checked::TooLarge => None,
    };
    let commit = CommitRequest {
        identity: CommitIdentity {
            member_id: member_of(&request.member_id),
            instance: instance_of(request.group_instance_id.as_ref()),
            generation: request.generation_id_or_member_epoch,
        },
        retention_ms: Some(request.retention_time_ms).filter(|retention| *retention != DEFAULT_RETENTION),
        absent: if context.version >= 9 { GroupError::GroupIdNotFound } else { GroupError::IllegalGeneration },
        offsets: checked.iter().flatten().flatten().filter_map(good).collect(),
    };
    context.broker.groups.commit(&GroupId::from(&**request.group_id), commit).await
}
