//! An image for the tests of this family: brokers 1 and 2, of which 2 is on no listener but `INTERNAL`.

use barnabas_raft::metadata::brokers::RegisterBrokerRecord;
use barnabas_raft::metadata::partitions::PartitionRecord;
use barnabas_raft::metadata::topics::TopicRecord;
use barnabas_raft::metadata::{Entry, Record, Touched};
use barnabas_raft::{BrokerEndpoint, BrokerId, MetadataImage, PartitionImage};
use barnabas_storage::{LeaderEpoch, PartitionIndex, Timestamp, TopicId};
use uuid::Uuid;

pub(super) const LISTENER: &str = "PLAINTEXT";

pub(super) fn id(number: u128) -> TopicId {
    TopicId(Uuid::from_u128(number))
}

fn broker(id: i32, listener: &str) -> Record {
    let endpoint = BrokerEndpoint { listener: listener.to_owned(), host: format!("h{id}"), port: 9092 };
    RegisterBrokerRecord { id: BrokerId(id), epoch: None, endpoints: vec![endpoint], rack: None, fenced: false }.into()
}

pub(super) fn partition(replicas: &[i32], leader: Option<i32>) -> PartitionImage {
    let replicas: Vec<BrokerId> = replicas.iter().copied().map(BrokerId).collect();
    PartitionImage {
        isr: replicas.clone(),
        replicas,
        leader: leader.map(BrokerId),
        leader_epoch: LeaderEpoch(4),
        partition_epoch: 0,
    }
}

/// These topics with this many partitions, led by broker 1; ids count from 1.
pub(super) fn image(topics: &[(&str, i32)]) -> MetadataImage {
    let mut records = vec![broker(1, LISTENER), broker(2, "INTERNAL")];
    for (number, (name, partitions)) in (1..).zip(topics) {
        records.push(TopicRecord { name: (*name).to_owned(), id: id(number) }.into());
        for index in (0..*partitions).map(PartitionIndex) {
            let partition = partition(&[1], Some(1));
            records.push(PartitionRecord { topic: id(number), index, partition }.into());
        }
    }
    let mut image = MetadataImage::default();
    image.apply(1, &Entry { timestamp: Timestamp(0), records }, &mut Touched::default());
    image
}
