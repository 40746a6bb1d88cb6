//! `acls grant` and `acls revoke`.

use barnabas_auth::lint::lint;
use barnabas_auth::recipe::Grantee;
use barnabas_auth::{Acl, AclFilter};

use super::recipe::Grant;
use super::{list, rules, words};
use crate::cli::Failure;
use crate::cli::complete::names;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::remark::say;
use crate::client::Cluster;

/// What `grant` and `revoke` are told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Who: a user's name, or TYPE:NAME; * is everybody.
    #[arg(add = names::users())]
    principal: String,
    /// Operations between commas (read, write, create, delete, alter, describe, all, ...), or producer, consumer, streams,
    /// connect.
    what: String,
    /// On what, as TYPE:NAME.
    resources: Vec<String>,
    /// On this topic.
    #[arg(long = "topic", value_name = "NAME", add = names::topics())]
    topics: Vec<String>,
    /// On this group.
    #[arg(long = "group", value_name = "NAME", add = names::groups())]
    groups: Vec<String>,
    /// On this transactional id.
    #[arg(long = "transactional-id", value_name = "NAME")]
    transactional_ids: Vec<String>,
    /// On the cluster.
    #[arg(long)]
    cluster: bool,
    /// Takes stars in names as letters.
    #[arg(long)]
    literal: bool,
    /// Only from this address (or, not on Apache Kafka, network, as 10.0.0.0/8).
    #[arg(long, default_value = "*", value_name = "ADDRESS")]
    host: String,
    /// Denies instead of allowing.
    #[arg(long)]
    deny: bool,
    /// Only shows the rules that would be made, or removed.
    #[arg(long)]
    dry_run: bool,
}

impl Arguments {
    fn rules(&self) -> Result<Vec<Acl>, Failure> {
        let mut on = self.resources.clone();
        for (kind, names) in
            [("topic", &self.topics), ("group", &self.groups), ("transactional-id", &self.transactional_ids)]
        {
            on.extend(names.iter().map(|name| format!("{kind}:{name}")));
        }
        on.extend(self.cluster.then(|| "cluster".to_owned()));
        let grantee = Grantee { principal: words::principal(&self.principal), host: self.host.clone() };
        Grant { grantee, what: &self.what, on, is_literal: self.literal, is_denied: self.deny }.rules()
    }
}

pub(super) async fn grant(arguments: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let acls = arguments.rules()?;
    for finding in lint(&acls, None) {
        say(format_args!("note: {}: {}", finding.acl, finding.what));
    }
    if !arguments.dry_run {
        rules::create(cluster, &acls).await?;
    }
    list::show(&acls, output)?;
    Ok(Exit::Done)
}

pub(super) async fn revoke(arguments: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let acls = arguments.rules()?;
    let removed = if arguments.dry_run {
        let found = rules::describe(cluster, &AclFilter::EVERYTHING).await?;
        acls.into_iter().filter(|acl| found.contains(acl)).collect()
    } else {
        rules::delete(cluster, &acls).await?
    };
    if removed.is_empty() {
        return Err(Failure::not_found("none of these rules is there").next("barnabas acls list --principal NAME"));
    }
    list::show(&removed, output)?;
    Ok(Exit::Done)
}
