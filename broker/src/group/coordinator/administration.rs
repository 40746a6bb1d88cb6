//! What administrators ask of every group that this broker coordinates.

use super::{Groups, outcome_of};
use crate::group::classic::{Described, Listed};
use crate::group::error::GroupError;
use crate::group::ids::GroupId;
use crate::group::offsets::TopicPartition;
use crate::group::shard::WatchedGroup;

impl Groups {
    /// ListGroups: those of every partition that is led; one that has moved away meanwhile is passed over.
    ///
    /// # Errors
    /// While one of them loads.
    pub fn list(&self) -> Result<Vec<Listed>, GroupError> {
        let slots: Vec<_> = self.slots.read().values().cloned().collect();
        let mut listed = Vec::new();
        for slot in slots {
            match slot.with(|shard, _| shard.list()).flatten() {
                Ok(groups) => listed.extend(groups),
                Err(GroupError::NotCoordinator) => {}
                Err(error) => return Err(error),
            }
        }
        listed.sort_by(|left, right| left.id.cmp(&right.id));
        Ok(listed)
    }

    /// Every group with what it committed, for whoever watches; those of a partition that loads are left out.
    #[must_use]
    pub fn watch(&self) -> Vec<WatchedGroup> {
        let slots: Vec<_> = self.slots.read().values().cloned().collect();
        let mut watched: Vec<_> =
            slots.iter().filter_map(|slot| slot.with(|shard, _| shard.watch()).ok()).flatten().collect();
        watched.sort_by(|left, right| left.listed.id.cmp(&right.listed.id));
        watched
    }

    /// DescribeGroups, of one group.
    ///
    /// # Errors
    /// What it is told.
    pub fn describe(&self, group: &GroupId) -> Result<Described, GroupError> {
        self.slot(group)?.with(|shard, _| shard.describe(group)).flatten()
    }

    /// DeleteGroups: every group is begun, then all are awaited.
    pub async fn delete(&self, groups: &[GroupId]) -> Vec<Result<(), GroupError>> {
        let begin = |group| self.slot(group)?.with(|shard, now| shard.delete(group, now)).flatten();
        let begun: Vec<_> = groups.iter().map(begin).collect();
        let mut outcomes = Vec::with_capacity(begun.len());
        for deletion in begun {
            outcomes.push(match deletion {
                Ok(gone) => outcome_of(gone.await),
                Err(error) => Err(error),
            });
        }
        outcomes
    }

    /// OffsetDelete: answered when the offsets are gone for good.
    ///
    /// # Errors
    /// What the whole request is told.
    pub async fn delete_offsets(
        &self,
        group: &GroupId,
        partitions: Vec<TopicPartition>,
    ) -> Result<Vec<(TopicPartition, Result<(), GroupError>)>, GroupError> {
        super::check_named(group)?;
        let slot = self.slot(group)?;
        let (told, gone) = slot.with(|shard, now| shard.delete_offsets_of(group, partitions, now)).flatten()?;
        if let Some(gone) = gone {
            outcome_of(gone.await)?;
        }
        Ok(told)
    }
}
