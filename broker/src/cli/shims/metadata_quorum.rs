//! kafka-metadata-quorum. Where it differs: voters cannot be added and removed.

use barnabas_storage::seam::Seams;
use clap::Parser;
use kafka_protocol::messages::describe_quorum_response::{Node, PartitionData, ReplicaState};

use super::{ServerOrController, java_exception};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::client::quorum::leader;

/// kafka-metadata-quorum, as of Apache Kafka 4.3.
#[derive(Debug, Parser)]
#[command(name = "kafka-metadata-quorum", version, infer_long_args = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    server: ServerOrController,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Describe the metadata quorum info.
    Describe {
        /// A short summary of the quorum status.
        #[arg(long, conflicts_with = "replication", required_unless_present = "replication")]
        status: bool,
        /// Detailed information about the status of replication.
        #[arg(long)]
        replication: bool,
        /// Human-readable output.
        #[arg(long, conflicts_with = "status")]
        human_readable: bool,
    },
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let mut cluster = arguments.server.connect().await?;
    let Command::Describe { replication, human_readable, .. } = arguments.command;
    let answer = cluster.describe_quorum().await?;
    if answer.error_code != 0 {
        return Err(java_exception(answer.error_code, answer.error_message.as_deref()).into());
    }
    let quorum = answer.topics.first().and_then(|topic| topic.partitions.first());
    let quorum = quorum.ok_or("the broker answered for no partition of the metadata")?;
    if quorum.error_code != 0 {
        return Err(java_exception(quorum.error_code, quorum.error_message.as_deref()).into());
    }
    if replication {
        let now = human_readable.then(|| Seams::system().clock.now().0);
        print(&replicas(quorum, now))?;
    } else {
        let described = cluster.describe(false).await?;
        print(&status(&described.cluster_id, quorum, &answer.nodes))?;
    }
    Ok(Exit::Done)
}

fn status(cluster_id: &str, quorum: &PartitionData, nodes: &[Node]) -> String {
    let end = leader(quorum).map_or(0, |leader| leader.log_end_offset);
    let last = quorum.current_voters.iter().min_by_key(|voter| voter.log_end_offset);
    let lag = last.map_or(0, |last| end - last.log_end_offset);
    let lag_ms = match (leader(quorum), last) {
        (Some(leader), Some(last)) if leader.replica_id != last.replica_id => {
            let known = leader.last_caught_up_timestamp >= 0 && last.last_caught_up_timestamp >= 0;
            if known { leader.last_caught_up_timestamp - last.last_caught_up_timestamp } else { -1 }
        }
        _ => 0,
    };
    format!(
        "ClusterId:              {cluster_id}\n\
         LeaderId:               {}\n\
         LeaderEpoch:            {}\n\
         HighWatermark:          {}\n\
         MaxFollowerLag:         {lag}\n\
         MaxFollowerLagTimeMs:   {lag_ms}\n\
         CurrentVoters:          {}\n\
         CurrentObservers:       {}\n",
        quorum.leader_id.0,
        quorum.leader_epoch,
        quorum.high_watermark,
        states(&quorum.current_voters, nodes),
        states(&quorum.observers, nodes)
    )
}

fn states(replicas: &[ReplicaState], nodes: &[Node]) -> String {
    let shown = replicas.iter().map(|replica| {
        let directory = replica.replica_directory_id;
        let directory = if directory.is_nil() {
            String::new()
        } else {
            format!(", \"directoryId\": \"{}\"", barnabas_storage::TopicId(directory))
        };
        let node = nodes.iter().find(|node| node.node_id == replica.replica_id);
        let listeners = node.map_or(&[][..], |node| &node.listeners[..]).iter().map(|listener| {
            let host =
                if listener.host.contains(':') { format!("[{}]", listener.host) } else { listener.host.to_string() };
            format!("\"{}://{host}:{}\"", listener.name, listener.port)
        });
        let listeners: Vec<String> = listeners.collect();
        let endpoints = match &listeners[..] {
            [] => String::new(),
            _ => format!(", \"endpoints\": [{}]", listeners.join(", ")),
        };
        format!("{{\"id\": {}{directory}{endpoints}}}", replica.replica_id.0)
    });
    format!("[{}]", shown.collect::<Vec<_>>().join(", "))
}

const COLUMNS: [&str; 7] =
    ["NodeId", "DirectoryId", "LogEndOffset", "Lag", "LastFetchTimestamp", "LastCaughtUpTimestamp", "Status"];

