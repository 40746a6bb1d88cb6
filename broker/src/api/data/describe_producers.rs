//! DescribeProducers (key 61): the idempotent producers that a partition remembers (KIP-664).
//!
//! Where it differs from Apache Kafka: nowhere.
//!
//! Versions: 0.

use barnabas_auth::{Operation, ResourceType};
use barnabas_storage::{ActiveProducer, PartitionIndex};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::describe_producers_response::{PartitionResponse, ProducerState, TopicResponse};
use kafka_protocol::messages::{DescribeProducersRequest, DescribeProducersResponse, ProducerId};

use crate::api::error_code::ErrorCode;
use crate::api::refusal::{Refusal, UNKNOWN_PARTITION};
use crate::api::shape::{Kind, array, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::topics::check_name;

/// DescribeProducers.
pub struct DescribeProducers;

impl Api for DescribeProducers {
    type Request = DescribeProducersRequest;
    const NAME: &'static str = "DescribeProducers";
    const VERSIONS: Versions = Versions::new(0, 0);
    const SHAPE: Shape = Shape { flexible: 0, fields: &[structs(&[text(), array(&Kind::Fixed(4))])] };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Read, resource: ResourceType::Topic }];
    const RUNS_ON: RunsOn = RunsOn::PartitionLeader;
}

impl OneStage for DescribeProducers {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<DescribeProducersResponse, CloseReason> {
        let topics = request.topics.into_iter().map(|topic| {
            let refused = check_topic(&context, &topic.name).err();
            let partitions = topic.partition_indexes.into_iter().map(|index| {
                let producers = match &refused {
                    Some(refusal) => Err(refusal.clone()),
                    None => producers(&context, &topic.name, index),
                };
                partition(index, producers)
            });
            TopicResponse::default().with_partitions(partitions.collect()).with_name(topic.name.clone())
        });
        Ok(DescribeProducersResponse::default().with_topics(topics.collect()))
    }

    fn error_codes(response: &DescribeProducersResponse) -> impl IntoIterator<Item = i16> {
        response.topics.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code)
    }
}

fn check_topic(context: &RequestContext, topic: &str) -> Result<(), Refusal> {
    check_name(topic).map_err(|error| Refusal::of(&error))?;
    if !context.allowed(Operation::Read, ResourceType::Topic, topic) {
        return Err(Refusal::new(ResponseError::TopicAuthorizationFailed, "Topic authorization failed."));
    }
    match context.broker.controller.image().topic(topic) {
        Some(_) => Ok(()),
        None => Err(Refusal::new(ResponseError::UnknownTopicOrPartition, UNKNOWN_PARTITION)),
    }
}

fn producers(context: &RequestContext, topic: &str, index: i32) -> Result<Vec<ActiveProducer>, Refusal> {
    let found = context.broker.partitions.topic(topic);
    let found = found.ok_or_else(|| Refusal::bare(ResponseError::UnknownTopicOrPartition))?;
    let partition = found.partition(PartitionIndex(index)).map_err(|error| Refusal::bare(error.code()))?;
    Ok(partition.log().active_producers())
}

fn partition(index: i32, producers: Result<Vec<ActiveProducer>, Refusal>) -> PartitionResponse {
    let response = PartitionResponse::default().with_partition_index(index);
    match producers {
        Ok(producers) => {
            let producers = producers.into_iter().map(|producer| {
                ProducerState::default()
                    .with_producer_id(ProducerId(producer.id.0))
                    .with_producer_epoch(i32::from(producer.epoch.0))
                    .with_last_sequence(producer.last_sequence)
                    .with_last_timestamp(producer.last_timestamp.0)
                    .with_coordinator_epoch(producer.coordinator_epoch)
                    .with_current_txn_start_offset(producer.transaction_start.0)
            });
            response.with_error_message(None).with_active_producers(producers.collect())
        }
        Err(refusal) => response.with_error_code(refusal.code.code()).with_error_message(refusal.wire_message()),
    }
}
