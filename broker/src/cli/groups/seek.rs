//! `groups seek`: a plan, and with `--execute` what it says.

use std::collections::BTreeMap;

use barnabas_storage::PartitionIndex;

use crate::cli::Failure;
use crate::cli::complete::names;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, Column, Output, Table, column, parse_instant};
use crate::cli::remark::remark;
use crate::client::Cluster;
use crate::client::groups::Committed;
use crate::client::offsets::{EARLIEST, LATEST};
use crate::group::offsets::TopicPartition;

/// What `seek` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The group; it must have no members.
    #[arg(add = names::groups())]
    group: String,
    /// A topic, or some of its partitions as TOPIC:0,3; may be given several times. Everything that the group committed
    /// when not given.
    #[arg(long = "topic", value_name = "TOPIC[:PARTITIONS]", add = names::topics())]
    topics: Vec<String>,
    /// Where to: earliest, latest, an offset, +N or -N records from where it stands, or a time as 2026-01-31T10:00Z.
    #[arg(long, allow_hyphen_values = true)]
    to: Target,
    /// Does what the plan says.
    #[arg(long)]
    execute: bool,
}

/// Where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Target {
    /// The log's start.
    Earliest,
    /// The log's end.
    Latest,
    /// An offset.
    Offset(i64),
    /// So many records from the committed offset.
    By(i64),
    /// The first record that is as young.
    Time(i64),
    /// The committed offset, or the log's end without one.
    Current,
}

impl std::str::FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<i64>().ok();
        match text {
            "earliest" | "start" => Ok(Self::Earliest),
            "latest" | "end" => Ok(Self::Latest),
            _ if text.starts_with(['+', '-']) => number(text).map(Self::By).ok_or_else(|| text.to_owned()),
            _ => number(text)
                .map(Self::Offset)
                .or_else(|| parse_instant(text).map(Self::Time))
                .ok_or_else(|| text.to_owned()),
        }
        .map_err(|_| "earliest, latest, an offset, +N, -N, or a time as 2026-01-31T10:00Z".to_owned())
    }
}

const COLUMNS: &[Column] = &[
    column("TOPIC", "topic"),
    column("PARTITION", "partition"),
    column("FROM", "from"),
    column("TO", "to"),
    column("RECORDS", "records"),
];

pub(super) async fn run(arguments: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let committed = cluster.committed(&arguments.group).await?;
    let wanted = partitions(cluster, &arguments.topics, &committed).await?;
    if wanted.is_empty() {
        let text = format!("group {} has committed nothing: name what it is to read with --topic", arguments.group);
        return Err(Failure::not_found(text));
    }
    let plan = plan(cluster, &wanted, &committed, arguments.to).await?;
    output.show(&table(COLUMNS, &plan, |at| committed.get(at).map(|one| one.offset)))?;
    if !arguments.execute {
        remark("Nothing was changed. `--execute` carries the plan out.");
        return Ok(Exit::Done);
    }
    let told = cluster.commit(&arguments.group, &plan).await?;
    let refused = told.iter().filter(|(_, code)| **code != 0).map(|(at, code)| {
        let act = format!("commit offset of {}-{} for group {}", at.topic, at.partition, arguments.group);
        let failure = Failure::refused(act, *code, None);
        // A group with members takes no commit of a stranger.
        if *code == 25 { failure.next("stop the group's consumers first") } else { failure }
    });
    let refused: Vec<_> = refused.collect();
    let any_done = refused.len() < told.len();
    Failure::all_or_some(refused, any_done)
}

/// From where to where each partition goes, and how far that is.
pub(in crate::cli) fn table(
    columns: &'static [Column],
    plan: &BTreeMap<TopicPartition, i64>,
    from: impl Fn(&TopicPartition) -> Option<i64>,
) -> Table {
    let mut table = Table::new(columns);
    for (at, to) in plan {
        let from = from(at);
        table.row(vec![
            Cell::text(&*at.topic),
            Cell::Number(at.partition.0.into()),
            Cell::number(from),
            Cell::Number(*to),
            Cell::number(from.map(|from| to - from)),
        ]);
    }
    table
}