/// `now`, when people read it: then times are told by how long ago they were.
fn replicas(quorum: &PartitionData, now: Option<i64>) -> String {
    let end = leader(quorum).map_or(0, |leader| leader.log_end_offset);
    let row = |replica: &ReplicaState, status: &str| {
        let time = |millis: i64| match now {
            Some(now) if millis >= 0 => format!("{} ms ago", now - millis),
            _ => millis.to_string(),
        };
        [
            replica.replica_id.0.to_string(),
            barnabas_storage::TopicId(replica.replica_directory_id).to_string(),
            replica.log_end_offset.to_string(),
            (end - replica.log_end_offset).to_string(),
            time(replica.last_fetch_timestamp),
            time(replica.last_caught_up_timestamp),
            status.to_owned(),
        ]
    };
    let followers = quorum.current_voters.iter().filter(|voter| voter.replica_id != quorum.leader_id);
    let rows = leader(quorum).map(|leader| row(leader, "Leader"));
    let rows = rows.into_iter().chain(followers.map(|voter| row(voter, "Follower")));
    let rows: Vec<_> = rows.chain(quorum.observers.iter().map(|observer| row(observer, "Observer"))).collect();
    table(&rows)
}

/// Columns as wide as their widest cell, with a tab between them.
fn table(rows: &[[String; 7]]) -> String {
    let head = COLUMNS.map(str::to_owned);
    let width = |at: usize| rows.iter().chain([&head]).map(|row| row[at].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("\t") + "\t\n"
    };
    std::iter::once(&head).chain(rows).map(line).collect()
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::BrokerId;
    use kafka_protocol::messages::describe_quorum_response::Listener;
    use kafka_protocol::protocol::StrBytes;

    use super::*;

    fn quorum() -> PartitionData {
        let voter = |id, end, caught_up| {
            ReplicaState::default()
                .with_replica_id(BrokerId(id))
                .with_log_end_offset(end)
                .with_last_fetch_timestamp(caught_up)
                .with_last_caught_up_timestamp(caught_up)
        };
        PartitionData::default()
            .with_leader_id(BrokerId(1))
            .with_leader_epoch(3)
            .with_high_watermark(9)
            .with_current_voters(vec![voter(1, 10, 500), voter(2, 7, 400)])
    }

    #[test]
    fn the_status_tells_the_slowest_voter_and_where_voters_are() {
        let listener = Listener::default()
            .with_name(StrBytes::from_static_str("CONTROLLER"))
            .with_host(StrBytes::from_static_str("h"))
            .with_port(9093);
        let node = Node::default().with_node_id(BrokerId(1)).with_listeners(vec![listener]);
        let status = status("id", &quorum(), &[node]);
        assert!(status.contains("MaxFollowerLag:         3\nMaxFollowerLagTimeMs:   100\n"), "{status}");
        assert!(status.contains(r#"[{"id": 1, "endpoints": ["CONTROLLER://h:9093"]}, {"id": 2}]"#), "{status}");
        assert!(status.ends_with("CurrentObservers:       []\n"), "{status}");
    }

    #[test]
    fn replication_is_told_in_milliseconds_or_in_how_long_ago() {
        let text = replicas(&quorum(), Some(600));
        assert!(
            text.lines().nth(1).is_some_and(|line| line.contains("100 ms ago") && line.contains("Leader")),
            "{text}"
        );
        assert!(
            replicas(&quorum(), None).lines().nth(2).is_some_and(|line| line.contains("400") && line.contains('3'))
        );
    }

    #[test]
    fn one_of_the_two_is_asked_for() {
        let parse = |line: &str| Arguments::try_parse_from(line.split(' '));
        assert!(parse("kafka-metadata-quorum --bootstrap-server h:1 describe --status").is_ok());
        assert!(parse("kafka-metadata-quorum --bootstrap-server h:1 describe").is_err());
        assert!(parse("kafka-metadata-quorum --bootstrap-controller h:1 describe --status").is_ok());
        assert!(parse("kafka-metadata-quorum describe --status").is_err());
        assert!(parse("kafka-metadata-quorum --bootstrap-server h:1 describe --status --replication").is_err());
        assert!(parse("kafka-metadata-quorum --bootstrap-server h:1 describe --status --human-readable").is_err());
    }
}
