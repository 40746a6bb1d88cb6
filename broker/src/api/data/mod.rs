//! The data plane: Produce, Fetch, and what clients ask about offsets and producer ids.

mod current_leader;
pub mod delete_records;
pub mod describe_producers;
pub mod fetch;
mod fetch_response;
mod fetch_round;
pub mod init_producer_id;
pub mod list_offsets;
pub mod offset_for_leader_epoch;
pub mod produce;

use barnabas_storage::LeaderEpoch;
use kafka_protocol::error::ResponseError;

use crate::partition::Partition;

/// Whether the client's idea of the leader epoch is ours (KIP-320); -1 says nothing.
fn check_leader_epoch(partition: &Partition, of_client: LeaderEpoch) -> Result<(), ResponseError> {
    let ours = partition.leader_epoch();
    if of_client == LeaderEpoch::NONE || of_client == ours {
        Ok(())
    } else if of_client < ours {
        Err(ResponseError::FencedLeaderEpoch)
    } else {
        Err(ResponseError::UnknownLeaderEpoch)
    }
}

#[cfg(test)]
pub(crate) mod tests;
