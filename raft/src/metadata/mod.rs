//! The metadata image: what the cluster has decided, immutable, replaced as a whole at each change.

use std::collections::BTreeMap;
use std::sync::Arc;

use barnabas_storage::{LeaderEpoch, PartitionIndex, TopicId};

/// Kafka's `node.id` of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerId(pub i32);

/// Where a broker can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerEndpoint {
    /// Listener name.
    pub listener: String,
    /// Advertised host.
    pub host: String,
    /// Advertised port.
    pub port: u16,
}

/// A registered broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerImage {
    /// `node.id`.
    pub id: BrokerId,
    /// Rises at each registration; the raft index of the record.
    pub epoch: i64,
    /// Advertised listeners.
    pub endpoints: Vec<BrokerEndpoint>,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// A fenced broker leads nothing.
    pub fenced: bool,
}

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

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicImage {
    /// Name.
    pub name: Arc<str>,
    /// Identity.
    pub id: TopicId,
    /// Partitions by index.
    pub partitions: Vec<PartitionImage>,
    /// Topic settings that differ from the broker's, by Kafka's names.
    pub configs: BTreeMap<String, String>,
}

impl TopicImage {
    /// The partition of this index.
    #[must_use]
    pub fn partition(&self, index: PartitionIndex) -> Option<&PartitionImage> {
        self.partitions.get(usize::try_from(index.0).ok()?)
    }
}

/// Everything the cluster has decided, as of one raft index.
#[derive(Clone, Debug, Default)]
pub struct MetadataImage {
    _private: (),
}

impl MetadataImage {
    /// The cluster's id.
    #[must_use]
    pub fn cluster_id(&self) -> &str {
        todo!()
    }
    /// Raft index of the last entry applied.
    #[must_use]
    pub fn applied_index(&self) -> u64 {
        todo!()
    }
    /// Every topic, ordered by name.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<TopicImage>> + '_ {
        let none: [&Arc<TopicImage>; 0] = [];
        none.into_iter()
    }
    /// Number of topics.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        todo!()
    }
    /// A topic by name.
    #[must_use]
    pub fn topic(&self, _name: &str) -> Option<&Arc<TopicImage>> {
        todo!()
    }
    /// A topic by id.
    #[must_use]
    pub fn topic_by_id(&self, _id: TopicId) -> Option<&Arc<TopicImage>> {
        todo!()
    }
    /// Every registered broker, ordered by id.
    pub fn brokers(&self) -> impl Iterator<Item = &BrokerImage> + '_ {
        let none: [&BrokerImage; 0] = [];
        none.into_iter()
    }
    /// A broker by id.
    #[must_use]
    pub fn broker(&self, _id: BrokerId) -> Option<&BrokerImage> {
        todo!()
    }
}

/// What one publication changed against the image before it.
#[derive(Clone, Debug, Default)]
pub struct MetadataDelta {
    /// Topics that were not there before.
    pub topics_created: Vec<Arc<TopicImage>>,
    /// Topics that are gone.
    pub topics_deleted: Vec<Arc<TopicImage>>,
    /// Topics whose partitions or settings changed.
    pub topics_changed: Vec<Arc<TopicImage>>,
    /// Whether any broker changed.
    pub brokers_changed: bool,
}

/// A topic to be made.
#[derive(Clone, Debug)]
pub struct NewTopic {
    /// Name, already checked against Kafka's rules by the caller.
    pub name: String,
    /// Number of partitions (1 or more), unless `assignment` gives them.
    pub partitions: i32,
    /// Number of replicas, unless `assignment` gives them.
    pub replication_factor: i16,
    /// Replicas per partition, preferred leader first; empty to let the controller place them.
    pub assignment: Vec<Vec<BrokerId>>,
    /// Settings, already validated by the caller.
    pub configs: BTreeMap<String, String>,
}
