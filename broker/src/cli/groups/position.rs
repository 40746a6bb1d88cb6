//! Where a group stands in each partition that it reads: what it committed, where the log ends, how old the first record
//! is that it has not read, and who reads it.

use std::collections::{BTreeMap, BTreeSet};

use barnabas_storage::seam::Seams;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::describe_groups_response::DescribedGroup;

use crate::cli::Failure;
use crate::client::Cluster;
use crate::client::groups::{Committed, assigned};
use crate::client::offsets::LATEST;
use crate::group::offsets::TopicPartition;

/// A member that reads a partition.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Reader {
    pub(in crate::cli) id: String,
    pub(in crate::cli) host: String,
    pub(in crate::cli) client_id: String,
}

/// Where a group stands in one partition.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Position {
    pub(in crate::cli) at: TopicPartition,
    /// What it committed; `None` when nothing.
    pub(in crate::cli) committed: Option<Committed>,
    /// The log's end; `None` when it cannot be had.
    pub(in crate::cli) end: Option<i64>,
    /// How long ago the batch was written that holds the first record which is not read; 0 when all is read.
    pub(in crate::cli) behind_ms: Option<i64>,
    /// Who reads it.
    pub(in crate::cli) member: Option<Reader>,
}

impl Position {
    /// How many records are not read.
    pub(in crate::cli) fn lag(&self) -> Option<i64> {
        Some((self.end? - self.committed.as_ref()?.offset).max(0))
    }
}

/// A group and its positions.
pub(in crate::cli) struct GroupPositions {
    pub(in crate::cli) described: DescribedGroup,
    pub(in crate::cli) positions: Vec<Position>,
}

/// What is known of a group; with `seconds` how long it is behind, which takes a fetch for each partition that is.
pub(in crate::cli) async fn of_group(
    cluster: &mut Cluster,
    group: &str,
    seconds: bool,
) -> Result<GroupPositions, Failure> {
    let described = cluster.describe_group(group).await?;
    let absent = ResponseError::GroupIdNotFound.code();
    if described.error_code == absent || (described.error_code == 0 && &*described.group_state == "Dead") {
        return Err(Failure::refused(format!("describe group {group}"), absent, None));
    }
    if described.error_code != 0 {
        return Err(Failure::refused(format!("describe group {group}"), described.error_code, None));
    }
    let committed = cluster.committed(group).await?;
    let readers = readers(&described);
    let wanted: BTreeSet<TopicPartition> = committed.keys().chain(readers.keys()).cloned().collect();
    let asked: Vec<_> = wanted.iter().map(|at| (at.clone(), LATEST)).collect();
    let ends = cluster.list_offsets(&asked).await?;
    let mut positions: Vec<_> = wanted
        .into_iter()
        .map(|at| Position {
            committed: committed.get(&at).cloned(),
            end: ends.get(&at).and_then(|found| found.ok()).map(|found| found.offset),
            behind_ms: None,
            member: readers.get(&at).cloned(),
            at,
        })
        .collect();
    if seconds {
        ages(cluster, &mut positions).await?;
    }
    Ok(GroupPositions { described, positions })
}

fn readers(described: &DescribedGroup) -> BTreeMap<TopicPartition, Reader> {
    let mut readers = BTreeMap::new();
    for member in &described.members {
        for at in assigned(&member.member_assignment) {
            let reader = Reader {
                id: member.member_id.to_string(),
                host: member.client_host.to_string(),
                client_id: member.client_id.to_string(),
            };
            readers.insert(at, reader);
        }
    }
    readers
}

async fn ages(cluster: &mut Cluster, positions: &mut [Position]) -> Result<(), Failure> {
    let now = Seams::system().clock.now().0;
    let behind = positions.iter().filter(|one| one.lag().is_some_and(|lag| lag > 0)).map(|one| &one.at);
    let leaders = cluster.leaders(behind).await?;
    for position in positions {
        let (Some(lag), Some(committed)) = (position.lag(), &position.committed) else { continue };
        if lag == 0 {
            position.behind_ms = Some(0);
        } else if let Some(Ok(leader)) = leaders.get(&position.at) {
            let written = cluster.written_at(&position.at, *leader, committed.offset).await?;
            position.behind_ms = written.map(|written| now.saturating_sub(written).max(0));
        }
    }
    Ok(())
}
