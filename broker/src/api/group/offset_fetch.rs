//! OffsetFetch (key 9): how far groups have read.
//!
//! Where it differs from Apache Kafka: of all offsets, topics and partitions stand in their order. As there, a group or
//! partition that is not known is no error: offset -1.
//!
//! Versions: 1 has errors per partition only; 2 a null list of topics means all of them; 5 leader epoch (KIP-320);
//! 6 flexible; 7 `require_stable` (KIP-447); 8 several groups (KIP-709); 9 member id and epoch, which only members of
//! the new protocol send (KIP-848); 10 topic ids instead of names (KIP-848), which `topic_ids` reads: an id that is not
//! known is UNKNOWN_TOPIC_ID, an offset of an earlier topic of that name is none, and of all offsets those of topics that are gone are left out.

use std::sync::Arc;

use barnabas_auth::{Operation, ResourceType};
use barnabas_storage::{PartitionIndex, TopicId};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestTopic, OffsetFetchRequestTopics};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions, OffsetFetchResponseTopic,
    OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{OffsetFetchRequest, OffsetFetchResponse, TopicName};

use super::text_of;
use crate::api::error_code::ErrorCode;
use crate::api::later_version::Answer;
use crate::api::shape::{Kind, array, boolean, int32, structs, text, uuid};
use crate::api::{Api, CloseReason, LaterVersion, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::group::ids::GroupId;
use crate::group::offsets::TopicPartition;
use crate::group::schema::OffsetCommitValue;
use crate::group::shard::OffsetWanted;

mod topic_ids;

/// OffsetFetch.
pub struct OffsetFetch;

const DESCRIBE_GROUP: Need = Need { operation: Operation::Describe, resource: ResourceType::Group };
const DESCRIBE_TOPIC: Need = Need { operation: Operation::Describe, resource: ResourceType::Topic };

const GROUPS_SINCE: i16 = 8;
const TOPIC_IDS_SINCE: i16 = 10;

/// The offset of a partition without one.
const NO_OFFSET: i64 = -1;

impl Api for OffsetFetch {
    type Request = OffsetFetchRequest;
    const NAME: &'static str = "OffsetFetch";
    const VERSIONS: Versions = Versions::new(1, TOPIC_IDS_SINCE);
    const LATER_VERSION: Option<LaterVersion<Self::Request>> = Some(LaterVersion {
        version: TOPIC_IDS_SINCE,
        decode: topic_ids::decode,
        answer: Answer::As(TOPIC_IDS_SINCE),
        #[cfg(test)]
        encode: topic_ids::encode,
    });
    const SHAPE: Shape = Shape {
        flexible: 6,
        fields: &[
            text().until(7),
            structs(&[text(), array(&Kind::Fixed(4))]).until(7).nullable(2),
            structs(&[
                text(),
                text().since(9).nullable(9),
                int32().since(9),
                structs(&[text().until(9), uuid().since(10), array(&Kind::Fixed(4))]).nullable(8),
            ])
            .since(8),
            boolean().since(7),
        ],
    };
    const NEEDS: &'static [Need] = &[DESCRIBE_GROUP, DESCRIBE_TOPIC];
    const RUNS_ON: RunsOn = RunsOn::Coordinator;
}

/// One group that is asked for; no topics means all.
struct Asked {
    group: GroupId,
    topics: Option<Vec<AskedTopic>>,
}

/// A topic by its name, or from version 10 on by its id alone.
struct AskedTopic {
    name: TopicName,
    id: TopicId,
    partitions: Vec<i32>,
}

/// The offset of one partition, or why it is not told.
type Found = (i32, Result<Option<OffsetCommitValue>, ResponseError>);

/// A topic's offsets; it is named as it was asked for.
struct FoundTopic {
    name: TopicName,
    id: TopicId,
    partitions: Vec<Found>,
}

impl OneStage for OffsetFetch {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<OffsetFetchResponse, CloseReason> {
        let stable = request.require_stable;
        if context.version < GROUPS_SINCE {
            let topic = |one: OffsetFetchRequestTopic| AskedTopic {
                name: one.name,
                id: TopicId::ZERO,
                partitions: one.partition_indexes,
            };
            let topics = request.topics.map(|topics| topics.into_iter().map(topic).collect());
            let asked = Asked { group: GroupId::from(&**request.group_id), topics };
            let outcome = fetch_group(&context, &asked, stable).await;
            return Ok(answer_one(outcome, asked, context.version));
        }
        let mut groups = Vec::with_capacity(request.groups.len());
        for group in request.groups {
            let topic = |one: OffsetFetchRequestTopics| AskedTopic {
                name: one.name,
                id: TopicId(one.topic_id),
                partitions: one.partition_indexes,
            };
            let topics = group.topics.map(|topics| topics.into_iter().map(topic).collect());
            let asked = Asked { group: GroupId::from(&**group.group_id), topics };
            let answer = OffsetFetchResponseGroup::default().with_group_id(group.group_id);
            groups.push(match fetch_group(&context, &asked, stable).await {
                Ok(topics) => answer.with_topics(topics.into_iter().map(topic_of_group).collect()),
                Err(error) => answer.with_error_code(error.code()),
            });
        }
        Ok(OffsetFetchResponse::default().with_groups(groups))
    }

    fn error_codes(response: &OffsetFetchResponse) -> impl IntoIterator<Item = i16> {
        let topics = response.topics.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code);
        let groups = response.groups.iter().flat_map(|group| {
            let topics = group.topics.iter().flat_map(|topic| &topic.partitions);
            std::iter::once(group.error_code).chain(topics.map(|partition| partition.error_code))
        });
        std::iter::once(response.error_code).chain(topics).chain(groups)
    }
}