/// What is meant by TOPIC or TOPIC:0,3; by nothing, what is committed.
pub(in crate::cli) async fn partitions(
    cluster: &mut Cluster,
    topics: &[String],
    committed: &BTreeMap<TopicPartition, Committed>,
) -> Result<Vec<TopicPartition>, Failure> {
    if topics.is_empty() {
        return Ok(committed.keys().cloned().collect());
    }
    let mut wanted = Vec::new();
    for given in topics {
        let (name, chosen) = given.split_once(':').map_or((given.as_str(), None), |(name, list)| (name, Some(list)));
        let answer = cluster.metadata(Some(&[name])).await?;
        let topic = answer.topics.first().ok_or("the broker answered for no topic")?;
        if topic.error_code != 0 {
            return Err(Failure::refused(format!("look at topic {name}"), topic.error_code, None));
        }
        let mut indexes: Vec<i32> = topic.partitions.iter().map(|one| one.partition_index).collect();
        indexes.sort_unstable();
        if let Some(list) = chosen {
            let wrong = || Failure::usage(format!("{given}: partitions are numbers separated by commas"));
            let chosen: Result<Vec<i32>, _> =
                list.split(',').map(|one| one.trim().parse().map_err(|_| wrong())).collect();
            let chosen = chosen?;
            if let Some(absent) = chosen.iter().find(|one| !indexes.contains(one)) {
                return Err(Failure::not_found(format!("topic {name} has no partition {absent}")));
            }
            indexes = chosen;
        }
        wanted.extend(
            indexes.into_iter().map(|index| TopicPartition { topic: name.into(), partition: PartitionIndex(index) }),
        );
    }
    wanted.sort();
    wanted.dedup();
    Ok(wanted)
}

/// The new offset of each partition, within its log.
pub(in crate::cli) async fn plan(
    cluster: &mut Cluster,
    wanted: &[TopicPartition],
    committed: &BTreeMap<TopicPartition, Committed>,
    target: Target,
) -> Result<BTreeMap<TopicPartition, i64>, Failure> {
    let starts = bound(cluster, wanted, EARLIEST).await?;
    let ends = bound(cluster, wanted, LATEST).await?;
    let times = match target {
        Target::Time(millis) => bound(cluster, wanted, millis).await?,
        _ => BTreeMap::new(),
    };
    let mut plan = BTreeMap::new();
    for at in wanted {
        let (start, end) = (starts.get(at).copied().unwrap_or(0), ends.get(at).copied().unwrap_or(0));
        let now = committed.get(at).map(|one| one.offset);
        let to = match target {
            Target::Earliest => start,
            Target::Latest => end,
            Target::Offset(offset) => offset,
            Target::By(records) => now.unwrap_or(end).saturating_add(records),
            Target::Time(_) => times.get(at).copied().filter(|offset| *offset >= 0).unwrap_or(end),
            Target::Current => now.unwrap_or(end),
        };
        plan.insert(at.clone(), to.clamp(start, end.max(start)));
    }
    Ok(plan)
}

/// The offset of each partition at a timestamp, or at an end of the log.
pub(in crate::cli) async fn bound(
    cluster: &mut Cluster,
    wanted: &[TopicPartition],
    timestamp: i64,
) -> Result<BTreeMap<TopicPartition, i64>, Failure> {
    let asked: Vec<_> = wanted.iter().map(|at| (at.clone(), timestamp)).collect();
    let mut offsets = BTreeMap::new();
    for (at, found) in cluster.list_offsets(&asked).await? {
        let refused = |code| Failure::refused(format!("list offsets of {}-{}", at.topic, at.partition), code, None);
        let offset = found.map_err(refused)?.offset;
        offsets.insert(at, offset);
    }
    Ok(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_words_offsets_steps_and_times() {
        let read = |text: &str| text.parse::<Target>();
        assert_eq!(read("earliest"), Ok(Target::Earliest));
        assert_eq!(read("17"), Ok(Target::Offset(17)));
        assert_eq!((read("+3"), read("-3")), (Ok(Target::By(3)), Ok(Target::By(-3))));
        assert_eq!(read("1970-01-02"), Ok(Target::Time(86_400_000)));
        assert!(read("soon").is_err() && read("+x").is_err());
    }
}
