//! `topics list`.

use kafka_protocol::messages::metadata_response::MetadataResponseTopic;

use crate::cli::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, Column, Output, Table, column, wide};
use crate::client::Cluster;

/// What `list` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Also those that only the broker's coordinators write to.
    #[arg(long)]
    internal: bool,
}

const COLUMNS: &[Column] = &[
    column("TOPIC", "topic"),
    column("PARTITIONS", "partitions"),
    column("REPLICAS", "replicas"),
    wide("ID", "id"),
    wide("INTERNAL", "internal"),
];

pub(super) async fn run(arguments: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let answer = cluster.metadata(None).await?;
    let mut topics: Vec<_> = answer.topics.iter().filter(|topic| arguments.internal || !topic.is_internal).collect();
    topics.sort_by(|left, right| left.name.cmp(&right.name));
    let mut table = Table::new(COLUMNS);
    for topic in topics {
        let id = (!topic.topic_id.is_nil()).then(|| barnabas_storage::TopicId(topic.topic_id).to_string());
        table.row(vec![
            Cell::text(name_of(topic)),
            Cell::Number(i64::try_from(topic.partitions.len()).unwrap_or(i64::MAX)),
            Cell::Number(replicas_of(topic)),
            Cell::optional(id),
            Cell::Flag(topic.is_internal),
        ]);
    }
    output.show(&table)?;
    Ok(Exit::Done)
}

fn name_of(topic: &MetadataResponseTopic) -> &str {
    topic.name.as_ref().map_or("", |name| name.as_str())
}

/// The replicas of its first partition: every one has as many, unless it is being moved.
fn replicas_of(topic: &MetadataResponseTopic) -> i64 {
    topic.partitions.first().map_or(0, |first| i64::try_from(first.replica_nodes.len()).unwrap_or(i64::MAX))
}
