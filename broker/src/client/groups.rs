//! Groups as a client sees them: listed by every broker, described, changed by their coordinators.

use std::collections::BTreeMap;

use barnabas_storage::PartitionIndex;
use bytes::{Buf, Bytes, TryGetError};
use kafka_protocol::messages::describe_groups_response::DescribedGroup;
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, GroupId, ListGroupsRequest, OffsetCommitRequest, OffsetDeleteRequest,
    OffsetFetchRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::cluster::topic_name;
use super::{CallError, Cluster, code};
use crate::group::offsets::TopicPartition;

/// The last versions whose fields are all understood here.
const LIST_VERSION: i16 = 5;
const DESCRIBE_VERSION: i16 = 6;
const DELETE_VERSION: i16 = 2;
const OFFSET_FETCH_VERSION: i16 = 8;
const OFFSET_COMMIT_VERSION: i16 = 8;
const OFFSET_DELETE_VERSION: i16 = 0;
/// From here on an OffsetFetch names several groups (KIP-709).
const FETCH_GROUPS_SINCE: i16 = 8;
/// From here on groups may be filtered by state (KIP-518).
const STATES_SINCE: i16 = 4;

/// A committed offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The next offset that the group wants.
    pub offset: i64,
    /// The leader epoch of the last consumed record; -1 when not known.
    pub leader_epoch: i32,
    /// What the consumer wanted to remember.
    pub metadata: String,
}

/// A group's name for a request.
#[must_use]
pub fn group_id(name: &str) -> GroupId {
    GroupId(StrBytes::from_string(name.to_owned()))
}

impl Cluster {
    /// Every group of the cluster, with the broker that coordinates it, by id.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn list_groups(&mut self, states: &[String]) -> Result<Vec<(i32, ListedGroup)>, CallError> {
        let mut found = Vec::new();
        let mut attempts = self.attempts();
        for id in self.brokers().await?.into_keys() {
            loop {
                let broker = self.broker(id).await?;
                let version = broker.version_of::<ListGroupsRequest>(LIST_VERSION)?;
                let filter = if version >= STATES_SINCE { states } else { &[] };
                let filter = filter.iter().map(|state| StrBytes::from_string(state.clone())).collect();
                let answer = broker.call(&ListGroupsRequest::default().with_states_filter(filter), version).await?;
                if answer.error_code == 0 {
                    found.extend(answer.groups.into_iter().map(|group| (id, group)));
                    break;
                }
                if !code::passes(answer.error_code) || !attempts.again().await {
                    let act = format!("list groups of broker {id}");
                    return Err(CallError::Refused { act, code: answer.error_code });
                }
            }
        }
        found.sort_by(|(_, left), (_, right)| left.group_id.cmp(&right.group_id));
        Ok(found)
    }

    /// One group, as its coordinator describes it; its error code may say that there is none.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn describe_group(&mut self, group: &str) -> Result<DescribedGroup, CallError> {
        let request = |_| DescribeGroupsRequest::default().with_groups(vec![group_id(group)]);
        let code_of = |answer: &kafka_protocol::messages::DescribeGroupsResponse| {
            answer.groups.first().map_or(0, |group| group.error_code)
        };
        let answer = self.ask_coordinator(group, DESCRIBE_VERSION, request, code_of).await?;
        Ok(answer.groups.into_iter().next().unwrap_or_default())
    }

    /// Deletes a group; Kafka's code, 0 when it is gone.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn delete_group(&mut self, group: &str) -> Result<i16, CallError> {
        let request = |_| DeleteGroupsRequest::default().with_groups_names(vec![group_id(group)]);
        let code_of = |answer: &kafka_protocol::messages::DeleteGroupsResponse| {
            answer.results.first().map_or(0, |result| result.error_code)
        };
        let answer = self.ask_coordinator(group, DELETE_VERSION, request, code_of).await?;
        Ok(code_of(&answer))
    }

    /// Every offset that a group has committed.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn committed(&mut self, group: &str) -> Result<BTreeMap<TopicPartition, Committed>, CallError> {
        let request = |version| {
            if version >= FETCH_GROUPS_SINCE {
                let one = OffsetFetchRequestGroup::default().with_group_id(group_id(group)).with_topics(None);
                OffsetFetchRequest::default().with_groups(vec![one])
            } else {
                OffsetFetchRequest::default().with_group_id(group_id(group)).with_topics(None)
            }
        };
        let code_of = |answer: &kafka_protocol::messages::OffsetFetchResponse| {
            answer.groups.first().map_or(answer.error_code, |group| group.error_code)
        };
        let answer = self.ask_coordinator(group, OFFSET_FETCH_VERSION, request, code_of).await?;
        match code_of(&answer) {
            0 => Ok(offsets_of(&answer)),
            code => Err(CallError::Refused { act: format!("fetch offsets of group {group}"), code }),
        }
    }

    /// Commits offsets for a group without members; Kafka's code for each partition.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn commit(
        &mut self,
        group: &str,
        offsets: &BTreeMap<TopicPartition, i64>,
    ) -> Result<BTreeMap<TopicPartition, i16>, CallError> {
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for (at, offset) in offsets {
            let partition = OffsetCommitRequestPartition::default()
                .with_partition_index(at.partition.0)
                .with_committed_offset(*offset)
                .with_committed_leader_epoch(-1)
                .with_committed_metadata(Some(StrBytes::default()));
            topics.entry(&at.topic).or_default().push(partition);
        }
        let topic = |(name, partitions): (&&str, &Vec<_>)| {
            OffsetCommitRequestTopic::default().with_name(topic_name(name)).with_partitions(partitions.clone())
        };
        let topics: Vec<_> = topics.iter().map(topic).collect();
        let request = |_| {
            OffsetCommitRequest::default()
                .with_group_id(group_id(group))
                .with_generation_id_or_member_epoch(-1)
                .with_topics(topics.clone())
        };
        let code_of = |answer: &kafka_protocol::messages::OffsetCommitResponse| {
            answer.topics.first().and_then(|topic| topic.partitions.first()).map_or(0, |one| one.error_code)
        };
        let answer = self.ask_coordinator(group, OFFSET_COMMIT_VERSION, request, code_of).await?;
        Ok(answer
            .topics
            .iter()
            .flat_map(|topic| {
                topic.partitions.iter().map(|one| (named(&topic.name, one.partition_index), one.error_code))
            })
            .collect())
    }

    /// Deletes offsets of a group: its error, then that of each partition.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn delete_offsets(
        &mut self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> Result<(i16, BTreeMap<TopicPartition, i16>), CallError> {
        let mut topics: BTreeMap<&str, Vec<OffsetDeleteRequestPartition>> = BTreeMap::new();
        for at in partitions {
            let partition = OffsetDeleteRequestPartition::default().with_partition_index(at.partition.0);
            topics.entry(&at.topic).or_default().push(partition);
        }
        let topic = |(name, partitions): (&&str, &Vec<_>)| {
            OffsetDeleteRequestTopic::default().with_name(topic_name(name)).with_partitions(partitions.clone())
        };
        let topics: Vec<_> = topics.iter().map(topic).collect();
        let request = |_| OffsetDeleteRequest::default().with_group_id(group_id(group)).with_topics(topics.clone());
        let answer = self.ask_coordinator(group, OFFSET_DELETE_VERSION, request, |answer| answer.error_code).await?;
        let told = answer
            .topics
            .iter()
            .flat_map(|topic| {
                topic.partitions.iter().map(|one| (named(&topic.name, one.partition_index), one.error_code))
            })
            .collect();
        Ok((answer.error_code, told))
    }
}

