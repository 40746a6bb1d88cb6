//! The quorum of the metadata as a client sees it (KIP-595, KIP-836, KIP-853).

use kafka_protocol::messages::describe_quorum_request::{PartitionData as Asked, TopicData};
use kafka_protocol::messages::describe_quorum_response::{PartitionData, ReplicaState};
use kafka_protocol::messages::{DescribeQuorumRequest, DescribeQuorumResponse};

use super::cluster::topic_name;
use super::{CallError, Cluster};

/// The last version whose fields are all understood here.
const QUORUM_VERSION: i16 = 2;
/// The topic of the metadata; it has one partition.
const METADATA_TOPIC: &str = "__cluster_metadata";

impl Cluster {
    /// Describes the quorum. The answer, and its one partition, may be a refusal.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn describe_quorum(&mut self) -> Result<DescribeQuorumResponse, CallError> {
        let topic = TopicData::default()
            .with_topic_name(topic_name(METADATA_TOPIC))
            .with_partitions(vec![Asked::default().with_partition_index(0)]);
        let version = self.any().version_of::<DescribeQuorumRequest>(QUORUM_VERSION)?;
        self.any().call(&DescribeQuorumRequest::default().with_topics(vec![topic]), version).await
    }
}

/// The voter that leads.
#[must_use]
pub fn leader(quorum: &PartitionData) -> Option<&ReplicaState> {
    quorum.current_voters.iter().find(|voter| voter.replica_id == quorum.leader_id)
}
