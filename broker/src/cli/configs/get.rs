//! `configs get`.

use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;

use super::list::value;
use super::resource::{Resource, layer};
use crate::cli::Failure;
use crate::cli::complete::names;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, Column, Output, Table, column, wide};
use crate::client::Cluster;

/// What `get` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What has settings.
    #[arg(value_name = "WHAT/NAME", add = names::resources())]
    resource: Resource,
    /// Their names.
    #[arg(required = true)]
    settings: Vec<String>,
}

const COLUMNS: &[Column] = &[
    column("SETTING", "setting"),
    column("VALUE", "value"),
    column("FROM", "from"),
    column("ALL PLACES", "places"),
    wide("CHANGES", "changes_while_running"),
    wide("WHAT FOR", "documentation"),
];

pub(super) async fn run(arguments: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let found = arguments.resource.settings(cluster, true).await?;
    let mut table = Table::new(COLUMNS);
    let mut failures = Vec::new();
    for wanted in &arguments.settings {
        match found.iter().find(|setting| setting.name.as_str() == wanted) {
            Some(setting) => table.row(row(setting)),
            None => failures.push(unknown(&arguments.resource, wanted)),
        }
    }
    if !table.is_empty() {
        output.show(&table)?;
    }
    Failure::all_or_some(failures, !table.is_empty())
}

/// There is no such setting.
pub(super) fn unknown(resource: &Resource, setting: &str) -> Failure {
    Failure::not_found(format!("{resource} has no setting {setting}"))
        .next(format!("barnabas configs list {resource} --all"))
}

fn row(setting: &DescribeConfigsResourceResult) -> Vec<Cell> {
    let place = |synonym: &kafka_protocol::messages::describe_configs_response::DescribeConfigsSynonym| {
        let value = synonym.value.as_ref().map_or("(hidden)", |value| value.as_str());
        format!("{} {}={value}", layer(synonym.source), synonym.name)
    };
    let places = setting.synonyms.iter().map(place).collect();
    vec![
        Cell::text(setting.name.as_str()),
        value(setting),
        Cell::text(layer(setting.config_source)),
        Cell::List(places),
        Cell::Flag(!setting.read_only),
        Cell::optional(setting.documentation.as_ref().map(ToString::to_string)),
    ]
}
