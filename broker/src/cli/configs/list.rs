//! `configs list`.

use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;

use super::resource::{Resource, layer};
use crate::cli::Failure;
use crate::cli::complete::names;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, Column, Output, Table, column, wide};
use crate::cli::remark::remark;
use crate::client::Cluster;
use crate::client::configs::ConfigResource;

/// What `list` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What has settings; everything when nothing is named.
    #[arg(value_name = "WHAT/NAME", add = names::resources())]
    resources: Vec<Resource>,
    /// Also those that are as by default.
    #[arg(long, requires = "resources")]
    all: bool,
}

const COLUMNS: &[Column] = &[
    column("OF", "of"),
    column("SETTING", "setting"),
    column("VALUE", "value"),
    column("FROM", "from"),
    wide("CHANGES", "changes_while_running"),
];
/// A setting's source that is its own default.
const DEFAULT_CONFIG: i8 = 5;
/// Topics that are described by one request.
const TOPICS_PER_REQUEST: usize = 200;

pub(super) async fn run(arguments: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let mut table = Table::new(COLUMNS);
    for resource in &arguments.resources {
        for setting in resource.settings(cluster, false).await? {
            if arguments.all || setting.config_source != DEFAULT_CONFIG {
                table.row(row(resource, &setting));
            }
        }
    }
    if arguments.resources.is_empty() {
        for (resource, settings) in own_of_all(cluster).await? {
            settings.iter().for_each(|setting| table.row(row(&resource, setting)));
        }
    }
    if table.is_empty() && output.is_table() {
        remark("everything is as by default; a start's own settings are shown by `barnabas configs list broker/ID`");
        return Ok(Exit::Done);
    }
    output.show(&table)?;
    Ok(Exit::Done)
}

/// What has settings, with those that are its own.
pub(in crate::cli) type OwnSettings = Vec<(Resource, Vec<DescribeConfigsResourceResult>)>;

/// What has settings in the cluster, each with those that are its own; loggers are left out.
///
/// # Errors
/// The broker refuses.
pub(super) async fn own_of_all(cluster: &mut Cluster) -> Result<OwnSettings, Failure> {
    let mut all = own_of_others(cluster).await?;
    all.extend(own_of_topics(cluster).await?);
    Ok(all)
}

/// What has settings besides topics: the cluster, brokers, groups, subscriptions to clients' metrics. See [`own_of_all`].
///
/// # Errors
/// The broker refuses.
pub(in crate::cli) async fn own_of_others(cluster: &mut Cluster) -> Result<OwnSettings, Failure> {
    let mut others = vec![Resource::cluster()];
    let brokers = cluster.brokers().await?.into_keys();
    others.extend(brokers.map(|id| Resource { kind: ConfigResource::Broker, name: id.to_string() }));
    for kind in [ConfigResource::Group, ConfigResource::ClientMetrics] {
        let names = cluster.config_resources(kind).await?;
        others.extend(names.into_iter().map(|name| Resource { kind, name }));
    }
    let mut all = Vec::new();
    for resource in others {
        let settings = resource.own_settings(cluster).await?;
        all.push((resource, settings));
    }
    Ok(all)
}

/// Topics. See [`own_of_all`].
///
/// # Errors
/// The broker refuses.
pub(in crate::cli) async fn own_of_topics(cluster: &mut Cluster) -> Result<OwnSettings, Failure> {
    let mut all = Vec::new();
    let topics: Vec<String> = cluster.topics(None).await?.into_iter().map(|topic| topic.name).collect();
    for names in topics.chunks(TOPICS_PER_REQUEST) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut results = cluster.describe_configs(ConfigResource::Topic, &names, false).await?;
        results.sort_by(|left, right| left.resource_name.cmp(&right.resource_name));
        for mut result in results.into_iter().filter(|result| result.error_code == 0) {
            result.configs.sort_by(|left, right| left.name.cmp(&right.name));
            let topic = Resource::topic(result.resource_name.to_string());
            let own = topic.own_of(result.configs);
            all.push((topic, own));
        }
    }
    Ok(all)
}

fn row(resource: &Resource, setting: &DescribeConfigsResourceResult) -> Vec<Cell> {
    vec![
        Cell::text(resource.to_string()),
        Cell::text(setting.name.as_str()),
        value(setting),
        Cell::text(layer(setting.config_source)),
        Cell::Flag(!setting.read_only),
    ]
}

/// A value; one that must not be shown is not told from none.
pub(super) fn value(setting: &DescribeConfigsResourceResult) -> Cell {
    match (&setting.value, setting.is_sensitive) {
        (None, true) => Cell::text("(hidden)"),
        (value, _) => Cell::optional(value.as_ref().map(ToString::to_string)),
    }
}
