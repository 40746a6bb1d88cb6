//! `topics trim`: a plan, a question, and then what the plan says.

use std::collections::BTreeMap;

use crate::cli::Failure;
use crate::cli::complete::names;
use crate::cli::confirm::Confirm;
use crate::cli::exit::Exit;
use crate::cli::groups::seek::{Target, bound, partitions, plan, table};
use crate::cli::output::{Column, Output, column};
use crate::client::Cluster;
use crate::client::offsets::EARLIEST;

/// What `trim` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Topics, or some of their partitions as TOPIC:0,3.
    #[arg(required = true, value_name = "TOPIC[:PARTITIONS]", add = names::topics())]
    topics: Vec<String>,
    /// What the log is to begin with: latest (nothing is left), an offset, -N (the last N are left), or the first record that is
    /// as young as a time, 2026-01-31T10:00Z.
    #[arg(long, allow_hyphen_values = true)]
    to: Target,
    /// Only shows the plan.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    confirm: Confirm,
}

const COLUMNS: &[Column] = &[
    column("TOPIC", "topic"),
    column("PARTITION", "partition"),
    column("FROM", "from"),
    column("TO", "to"),
    column("DELETED", "deleted"),
];

pub(super) async fn run(told: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let wanted = partitions(cluster, &told.topics, &BTreeMap::new()).await?;
    let starts = bound(cluster, &wanted, EARLIEST).await?;
    let plan = plan(cluster, &wanted, &BTreeMap::new(), told.to).await?;
    output.show(&table(COLUMNS, &plan, |at| starts.get(at).copied()))?;
    if told.dry_run {
        return Ok(Exit::Done);
    }
    told.confirm.ask("Delete these records")?;
    let outcomes = cluster.delete_records(&plan).await?;
    let refused = outcomes.iter().filter_map(|(at, outcome)| {
        let act = format!("delete records of {}-{}", at.topic, at.partition);
        outcome.as_ref().err().map(|code| Failure::refused(act, *code, None))
    });
    let refused: Vec<_> = refused.collect();
    let any_done = refused.len() < outcomes.len();
    Failure::all_or_some(refused, any_done)
}
