//! Offsets that go: by retention, and with their topic. Groups that have nothing left go with them.

use std::collections::HashSet;

use super::Shard;
use super::write::Content;
use crate::group::classic::{ClassicGroup, Now};
use crate::group::ids::GroupId;
use crate::group::log::Record;
use crate::group::offsets::{DeletedTopic, TopicPartition, is_expired};
use crate::group::schema::Key;

/// Tombstones in one batch, so that a batch stays far below any size limit.
pub(super) const TOMBSTONES_PER_BATCH: usize = 500;

impl Shard {
    /// Writes tombstones for offsets whose time is over and for groups that have nothing left. A group with a write under
    /// way is left for the next time: the write may be a newer commit.
    pub(super) fn check_retention(&mut self, now: Now) {
        let mut offsets = Vec::new();
        let mut groups = Vec::new();
        let busy: HashSet<&GroupId> = self.writes.iter().flat_map(|write| groups_of(&write.content)).collect();
        for (id, group) in self.groups.iter().filter(|(id, _)| !busy.contains(id)) {
            let expired = self.expired_offsets(id, group, now);
            let all_gone = expired.len() == self.offsets.of_group(id).count();
            offsets.extend(expired.into_iter().map(|at| (id.clone(), at)));
            if all_gone && group.is_idle() {
                groups.push((id.clone(), group.generation()));
            }
        }
        self.delete_offsets(offsets, now);
        self.delete_groups(groups, now);
    }

    /// Forgets the offsets of topics that were deleted, those that are being committed among them.
    pub fn delete_topics(&mut self, topics: &[DeletedTopic], now: Now) {
        let mut gone: Vec<(GroupId, TopicPartition)> =
            self.offsets.of_topics(topics).map(|(group, at)| (group.clone(), at.clone())).collect();
        for write in &self.writes {
            if let Content::Offsets { group, commits, .. } = &write.content {
                let of_topics = commits.iter().filter(|(at, value)| topics.iter().any(|topic| topic.had(at, value)));
                gone.extend(of_topics.map(|(at, _)| (group.clone(), at.clone())));
            }
        }
        gone.sort();
        gone.dedup();
        self.delete_offsets(gone, now);
    }

    fn expired_offsets(&self, id: &GroupId, group: &ClassicGroup, now: Now) -> Vec<TopicPartition> {
        let Some(from) = group.retention() else { return Vec::new() };
        self.offsets
            .of_group(id)
            .filter(|(at, value)| {
                !group.is_subscribed(&at.topic) && is_expired(value, from, self.settings.offsets_retention, now.wall)
            })
            .map(|(at, _)| at.clone())
            .collect()
    }

    /// A batch that is not appended is left: the next check finds the same offsets again.
    fn delete_offsets(&mut self, gone: Vec<(GroupId, TopicPartition)>, now: Now) {
        for batch in gone.chunks(TOMBSTONES_PER_BATCH) {
            let keys = batch.iter().map(|(group, at)| Key::offset(group, at));
            let records: Vec<_> = keys.flatten().map(|key| Record { key, value: None }).collect();
            if let Ok(last) = self.append(&records, now) {
                self.await_commit(last, Content::OffsetTombstones(batch.to_vec()), now);
            }
        }
    }

    fn delete_groups(&mut self, gone: Vec<(GroupId, i32)>, now: Now) {
        for (group, generation) in gone {
            let Ok(key) = Key::group(&group) else { continue };
            if let Ok(last) = self.append(&[Record { key, value: None }], now) {
                self.await_commit(last, Content::GroupTombstone(group, generation), now);
            }
        }
    }
}

fn groups_of(content: &Content) -> Vec<&GroupId> {
    match content {
        Content::Group(group, _) | Content::Offsets { group, .. } | Content::GroupTombstone(group, _) => vec![group],
        Content::OffsetTombstones(gone) => gone.iter().map(|(group, _)| group).collect(),
    }
}
