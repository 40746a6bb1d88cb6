//! AlterPartitionReassignments (key 45): partitions get other replicas (KIP-455).
//!
//! Where it differs from Apache Kafka: one node can only be asked for the replicas that there are; every other wish
//! names a broker that is not registered, and is refused so.
//!
//! Versions: 1 the number of replicas may be held (KIP-860).

use std::collections::BTreeSet;

use barnabas_auth::{Operation, ResourceType};
use barnabas_raft::{BrokerId, MetadataImage};
use barnabas_storage::PartitionIndex;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::alter_partition_reassignments_request::ReassignablePartition;
use kafka_protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use kafka_protocol::messages::{AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse};
use kafka_protocol::protocol::StrBytes;

use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::refusal::Refusal;
use crate::api::shape::{Kind, array, boolean, int32, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, QuotaClass, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::{Activity, Subject};

/// AlterPartitionReassignments.
pub struct AlterPartitionReassignments;

impl Api for AlterPartitionReassignments {
    type Request = AlterPartitionReassignmentsRequest;
    const NAME: &'static str = "AlterPartitionReassignments";
    const VERSIONS: Versions = Versions::new(0, 1);
    const SHAPE: Shape = Shape {
        flexible: 0,
        fields: &[
            int32(),
            boolean().since(1),
            structs(&[text(), structs(&[int32(), array(&Kind::Fixed(4)).nullable(0)])]),
        ],
    };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Alter, resource: ResourceType::Cluster }];
    const RUNS_ON: RunsOn = RunsOn::Controller;
    const QUOTA: QuotaClass = QuotaClass::ControllerMutation;
}

impl OneStage for AlterPartitionReassignments {
    async fn handle(
        context: RequestContext,
        request: Self::Request,
    ) -> Result<AlterPartitionReassignmentsResponse, CloseReason> {
        let response = AlterPartitionReassignmentsResponse::default()
            .with_allow_replication_factor_change(request.allow_replication_factor_change)
            .with_error_message(None);
        if !context.allowed(Operation::Alter, ResourceType::Cluster, CLUSTER_NAME) {
            let message = StrBytes::from_static_str("Cluster authorization failed.");
            let error = ResponseError::ClusterAuthorizationFailed.code();
            let refused = refuse_all(&request, error, &message);
            return Ok(response.with_error_code(error).with_error_message(Some(message)).with_responses(refused));
        }
        let image = context.broker.controller.image();
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|wanted| {
                let refusal = check(&image, &topic.name, wanted, request.allow_replication_factor_change).err();
                tell(&context, &topic.name, wanted, refusal.as_ref());
                ReassignablePartitionResponse::default()
                    .with_partition_index(wanted.partition_index)
                    .with_error_code(refusal.as_ref().map_or(0, |refusal| refusal.code.code()))
                    .with_error_message(refusal.and_then(Refusal::wire_message))
            });
            let partitions = partitions.collect();
            ReassignableTopicResponse::default().with_name(topic.name).with_partitions(partitions)
        });
        Ok(response.with_responses(topics.collect()))
    }

    fn error_codes(response: &AlterPartitionReassignmentsResponse) -> impl IntoIterator<Item = i16> {
        let parts = response.responses.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code);
        std::iter::once(response.error_code).chain(parts)
    }
}

fn tell(context: &RequestContext, topic: &str, wanted: &ReassignablePartition, refusal: Option<&Refusal>) {
    context.tell(Activity::Update, refusal.map(|refusal| refusal.code), || {
        let ids = wanted.replicas.iter().flatten().map(|id| id.0.to_string());
        let replicas = wanted.replicas.as_ref().map_or("as before".to_owned(), |_| ids.collect::<Vec<_>>().join(","));
        let subject = Subject::new(ResourceType::Topic.name(), topic);
        subject.with("partition", wanted.partition_index).with("replicas", replicas)
    });
}

/// Every partition by itself, as Kafka refuses a whole request.
fn refuse_all(
    request: &AlterPartitionReassignmentsRequest,
    error: i16,
    message: &StrBytes,
) -> Vec<ReassignableTopicResponse> {
    let refused = |partition: &ReassignablePartition| {
        ReassignablePartitionResponse::default()
            .with_partition_index(partition.partition_index)
            .with_error_code(error)
            .with_error_message(Some(message.clone()))
    };
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(refused).collect();
        ReassignableTopicResponse::default().with_name(topic.name.clone()).with_partitions(partitions)
    });
    topics.collect()
}

/// Whether the partition has the replicas that are wanted. Kafka's checks in Kafka's order.
fn check(
    image: &MetadataImage,
    topic: &str,
    wanted: &ReassignablePartition,
    may_change_number: bool,
) -> Result<(), Refusal> {
    let (unknown, index) = (ResponseError::UnknownTopicOrPartition, wanted.partition_index);
    let no_topic = || Refusal::new(unknown, format!("Unable to find a topic named {topic}."));
    let no_partition = || Refusal::new(unknown, format!("Unable to find partition {topic}:{index}."));
    let partition =
        image.topic(topic).ok_or_else(no_topic)?.partition(PartitionIndex(index)).ok_or_else(no_partition)?;
    let Some(replicas) = &wanted.replicas else {
        let message = "No partition reassignment is in progress.";
        return Err(Refusal::new(ResponseError::NoReassignmentInProgress, message));
    };
    let invalid = |message: String| Err(Refusal::new(ResponseError::InvalidReplicaAssignment, message));
    if replicas.is_empty() {
        return invalid("The manual partition assignment includes an empty replica list.".to_owned());
    }
    let mut seen = BTreeSet::new();
    for id in replicas.iter().map(|id| id.0) {
        if !seen.insert(id) {
            return invalid(format!("The manual partition assignment includes the broker {id} more than once."));
        }
        if image.broker(BrokerId(id)).is_none() {
            let message =
                format!("The manual partition assignment includes broker {id}, but no such broker is registered.");
            return invalid(message);
        }
    }
    let (present, asked) = (partition.replicas.len(), replicas.len());
    if present != asked && !may_change_number {
        let message = format!("The replication factor is changed from {present} to {asked}");
        return Err(Refusal::new(ResponseError::InvalidReplicationFactor, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::image;
    use super::*;

    fn judged(topic: &str, index: i32, replicas: Option<&[i32]>) -> Result<(), ResponseError> {
        let ids = |ids: &[i32]| ids.iter().map(|id| kafka_protocol::messages::BrokerId(*id)).collect();
        let wanted = ReassignablePartition::default().with_partition_index(index).with_replicas(replicas.map(ids));
        check(&image(&[("t", 2)]), topic, &wanted, false).map_err(|refusal| refusal.code)
    }

    #[test]
    fn only_the_replicas_that_there_are_can_be_wished_for() {
        assert_eq!(judged("t", 1, Some(&[1])), Ok(()));
        assert_eq!(judged("t", 1, None), Err(ResponseError::NoReassignmentInProgress));
        assert_eq!(judged("t", 1, Some(&[])), Err(ResponseError::InvalidReplicaAssignment));
        assert_eq!(judged("t", 1, Some(&[1, 1])), Err(ResponseError::InvalidReplicaAssignment));
        assert_eq!(judged("t", 1, Some(&[7])), Err(ResponseError::InvalidReplicaAssignment));
        assert_eq!(judged("t", 1, Some(&[1, 2])), Err(ResponseError::InvalidReplicationFactor));
        assert_eq!(judged("t", 2, Some(&[1])), Err(ResponseError::UnknownTopicOrPartition));
        assert_eq!(judged("u", 0, Some(&[1])), Err(ResponseError::UnknownTopicOrPartition));
    }
}
