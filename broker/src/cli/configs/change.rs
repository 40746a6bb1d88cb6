//! `configs set` and `configs unset`.

use super::get::unknown;
use super::resource::Resource;
use crate::cli::Failure;
use crate::cli::complete::names;
use crate::cli::exit::Exit;
use crate::cli::remark::remark;
use crate::client::Cluster;
use crate::client::configs::ConfigChange;

/// What `set` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Set {
    /// What has settings.
    #[arg(value_name = "WHAT/NAME", add = names::resources())]
    resource: Resource,
    /// Settings and their values; `KEY+=VALUE` adds to a list, `KEY-=VALUE` takes from it.
    #[arg(required = true, value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Only checks whether it could be done.
    #[arg(long)]
    dry_run: bool,
}

/// What `unset` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Unset {
    /// What has settings.
    #[arg(value_name = "WHAT/NAME", add = names::resources())]
    resource: Resource,
    /// Their names.
    #[arg(required = true, value_name = "KEY")]
    settings: Vec<String>,
    /// Only checks whether it could be done.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn set(told: &Set, cluster: &mut Cluster) -> Result<Exit, Failure> {
    let changes = told.settings.iter().map(|given| change(given)).collect::<Result<Vec<_>, _>>()?;
    alter(&told.resource, &changes, told.dry_run, cluster).await
}

/// Kafka takes the removal of what is not there without a word; here it is told, as it is a slip more often than not.
pub(super) async fn unset(told: &Unset, cluster: &mut Cluster) -> Result<Exit, Failure> {
    let settings = told.resource.settings(cluster, false).await?;
    for wanted in &told.settings {
        let Some(found) = settings.iter().find(|setting| setting.name.as_str() == wanted) else {
            return Err(unknown(&told.resource, wanted));
        };
        if !found.synonyms.iter().any(|synonym| synonym.source == told.resource.own_source()) {
            let text = format!("{} has no value of its own for {wanted}", told.resource);
            return Err(Failure::not_found(text).next(format!("barnabas configs list {}", told.resource)));
        }
    }
    let changes: Vec<_> = told.settings.iter().map(|name| (name.clone(), ConfigChange::Unset)).collect();
    alter(&told.resource, &changes, told.dry_run, cluster).await
}

async fn alter(
    resource: &Resource,
    changes: &[(String, ConfigChange)],
    dry_run: bool,
    cluster: &mut Cluster,
) -> Result<Exit, Failure> {
    let outcome = cluster.alter_configs(resource.kind, &resource.name, changes, dry_run).await?;
    refuse_unless_done(&format!("change {resource}"), outcome)?;
    let names: Vec<&str> = changes.iter().map(|(name, _)| name.as_str()).collect();
    let done = if dry_run { "could be changed" } else { "changed" };
    remark(format_args!("{resource}: {} {done}", names.join(", ")));
    Ok(Exit::Done)
}

/// An error unless the code is 0.
///
/// # Errors
/// What the broker refused.
pub(in crate::cli) fn refuse_unless_done(act: &str, outcome: (i16, Option<String>)) -> Result<(), Failure> {
    match outcome {
        (0, _) => Ok(()),
        (code, said) => Err(Failure::refused(act, code, said.as_deref())),
    }
}

/// `KEY=VALUE`, `KEY+=VALUE`, `KEY-=VALUE`. No setting's name ends with a sign.
fn change(given: &str) -> Result<(String, ConfigChange), Failure> {
    let wrong = || Failure::usage(format!("{given}: it is of the form KEY=VALUE, as retention.ms=86400000"));
    let (key, value) = given.split_once('=').ok_or_else(wrong)?;
    let (key, value) = (key.trim(), value.trim().to_owned());
    let (key, change) = match (key.strip_suffix('+'), key.strip_suffix('-')) {
        (Some(key), _) => (key, ConfigChange::Append(value)),
        (None, Some(key)) => (key, ConfigChange::Subtract(value)),
        (None, None) => (key, ConfigChange::Set(value)),
    };
    if key.is_empty() { Err(wrong()) } else { Ok((key.to_owned(), change)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_set_and_lists_grow_and_shrink() {
        let read = |text| change(text).unwrap();
        assert_eq!(read("a.b = c=d"), ("a.b".to_owned(), ConfigChange::Set("c=d".to_owned())));
        assert_eq!(read("p+=compact"), ("p".to_owned(), ConfigChange::Append("compact".to_owned())));
        assert_eq!(read("p-=delete"), ("p".to_owned(), ConfigChange::Subtract("delete".to_owned())));
        assert_eq!(read("p="), ("p".to_owned(), ConfigChange::Set(String::new())));
        assert!(change("p").is_err() && change("=x").is_err() && change("+=x").is_err());
    }
}
