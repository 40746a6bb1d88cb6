//! `topics describe`, and `topics health`: the partitions that are not as they should be.

use std::collections::BTreeMap;

use crate::cli::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, Column, Output, Table, column, wide};
use crate::cli::remark::remark;
use crate::client::Cluster;
use crate::client::topics::{PartitionView, TopicView};
use crate::unwell;

const TOPICS: &[Column] = &[
    column("TOPIC", "topic"),
    column("PARTITIONS", "partitions"),
    column("REPLICAS", "replicas"),
    column("SETTINGS", "settings"),
    wide("ID", "id"),
    wide("INTERNAL", "internal"),
];
const PARTITIONS: &[Column] = &[
    column("TOPIC", "topic"),
    column("PARTITION", "partition"),
    column("LEADER", "leader"),
    column("REPLICAS", "replicas"),
    column("IN SYNC", "isr"),
    wide("EPOCH", "leader_epoch"),
    wide("ELIGIBLE", "elr"),
];
const FINDINGS: &[Column] = &[
    column("TOPIC", "topic"),
    column("PARTITION", "partition"),
    column("FINDING", "finding"),
    column("LEADER", "leader"),
    column("REPLICAS", "replicas"),
    column("IN SYNC", "isr"),
];

/// Shows topics, their settings that are not the defaults, and their partitions.
pub(super) async fn run(names: &[String], cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut topics = cluster.topics(Some(&names)).await?;
    let refused =
        |topic: &TopicView| Failure::refused(format!("describe topic {}", topic.name), topic.error_code, None);
    let failures: Vec<_> = topics.iter().filter(|topic| topic.error_code != 0).map(refused).collect();
    topics.retain(|topic| topic.error_code == 0);
    cluster.add_eligible_leaders(&mut topics).await?;
    let known: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
    let overrides = if known.is_empty() { Default::default() } else { cluster.topic_overrides(&known).await? };
    let (mut summary, mut partitions) = (Table::new(TOPICS), Table::new(PARTITIONS));
    for topic in &topics {
        summary.row(vec![
            Cell::text(topic.name.as_str()),
            Cell::Number(count(topic.partitions.len())),
            Cell::Number(count(topic.partitions.first().map_or(0, |first| first.replicas.len()))),
            Cell::list(overrides.get(&topic.name).into_iter().flatten()),
            Cell::optional(topic.id.as_deref()),
            Cell::Flag(topic.is_internal),
        ]);
        for one in &topic.partitions {
            partitions.row(vec![
                Cell::text(topic.name.as_str()),
                Cell::Number(one.index.into()),
                Cell::number(one.leader.map(i64::from)),
                Cell::list(&one.replicas),
                Cell::list(&one.isr),
                Cell::Number(one.leader_epoch.into()),
                one.elr.as_ref().map_or(Cell::Nothing, Cell::list),
            ]);
        }
    }
    if !topics.is_empty() {
        output.show_all(&[("topics", &summary), ("partitions", &partitions)])?;
    }
    Failure::all_or_some(failures, !topics.is_empty())
}

/// Shows partitions without a leader, with fewer replicas in sync than writes want, or with replicas behind; ends with 8 when
/// there are any.
pub(super) async fn health(cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let mut table = Table::new(FINDINGS);
    let topics = cluster.topics(None).await?;
    let wanted = wanted_in_sync(cluster, &topics).await?;
    for topic in topics {
        for one in &topic.partitions {
            let Some(finding) = finding(one, wanted.get(&topic.name).copied()) else { continue };
            table.row(vec![
                Cell::text(topic.name.as_str()),
                Cell::Number(one.index.into()),
                Cell::text(finding),
                Cell::number(one.leader.map(i64::from)),
                Cell::list(&one.replicas),
                Cell::list(&one.isr),
            ]);
        }
    }
    let is_healthy = table.is_empty();
    if is_healthy && output.is_table() {
        remark("every partition has a leader, as many replicas in sync as writes want, and none behind");
    } else {
        output.show(&table)?;
    }
    Ok(if is_healthy { Exit::Done } else { Exit::Findings })
}

/// How many replicas of each topic's partitions have to be in sync.
pub(in crate::cli) async fn wanted_in_sync(
    cluster: &mut Cluster,
    topics: &[TopicView],
) -> Result<BTreeMap<String, usize>, Failure> {
    let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
    Ok(if names.is_empty() { BTreeMap::new() } else { cluster.min_insync_replicas(&names).await? })
}

/// What is wrong with a partition, of which so many replicas are wanted in sync.
pub(in crate::cli) fn finding(partition: &PartitionView, wanted: Option<usize>) -> Option<&'static str> {
    unwell::finding(partition.leader.is_some(), partition.isr.len(), partition.replicas.len(), wanted)
}

fn count(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}
