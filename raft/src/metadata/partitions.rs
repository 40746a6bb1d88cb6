//! Partitions: who has them, who leads them, and since which epoch.

use barnabas_storage::{LeaderEpoch, PartitionIndex, TopicId};

use super::brokers::BrokerId;
use super::codec::{DecodeError, Reader, Writer};
use super::image::{MetadataImage, Touched};
use super::record::Body;

/// One partition's assignment and leadership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionImage {
    /// Assigned replicas, the preferred leader first.
    pub replicas: Vec<BrokerId>,
    /// In-sync replicas.
    pub isr: Vec<BrokerId>,
    /// Present leader.
    pub leader: Option<BrokerId>,
    /// Rises at each change of leader.
    pub leader_epoch: LeaderEpoch,
    /// Rises at each change of this record.
    pub partition_epoch: i32,
}

/// A partition, whole: its creation, or its state in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionRecord {
    /// Which topic.
    pub topic: TopicId,
    /// Which partition; the next one of its topic, or one that is there.
    pub index: PartitionIndex,
    /// Its state.
    pub partition: PartitionImage,
}

/// A partition got another leader, or the same one anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionChangeRecord {
    /// Which topic.
    pub topic: TopicId,
    /// Which partition.
    pub index: PartitionIndex,
    /// In-sync replicas from now on.
    pub isr: Vec<BrokerId>,
    /// Leader from now on.
    pub leader: Option<BrokerId>,
    /// Leader epoch from now on.
    pub leader_epoch: LeaderEpoch,
    /// Partition epoch from now on.
    pub partition_epoch: i32,
}

fn put_brokers(out: &mut Writer, brokers: &[BrokerId]) {
    out.list(brokers, |out, broker| out.signed(i64::from(broker.0)));
}

fn brokers(from: &mut Reader<'_>) -> Result<Vec<BrokerId>, DecodeError> {
    from.list(|from| from.int32().map(BrokerId))
}

fn put_leader(out: &mut Writer, leader: Option<BrokerId>) {
    out.optional(leader, |out, leader| out.signed(i64::from(leader.0)));
}

fn leader(from: &mut Reader<'_>) -> Result<Option<BrokerId>, DecodeError> {
    from.optional(|from| from.int32().map(BrokerId))
}

impl Body for PartitionRecord {
    fn encode(&self, out: &mut Writer) {
        out.uuid(self.topic.0);
        out.signed(i64::from(self.index.0));
        put_brokers(out, &self.partition.replicas);
        put_brokers(out, &self.partition.isr);
        put_leader(out, self.partition.leader);
        out.signed(i64::from(self.partition.leader_epoch.0));
        out.signed(i64::from(self.partition.partition_epoch));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: TopicId(from.uuid()?),
            index: PartitionIndex(from.int32()?),
            partition: PartitionImage {
                replicas: brokers(from)?,
                isr: brokers(from)?,
                leader: leader(from)?,
                leader_epoch: LeaderEpoch(from.int32()?),
                partition_epoch: from.int32()?,
            },
        })
    }
}

impl PartitionRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage, touched: &mut Touched) {
        let Some(topic) = image.topic_mut(self.topic, touched) else { return };
        let Ok(index) = usize::try_from(self.index.0) else { return };
        if let Some(partition) = topic.partitions.get_mut(index) {
            partition.clone_from(&self.partition);
        } else if index == topic.partitions.len() {
            topic.partitions.push(self.partition.clone());
        }
    }
}

impl Body for PartitionChangeRecord {
    fn encode(&self, out: &mut Writer) {
        out.uuid(self.topic.0);
        out.signed(i64::from(self.index.0));
        put_brokers(out, &self.isr);
        put_leader(out, self.leader);
        out.signed(i64::from(self.leader_epoch.0));
        out.signed(i64::from(self.partition_epoch));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: TopicId(from.uuid()?),
            index: PartitionIndex(from.int32()?),
            isr: brokers(from)?,
            leader: leader(from)?,
            leader_epoch: LeaderEpoch(from.int32()?),
            partition_epoch: from.int32()?,
        })
    }
}

impl PartitionChangeRecord {
    pub(super) fn apply(&self, image: &mut MetadataImage, touched: &mut Touched) {
        let Some(topic) = image.topic_mut(self.topic, touched) else { return };
        let index = usize::try_from(self.index.0).ok();
        let Some(partition) = index.and_then(|index| topic.partitions.get_mut(index)) else { return };
        partition.isr.clone_from(&self.isr);
        partition.leader = self.leader;
        partition.leader_epoch = self.leader_epoch;
        partition.partition_epoch = self.partition_epoch;
    }
}
