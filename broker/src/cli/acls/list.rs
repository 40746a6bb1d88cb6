//! `acls list` and `acls lint`.

use barnabas_auth::{Acl, AclFilter, PatternFilter, lint::lint as findings};

use super::{rules, words};
use crate::cli::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, Column, Output, Table, column};
use crate::client::Cluster;

/// What `list` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only rules that name this principal.
    #[arg(long)]
    principal: Option<String>,
    /// Only rules that speak of this resource, as topic:orders: also those of prefixes and of every name.
    #[arg(long)]
    resource: Option<String>,
}

const COLUMNS: &[Column] = &[
    column("PRINCIPAL", "principal"),
    column("PERMISSION", "permission"),
    column("OPERATION", "operation"),
    column("RESOURCE", "resource"),
    column("PATTERN", "pattern"),
    column("HOST", "host"),
];

const FINDINGS: &[Column] = &[column("RULE", "rule"), column("FINDING", "finding")];

pub(super) async fn run(arguments: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let mut filter =
        AclFilter { principal: arguments.principal.as_deref().map(words::principal), ..AclFilter::EVERYTHING };
    if let Some(resource) = &arguments.resource {
        let (kind, name) = words::literal(resource)?;
        (filter.resource_type, filter.resource_name) = (Some(kind), Some(name));
        filter.pattern = PatternFilter::Match;
    }
    show(&rules::describe(cluster, &filter).await?, output)?;
    Ok(Exit::Done)
}

/// Shows rules.
pub(super) fn show(acls: &[Acl], output: Output) -> Result<(), Failure> {
    output.show(&table(acls))
}

pub(super) fn table(acls: &[Acl]) -> Table {
    let mut table = Table::new(COLUMNS);
    for acl in acls {
        table.row(vec![
            Cell::text(acl.principal.as_str()),
            Cell::text(words::shown(acl.permission.name())),
            Cell::text(words::shown(acl.operation.name())),
            Cell::text(words::of_acl(acl)),
            Cell::text(words::shown(acl.pattern_type.name())),
            Cell::text(acl.host.as_str()),
        ]);
    }
    table
}

pub(super) async fn lint(cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let acls = rules::describe(cluster, &AclFilter::EVERYTHING).await?;
    let topics = topics(cluster).await?;
    let mut table = Table::new(FINDINGS);
    for finding in findings(&acls, Some(&topics)) {
        table.row(vec![Cell::text(finding.acl.to_string()), Cell::text(finding.what)]);
    }
    output.show(&table)?;
    Ok(if table.is_empty() { Exit::Done } else { Exit::Findings })
}

/// The topics that are there, as far as they may be seen.
pub(super) async fn topics(cluster: &mut Cluster) -> Result<Vec<String>, Failure> {
    let metadata = cluster.metadata(None).await?;
    let seen = metadata.topics.iter().filter(|topic| topic.error_code == 0);
    let mut topics: Vec<String> = seen.filter_map(|topic| Some(topic.name.as_ref()?.to_string())).collect();
    topics.sort_unstable();
    Ok(topics)
}
