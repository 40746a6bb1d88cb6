//! `configs import`: a plan, what the broker says to it, a question, and then what the plan says.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;

use super::change::refuse_unless_done;
use super::resource::Resource;
use super::wanted::{Wanted, read};
use crate::cli::Failure;
use crate::cli::confirm::Confirm;
use crate::cli::exit::Exit;
use crate::cli::interrupt::{AtInterrupt, is_asked};
use crate::cli::output::{Cell, Column, Output, Table, column};
use crate::cli::progress::Progress;
use crate::cli::remark::remark;
use crate::client::Cluster;
use crate::client::configs::ConfigChange;

/// What `import` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What `export` wrote: a .yaml or .json file with `topics` and `resources`, each with `name` and `configs` (null takes a
    /// value away), or properties. Settings that it does not name are left alone.
    file: PathBuf,
    /// Whose settings they are, of properties; of a document only these are taken.
    #[arg(long, value_name = "WHAT/NAME")]
    to: Option<Resource>,
    /// Only shows the plan, and lets the broker check it.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    #[command(flatten)]
    confirm: Confirm,
}

const COLUMNS: &[Column] = &[
    column("OF", "of"),
    column("ACTION", "action"),
    column("SETTING", "setting"),
    column("FROM", "from"),
    column("TO", "to"),
];
const HIDDEN: &str = "(hidden)";

/// A value of a resource's own; `None` is one that is not shown.
pub(super) type Own = BTreeMap<String, Option<String>>;

/// What has to be done to one resource.
#[derive(Clone, Debug, PartialEq)]
struct Step {
    resource: Resource,
    changes: Vec<(String, ConfigChange)>,
    /// The values now.
    from: Vec<Cell>,
}

pub(super) async fn run(told: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let mut steps = Vec::new();
    for wanted in read(&told.file, told.to.as_ref())? {
        let own = own(wanted.resource.own_settings(cluster).await?);
        steps.extend(step(wanted, &own));
    }
    if steps.is_empty() && output.is_table() {
        remark(format_args!("everything is as {} says", told.file.display()));
        return Ok(Exit::Done);
    }
    output.show(&table(&steps))?;
    let progress = Progress::counted("check", output.is_document(), AtInterrupt::Ends);
    for (done, step) in steps.iter().enumerate() {
        progress.show(done, steps.len(), &step.resource.to_string());
        carry_out(step, true, cluster).await?;
    }
    progress.show(steps.len(), steps.len(), "");
    drop(progress);
    if told.dry_run || steps.is_empty() {
        return Ok(Exit::Done);
    }
    let changes: usize = steps.iter().map(|step| step.changes.len()).sum();
    told.confirm.ask(&format!("{changes} settings will be changed"))?;
    carry_out_all(&steps, cluster, output).await
}

/// A step that fails does not keep others from being carried out.
async fn carry_out_all(steps: &[Step], cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let (mut failures, mut any_done) = (Vec::new(), false);
    let progress = Progress::counted("import", output.is_document(), AtInterrupt::Stops(|| ()));
    for (done, step) in steps.iter().enumerate() {
        progress.show(done, steps.len(), &step.resource.to_string());
        if is_asked() {
            failures.push(Failure::stopped(done, steps.len()));
            break;
        }
        match carry_out(step, false, cluster).await {
            Ok(()) => any_done = true,
            Err(failure) => failures.push(failure),
        }
    }
    if failures.is_empty() {
        progress.show(steps.len(), steps.len(), "");
    }
    drop(progress);
    Failure::all_or_some(failures, any_done)
}

/// Values by their names.
pub(super) fn own(settings: Vec<DescribeConfigsResourceResult>) -> Own {
    let pair = |setting: DescribeConfigsResourceResult| {
        let value = setting.value.filter(|_| !setting.is_sensitive);
        (setting.name.to_string(), value.map(|value| value.to_string()))
    };
    settings.into_iter().map(pair).collect()
}