async fn fetch_group(context: &RequestContext, asked: &Asked, stable: bool) -> Result<Vec<FoundTopic>, ResponseError> {
    if !context.allowed(DESCRIBE_GROUP.operation, DESCRIBE_GROUP.resource, asked.group.as_str()) {
        return Err(ResponseError::GroupAuthorizationFailed);
    }
    match &asked.topics {
        None => fetch_all(context, &asked.group, stable).await,
        Some(topics) => fetch_some(context, &asked.group, topics, stable).await,
    }
}

/// Every offset of the group whose topic may be seen, and which has an id where topics are told by id.
async fn fetch_all(context: &RequestContext, group: &GroupId, stable: bool) -> Result<Vec<FoundTopic>, ResponseError> {
    let found = context.broker.groups.fetch(group, OffsetWanted::All, stable).await.map_err(|error| error.code())?;
    let mut topics: Vec<FoundTopic> = Vec::new();
    for (at, value) in found {
        let is_same = topics.last().is_some_and(|topic| **topic.name == *at.topic);
        if !is_same {
            let name = TopicName(text_of(&at.topic));
            topics.push(FoundTopic { name, id: TopicId::ZERO, partitions: Vec::new() });
        }
        if let Some(topic) = topics.last_mut() {
            topic.partitions.push((at.partition.0, Ok(value)));
        }
    }
    topics.retain(|topic| context.would_allow(DESCRIBE_TOPIC.operation, DESCRIBE_TOPIC.resource, &topic.name));
    if context.version >= TOPIC_IDS_SINCE {
        let image = context.broker.controller.image();
        for topic in &mut topics {
            topic.id = image.topic(&topic.name).map_or(TopicId::ZERO, |known| known.id);
        }
        topics.retain(|topic| topic.id != TopicId::ZERO);
    }
    Ok(topics)
}

