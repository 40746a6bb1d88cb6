//! DescribeTopicPartitions (key 75): partitions of topics in the order of their names, a page at a time (KIP-966).
//!
//! Where it differs from Apache Kafka: there are no eligible leader replicas yet; both lists are empty.
//!
//! Versions: 0, flexible. The cursor names the first topic and partition of the page; the answer's cursor those of the
//! next. `response_partition_limit` is capped by `max.request.partition.size.limit`.

use std::collections::BTreeSet;

use barnabas_auth::{Operation, ResourceType};
use barnabas_config::key;
use barnabas_raft::{MetadataImage, TopicImage};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::describe_topic_partitions_request::Cursor as RequestCursor;
use kafka_protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use kafka_protocol::messages::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::partition_state::PartitionState;
use crate::api::authorized_operations;
use crate::api::shape::{int32, structs, structure, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::partition::is_internal_topic;
use crate::topics::check_name;

/// DescribeTopicPartitions.
pub struct DescribeTopicPartitions;

impl Api for DescribeTopicPartitions {
    type Request = DescribeTopicPartitionsRequest;
    const NAME: &'static str = "DescribeTopicPartitions";
    const VERSIONS: Versions = Versions::new(0, 0);
    const SHAPE: Shape =
        Shape { flexible: 0, fields: &[structs(&[text()]), int32(), structure(&[text(), int32()]).nullable(0)] };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Describe, resource: ResourceType::Topic }];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
}

impl OneStage for DescribeTopicPartitions {
    async fn handle(
        context: RequestContext,
        request: Self::Request,
    ) -> Result<DescribeTopicPartitionsResponse, CloseReason> {
        let image = context.broker.controller.image();
        let everything = request.topics.is_empty();
        let from = request.cursor.as_ref().map_or("", |cursor| &*cursor.topic_name);
        let names: BTreeSet<&str> = if everything {
            image.topics_from(from).map(|topic| &*topic.name).collect()
        } else {
            request.topics.iter().map(|topic| &**topic.name).filter(|name| *name >= from).collect()
        };
        if request.cursor.as_ref().is_some_and(|cursor| !is_valid(cursor, everything, &names)) {
            let topics = request.topics.iter().map(|topic| refused(&topic.name, ResponseError::InvalidRequest));
            return Ok(DescribeTopicPartitionsResponse::default().with_topics(topics.collect()).with_next_cursor(None));
        }
        let (names, hidden): (Vec<&str>, Vec<&str>) =
            names.into_iter().partition(|name| may_see(&context, name, everything));
        let limit = context.broker.config.read(&key::MAX_REQUEST_PARTITION_SIZE_LIMIT);
        let limit = i64::from(request.response_partition_limit).min(limit).max(1);
        let page = Page {
            image: &image,
            listener: &context.connection.listener,
            first_partition: request.cursor.as_ref().map_or(0, |cursor| cursor.partition_index),
            from,
            everything,
            left: usize::try_from(limit).unwrap_or(usize::MAX),
        };
        let (mut topics, next) = page.collect(&names);
        for topic in &mut topics {
            let name = topic.name.as_ref().map_or("", |name| &**name);
            topic.topic_authorized_operations = authorized_operations::on_topic(&context, name);
        }
        if !everything {
            topics.extend(
                hidden
                    .iter()
                    .map(|name| refused(name, ResponseError::TopicAuthorizationFailed).with_is_internal(false)),
            );
        }
        Ok(DescribeTopicPartitionsResponse::default().with_topics(topics).with_next_cursor(next))
    }

    fn error_codes(response: &DescribeTopicPartitionsResponse) -> impl IntoIterator<Item = i16> {
        response.topics.iter().map(|topic| topic.error_code)
    }
}

/// Only a name that was asked for is refused; the others are left out.
fn may_see(context: &RequestContext, name: &str, everything: bool) -> bool {
    if everything {
        context.would_allow(Operation::Describe, ResourceType::Topic, name)
    } else {
        context.allowed(Operation::Describe, ResourceType::Topic, name)
    }
}

/// A cursor names one of the topics asked for, and a partition.
fn is_valid(cursor: &RequestCursor, everything: bool, names: &BTreeSet<&str>) -> bool {
    cursor.partition_index >= 0 && (everything || names.contains(&**cursor.topic_name))
}

fn wire_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

fn refused(name: &str, error: ResponseError) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic::default()
        .with_error_code(error.code())
        .with_name(Some(wire_name(name)))
        .with_is_internal(is_internal_topic(name))
}

/// One page: what is left of it, and where it began.
struct Page<'a> {
    image: &'a MetadataImage,
    listener: &'a str,
    from: &'a str,
    first_partition: i32,
    everything: bool,
    left: usize,
}

impl Page<'_> {
    /// The topics on this page and where the next one begins.
    fn collect(mut self, names: &[&str]) -> (Vec<DescribeTopicPartitionsResponseTopic>, Option<Cursor>) {
        let mut topics = Vec::new();
        for name in names {
            if self.left == 0 {
                return (topics, Some(Cursor::default().with_topic_name(wire_name(name))));
            }
            match self.image.topic(name) {
                Some(topic) => {
                    let (shown, next) = self.topic(topic);
                    topics.push(shown);
                    if let Some(next) = next {
                        let cursor = Cursor::default().with_topic_name(wire_name(name)).with_partition_index(next);
                        return (topics, Some(cursor));
                    }
                }
                None if self.everything => {}
                None if check_name(name).is_err() => {
                    topics.push(refused(name, ResponseError::InvalidTopicException));
                }
                None => topics.push(refused(name, ResponseError::UnknownTopicOrPartition)),
            }
        }
        (topics, None)
    }

    /// As many partitions as fit, and the first one that does not.
    fn topic(&mut self, topic: &TopicImage) -> (DescribeTopicPartitionsResponseTopic, Option<i32>) {
        let first = if *topic.name == *self.from { self.first_partition } else { 0 };
        let skip = usize::try_from(first).unwrap_or(usize::MAX);
        let shown: Vec<_> = (0..)
            .zip(&topic.partitions)
            .skip(skip)
            .take(self.left)
            .map(|(index, partition)| shape(index, PartitionState::new(self.image, self.listener, partition)))
            .collect();
        self.left -= shown.len();
        let next = skip.saturating_add(shown.len());
        let next = if next < topic.partitions.len() { i32::try_from(next).ok() } else { None };
        let shown = DescribeTopicPartitionsResponseTopic::default()
            .with_name(Some(wire_name(&topic.name)))
            .with_topic_id(topic.id.0)
            .with_is_internal(is_internal_topic(&topic.name))
            .with_partitions(shown);
        (shown, next)
    }
}

fn shape(index: i32, state: PartitionState) -> DescribeTopicPartitionsResponsePartition {
    DescribeTopicPartitionsResponsePartition::default()
        .with_partition_index(index)
        .with_leader_id(state.leader_id())
        .with_leader_epoch(state.leader_epoch)
        .with_replica_nodes(state.replicas)
        .with_isr_nodes(state.isr)
        .with_eligible_leader_replicas(Some(Vec::new()))
        .with_last_known_elr(Some(Vec::new()))
        .with_offline_replicas(state.offline)
}

#[cfg(test)]
mod tests;
