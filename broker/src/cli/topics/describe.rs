//! `topics describe`, and `topics health`: the partitions that are not as they should be.

use crate::cli::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, Column, Output, Table, column, wide};
use crate::client::Cluster;
use crate::client::topics::{PartitionView, TopicView};

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

/// Shows partitions without a leader or with replicas behind; ends with 8 when there are any.
pub(super) async fn health(cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let mut table = Table::new(FINDINGS);
    for topic in cluster.topics(None).await? {
        for one in &topic.partitions {
            let Some(finding) = finding(one) else { continue };
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
        eprintln!("every partition has a leader and all its replicas in sync");
    } else {
        output.show(&table)?;
    }
    Ok(if is_healthy { Exit::Done } else { Exit::Findings })
}

/// What is wrong with a partition.
pub(in crate::cli) fn finding(partition: &PartitionView) -> Option<&'static str> {
    match partition.leader {
        None => Some("no leader"),
        Some(_) if partition.isr.len() < partition.replicas.len() => Some("under-replicated"),
        Some(_) => None,
    }
}

fn count(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_well_with_a_leader_and_all_replicas_in_sync() {
        let partition = |leader, isr: &[i32]| PartitionView {
            leader,
            replicas: vec![1, 2],
            isr: isr.to_vec(),
            ..PartitionView::default()
        };
        assert_eq!(finding(&partition(Some(1), &[1, 2])), None);
        assert_eq!(finding(&partition(Some(1), &[1])), Some("under-replicated"));
        assert_eq!(finding(&partition(None, &[1, 2])), Some("no leader"));
    }
}
