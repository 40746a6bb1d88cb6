//! `configs diff`: key by key, with another resource, with a file, or with what would count without its own values.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;

use super::list::value;
use super::resource::{Resource, layer};
use super::wanted::read;
use crate::cli::Failure;
use crate::cli::complete::names;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, Column, Output, Table, column};
use crate::cli::remark::remark;
use crate::client::Cluster;

/// What `diff` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What has settings.
    #[arg(value_name = "WHAT/NAME", add = names::resources())]
    resource: Resource,
    /// Another of its kind. Without: what would count if it had no values of its own.
    #[arg(value_name = "WHAT/NAME", add = names::resources())]
    other: Option<Resource>,
    /// A file, as `import` takes it: what it says of the resource, beside the resource's own values.
    #[arg(long, conflicts_with = "other")]
    file: Option<PathBuf>,
}

const COLUMNS: &[Column] = &[
    column("SETTING", "setting"),
    column("VALUE", "value"),
    column("FROM", "from"),
    column("OTHER VALUE", "other_value"),
    column("OTHER FROM", "other_from"),
];

/// A setting's value as it is shown, and where it is from.
type Side = BTreeMap<String, (Cell, &'static str)>;

pub(super) async fn run(told: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let Arguments { resource, other, file } = told;
    let (one, another, text) = match (other, file) {
        (Some(other), _) if other.kind != resource.kind => {
            return Err(Failure::usage(format!("{resource} and {other} have not the same settings")));
        }
        (Some(other), _) => {
            let (one, another) = (resource.settings(cluster, false).await?, other.settings(cluster, false).await?);
            let (one, another) = both(side(&one), side(&another), resource, other);
            (one, another, format!("{resource} and {other} have the same settings"))
        }
        (None, Some(file)) => {
            let own = resource.own_settings(cluster).await?;
            let own: Vec<_> = own.into_iter().filter(|setting| !setting.is_sensitive).collect();
            let wanted = read(file, Some(resource))?.into_iter().flat_map(|wanted| wanted.configs);
            let shown = wanted.filter(|(name, _)| !resource.is_secret(name));
            let wanted = shown.filter_map(|(name, value)| Some((name, (Cell::Text(value?), "file"))));
            (side(&own), wanted.collect(), format!("{resource} is as {} says", file.display()))
        }
        (None, None) => {
            let own = resource.own_settings(cluster).await?;
            let behind = own.iter().filter_map(|setting| behind(setting, resource.own_source())).collect();
            (side(&own), behind, format!("{resource} has no values of its own"))
        }
    };
    let table = differences(&one, &another);
    let is_same = table.is_empty();
    if is_same && output.is_table() {
        remark(text);
    } else {
        output.show(&table)?;
    }
    Ok(if is_same { Exit::Done } else { Exit::Findings })
}

fn side(settings: &[DescribeConfigsResourceResult]) -> Side {
    let shown = |setting: &DescribeConfigsResourceResult| {
        (setting.name.to_string(), (value(setting), layer(setting.config_source)))
    };
    settings.iter().map(shown).collect()
}

/// The cluster tells only what it sets: no more than that can be compared.
fn both(mut one: Side, mut another: Side, resource: &Resource, other: &Resource) -> (Side, Side) {
    let (told, untold) = (Resource::cluster() == *resource, Resource::cluster() == *other);
    if told && !untold {
        another.retain(|name, _| one.contains_key(name));
    }
    if untold && !told {
        one.retain(|name, _| another.contains_key(name));
    }
    (one, another)
}

/// What would count without the own value.
fn behind(setting: &DescribeConfigsResourceResult, own_source: i8) -> Option<(String, (Cell, &'static str))> {
    let next = setting.synonyms.iter().find(|synonym| synonym.source != own_source)?;
    let shown = match (&next.value, setting.is_sensitive) {
        (None, true) => Cell::text("(hidden)"),
        (value, _) => Cell::optional(value.as_ref().map(ToString::to_string)),
    };
    Some((setting.name.to_string(), (shown, layer(next.source))))
}

fn differences(one: &Side, another: &Side) -> Table {
    let mut table = Table::new(COLUMNS);
    let names: BTreeSet<&String> = one.keys().chain(another.keys()).collect();
    for name in names {
        let (left, right) = (one.get(name), another.get(name));
        if left.map(|(value, _)| value) == right.map(|(value, _)| value) {
            continue;
        }
        let cells = |side: Option<&(Cell, &'static str)>| match side {
            Some((value, from)) => [value.clone(), Cell::text(*from)],
            None => [Cell::Nothing, Cell::Nothing],
        };
        table.row([Cell::text(name.as_str())].into_iter().chain(cells(left)).chain(cells(right)).collect());
    }
    table
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::describe_configs_response::DescribeConfigsSynonym;
    use kafka_protocol::protocol::StrBytes;

    use super::*;

    fn side_of(pairs: &[(&str, &str)]) -> Side {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (Cell::text(*value), "topic"))).collect()
    }

    #[test]
    fn settings_that_differ_or_are_on_one_side_only_are_told() {
        let (one, another) =
            (side_of(&[("a", "1"), ("b", "2"), ("c", "3")]), side_of(&[("b", "2"), ("c", "4"), ("d", "5")]));
        let shown = differences(&one, &another).value();
        let names: Vec<_> = shown.as_array().unwrap().iter().map(|row| row["setting"].as_str().unwrap()).collect();
        assert_eq!(names, ["a", "c", "d"]);
        assert_eq!((&shown[1]["value"], &shown[1]["other_value"]), (&"3".into(), &"4".into()));
        assert!(differences(&one, &one).is_empty());
    }

    #[test]
    fn of_the_cluster_only_what_it_sets_is_compared() {
        let (broker, cluster) = (side_of(&[("a", "1"), ("b", "2")]), side_of(&[("b", "3")]));
        let (one, _) = both(broker.clone(), cluster.clone(), &"broker/1".parse().unwrap(), &Resource::cluster());
        assert_eq!(one.len(), 1);
        let (one, another) = both(cluster, broker, &Resource::cluster(), &"broker/1".parse().unwrap());
        assert_eq!((one.len(), another.len()), (1, 1));
    }

    #[test]
    fn the_value_behind_is_that_of_the_next_place() {
        let text = StrBytes::from_static_str;
        let place = |source, value| DescribeConfigsSynonym::default().with_source(source).with_value(Some(text(value)));
        let setting = DescribeConfigsResourceResult::default().with_name(text("a")).with_synonyms(vec![
            place(1, "own"),
            place(4, "start"),
            place(5, "default"),
        ]);
        assert_eq!(behind(&setting, 1), Some(("a".to_owned(), (Cell::text("start"), "start"))));
        assert_eq!(behind(&setting.with_synonyms(Vec::new()), 1), None);
    }
}
