//! `topics add-partitions`, `topics alter` and `topics delete`.

use std::collections::BTreeMap;

use super::create::pair;
use super::undelete;
use crate::cli::Failure;
use crate::cli::complete::names;
use crate::cli::configs::refuse_unless_done;
use crate::cli::exit::Exit;
use crate::cli::remark::remark;
use crate::client::Cluster;
use crate::client::configs::{ConfigChange, ConfigResource};

/// What `alter` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Alter {
    /// The topic.
    #[arg(add = names::topics())]
    name: String,
    /// How many partitions it is to have. Keys go to other partitions from then on.
    #[arg(short, long)]
    partitions: Option<i32>,
    /// A setting; may be given several times.
    #[arg(short, long = "config", value_name = "KEY=VALUE")]
    configs: Vec<String>,
    /// A setting that is to be as the broker has it; may be given several times.
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    /// Only checks whether it could be done.
    #[arg(long)]
    dry_run: bool,
}

/// Changes a topic. The broker checks everything before the first change is made.
pub(super) async fn alter(told: &Alter, cluster: &mut Cluster) -> Result<Exit, Failure> {
    let set = told.configs.iter().map(|given| pair(given).map(|(name, value)| (name, ConfigChange::Set(value))));
    let mut changes = set.collect::<Result<Vec<_>, _>>()?;
    changes.extend(told.unset.iter().map(|name| (name.clone(), ConfigChange::Unset)));
    if changes.is_empty() && told.partitions.is_none() {
        return Err(Failure::usage("nothing to change: --partitions, --config or --unset"));
    }
    for dry_run in [true, false] {
        if let Some(count) = told.partitions {
            partitions(&told.name, count, dry_run, cluster).await?;
        }
        if !changes.is_empty() {
            configs(&told.name, &changes, dry_run, cluster).await?;
        }
        if told.dry_run {
            remark(format_args!("topic {} could be changed so", told.name));
            return Ok(Exit::Done);
        }
    }
    if let Some(count) = told.partitions {
        cluster.await_topics(&[(told.name.as_str(), count)]).await?;
    }
    remark(format_args!("topic {} is changed", told.name));
    Ok(Exit::Done)
}

/// Gives a topic more partitions.
pub(super) async fn add_partitions(name: &str, to: i32, cluster: &mut Cluster) -> Result<Exit, Failure> {
    partitions(name, to, false, cluster).await?;
    cluster.await_topics(&[(name, to)]).await?;
    remark(format_args!("topic {name} has {to} partitions"));
    Ok(Exit::Done)
}

/// Gives a topic more partitions, or only checks whether that could be done.
pub(super) async fn partitions(name: &str, to: i32, dry_run: bool, cluster: &mut Cluster) -> Result<(), Failure> {
    let results = cluster.create_partitions(&[(name, to)], dry_run).await?;
    let result = results.first().ok_or("the broker answered for no topic")?;
    let said = result.error_message.as_ref().map(ToString::to_string);
    refuse_unless_done(&format!("give topic {name} {to} partitions"), (result.error_code, said))
}

/// Changes a topic's settings, or only checks whether that could be done.
pub(super) async fn configs(
    name: &str,
    changes: &[(String, ConfigChange)],
    dry_run: bool,
    cluster: &mut Cluster,
) -> Result<(), Failure> {
    let outcome = cluster.alter_configs(ConfigResource::Topic, name, changes, dry_run).await?;
    refuse_unless_done(&format!("change the settings of topic {name}"), outcome)
}

/// Deletes topics with everything in them.
pub(super) async fn delete(names: &[String], if_exists: bool, cluster: &mut Cluster) -> Result<Exit, Failure> {
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut kept = BTreeMap::new();
    for name in names {
        kept.extend(undelete::kept_for(name, cluster).await.map(|millis| (name.as_str(), undelete::period(millis))));
    }
    let (mut failures, mut any_done) = (Vec::new(), false);
    for result in cluster.delete_topics(&wanted).await? {
        let name = result.name.as_ref().map_or("", |name| name.as_str());
        let failure =
            || Failure::refused(format!("delete topic {name}"), result.error_code, result.error_message.as_deref());
        if result.error_code == 0 {
            any_done = true;
            match kept.get(name) {
                Some(period) => {
                    remark(format_args!(
                        "deleted topic {name}: for {period}, `barnabas topics undelete {name}` brings it back, while the disk has room"
                    ));
                }
                None => remark(format_args!("deleted topic {name}")),
            }
        } else if !(if_exists && failure().exit() == Exit::NotFound) {
            failures.push(failure());
        }
    }
    Failure::all_or_some(failures, any_done)
}
