//! `cluster quorum`.

use kafka_protocol::messages::describe_quorum_response::{Node, PartitionData, ReplicaState};

use crate::cli::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, Column, Output, Table, column, wide};
use crate::client::Cluster;
use crate::client::quorum::leader;

const QUORUM: &[Column] = &[
    column("LEADER", "leader"),
    column("EPOCH", "epoch"),
    column("HIGH WATERMARK", "high_watermark"),
    column("VOTERS", "voters"),
    column("OBSERVERS", "observers"),
];
const REPLICAS: &[Column] = &[
    column("REPLICA", "replica"),
    column("ROLE", "role"),
    column("END OFFSET", "end_offset"),
    column("LAG", "lag"),
    column("CAUGHT UP", "caught_up"),
    wide("FETCHED", "fetched"),
    wide("DIRECTORY", "directory_id"),
    wide("ENDPOINTS", "endpoints"),
];

pub(super) async fn run(cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let (quorum, replicas) = ask(cluster).await?;
    output.show_all(&[("quorum", &quorum), ("replicas", &replicas)])?;
    Ok(Exit::Done)
}

/// The quorum, and its replicas.
pub(super) async fn ask(cluster: &mut Cluster) -> Result<(Table, Table), Failure> {
    let answer = cluster.describe_quorum().await?;
    let refused = |code, said: Option<&str>| Failure::refused("describe the quorum", code, said);
    if answer.error_code != 0 {
        return Err(refused(answer.error_code, answer.error_message.as_deref()));
    }
    let quorum = answer.topics.first().and_then(|topic| topic.partitions.first());
    let quorum = quorum.ok_or("the broker answered for no partition of the metadata")?;
    if quorum.error_code != 0 {
        return Err(refused(quorum.error_code, quorum.error_message.as_deref()));
    }
    Ok((summary(quorum), replicas(quorum, &answer.nodes)))
}

fn summary(quorum: &PartitionData) -> Table {
    let ids = |replicas: &[ReplicaState]| Cell::list(replicas.iter().map(|replica| replica.replica_id.0));
    let mut table = Table::new(QUORUM);
    table.row(vec![
        Cell::number(Some(i64::from(quorum.leader_id.0)).filter(|id| *id >= 0)),
        Cell::Number(quorum.leader_epoch.into()),
        Cell::number(Some(quorum.high_watermark).filter(|offset| *offset >= 0)),
        ids(&quorum.current_voters),
        ids(&quorum.observers),
    ]);
    table
}

/// The leader first, then the other voters and the observers, as the answer has them.
fn replicas(quorum: &PartitionData, nodes: &[Node]) -> Table {
    let end = leader(quorum).map(|leader| leader.log_end_offset);
    let mut table = Table::new(REPLICAS);
    let mut row = |replica: &ReplicaState, role: &str| table.row(row(replica, role, end, nodes));
    leader(quorum).into_iter().for_each(|leader| row(leader, "leader"));
    let followers = quorum.current_voters.iter().filter(|voter| voter.replica_id != quorum.leader_id);
    followers.for_each(|voter| row(voter, "voter"));
    quorum.observers.iter().for_each(|observer| row(observer, "observer"));
    table
}

fn row(replica: &ReplicaState, role: &str, end: Option<i64>, nodes: &[Node]) -> Vec<Cell> {
    let known = |millis: i64| if millis < 0 { Cell::Nothing } else { Cell::Time(millis) };
    let directory = Some(replica.replica_directory_id).filter(|id| !id.is_nil());
    let node = nodes.iter().find(|node| node.node_id == replica.replica_id);
    let endpoints = node.map_or(&[][..], |node| &node.listeners[..]).iter().map(|listener| {
        let host = if listener.host.contains(':') { format!("[{}]", listener.host) } else { listener.host.to_string() };
        format!("{}://{host}:{}", listener.name, listener.port)
    });
    vec![
        Cell::Number(replica.replica_id.0.into()),
        Cell::text(role),
        Cell::number(Some(replica.log_end_offset).filter(|offset| *offset >= 0)),
        Cell::number(end.filter(|_| replica.log_end_offset >= 0).map(|end| end - replica.log_end_offset)),
        known(replica.last_caught_up_timestamp),
        known(replica.last_fetch_timestamp),
        Cell::optional(directory.map(|id| barnabas_storage::TopicId(id).to_string())),
        Cell::list(endpoints),
    ]
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::BrokerId;

    use super::*;

    #[test]
    fn the_leader_comes_first_and_the_others_tell_how_far_they_are_behind() {
        let replica = |id, end| {
            ReplicaState::default()
                .with_replica_id(BrokerId(id))
                .with_log_end_offset(end)
                .with_last_caught_up_timestamp(-1)
                .with_last_fetch_timestamp(-1)
        };
        let quorum = PartitionData::default()
            .with_leader_id(BrokerId(2))
            .with_current_voters(vec![replica(1, 7), replica(2, 10)])
            .with_observers(vec![replica(3, -1)]);
        let shown = replicas(&quorum, &[]).value();
        let told = |at: usize| (shown[at]["replica"].clone(), shown[at]["role"].clone(), shown[at]["lag"].clone());
        assert_eq!(told(0), (2.into(), "leader".into(), 0.into()));
        assert_eq!(told(1), (1.into(), "voter".into(), 3.into()));
        assert_eq!(told(2), (3.into(), "observer".into(), serde_json::Value::Null));
    }
}
