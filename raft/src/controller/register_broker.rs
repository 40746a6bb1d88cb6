//! A broker (re)starts.

use barnabas_storage::{LeaderEpoch, PartitionIndex};

use crate::metadata::brokers::RegisterBrokerRecord;
use crate::metadata::partitions::PartitionChangeRecord;
use crate::metadata::{BrokerEndpoint, BrokerId, MetadataImage, PartitionImage, Record, TopicImage};

/// The registration, and a new leadership of every partition that this broker alone can lead: its earlier process is
/// gone, so that what it leads now it leads under a higher epoch, by which clients notice a log that lost its tail.
pub(super) fn decide(
    image: &MetadataImage,
    id: BrokerId,
    endpoints: Vec<BrokerEndpoint>,
    rack: Option<String>,
) -> Vec<Record> {
    let mut records = vec![RegisterBrokerRecord { id, epoch: None, endpoints, rack, fenced: false }.into()];
    for topic in image.topics() {
        let led = (0..).zip(&topic.partitions).filter(|(_, partition)| partition.isr.contains(&id));
        records.extend(led.map(|(index, partition)| lead(topic, PartitionIndex(index), partition, id).into()));
    }
    records
}

/// A new leadership of a partition, by the only broker that can.
pub(super) fn lead(
    topic: &TopicImage,
    index: PartitionIndex,
    partition: &PartitionImage,
    leader: BrokerId,
) -> PartitionChangeRecord {
    PartitionChangeRecord {
        topic: topic.id,
        index,
        isr: partition.isr.clone(),
        leader: Some(leader),
        leader_epoch: LeaderEpoch(partition.leader_epoch.0.saturating_add(1)),
        partition_epoch: partition.partition_epoch.saturating_add(1),
    }
}
