//! `cluster elect`: a plan, a question, and then what the plan says.

use std::collections::BTreeMap;

use barnabas_storage::PartitionIndex;
use kafka_protocol::error::ResponseError;

use crate::cli::Failure;
use crate::cli::complete::names;
use crate::cli::confirm::Confirm;
use crate::cli::exit::Exit;
use crate::cli::groups::seek::partitions;
use crate::cli::output::{Cell, Column, Output, Table, column};
use crate::cli::remark::remark;
use crate::client::Cluster;
use crate::client::elections::{Election, Outcome};
use crate::client::topics::{PartitionView, TopicView};
use crate::group::offsets::TopicPartition;

/// What `elect` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Who is to lead.
    #[arg(value_enum)]
    election: Kind,
    /// A topic, or some of its partitions as TOPIC:0,3; may be given several times. Of all topics without.
    #[arg(long = "topic", value_name = "TOPIC[:PARTITIONS]", add = names::topics())]
    topics: Vec<String>,
    /// Only shows the plan.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    confirm: Confirm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// The first of the replicas, where another one leads.
    Preferred,
    /// Any replica that is there, where nobody leads: records that it has not got are lost.
    Unclean,
}

impl Kind {
    fn election(self) -> Election {
        match self {
            Self::Preferred => Election::Preferred,
            Self::Unclean => Election::Unclean,
        }
    }

    /// Whether a partition needs it.
    fn is_needed(self, partition: &PartitionView) -> bool {
        match self {
            Self::Preferred => partition.leader.is_none() || partition.leader != partition.replicas.first().copied(),
            Self::Unclean => partition.leader.is_none(),
        }
    }
}

const COLUMNS: &[Column] = &[
    column("TOPIC", "topic"),
    column("PARTITION", "partition"),
    column("LEADER", "leader"),
    column("TO LEAD", "to_lead"),
];

pub(super) async fn run(told: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let named = partitions(cluster, &told.topics, &BTreeMap::new()).await?;
    let topics = cluster.topics(None).await?;
    let (wanted, table) = plan(told.election, &named, &topics);
    if wanted.is_empty() && output.is_table() {
        remark("no partition needs an election");
        return Ok(Exit::Done);
    }
    output.show(&table)?;
    if told.dry_run || wanted.is_empty() {
        return Ok(Exit::Done);
    }
    let lost = if told.election == Kind::Unclean { "; records that they have not got are lost" } else { "" };
    told.confirm.ask(&format!("Leaders of {} partitions will be elected{lost}", wanted.len()))?;
    let outcomes = cluster.elect_leaders(told.election.election(), Some(&wanted)).await?;
    judge(&outcomes)
}

/// The partitions that need it, of those that are named or of all.
fn plan(kind: Kind, named: &[TopicPartition], topics: &[TopicView]) -> (Vec<TopicPartition>, Table) {
    let (mut wanted, mut table) = (Vec::new(), Table::new(COLUMNS));
    for topic in topics {
        for partition in &topic.partitions {
            let at = TopicPartition { topic: topic.name.as_str().into(), partition: PartitionIndex(partition.index) };
            let is_meant = named.is_empty() || named.contains(&at);
            if !is_meant || !kind.is_needed(partition) {
                continue;
            }
            let to_lead = match kind {
                Kind::Preferred => Cell::list(partition.replicas.first()),
                Kind::Unclean => Cell::list(&partition.replicas),
            };
            let leader = Cell::number(partition.leader.map(i64::from));
            table.row(vec![Cell::text(topic.name.as_str()), Cell::Number(partition.index.into()), leader, to_lead]);
            wanted.push(at);
        }
    }
    (wanted, table)
}

/// Who needs none any more is as he should be.
fn judge(outcomes: &BTreeMap<TopicPartition, Outcome>) -> Result<Exit, Failure> {
    let is_well = |code: i16| code == 0 || code == ResponseError::ElectionNotNeeded.code();
    let refused = outcomes.iter().filter(|(_, (code, _))| !is_well(*code)).map(|(at, (code, said))| {
        let act = format!("elect a leader of {}-{}", at.topic, at.partition);
        Failure::refused(act, *code, said.as_deref()).next("barnabas cluster health")
    });
    let refused: Vec<_> = refused.collect();
    let any_done = refused.len() < outcomes.len();
    Failure::all_or_some(refused, any_done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(index: i32) -> TopicPartition {
        TopicPartition { topic: "t".into(), partition: PartitionIndex(index) }
    }

    fn topic() -> TopicView {
        let partition =
            |index, leader| PartitionView { index, leader, replicas: vec![1, 2], ..PartitionView::default() };
        let partitions = vec![partition(0, Some(1)), partition(1, Some(2)), partition(2, None)];
        TopicView { name: "t".to_owned(), partitions, ..TopicView::default() }
    }

    #[test]
    fn only_partitions_that_need_a_leader_are_planned() {
        let planned = |kind, named: &[TopicPartition]| plan(kind, named, &[topic()]).0;
        assert_eq!(planned(Kind::Preferred, &[]), [at(1), at(2)]);
        assert_eq!(planned(Kind::Preferred, &[at(0), at(1)]), [at(1)]);
        assert_eq!(planned(Kind::Unclean, &[]), [at(2)]);
        let shown = plan(Kind::Unclean, &[], &[topic()]).1.value();
        assert_eq!(shown[0]["to_lead"], serde_json::json!(["1", "2"]));
    }

    #[test]
    fn a_partition_that_is_led_meanwhile_is_no_failure() {
        let outcomes = |codes: &[i16]| (0..).zip(codes).map(|(index, code)| (at(index), (*code, None))).collect();
        assert_eq!(judge(&outcomes(&[0, 84])).unwrap(), Exit::Done);
        assert_eq!(judge(&outcomes(&[0, 83])).unwrap_err().exit(), Exit::Partly);
        assert_eq!(judge(&outcomes(&[80])).unwrap_err().exit(), Exit::Failed);
    }
}
