//! Committed offsets of the groups of one shard. Pure; only what is durable is in here.
//!
//! 1. An offset enters with the record that holds it, in log order, when that record is committed; so a fetch never
//!    shows an offset that a crash could take back.
//! 2. A commit or tombstone of a later record always wins.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use barnabas_storage::{PartitionIndex, Timestamp, TopicId};

use super::ids::GroupId;
use super::schema::OffsetCommitValue;

/// A partition by its topic's name: the keys of the offsets topic know no ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// Topic.
    pub topic: Arc<str>,
    /// Partition.
    pub partition: PartitionIndex,
}

/// A topic that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedTopic {
    /// Its name.
    pub name: Arc<str>,
    /// Its id.
    pub id: TopicId,
}

impl DeletedTopic {
    /// Whether this is an offset of it, and not of a later topic of the same name.
    #[must_use]
    pub fn had(&self, at: &TopicPartition, value: &OffsetCommitValue) -> bool {
        self.name == at.topic && value.is_of(self.id)
    }
}

/// From which moment the retention of a group's offsets counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionFrom {
    /// From each offset's commit.
    Commit,
    /// From the moment at which the group became empty.
    Since(Timestamp),
}

/// Committed offsets by group, topic and partition.
#[derive(Debug, Default)]
pub struct Offsets {
    groups: HashMap<GroupId, BTreeMap<TopicPartition, OffsetCommitValue>>,
}

impl Offsets {
    /// Takes in a durable commit.
    pub fn put(&mut self, group: &GroupId, at: TopicPartition, value: OffsetCommitValue) {
        self.groups.entry(group.clone()).or_default().insert(at, value);
    }

    /// Takes in a durable tombstone.
    pub fn remove(&mut self, group: &GroupId, at: &TopicPartition) {
        if let Some(partitions) = self.groups.get_mut(group) {
            partitions.remove(at);
            if partitions.is_empty() {
                self.groups.remove(group);
            }
        }
    }

    /// The committed offset of one partition.
    #[must_use]
    pub fn get(&self, group: &GroupId, at: &TopicPartition) -> Option<&OffsetCommitValue> {
        self.groups.get(group)?.get(at)
    }

    /// Every committed offset of a group, ordered by topic and partition.
    pub fn of_group(&self, group: &GroupId) -> impl Iterator<Item = (&TopicPartition, &OffsetCommitValue)> {
        self.groups.get(group).into_iter().flatten()
    }

    /// Whether the group has any.
    #[must_use]
    pub fn has_any(&self, group: &GroupId) -> bool {
        self.groups.contains_key(group)
    }

    /// Every group's partitions of these topics.
    pub fn of_topics<'a>(
        &'a self,
        topics: &'a [DeletedTopic],
    ) -> impl Iterator<Item = (&'a GroupId, &'a TopicPartition)> + 'a {
        let gone = |at: &TopicPartition, value: &OffsetCommitValue| topics.iter().any(|topic| topic.had(at, value));
        self.groups
            .iter()
            .flat_map(|(group, partitions)| partitions.iter().map(move |(at, value)| (group, at, value)))
            .filter(move |(_, at, value)| gone(at, value))
            .map(|(group, at, _)| (group, at))
    }
}

/// Whether an offset's time is over: an explicit expiry of an old OffsetCommit wins over the retention.
#[must_use]
pub fn is_expired(value: &OffsetCommitValue, from: RetentionFrom, retention: Duration, now: Timestamp) -> bool {
    if let Some(expire) = value.expire_timestamp {
        return now >= expire;
    }
    let base = match from {
        RetentionFrom::Commit => value.commit_timestamp,
        RetentionFrom::Since(since) => since,
    };
    let retention = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
    now.0.saturating_sub(base.0) >= retention
}
