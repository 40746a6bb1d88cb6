//! Every group this broker coordinates: finds the partition of `__consumer_offsets` that keeps a group, and awaits the
//! answers of its shard.
//!
//! Must not know: requests' wire forms and versions.
//!
//! 1. An answer that depends on a record leaves after the record is committed.
//! 2. Every method is cancellation-safe: a client that goes away loses its answer, and its member stays until its
//!    session ends.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use barnabas_config::Config;
use barnabas_raft::{BrokerId, MetadataDelta, MetadataImage, MetadataListener, TopicImage};
use barnabas_storage::PartitionIndex;
use barnabas_storage::seam::Clock;
use parking_lot::RwLock;
use tokio::sync::oneshot;

use super::classic::{JoinAnswer, JoinRefused, JoinRequest, LeaveAnswer, LeavingMember, SyncAnswer, SyncRequest};
use super::error::GroupError;
use super::ids::{GroupId, InstanceId, MemberId};
use super::log::{GroupLog, PartitionLog};
use super::offsets::{DeletedTopic, TopicPartition};
use super::placement::partition_of;
use super::schema::OffsetCommitValue;
use super::settings::GroupSettings;
use super::shard::{CommitRequest, OffsetWanted};
use super::slot::Slot;
use crate::partition::Partitions;
use crate::seam::Tasks;
use crate::topics::CONSUMER_OFFSETS;

mod administration;

/// Finds the log of a partition of `__consumer_offsets` that this broker leads.
pub type FindLog = Box<dyn Fn(PartitionIndex) -> Option<Arc<dyn GroupLog>> + Send + Sync>;

/// Every group this broker coordinates.
pub struct Groups {
    broker: BrokerId,
    settings: Arc<GroupSettings>,
    clock: Arc<dyn Clock>,
    tasks: Tasks,
    find_log: FindLog,
    /// Partitions of `__consumer_offsets`; the configured number until the topic exists.
    partitions: AtomicI32,
    slots: RwLock<HashMap<PartitionIndex, Arc<Slot>>>,
}

impl Groups {
    /// Coordinates nothing until the metadata says so.
    #[must_use]
    pub fn new(
        broker: BrokerId,
        settings: GroupSettings,
        clock: Arc<dyn Clock>,
        tasks: Tasks,
        find_log: FindLog,
    ) -> Self {
        let partitions = AtomicI32::new(settings.offsets_topic_partitions);
        Self { broker, settings: Arc::new(settings), clock, tasks, find_log, partitions, slots: RwLock::default() }
    }

    /// Of a broker: logs are found among its partitions.
    #[must_use]
    pub fn of_broker(
        broker: BrokerId,
        config: &Config,
        clock: Arc<dyn Clock>,
        tasks: Tasks,
        partitions: Arc<Partitions>,
    ) -> Self {
        let find_log = move |index| {
            let partition = partitions.by_name(CONSUMER_OFFSETS, index)?;
            Some(Arc::new(PartitionLog(partition)) as Arc<dyn GroupLog>)
        };
        Self::new(broker, GroupSettings::from_config(config), clock, tasks, Box::new(find_log))
    }

    /// The settings it obeys.
    #[must_use]
    pub fn settings(&self) -> &GroupSettings {
        &self.settings
    }

    /// The partition of `__consumer_offsets` that keeps this group.
    #[must_use]
    pub fn partition_of(&self, group: &GroupId) -> PartitionIndex {
        partition_of(group, self.partitions.load(Ordering::Acquire))
    }

    /// JoinGroup: answered when the join phase ends.
    ///
    /// # Errors
    /// With the member id that the answer carries.
    pub async fn join(&self, group: &GroupId, request: JoinRequest) -> JoinAnswer {
        let refuse = |error| Err(JoinRefused { error, member_id: request.member_id.clone() });
        if group.as_str().is_empty() {
            return refuse(GroupError::InvalidGroupId);
        }
        let bounds = self.settings.min_session_timeout_ms..=self.settings.max_session_timeout_ms;
        if !bounds.contains(&request.session_timeout_ms) {
            return refuse(GroupError::InvalidSessionTimeout);
        }
        let parked = self.slot(group).and_then(|slot| slot.with(|shard, now| shard.join(group, &request, now)));
        match parked {
            Ok(answer) => answer.await.unwrap_or_else(|_| refuse(GroupError::NotCoordinator)),
            Err(error) => refuse(error),
        }
    }

    /// SyncGroup: answered when the leader's assignment is durable.
    ///
    /// # Errors
    /// What the member is told.
    pub async fn sync(&self, group: &GroupId, request: SyncRequest) -> SyncAnswer {
        check_named(group)?;
        let answer = self.slot(group)?.with(|shard, now| shard.sync(group, &request, now))?;
        answer.await.unwrap_or(Err(GroupError::NotCoordinator))
    }

