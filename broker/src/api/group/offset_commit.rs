//! OffsetCommit (key 8): how far a group has read. Answered when the offsets are durable.
//!
//! Where it differs from Apache Kafka: version 10 (topic ids, KIP-848) is not served yet.
//!
//! Versions: 2-4 retention time; 6 leader epoch (KIP-320); 7 `group.instance.id` (KIP-345); 8 flexible; 9 a member of a
//! group that does not exist gets GROUP_ID_NOT_FOUND instead of ILLEGAL_GENERATION.

use std::sync::Arc;

use barnabas_auth::{Operation, ResourceType};
use barnabas_raft::TopicImage;
use barnabas_storage::{LeaderEpoch, Offset, PartitionIndex};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
use kafka_protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};

use super::{READ_GROUP, instance_of, may_read_group, member_of};
use crate::api::error_code::ErrorCode;
use crate::api::shape::{int32, int64, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::group::classic::CommitIdentity;
use crate::group::error::GroupError;
use crate::group::ids::GroupId;
use crate::group::offsets::TopicPartition;
use crate::group::shard::{CommitRequest, NewOffset};

/// OffsetCommit.
pub struct OffsetCommit;

const READ_TOPIC: Need = Need { operation: Operation::Read, resource: ResourceType::Topic };

/// The retention time that stands for the broker's.
const DEFAULT_RETENTION: i64 = -1;

impl Api for OffsetCommit {
    type Request = OffsetCommitRequest;
    const NAME: &'static str = "OffsetCommit";
    const VERSIONS: Versions = Versions::new(2, 9);
    const SHAPE: Shape = Shape {
        flexible: 8,
        fields: &[
            text(),
            int32(),
            text(),
            text().since(7).nullable(7),
            int64().since(2).until(4),
            structs(&[text(), structs(&[int32(), int64(), int32().since(6), text().nullable(0)])]),
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

impl OneStage for OffsetCommit {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<OffsetCommitResponse, CloseReason> {
        let topics = request.topics.iter();
        let checked: Vec<Vec<Checked>> = if may_read_group(&context, &request.group_id) {
            topics.map(|topic| check_topic(&context, topic)).collect()
        } else {
            topics.map(|topic| refuse_topic(topic, ResponseError::GroupAuthorizationFailed)).collect()
        };
        let asks_group = checked.iter().flatten().any(|checked| !matches!(checked, Checked::Refused(_)));
        let committed = if asks_group { commit(&context, &request, &checked).await } else { Ok(()) };
        let outcome = |checked: &Checked| match checked {
            Checked::Refused(error) => Err(*error),
            Checked::TooLarge => committed.and(Err(GroupError::OffsetMetadataTooLarge)).map_err(|error| error.code()),
            Checked::Good(_) => committed.map_err(|error| error.code()),
        };
        let answered = request.topics.iter().zip(&checked).map(|(topic, checked)| {
            let partition = |(partition, checked): (&OffsetCommitRequestPartition, &Checked)| {
                OffsetCommitResponsePartition::default()
                    .with_partition_index(partition.partition_index)
                    .with_error_code(outcome(checked).err().map_or(0, |error| error.code()))
            };
            OffsetCommitResponseTopic::default()
                .with_name(topic.name.clone())
                .with_partitions(topic.partitions.iter().zip(checked).map(partition).collect())
        });
        Ok(OffsetCommitResponse::default().with_topics(answered.collect()))
    }
}

fn check_topic(context: &RequestContext, topic: &OffsetCommitRequestTopic) -> Vec<Checked> {
    if !context.allowed(READ_TOPIC.operation, READ_TOPIC.resource, &topic.name) {
        return refuse_topic(topic, ResponseError::TopicAuthorizationFailed);
    }
    let image = context.broker.controller.image();
    let Some(known) = image.topic(&topic.name) else {
        return refuse_topic(topic, ResponseError::UnknownTopicOrPartition);
    };
    topic.partitions.iter().map(|partition| check_partition(context, known, partition)).collect()
}

fn refuse_topic(topic: &OffsetCommitRequestTopic, error: ResponseError) -> Vec<Checked> {
    topic.partitions.iter().map(|_| Checked::Refused(error)).collect()
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
        offset: Offset(asked.committed_offset),
        leader_epoch: LeaderEpoch(asked.committed_leader_epoch),
        metadata: Arc::from(metadata),
    })
}

async fn commit(
    context: &RequestContext,
    request: &OffsetCommitRequest,
    checked: &[Vec<Checked>],
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
        offsets: checked.iter().flatten().filter_map(good).collect(),
    };
    context.broker.groups.commit(&GroupId::from(&**request.group_id), commit).await
}
