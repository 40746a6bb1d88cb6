//! `topics apply`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::change;
use super::plan::{OwnConfigs, Step, steps, table};
use super::wanted;
use crate::cli::Failure;
use crate::cli::configs::refuse_unless_done;
use crate::cli::confirm::Confirm;
use crate::cli::exit::Exit;
use crate::cli::interrupt::{AtInterrupt, is_asked};
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::remark::remark;
use crate::client::Cluster;
use crate::client::configs::ConfigResource;

/// Kafka's number of the source that says that a value is the topic's own.
const TOPIC_CONFIG: i8 = 1;

/// What `apply` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A YAML file: a list `topics`, each with `name`, and as wanted `partitions`, `replication-factor` and `configs`
    /// (null takes a value away). Topics and settings that it does not name are left alone.
    file: PathBuf,
    /// Only shows the plan, and lets the broker check it.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    confirm: Confirm,
}

/// Shows the plan, lets the broker check all of it, asks, and carries it out.
pub(super) async fn run(told: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let steps = plan(told, cluster).await?;
    if steps.is_empty() && output.is_table() {
        remark(format_args!("everything is as {} says", told.file.display()));
        return Ok(Exit::Done);
    }
    output.show(&table(&steps))?;
    let progress = Progress::counted("check", output.is_document(), AtInterrupt::Ends);
    for (done, step) in steps.iter().enumerate() {
        progress.show(done, steps.len(), step.topic());
        carry_out(step, true, cluster).await?;
    }
    progress.show(steps.len(), steps.len(), "");
    drop(progress);
    if told.dry_run || steps.is_empty() {
        return Ok(Exit::Done);
    }
    told.confirm.ask(&format!("{} steps will be carried out", steps.len()))?;
    carry_out_all(&steps, cluster, output).await
}

/// A step that fails does not keep others from being carried out.
async fn carry_out_all(steps: &[Step], cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let (mut failures, mut any_done, mut made) = (Vec::new(), false, Vec::new());
    let progress = Progress::counted("apply", output.is_document(), AtInterrupt::Stops(|| ()));
    for (done, step) in steps.iter().enumerate() {
        progress.show(done, steps.len(), step.topic());
        if is_asked() {
            failures.push(Failure::stopped(done, steps.len()));
            break;
        }
        match carry_out(step, false, cluster).await {
            Ok(()) => {
                any_done = true;
                made.extend(step.new_partitions());
            }
            Err(failure) => failures.push(failure),
        }
    }
    // Whoever comes next may count on them.
    if !made.is_empty() {
        progress.show(steps.len(), steps.len(), "waits until the broker knows them");
        failures.extend(cluster.await_topics(&made).await.err().map(Failure::from));
    }
    drop(progress);
    Failure::all_or_some(failures, any_done)
}

async fn plan(told: &Arguments, cluster: &mut Cluster) -> Result<Vec<Step>, Failure> {
    let wanted = wanted::read(&told.file)?;
    let topics = cluster.topics(None).await?;
    let there = |name: &str| topics.iter().find(|topic| topic.name == name);
    let names: Vec<&str> =
        wanted.iter().map(|topic| topic.name.as_str()).filter(|name| there(name).is_some()).collect();
    let mut own: BTreeMap<String, OwnConfigs> = BTreeMap::new();
    if !names.is_empty() {
        for result in cluster.describe_configs(ConfigResource::Topic, &names, false).await? {
            let act = format!("describe topic {}", result.resource_name);
            let said = result.error_message.as_ref().map(ToString::to_string);
            refuse_unless_done(&act, (result.error_code, said))?;
            let set = result.configs.iter().filter(|config| config.config_source == TOPIC_CONFIG);
            let pair = |config: &kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult| {
                Some((config.name.to_string(), config.value.as_ref()?.to_string()))
            };
            own.insert(result.resource_name.to_string(), set.filter_map(pair).collect());
        }
    }
    let (mut all, mut conflicts) = (Vec::new(), Vec::new());
    for topic in &wanted {
        match steps(topic, there(&topic.name).zip(own.get(&topic.name))) {
            Ok(steps) => all.extend(steps),
            Err(conflict) => conflicts.push(conflict),
        }
    }
    if conflicts.is_empty() { Ok(all) } else { Err(Failure::from(conflicts.join("\n")).next("nothing was changed")) }
}

async fn carry_out(step: &Step, dry_run: bool, cluster: &mut Cluster) -> Result<(), Failure> {
    match step {
        Step::Create(new) => {
            let results = cluster.create_topics(std::slice::from_ref(new), dry_run).await?;
            let result = results.first().ok_or("the broker answered for no topic")?;
            let said = result.error_message.as_ref().map(ToString::to_string);
            refuse_unless_done(&format!("create topic {}", new.name), (result.error_code, said))
        }
        Step::Partitions { topic, to, .. } => change::partitions(topic, *to, dry_run, cluster).await,
        Step::Configs { topic, changes, .. } => change::configs(topic, changes, dry_run, cluster).await,
    }
}