    /// Heartbeat. While the group loads, the member is told that all is well: nothing else can be known.
    ///
    /// # Errors
    /// What the member is told.
    pub fn heartbeat(
        &self,
        group: &GroupId,
        member: &MemberId,
        instance: Option<&InstanceId>,
        generation: i32,
    ) -> Result<(), GroupError> {
        check_named(group)?;
        let slot = self.slot(group)?;
        match slot.with(|shard, now| shard.heartbeat(group, member, instance, generation, now)) {
            Ok(outcome) => outcome,
            Err(GroupError::LoadInProgress) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// LeaveGroup.
    ///
    /// # Errors
    /// What the whole request is told.
    pub async fn leave(&self, group: &GroupId, members: &[LeavingMember]) -> LeaveAnswer {
        check_named(group)?;
        let answer = self.slot(group)?.with(|shard, now| shard.leave(group, members, now))?;
        answer.await.unwrap_or(Err(GroupError::NotCoordinator))
    }

    /// OffsetCommit: answered when the offsets are durable.
    ///
    /// # Errors
    /// What every partition of the request is told.
    pub async fn commit(&self, group: &GroupId, request: CommitRequest) -> Result<(), GroupError> {
        let slot = self.slot(group)?;
        let answer = slot.with(|shard, now| shard.commit(group, request, now))??;
        match answer {
            Some(answer) => outcome_of(answer.await),
            None => Ok(()),
        }
    }

    /// OffsetFetch. With `stable` it waits until every commit made before it is durable.
    ///
    /// # Errors
    /// What the group's answer is.
    pub async fn fetch(
        &self,
        group: &GroupId,
        wanted: OffsetWanted,
        stable: bool,
    ) -> Result<Vec<(TopicPartition, Option<OffsetCommitValue>)>, GroupError> {
        let slot = self.slot(group)?;
        if stable && let Some(settled) = slot.with(|shard, _| shard.settled())? {
            outcome_of(settled.await)?;
        }
        slot.with(|shard, _| shard.fetch(group, wanted))?
    }

    fn slot(&self, group: &GroupId) -> Result<Arc<Slot>, GroupError> {
        self.slots.read().get(&self.partition_of(group)).cloned().ok_or(GroupError::NotCoordinator)
    }

    /// The offsets topic appeared or changed: what this broker leads is loaded, what it no longer leads is retired.
    fn take_over(&self, topic: &TopicImage) {
        self.partitions.store(i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX), Ordering::Release);
        for (partition, index) in topic.partitions.iter().zip(0..) {
            let index = PartitionIndex(index);
            let leads = partition.leader == Some(self.broker);
            let present = self.slots.read().get(&index).cloned();
            if leads && present.as_ref().is_some_and(|slot| slot.epoch() == partition.leader_epoch) {
                continue;
            }
            if present.is_some() {
                self.give_up(index);
            }
            if leads && let Some(log) = (self.find_log)(index) {
                let slot = Slot::new(partition.leader_epoch, log, Arc::clone(&self.settings), Arc::clone(&self.clock));
                self.slots.write().insert(index, Arc::clone(&slot));
                self.tasks.spawn("group-shard", slot.run(self.tasks.clone()));
            }
        }
    }

    fn give_up(&self, index: PartitionIndex) {
        let slot = self.slots.write().remove(&index);
        if let Some(slot) = slot {
            slot.retire();
        }
    }

    fn give_up_all(&self) {
        for slot in std::mem::take(&mut *self.slots.write()).into_values() {
            slot.retire();
        }
    }
}

impl MetadataListener for Groups {
    fn publish(&self, delta: &MetadataDelta, _image: &Arc<MetadataImage>) {
        let is_ours = |topic: &&Arc<TopicImage>| &*topic.name == CONSUMER_OFFSETS;
        if delta.topics_deleted.iter().any(|topic| is_ours(&topic)) {
            self.give_up_all();
        }
        for topic in delta.topics_created.iter().chain(&delta.topics_changed).filter(is_ours) {
            self.take_over(topic);
        }
        let deleted = delta.topics_deleted.iter();
        let deleted: Vec<_> =
            deleted.map(|topic| DeletedTopic { name: Arc::clone(&topic.name), id: topic.id }).collect();
        if !deleted.is_empty() {
            let slots: Vec<_> = self.slots.read().values().cloned().collect();
            for slot in slots {
                slot.delete_topics(&deleted);
            }
        }
    }
}

/// The empty name is no group with members.
fn check_named(group: &GroupId) -> Result<(), GroupError> {
    if group.as_str().is_empty() { Err(GroupError::InvalidGroupId) } else { Ok(()) }
}

fn outcome_of(answer: Result<Result<(), GroupError>, oneshot::error::RecvError>) -> Result<(), GroupError> {
    answer.unwrap_or(Err(GroupError::NotCoordinator))
}

#[cfg(test)]
mod tests;
