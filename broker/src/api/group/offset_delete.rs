//! OffsetDelete (key 47): deletes committed offsets of topics that a group does not read.
//!
//! Where it differs from Apache Kafka: answers stand in the order of the request.
//!
//! Versions: 0 (KIP-496); never flexible.

use std::sync::Arc;

use barnabas_auth::{Operation, ResourceType};
use barnabas_storage::PartitionIndex;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::offset_delete_request::OffsetDeleteRequestTopic;
use kafka_protocol::messages::offset_delete_response::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic};
use kafka_protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};

use crate::api::error_code::ErrorCode;
use crate::api::shape::{int32, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::{Activity, Subject};
use crate::group::ids::GroupId;
use crate::group::offsets::TopicPartition;

/// OffsetDelete.
pub struct OffsetDelete;

const DELETE_GROUP: Need = Need { operation: Operation::Delete, resource: ResourceType::Group };
const READ_TOPIC: Need = Need { operation: Operation::Read, resource: ResourceType::Topic };

impl Api for OffsetDelete {
    type Request = OffsetDeleteRequest;
    const NAME: &'static str = "OffsetDelete";
    const VERSIONS: Versions = Versions::new(0, 0);
    const SHAPE: Shape = Shape { flexible: i16::MAX, fields: &[text(), structs(&[text(), structs(&[int32()])])] };
    const NEEDS: &'static [Need] = &[DELETE_GROUP, READ_TOPIC];
    const RUNS_ON: RunsOn = RunsOn::Coordinator;
}

/// A topic of the request: an error for all of it, or for some of its partitions.
type Checked = (OffsetDeleteRequestTopic, Vec<Option<ResponseError>>);

impl OneStage for OffsetDelete {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<OffsetDeleteResponse, CloseReason> {
        if !context.allowed(DELETE_GROUP.operation, DELETE_GROUP.resource, &request.group_id) {
            return Ok(refused(ResponseError::GroupAuthorizationFailed));
        }
        let checked: Vec<Checked> = request.topics.into_iter().map(|topic| check(&context, topic)).collect();
        let wanted = checked.iter().flat_map(good).collect();
        let group = GroupId::from(&**request.group_id);
        let deleted = context.broker.groups.delete_offsets(&group, wanted).await;
        let refused_all = deleted.as_ref().err().map(ErrorCode::code);
        context.tell(Activity::Delete, refused_all, || {
            let topics: Vec<&str> = checked.iter().map(|(topic, _)| topic.name.as_str()).collect();
            Subject::new(ResourceType::Group.name(), group.as_str()).with("offsets_of", topics.join(","))
        });
        Ok(match deleted {
            Ok(told) => {
                let told = told.into_iter().map(|(_, told)| told.err().map(|error| error.code()));
                answer(checked, told)
            }
            Err(error) => refused(error.code()),
        })
    }

    fn error_codes(response: &OffsetDeleteResponse) -> impl IntoIterator<Item = i16> {
        let parts = response.topics.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code);
        std::iter::once(response.error_code).chain(parts)
    }
}

fn refused(error: ResponseError) -> OffsetDeleteResponse {
    OffsetDeleteResponse::default().with_error_code(error.code())
}

fn check(context: &RequestContext, topic: OffsetDeleteRequestTopic) -> Checked {
    let is_allowed = context.allowed(READ_TOPIC.operation, READ_TOPIC.resource, &topic.name);
    let image = context.broker.controller.image();
    let known = image.topic(&topic.name);
    let error = |index: i32| match known {
        _ if !is_allowed => Some(ResponseError::TopicAuthorizationFailed),
        Some(topic) if topic.partition(PartitionIndex(index)).is_some() => None,
        _ => Some(ResponseError::UnknownTopicOrPartition),
    };
    let errors = topic.partitions.iter().map(|partition| error(partition.partition_index)).collect();
    (topic, errors)
}

/// The partitions that passed.
fn good((topic, errors): &Checked) -> impl Iterator<Item = TopicPartition> {
    let name: Arc<str> = Arc::from(topic.name.as_str());
    let passed = topic.partitions.iter().zip(errors).filter(|(_, error)| error.is_none());
    passed.map(move |(partition, _)| TopicPartition {
        topic: Arc::clone(&name),
        partition: PartitionIndex(partition.partition_index),
    })
}

/// `told` has an outcome for each partition that passed, in their order.
fn answer(checked: Vec<Checked>, mut told: impl Iterator<Item = Option<ResponseError>>) -> OffsetDeleteResponse {
    let mut topics = Vec::with_capacity(checked.len());
    for (topic, errors) in checked {
        let partitions = topic.partitions.iter().zip(errors).map(|(partition, error)| {
            let error = error.or_else(|| told.next().flatten());
            OffsetDeleteResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(error.map_or(0, |error| error.code()))
        });
        let partitions = partitions.collect();
        topics.push(OffsetDeleteResponseTopic::default().with_name(topic.name).with_partitions(partitions));
    }
    OffsetDeleteResponse::default().with_topics(topics)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::messages::TopicName;
    use kafka_protocol::messages::offset_delete_request::OffsetDeleteRequestPartition;
    use kafka_protocol::protocol::{Encodable, StrBytes};

    use super::*;

    #[test]
    fn outcomes_go_to_the_partitions_that_passed() {
        let partition = |index| OffsetDeleteRequestPartition::default().with_partition_index(index);
        let topic = OffsetDeleteRequestTopic::default()
            .with_name(TopicName(StrBytes::from_static_str("t")))
            .with_partitions(vec![partition(0), partition(1), partition(2)]);
        let checked = vec![(topic, vec![None, Some(ResponseError::UnknownTopicOrPartition), None])];
        assert_eq!(good(&checked[0]).map(|at| at.partition.0).collect::<Vec<_>>(), [0, 2]);
        let told = [None, Some(ResponseError::GroupSubscribedToTopic)];
        let answer = answer(checked, told.into_iter());
        let codes: Vec<_> = answer.topics[0].partitions.iter().map(|one| one.error_code).collect();
        assert_eq!(codes, [0, 3, 86]);
        answer.encode(&mut BytesMut::new(), 0).unwrap();
    }
}