/// The offsets of these partitions. Topics that are not known by their id or may not be seen are refused one by one, and
/// stand behind the others.
async fn fetch_some(
    context: &RequestContext,
    group: &GroupId,
    topics: &[AskedTopic],
    stable: bool,
) -> Result<Vec<FoundTopic>, ResponseError> {
    let (mut wanted, mut seen, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for asked in topics {
        match visible(context, asked) {
            Ok(topic) => {
                let partitions = asked.partitions.iter().map(|partition| PartitionIndex(*partition));
                wanted.extend(partitions.map(|partition| TopicPartition { topic: Arc::clone(&topic), partition }));
                seen.push(asked);
            }
            Err(error) => refused.push(asked.found(|| Err(error))),
        }
    }
    let found = context.broker.groups.fetch(group, OffsetWanted::Of(wanted), stable).await;
    let mut found = found.map_err(|error| error.code())?.into_iter();
    let seen = seen.into_iter().map(|asked| {
        let mut next = || found.next().and_then(|(_, value)| value);
        asked.found(|| Ok(next().filter(|value| value.is_of(asked.id))))
    });
    Ok(seen.chain(refused).collect())
}

impl AskedTopic {
    fn found(&self, mut one: impl FnMut() -> Result<Option<OffsetCommitValue>, ResponseError>) -> FoundTopic {
        let partitions = self.partitions.iter().map(|partition| (*partition, one())).collect();
        FoundTopic { name: self.name.clone(), id: self.id, partitions }
    }
}

/// The name of a topic that may be seen.
fn visible(context: &RequestContext, asked: &AskedTopic) -> Result<Arc<str>, ResponseError> {
    let name = if context.version >= TOPIC_IDS_SINCE {
        let image = context.broker.controller.image();
        Arc::clone(&image.topic_by_id(asked.id).ok_or(ResponseError::UnknownTopicId)?.name)
    } else {
        Arc::from(&**asked.name)
    };
    if may_see(context, &name) { Ok(name) } else { Err(ResponseError::TopicAuthorizationFailed) }
}

fn may_see(context: &RequestContext, topic: &str) -> bool {
    context.allowed(DESCRIBE_TOPIC.operation, DESCRIBE_TOPIC.resource, topic)
}

/// The form of versions below 8. Version 1 has no error of its own: each partition carries it.
fn answer_one(outcome: Result<Vec<FoundTopic>, ResponseError>, asked: Asked, version: i16) -> OffsetFetchResponse {
    let answer = OffsetFetchResponse::default();
    let topics = match outcome {
        Ok(topics) => topics,
        Err(error) if version >= 2 => return answer.with_error_code(error.code()),
        Err(error) => asked.topics.iter().flatten().map(|topic| topic.found(|| Err(error))).collect(),
    };
    answer.with_topics(topics.into_iter().map(topic).collect())
}

fn topic(FoundTopic { name, partitions, .. }: FoundTopic) -> OffsetFetchResponseTopic {
    let partition = |(index, found): Found| {
        let Told { offset, leader_epoch, metadata, error } = told(found);
        OffsetFetchResponsePartition::default()
            .with_partition_index(index)
            .with_committed_offset(offset)
            .with_committed_leader_epoch(leader_epoch)
            .with_metadata(Some(text_of(&metadata)))
            .with_error_code(error)
    };
    OffsetFetchResponseTopic::default().with_name(name).with_partitions(partitions.into_iter().map(partition).collect())
}

fn topic_of_group(FoundTopic { name, id, partitions }: FoundTopic) -> OffsetFetchResponseTopics {
    let partition = |(index, found): Found| {
        let Told { offset, leader_epoch, metadata, error } = told(found);
        OffsetFetchResponsePartitions::default()
            .with_partition_index(index)
            .with_committed_offset(offset)
            .with_committed_leader_epoch(leader_epoch)
            .with_metadata(Some(text_of(&metadata)))
            .with_error_code(error)
    };
    OffsetFetchResponseTopics::default()
        .with_name(name)
        .with_topic_id(id.0)
        .with_partitions(partitions.into_iter().map(partition).collect())
}

/// What a partition's answer says.
struct Told {
    offset: i64,
    leader_epoch: i32,
    metadata: Arc<str>,
    error: i16,
}

fn told(found: Result<Option<OffsetCommitValue>, ResponseError>) -> Told {
    let nothing = Told { offset: NO_OFFSET, leader_epoch: -1, metadata: Arc::from(""), error: 0 };
    match found {
        Ok(Some(value)) => {
            let (offset, leader_epoch) = (value.offset.0, value.leader_epoch.0);
            Told { offset, leader_epoch, metadata: value.metadata, error: 0 }
        }
        Ok(None) => nothing,
        Err(error) => Told { error: error.code(), ..nothing },
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::protocol::Encodable;

    use super::*;

    use barnabas_storage::{LeaderEpoch, Offset, Timestamp};

    fn found() -> Vec<FoundTopic> {
        let value = OffsetCommitValue {
            offset: Offset(7),
            leader_epoch: LeaderEpoch(2),
            metadata: Arc::from("note"),
            commit_timestamp: Timestamp(1),
            expire_timestamp: None,
            topic_id: TopicId::ZERO,
        };
        let refused = Err(ResponseError::TopicAuthorizationFailed);
        let partitions = vec![(0, Ok(Some(value))), (1, Ok(None)), (2, refused)];
        vec![FoundTopic { name: TopicName(text_of("t")), id: TopicId::ZERO, partitions }]
    }

    fn asked() -> Asked {
        let topic = AskedTopic { name: TopicName(text_of("t")), id: TopicId::ZERO, partitions: vec![0, 1] };
        Asked { group: GroupId::from("g"), topics: Some(vec![topic]) }
    }

    #[test]
    fn every_answer_can_be_encoded_in_every_version() {
        for version in OffsetFetch::VERSIONS.min..=7 {
            for outcome in [Ok(found()), Err(ResponseError::NotCoordinator)] {
                answer_one(outcome, asked(), version).encode(&mut BytesMut::new(), version).unwrap();
            }
        }
        for version in 8..=OffsetFetch::VERSIONS.max {
            let group = OffsetFetchResponseGroup::default();
            let group = group.with_topics(found().into_iter().map(topic_of_group).collect());
            let answer = OffsetFetchResponse::default().with_groups(vec![group]);
            answer.encode(&mut BytesMut::new(), version).unwrap();
        }
    }

    #[test]
    fn a_partition_without_an_offset_is_no_error() {
        let answer = answer_one(Ok(found()), asked(), 5);
        let told: Vec<_> =
            answer.topics[0].partitions.iter().map(|one| (one.committed_offset, one.error_code)).collect();
        assert_eq!(told, [(7, 0), (-1, 0), (-1, ResponseError::TopicAuthorizationFailed.code())]);
        assert_eq!(answer.topics[0].partitions[1].metadata.as_deref(), Some(""));
    }

    #[test]
    fn version_1_tells_the_groups_error_in_every_partition() {
        let error = ResponseError::NotCoordinator;
        let old = answer_one(Err(error), asked(), 1);
        assert_eq!(old.error_code, 0);
        assert!(old.topics[0].partitions.iter().all(|one| one.error_code == error.code()));
        assert_eq!(answer_one(Err(error), asked(), 2).error_code, error.code());
    }
}