/// What differs; a value that is not shown is given again.
fn step(wanted: Wanted, own: &Own) -> Option<Step> {
    let Wanted { resource, configs } = wanted;
    let differs = |(name, value): &(&String, &Option<String>)| match (own.get(*name), value) {
        (None, value) => value.is_some(),
        (Some(Some(is)), Some(value)) => is != value,
        (Some(_), _) => true,
    };
    let differing: Vec<_> = configs.iter().filter(differs).collect();
    let from = |name: &str| match own.get(name) {
        Some(None) => Cell::text(HIDDEN),
        Some(Some(value)) => Cell::text(value.as_str()),
        None => Cell::Nothing,
    };
    let change = |value: &Option<String>| value.clone().map_or(ConfigChange::Unset, ConfigChange::Set);
    let changes: Vec<_> = differing.iter().map(|(name, value)| ((*name).clone(), change(value))).collect();
    let from = differing.iter().map(|(name, _)| from(name)).collect();
    (!changes.is_empty()).then_some(Step { resource, changes, from })
}

fn table(steps: &[Step]) -> Table {
    let mut table = Table::new(COLUMNS);
    for Step { resource, changes, from } in steps {
        for ((setting, change), from) in changes.iter().zip(from) {
            let is_hidden = *from == Cell::text(HIDDEN) || resource.is_secret(setting);
            let (action, to) = match change {
                ConfigChange::Set(_) if is_hidden => ("set", Cell::text(HIDDEN)),
                ConfigChange::Set(value) => ("set", Cell::text(value.as_str())),
                _ => ("unset", Cell::Nothing),
            };
            let cells = [Cell::text(resource.to_string()), Cell::text(action), Cell::text(setting.as_str())];
            table.row(cells.into_iter().chain([from.clone(), to]).collect());
        }
    }
    table
}

async fn carry_out(step: &Step, dry_run: bool, cluster: &mut Cluster) -> Result<(), Failure> {
    let Step { resource, changes, .. } = step;
    let outcome = cluster.alter_configs(resource.kind, &resource.name, changes, dry_run).await?;
    refuse_unless_done(&format!("change {resource}"), outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(resource: &str, configs: &[(&str, Option<&str>)], own: &Own) -> Option<Step> {
        let config = |(name, value): &(&str, Option<&str>)| ((*name).to_owned(), value.map(str::to_owned));
        step(Wanted { resource: resource.parse().unwrap(), configs: configs.iter().map(config).collect() }, own)
    }

    #[test]
    fn only_what_differs_is_done() {
        let own = Own::from([("a".to_owned(), Some("1".to_owned())), ("b".to_owned(), Some("2".to_owned()))]);
        assert_eq!(planned("topic/t", &[("a", Some("1")), ("c", None)], &own), None);
        let step = planned("topic/t", &[("a", Some("3")), ("b", None), ("c", Some("4"))], &own).unwrap();
        let set = |text: &str| ConfigChange::Set(text.to_owned());
        let wanted = [("a".to_owned(), set("3")), ("b".to_owned(), ConfigChange::Unset), ("c".to_owned(), set("4"))];
        assert_eq!(step.changes, wanted);
        let shown = table(&[step]).value();
        assert_eq!(
            (&shown[0]["from"], &shown[0]["to"], &shown[1]["action"]),
            (&"1".into(), &"3".into(), &"unset".into())
        );
    }

    #[test]
    fn a_secret_is_given_again_and_not_shown() {
        let own = Own::from([("ssl.key.password".to_owned(), None)]);
        let step = planned("broker/1", &[("ssl.key.password", Some("x")), ("ssl.keystore.password", Some("y"))], &own);
        let shown = table(&[step.unwrap()]).value().to_string();
        assert_eq!(shown.matches("(hidden)").count(), 3, "{shown}");
        assert!(!shown.contains("\"x\"") && !shown.contains("\"y\""), "{shown}");
    }
}
