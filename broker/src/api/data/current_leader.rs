//! Who leads a partition instead (KIP-951), told beside NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH so that a client
//! need not ask for metadata first.

use barnabas_raft::{BrokerEndpoint, BrokerId};
use barnabas_storage::LeaderEpoch;

use crate::api::RequestContext;
use crate::partition::{FindError, Partition};

/// A partition's leader as this broker knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CurrentLeader {
    pub(super) id: BrokerId,
    pub(super) epoch: LeaderEpoch,
}

/// Where a leader can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeaderEndpoint {
    pub(super) id: BrokerId,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) rack: Option<String>,
}

impl CurrentLeader {
    /// Of a partition that another broker leads.
    pub(super) fn of_error(error: &FindError) -> Option<Self> {
        match *error {
            FindError::NotLeader { leader, leader_epoch } => leader.map(|id| Self { id, epoch: leader_epoch }),
            FindError::UnknownPartition | FindError::Offline => None,
        }
    }

    /// Of a partition that this broker leads, in another epoch than the client thinks.
    pub(super) fn here(context: &RequestContext, partition: &Partition) -> Self {
        Self { id: context.broker.id, epoch: partition.leader_epoch() }
    }
}

/// The endpoints of these leaders on the listener of the request, each once.
pub(super) fn endpoints(
    context: &RequestContext,
    leaders: impl IntoIterator<Item = CurrentLeader>,
) -> Vec<LeaderEndpoint> {
    let mut ids: Vec<BrokerId> = leaders.into_iter().map(|leader| leader.id).collect();
    if ids.is_empty() {
        return Vec::new();
    }
    ids.sort_unstable();
    ids.dedup();
    let image = context.broker.controller.image();
    let listener = |endpoint: &&BrokerEndpoint| *endpoint.listener == *context.connection.listener;
    let endpoint = |id: BrokerId| {
        let broker = image.broker(id)?;
        let endpoint = broker.endpoints.iter().find(listener)?;
        Some(LeaderEndpoint { id, host: endpoint.host.clone(), port: endpoint.port, rack: broker.rack.clone() })
    };
    ids.into_iter().filter_map(endpoint).collect()
}
