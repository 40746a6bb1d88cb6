//! DescribeQuorum (key 55): the controllers, who leads them, and how far they are (KIP-595).
//!
//! Where it differs from Apache Kafka: one voter, this node. Offsets are raft's indexes. The voter's endpoints are the
//! broker's listeners: no listener is opened for controllers.
//!
//! Versions: 1 times of the replicas (KIP-836); 2 nodes, directory ids and messages (KIP-853).

use barnabas_auth::{Operation, ResourceType};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::describe_quorum_response::{Listener, Node, PartitionData, ReplicaState, TopicData};
use kafka_protocol::messages::{BrokerId, DescribeQuorumRequest, DescribeQuorumResponse};
use kafka_protocol::protocol::StrBytes;

use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::refusal::UNKNOWN_PARTITION;
use crate::api::shape::{int32, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::topics::CLUSTER_METADATA;

/// DescribeQuorum.
pub struct DescribeQuorum;

impl Api for DescribeQuorum {
    type Request = DescribeQuorumRequest;
    const NAME: &'static str = "DescribeQuorum";
    const VERSIONS: Versions = Versions::new(0, 2);
    const SHAPE: Shape = Shape { flexible: 0, fields: &[structs(&[text(), structs(&[int32()])])] };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Describe, resource: ResourceType::Cluster }];
    const RUNS_ON: RunsOn = RunsOn::Controller;
}

impl OneStage for DescribeQuorum {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<DescribeQuorumResponse, CloseReason> {
        if !context.allowed(Operation::Describe, ResourceType::Cluster, CLUSTER_NAME) {
            let error = ResponseError::ClusterAuthorizationFailed.code();
            let message = StrBytes::from_static_str("Cluster authorization failed.");
            return Ok(DescribeQuorumResponse::default().with_error_code(error).with_error_message(Some(message)));
        }
        let is_metadata = match &request.topics[..] {
            [topic] => {
                let only_first = matches!(&topic.partitions[..], [only] if only.partition_index == 0);
                &**topic.topic_name == CLUSTER_METADATA && only_first
            }
            _ => false,
        };
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|partition| match is_metadata {
                true => quorum(&context),
                false => PartitionData::default()
                    .with_partition_index(partition.partition_index)
                    .with_error_code(ResponseError::UnknownTopicOrPartition.code())
                    .with_error_message(Some(StrBytes::from_static_str(UNKNOWN_PARTITION))),
            });
            let partitions = partitions.collect();
            TopicData::default().with_topic_name(topic.topic_name).with_partitions(partitions)
        });
        let response = DescribeQuorumResponse::default().with_error_message(None).with_topics(topics.collect());
        Ok(if is_metadata && context.version >= 2 { response.with_nodes(vec![node(&context)]) } else { response })
    }

    fn error_codes(response: &DescribeQuorumResponse) -> impl IntoIterator<Item = i16> {
        let parts = response.topics.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code);
        std::iter::once(response.error_code).chain(parts)
    }
}

fn quorum(context: &RequestContext) -> PartitionData {
    let controller = &context.broker.controller;
    let id = BrokerId(context.broker.id.0);
    let index = i64::try_from(controller.image().applied_index()).unwrap_or(i64::MAX);
    let now = context.broker.seams.clock.now().0;
    let mut voter = ReplicaState::default().with_replica_id(id).with_log_end_offset(index);
    if context.version >= 1 {
        voter = voter.with_last_fetch_timestamp(now).with_last_caught_up_timestamp(now);
    }
    PartitionData::default()
        .with_error_message(None)
        .with_leader_id(id)
        .with_leader_epoch(i32::try_from(controller.term()).unwrap_or(i32::MAX))
        .with_high_watermark(index)
        .with_current_voters(vec![voter])
}

fn node(context: &RequestContext) -> Node {
    let image = context.broker.controller.image();
    let endpoints = image.broker(context.broker.id).map(|broker| broker.endpoints.clone()).unwrap_or_default();
    let listeners = endpoints.into_iter().map(|endpoint| {
        Listener::default()
            .with_name(StrBytes::from_string(endpoint.listener))
            .with_host(StrBytes::from_string(endpoint.host))
            .with_port(endpoint.port)
    });
    Node::default().with_node_id(BrokerId(context.broker.id.0)).with_listeners(listeners.collect())
}
