//! ListGroups, DescribeGroups, DeleteGroups and OffsetDelete of one shard.

use barnabas_storage::Offset;

use super::Shard;
use super::commit::CommitAnswer;
use super::retention::TOMBSTONES_PER_BATCH;
use super::write::Content;
use crate::group::classic::{ClassicGroup, Described, Listed, Now};
use crate::group::error::GroupError;
use crate::group::ids::GroupId;
use crate::group::log::Record;
use crate::group::offsets::TopicPartition;
use crate::group::schema::Key;

/// What becomes of each partition of an OffsetDelete, and who hears when it is durable; nobody when nothing was there.
pub type OffsetDeletion = (Vec<(TopicPartition, Result<(), GroupError>)>, Option<CommitAnswer>);

/// A group as whoever watches sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedGroup {
    /// Its id and state.
    pub listed: Listed,
    /// How many members it has.
    pub members: usize,
    /// What it committed.
    pub offsets: Vec<(TopicPartition, Offset)>,
}

impl Shard {
    /// Every group with what it committed; none of a broken shard.
    #[must_use]
    pub fn watch(&self) -> Vec<WatchedGroup> {
        let watched = |group: &ClassicGroup| {
            let listed = group.listed();
            let offsets = self.offsets.of_group(&listed.id).map(|(at, value)| (at.clone(), value.offset)).collect();
            WatchedGroup { offsets, members: group.described().members.len(), listed }
        };
        self.groups.values().map(watched).collect()
    }

    /// Every group.
    ///
    /// # Errors
    /// When the shard is broken.
    pub fn list(&self) -> Result<Vec<Listed>, GroupError> {
        self.check_alive()?;
        Ok(self.groups.values().map(ClassicGroup::listed).collect())
    }

    /// One group.
    ///
    /// # Errors
    /// There is none.
    pub fn describe(&self, id: &GroupId) -> Result<Described, GroupError> {
        self.check_alive()?;
        self.groups.get(id).map(ClassicGroup::described).ok_or(GroupError::GroupIdNotFound)
    }

    /// Deletes a group without members, and its offsets, those that are being committed among them. The receiver hears
    /// when it is gone.
    ///
    /// # Errors
    /// There is none, it has members, or the log refuses.
    pub fn delete(&mut self, id: &GroupId, now: Now) -> Result<CommitAnswer, GroupError> {
        self.check_alive()?;
        let group = self.groups.get(id).ok_or(GroupError::GroupIdNotFound)?;
        group.check_delete()?;
        let generation = group.generation();
        let offsets = self.offsets_under_way(id, |_| true);
        self.write_tombstones(id, offsets, now)?;
        let key = Key::group(id).map_err(|_| GroupError::Unstorable)?;
        let last = self.append(&[Record { key, value: None }], now)?;
        self.await_commit(last, Content::GroupTombstone(id.clone(), generation), now);
        self.settled().ok_or(GroupError::NotCoordinator)
    }

    /// Deletes offsets of topics that no member reads.
    ///
    /// # Errors
    /// What the whole request is told.
    pub fn delete_offsets_of(
        &mut self,
        id: &GroupId,
        wanted: Vec<TopicPartition>,
        now: Now,
    ) -> Result<OffsetDeletion, GroupError> {
        self.check_alive()?;
        let group = self.groups.get(id).ok_or(GroupError::GroupIdNotFound)?;
        group.check_offset_delete()?;
        let outcome = |at: &TopicPartition| {
            if group.is_subscribed(&at.topic) { Err(GroupError::GroupSubscribedToTopic) } else { Ok(()) }
        };
        let outcomes: Vec<_> = wanted.into_iter().map(|at| (outcome(&at), at)).map(|(told, at)| (at, told)).collect();
        let is_wanted = |at: &TopicPartition| outcomes.iter().any(|(one, told)| told.is_ok() && one == at);
        let gone = self.offsets_under_way(id, is_wanted);
        if gone.is_empty() {
            return Ok((outcomes, None));
        }
        self.write_tombstones(id, gone, now)?;
        let settled = self.settled();
        Ok((outcomes, settled))
    }

    /// Partitions of a group that have an offset, or will have one when the writes under way are committed.
    fn offsets_under_way(&self, id: &GroupId, wanted: impl Fn(&TopicPartition) -> bool) -> Vec<TopicPartition> {
        let durable = self.offsets.of_group(id).map(|(at, _)| at);
        let under_way = self.writes.iter().flat_map(|write| match &write.content {
            Content::Offsets { group, commits, .. } if group == id => commits.as_slice(),
            Content::Offsets { .. }
            | Content::Group(..)
            | Content::OffsetTombstones(_)
            | Content::GroupTombstone(..) => &[],
        });
        let mut found: Vec<_> = durable.chain(under_way.map(|(at, _)| at)).filter(|at| wanted(at)).cloned().collect();
        found.sort();
        found.dedup();
        found
    }

    fn write_tombstones(&mut self, id: &GroupId, gone: Vec<TopicPartition>, now: Now) -> Result<(), GroupError> {
        for batch in gone.chunks(TOMBSTONES_PER_BATCH) {
            let keys: Result<Vec<_>, _> = batch.iter().map(|at| Key::offset(id, at)).collect();
            let keys = keys.map_err(|_| GroupError::Unstorable)?;
            let records: Vec<_> = keys.into_iter().map(|key| Record { key, value: None }).collect();
            let last = self.append(&records, now)?;
            let content = batch.iter().map(|at| (id.clone(), at.clone())).collect();
            self.await_commit(last, Content::OffsetTombstones(content), now);
        }
        Ok(())
    }
}
