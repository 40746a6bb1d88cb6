//! A partition as clients of one listener see it.

use barnabas_raft::{BrokerId, MetadataImage, PartitionImage};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::BrokerId as WireBrokerId;

use crate::api::brokers::is_alive;

/// What is shown of a partition.
pub(super) struct PartitionState {
    /// The leader, unless it is unknown or cannot be reached over the listener.
    pub(super) leader: Option<BrokerId>,
    /// Why there is no leader.
    pub(super) error: Option<ResponseError>,
    pub(super) leader_epoch: i32,
    pub(super) replicas: Vec<WireBrokerId>,
    pub(super) isr: Vec<WireBrokerId>,
    /// Replicas whose broker cannot be reached.
    pub(super) offline: Vec<WireBrokerId>,
}

fn wire(ids: impl IntoIterator<Item = BrokerId>) -> Vec<WireBrokerId> {
    ids.into_iter().map(|id| WireBrokerId(id.0)).collect()
}

impl PartitionState {
    pub(super) fn new(image: &MetadataImage, listener: &str, partition: &PartitionImage) -> Self {
        let alive = |id: &BrokerId| is_alive(image, listener, *id);
        let leader = partition.leader.filter(alive);
        let unreachable = |id: BrokerId| match image.broker(id) {
            Some(broker) if broker.endpoint(listener).is_none() => ResponseError::ListenerNotFound,
            Some(_) | None => ResponseError::LeaderNotAvailable,
        };
        let error = match (leader, partition.leader) {
            (Some(_), _) => None,
            (None, Some(id)) => Some(unreachable(id)),
            (None, None) => Some(ResponseError::LeaderNotAvailable),
        };
        Self {
            leader,
            error,
            leader_epoch: partition.leader_epoch.0,
            replicas: wire(partition.replicas.iter().copied()),
            isr: wire(partition.isr.iter().copied()),
            offline: wire(partition.replicas.iter().copied().filter(|id| !alive(id))),
        }
    }

    pub(super) fn leader_id(&self) -> WireBrokerId {
        WireBrokerId(self.leader.map_or(-1, |id| id.0))
    }
}