/// What an answer tells of one group, in either of its forms.
fn offsets_of(answer: &kafka_protocol::messages::OffsetFetchResponse) -> BTreeMap<TopicPartition, Committed> {
    let groups = answer.groups.iter().flat_map(|group| &group.topics);
    let of_groups = groups.flat_map(|topic| {
        topic.partitions.iter().map(move |one| {
            let metadata = one.metadata.as_ref();
            (named(&topic.name, one.partition_index), one.committed_offset, one.committed_leader_epoch, metadata)
        })
    });
    let of_one = answer.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(move |one| {
            let metadata = one.metadata.as_ref();
            (named(&topic.name, one.partition_index), one.committed_offset, one.committed_leader_epoch, metadata)
        })
    });
    let there = of_groups.chain(of_one).filter(|(_, offset, ..)| *offset >= 0);
    there
        .map(|(at, offset, leader_epoch, metadata)| {
            let metadata = metadata.map_or_else(String::new, ToString::to_string);
            (at, Committed { offset, leader_epoch, metadata })
        })
        .collect()
}

fn named(topic: &str, partition: i32) -> TopicPartition {
    TopicPartition { topic: topic.into(), partition: PartitionIndex(partition) }
}

/// The partitions of a consumer's assignment: the part that all versions of the consumer protocol share. Nothing when it
/// is of another protocol.
#[must_use]
pub fn assigned(assignment: &Bytes) -> Vec<TopicPartition> {
    read_assignment(assignment).unwrap_or_default()
}

fn read_assignment(mut bytes: &[u8]) -> Result<Vec<TopicPartition>, TryGetError> {
    let mut found = Vec::new();
    bytes.try_get_i16()?; // version
    for _ in 0..bytes.try_get_i32()? {
        let length = usize::try_from(bytes.try_get_i16()?).unwrap_or(0);
        let short = TryGetError { requested: length, available: bytes.len() };
        let (name, rest) = bytes.split_at_checked(length).ok_or(short)?;
        bytes = rest;
        let name = String::from_utf8_lossy(name);
        for _ in 0..bytes.try_get_i32()? {
            found.push(named(&name, bytes.try_get_i32()?));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_read_and_what_is_none_is_passed_over() {
        let bytes = Bytes::from_static(&[0, 1, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0]);
        assert_eq!(assigned(&bytes), [named("t", 0), named("t", 5)]);
        for cut in 0..21 {
            assert!(assigned(&bytes.slice(..cut)).is_empty(), "{cut}");
        }
        assert!(assigned(&Bytes::from_static(&[0, 1, 127, 255, 255, 255])).is_empty());
    }
}
