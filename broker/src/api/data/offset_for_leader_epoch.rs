//! OffsetForLeaderEpoch (key 23): where a leader epoch ended, so that a consumer notices a truncated log (KIP-320).
//!
//! Where it differs from Apache Kafka: it does not.
//!
//! Versions: 2 leader epochs (KIP-320); 3 replica_id; 4 flexible.

use barnabas_auth::{Operation, ResourceType};
use barnabas_storage::{LeaderEpoch, Offset, PartitionIndex};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use kafka_protocol::messages::offset_for_leader_epoch_response::{EpochEndOffset, OffsetForLeaderTopicResult};
use kafka_protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

use super::check_leader_epoch;
use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::error_code::ErrorCode;
use crate::api::shape::{int32, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};

/// OffsetForLeaderEpoch.
pub struct OffsetForLeaderEpoch;

impl Api for OffsetForLeaderEpoch {
    type Request = OffsetForLeaderEpochRequest;
    const NAME: &'static str = "OffsetForLeaderEpoch";
    const VERSIONS: Versions = Versions::new(2, 4);
    const SHAPE: Shape =
        Shape { flexible: 4, fields: &[int32().since(3), structs(&[text(), structs(&[int32(), int32(), int32()])])] };
    const NEEDS: &'static [Need] = &[
        Need { operation: Operation::ClusterAction, resource: ResourceType::Cluster },
        Need { operation: Operation::Describe, resource: ResourceType::Topic },
    ];
    const RUNS_ON: RunsOn = RunsOn::PartitionLeader;
}

impl OneStage for OffsetForLeaderEpoch {
    async fn handle(
        context: RequestContext,
        request: Self::Request,
    ) -> Result<OffsetForLeaderEpochResponse, CloseReason> {
        let is_broker = context.would_allow(Operation::ClusterAction, ResourceType::Cluster, CLUSTER_NAME);
        let topics = request.topics.into_iter().map(|topic| {
            let allowed = is_broker || context.allowed(Operation::Describe, ResourceType::Topic, &topic.topic);
            let partitions = topic.partitions.iter().map(|asked| {
                let found = if allowed {
                    find(&context, &topic.topic, asked)
                } else {
                    Err(ResponseError::TopicAuthorizationFailed)
                };
                answer(asked.partition, found)
            });
            let partitions = partitions.collect();
            OffsetForLeaderTopicResult::default().with_topic(topic.topic).with_partitions(partitions)
        });
        Ok(OffsetForLeaderEpochResponse::default().with_topics(topics.collect()))
    }

    fn error_codes(response: &OffsetForLeaderEpochResponse) -> impl IntoIterator<Item = i16> {
        response.topics.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code)
    }
}

fn find(
    context: &RequestContext,
    topic: &str,
    asked: &OffsetForLeaderPartition,
) -> Result<Option<(LeaderEpoch, Offset)>, ResponseError> {
    let topic = context.broker.partitions.topic(topic).ok_or(ResponseError::UnknownTopicOrPartition)?;
    let partition = topic.partition(PartitionIndex(asked.partition)).map_err(|error| error.code())?;
    check_leader_epoch(&partition, LeaderEpoch(asked.current_leader_epoch))?;
    Ok(partition.end_offset_for_epoch(LeaderEpoch(asked.leader_epoch)))
}

fn answer(partition: i32, found: Result<Option<(LeaderEpoch, Offset)>, ResponseError>) -> EpochEndOffset {
    let answer = EpochEndOffset::default().with_partition(partition);
    match found {
        Ok(None) => answer,
        Ok(Some((epoch, end))) => answer.with_leader_epoch(epoch.0).with_end_offset(end.0),
        Err(error) => answer.with_error_code(error.code()),
    }
}
