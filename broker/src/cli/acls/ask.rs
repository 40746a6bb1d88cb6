//! `acls check`, `explain`, `whocan` and `effective`.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use barnabas_auth::recipe::CLUSTER_NAME;
use barnabas_auth::{Operation, Permission, Question, Reason, ResourceType, explain::explain as lines};
use serde_json::json;

use super::judge::Judge;
use super::{list, words};
use crate::cli::Failure;
use crate::cli::complete::names;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, Column, Output, Table, column};
use crate::cli::remark::say;
use crate::client::Cluster;

/// An address of documentation (RFC 5737): only rules for every host speak of it.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// What `check` and `explain` are told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Who: a user's name, or TYPE:NAME.
    #[arg(add = names::users())]
    principal: String,
    /// What, as write.
    operation: String,
    /// To what, as topic:orders.
    resource: String,
    /// From which address; without it only rules for every host count.
    #[arg(long, value_name = "ADDRESS")]
    from: Option<IpAddr>,
}

/// What `whocan` is told.
#[derive(Debug, clap::Args)]
pub(super) struct WhoArguments {
    /// What, as delete.
    operation: String,
    /// To what, as topic:payments.
    resource: String,
}

/// What `effective` is told.
#[derive(Debug, clap::Args)]
pub(super) struct EffectiveArguments {
    /// Who: a user's name, or TYPE:NAME.
    #[arg(add = names::users())]
    principal: String,
    /// From which address; without it only rules for every host count.
    #[arg(long, value_name = "ADDRESS")]
    from: Option<IpAddr>,
}

pub(super) async fn check(arguments: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    answer(arguments, cluster, output, false).await
}

pub(super) async fn explain(arguments: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    answer(arguments, cluster, output, true).await
}

async fn answer(arguments: &Arguments, cluster: &mut Cluster, output: Output, all: bool) -> Result<Exit, Failure> {
    let principal = words::parsed(&words::principal(&arguments.principal));
    let operation = words::asked(&arguments.operation)?;
    let (resource_type, name) = words::literal(&arguments.resource)?;
    let judge = Judge::of(cluster).await?;
    let host = arguments.from.unwrap_or(ELSEWHERE);
    let question = Question { principal: &principal, host, operation, resource_type, resource_name: &name };
    let verdict = judge.decide(&question);
    let mut reasons = lines(&question, &verdict, &judge.acls);
    if !all {
        reasons.truncate(1);
    }
    let doubts = judge.doubts(&verdict);
    let document = json!({ "allowed": verdict.is_allowed(), "reasons": reasons, "doubts": doubts });
    let notes = doubts.iter().map(|doubt| format!("note: {doubt}"));
    let shown: Vec<String> = reasons.iter().cloned().chain(notes).collect();
    output.show_document(&document, &(shown.join("\n") + "\n"))?;
    Ok(if verdict.is_allowed() { Exit::Done } else { Exit::Findings })
}

const WHO: &[Column] = &[column("PRINCIPAL", "principal"), column("HOST", "host"), column("RULE", "rule")];

pub(super) async fn whocan(arguments: &WhoArguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let operation = words::asked(&arguments.operation)?;
    let (resource_type, name) = words::literal(&arguments.resource)?;
    let judge = Judge::of(cluster).await?;
    let mut table = Table::new(WHO);
    for name in judge.super_users() {
        table.row(vec![Cell::text(name), Cell::text("*"), Cell::text("a super user")]);
    }
    for (text, from) in allowed_by_rules(&judge, operation, resource_type, &name) {
        let principal = words::parsed(text);
        // A network is asked for by its first address.
        let address = from.split('/').next().and_then(|address| address.parse().ok());
        let host = address.unwrap_or(ELSEWHERE);
        let question = Question { principal: &principal, host, operation, resource_type, resource_name: &name };
        let verdict = judge.decide(&question);
        if let (true, Reason::Rule(rule)) = (verdict.is_allowed(), &verdict.reason) {
            table.row(vec![Cell::text(text), Cell::text(from), Cell::text(rule.to_string())]);
        }
    }
    output.show(&table)?;
    note(judge.unknown());
    Ok(Exit::Done)
}

/// Principals and hosts of the rules that allow it, unless others deny it.
fn allowed_by_rules<'a>(
    judge: &'a Judge,
    operation: Operation,
    resource_type: ResourceType,
    name: &str,
) -> BTreeSet<(&'a str, &'a str)> {
    let allowing = judge.acls.iter().filter(|acl| {
        acl.permission == Permission::Allow && acl.is_about(resource_type, name) && acl.operation.allows(operation)
    });
    allowing.map(|acl| (acl.principal.as_str(), acl.host.as_str())).collect()
}

fn note(unknown: Option<String>) {
    if let Some(unknown) = unknown {
        say(format_args!("note: {unknown}"));
    }
}

const EFFECTIVE: &[Column] = &[column("RESOURCE", "resource"), column("OPERATIONS", "operations")];

/// What can be done to a resource of each type, as Kafka's documentation of its authorizer has it.
fn operations(resource_type: ResourceType) -> &'static [Operation] {
    use Operation::{
        Alter, AlterConfigs, ClusterAction, Create, Delete, Describe, DescribeConfigs, IdempotentWrite, Read, Write,
    };
    match resource_type {
        ResourceType::Topic => &[Read, Write, Create, Delete, Alter, Describe, DescribeConfigs, AlterConfigs],
        ResourceType::Group => &[Read, Delete, Describe, DescribeConfigs, AlterConfigs],
        ResourceType::Cluster => {
            &[Create, Alter, Describe, ClusterAction, DescribeConfigs, AlterConfigs, IdempotentWrite]
        }
        ResourceType::TransactionalId => &[Write, Describe, Operation::TwoPhaseCommit],
        ResourceType::DelegationToken => &[Describe],
        ResourceType::User => &[Operation::CreateTokens, Operation::DescribeTokens],
    }
}

pub(super) async fn effective(
    arguments: &EffectiveArguments,
    cluster: &mut Cluster,
    output: Output,
) -> Result<Exit, Failure> {
    let principal = words::parsed(&words::principal(&arguments.principal));
    let host = arguments.from.unwrap_or(ELSEWHERE);
    let judge = Judge::of(cluster).await?;
    let mut there = vec![(ResourceType::Cluster, CLUSTER_NAME.to_owned())];
    there.extend(list::topics(cluster).await?.into_iter().map(|topic| (ResourceType::Topic, topic)));
    let groups = cluster.list_groups(&[]).await?;
    there.extend(groups.into_iter().map(|(_, group)| (ResourceType::Group, group.group_id.to_string())));
    let mut table = Table::new(EFFECTIVE);
    for (kind, name) in there {
        let may = judge.allowed(&principal, host, operations(kind), kind, &name);
        if !may.is_empty() {
            let resource = if kind == ResourceType::Cluster {
                "cluster".to_owned()
            } else {
                format!("{}:{name}", words::shown(kind.name()))
            };
            table.row(vec![Cell::text(resource), Cell::list(may.iter().map(|one| words::shown(one.name())))]);
        }
    }
    output.show(&table)?;
    note(judge.unknown());
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_out_of_what_can_be_done() {
        for operation in Operation::EVERY.iter().filter(|operation| **operation != Operation::All) {
            assert!(ResourceType::EVERY.iter().any(|kind| operations(*kind).contains(operation)), "{operation:?}");
        }
    }
}
