//! `acls suggest`: the smallest rules that would allow what the audit tells was denied.
//!
//! Nothing is guessed: each rule names one resource by its whole name, and what the rules that are there now allow is left out.
//! What a rule denies is told, not granted.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use barnabas_auth::{Acl, Operation, PatternType, Permission, Question, Reason, ResourceType};
use serde_json::Value;

use super::judge::Judge;
use super::{list, words};
use crate::cli::Failure;
use crate::cli::consume::{Told, follow};
use crate::cli::exit::Exit;
use crate::cli::files;
use crate::cli::groups::seek::{Target, partitions, plan};
use crate::cli::output::{Cell, Column, Output, Table, column, parse_instant, rfc3339};
use crate::cli::remark::say;
use crate::client::Cluster;
use crate::client::offsets::LATEST;
use crate::topics::AUDIT;

/// What `suggest` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only for this principal: a user's name, or TYPE:NAME.
    principal: Option<String>,
    /// The audit's file (barnabas.audit.file); without it the topic __barnabas_audit is read.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Only what was denied since, a time as 2026-01-31T10:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<i64>,
    /// A rule for each address that was denied, instead of one for every host.
    #[arg(long)]
    by_host: bool,
}

const COLUMNS: &[Column] = &[
    column("PRINCIPAL", "principal"),
    column("OPERATION", "operation"),
    column("RESOURCE", "resource"),
    column("HOST", "host"),
    column("DENIED", "denied"),
    column("LAST", "last"),
];

/// Something that was denied.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Denial {
    principal: String,
    host: IpAddr,
    operation: Operation,
    resource_type: ResourceType,
    resource_name: String,
    /// How often.
    count: u64,
    /// When it was last, in milliseconds since 1970.
    last: i64,
}

/// A rule to be, how often it was missed and when last.
type Missed = BTreeMap<Acl, (u64, i64)>;

fn time(text: &str) -> Result<i64, String> {
    parse_instant(text).ok_or_else(|| "a time as 2026-01-31T10:00Z".to_owned())
}

pub(super) async fn run(arguments: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let judge = Judge::of(cluster).await?;
    let told = match &arguments.file {
        Some(file) => files::read(file)?.lines().map(str::to_owned).collect(),
        None => of_topic(cluster, arguments.since).await?,
    };
    let of_principal = arguments.principal.as_deref().map(words::principal);
    let denials = told.iter().filter_map(|line| denial(line)).filter(|denial| {
        of_principal.as_ref().is_none_or(|principal| *principal == denial.principal)
            && arguments.since.is_none_or(|since| denial.last >= since)
    });
    let (missed, forbidden) = missed(&judge, denials, arguments.by_host);
    for rule in forbidden {
        say(format_args!("note: the rule {rule} denies what was asked for: revoke it if it is not meant so"));
    }
    if !output.is_table() {
        // As `apply` takes it.
        list::show(&missed.into_keys().collect::<Vec<_>>(), output)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(COLUMNS);
    for (acl, (count, last)) in &missed {
        table.row(vec![
            Cell::text(acl.principal.as_str()),
            Cell::text(words::shown(acl.operation.name())),
            Cell::text(words::of_acl(acl)),
            Cell::text(acl.host.as_str()),
            Cell::number(i64::try_from(*count).ok()),
            Cell::text(rfc3339(*last)),
        ]);
    }
    output.show(&table)?;
    Ok(Exit::Done)
}

/// The audit's topic, as it is now.
async fn of_topic(cluster: &mut Cluster, since: Option<i64>) -> Result<Vec<String>, Failure> {
    let wanted = partitions(cluster, &[AUDIT.to_owned()], &BTreeMap::new()).await?;
    let from = plan(cluster, &wanted, &BTreeMap::new(), since.map_or(Target::Earliest, Target::Time)).await?;
    let asked: Vec<_> = wanted.iter().map(|at| (at.clone(), LATEST)).collect();
    let ends = cluster.list_offsets(&asked).await?;
    let end = ends.into_iter().filter_map(|(at, found)| Some((at, found.ok()?.offset))).collect();
    let mut lines = Vec::new();
    follow(cluster, Told { from, end: Some(end), max: None, idle_ms: None }, |_, record| {
        // Only denials are kept: there may be many other events.
        let line = String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).into_owned();
        lines.extend(denial(&line).is_some().then_some(line));
        Ok(())
    })
    .await?;
    Ok(lines)
}

/// The denial that a line of the audit tells of, if it does.
fn denial(line: &str) -> Option<Denial> {
    let event: Value = serde_json::from_str(line).ok()?;
    if event["actor"]["authorizations"][0]["decision"] != "denied" {
        return None;
    }
    let resource = &event["resources"][0];
    let time = event["end_time"].as_i64().or_else(|| event["time"].as_i64())?;
    Some(Denial {
        principal: event["actor"]["user"]["name"].as_str()?.to_owned(),
        host: event["src_endpoint"]["ip"].as_str()?.parse().ok()?,
        operation: Operation::of_name(event["unmapped"]["operation"].as_str()?)?,
        resource_type: ResourceType::of_name(resource["type"].as_str()?)?,
        resource_name: resource["name"].as_str()?.to_owned(),
        count: event["count"].as_u64().unwrap_or(1),
        last: time,
    })
}

/// The rules that are missing still, and those that deny.
fn missed(judge: &Judge, denials: impl Iterator<Item = Denial>, by_host: bool) -> (Missed, BTreeSet<String>) {
    let (mut missed, mut forbidden) = (Missed::new(), BTreeSet::new());
    for denial in denials {
        let principal = words::parsed(&denial.principal);
        let verdict = judge.decide(&Question {
            principal: &principal,
            host: denial.host,
            operation: denial.operation,
            resource_type: denial.resource_type,
            resource_name: &denial.resource_name,
        });
        match verdict.reason {
            _ if verdict.is_allowed() => {}
            Reason::Rule(rule) => drop(forbidden.insert(rule.to_string())),
            _ => {
                let (times, when) = (denial.count, denial.last);
                let (count, last) = missed.entry(denial.rule(by_host)).or_default();
                *count += times;
                *last = (*last).max(when);
            }
        }
    }
    let implied: Vec<Acl> =
        missed.keys().filter(|acl| missed.keys().any(|other| other != *acl && implies(other, acl))).cloned().collect();
    missed.retain(|acl, _| !implied.contains(acl));
    (missed, forbidden)
}

/// Whether one rule allows what another is for.
fn implies(rule: &Acl, other: &Acl) -> bool {
    let same = Acl { operation: other.operation, ..rule.clone() };
    same == *other && rule.operation.allows(other.operation)
}

impl Denial {
    fn rule(self, by_host: bool) -> Acl {
        Acl {
            resource_type: self.resource_type,
            resource_name: self.resource_name,
            pattern_type: PatternType::Literal,
            principal: self.principal,
            host: if by_host { self.host.to_string() } else { "*".to_owned() },
            operation: self.operation,
            permission: Permission::Allow,
        }
    }
}
