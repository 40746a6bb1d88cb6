//! `groups delete-offsets`.

use super::seek::partitions;
use crate::cli::Failure;
use crate::cli::complete::names;
use crate::cli::confirm::Confirm;
use crate::cli::exit::Exit;
use crate::client::Cluster;

/// What `delete-offsets` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The group.
    #[arg(add = names::groups())]
    group: String,
    /// A topic, or some of its partitions as TOPIC:0,3; may be given several times.
    #[arg(long = "topic", required = true, value_name = "TOPIC[:PARTITIONS]", add = names::topics())]
    topics: Vec<String>,
    #[command(flatten)]
    confirm: Confirm,
}

pub(super) async fn run(told: &Arguments, cluster: &mut Cluster) -> Result<Exit, Failure> {
    let committed = cluster.committed(&told.group).await?;
    let mut wanted = partitions(cluster, &told.topics, &committed).await?;
    wanted.retain(|at| committed.contains_key(at));
    if wanted.is_empty() {
        let text = format!("group {} has committed nothing of {}", told.group, told.topics.join(", "));
        return Err(Failure::not_found(text));
    }
    let names: Vec<String> = wanted.iter().map(|at| format!("{}-{}", at.topic, at.partition)).collect();
    told.confirm.ask(&format!("Delete what group {} has committed of {}", told.group, names.join(", ")))?;
    let (code, outcomes) = cluster.delete_offsets(&told.group, &wanted).await?;
    if code != 0 {
        return Err(Failure::refused(format!("delete offsets of group {}", told.group), code, None));
    }
    let refused = outcomes.iter().filter(|(_, code)| **code != 0).map(|(at, code)| {
        Failure::refused(
            format!("delete the offset of {}-{} of group {}", at.topic, at.partition, told.group),
            *code,
            None,
        )
    });
    let refused: Vec<_> = refused.collect();
    let any_done = refused.len() < outcomes.len();
    Failure::all_or_some(refused, any_done)
}
