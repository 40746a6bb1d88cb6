//! `barnabas quotas`: client quotas, on any broker that speaks the Kafka protocol.

use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::describe_client_quotas_response::EntryData as Described;
use kafka_protocol::messages::{AlterClientQuotasRequest, DescribeClientQuotasRequest};
use kafka_protocol::protocol::StrBytes;

use super::Failure;
use super::complete::names;
use super::confirm::Confirm;
use super::connection::ConnectionArguments;
use super::exit::Exit;
use super::output::{Cell, Column, Output, Table, column};
use crate::client::{CallError, Cluster};

/// The last version whose fields are all understood here, of both APIs.
const VERSION: i16 = 1;
/// How everybody without a quota by name is shown.
const DEFAULT: &str = "<default>";
/// Kafka's match types.
const EXACT: i8 = 0;
const BY_DEFAULT: i8 = 1;

/// What `quotas` is told.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Quotas: producer_byte_rate and consumer_byte_rate (bytes a second), request_percentage (of one processor),\n\
    controller_mutation_rate (partitions a second) of users and client ids; connection_creation_rate of addresses.\n\n\
    Examples:\n  barnabas quotas list\n  barnabas quotas set --user alice producer_byte_rate=1000000\n  \
    barnabas quotas set --default-user --client-id batch consumer_byte_rate=500000\n  \
    barnabas quotas remove --ip 10.0.0.7"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Lists quotas: all of them, or those of whom is named.
    List(List),
    /// Sets quotas of a user, a client id, both together, or an address.
    Set(Set),
    /// Removes quotas, all of whom is named when no quota is.
    Remove(Remove),
}

/// Whose quotas.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Whose")]
struct Whose {
    /// A user's, by the principal's name.
    #[arg(long, value_name = "NAME", conflicts_with = "default_user", add = names::users())]
    user: Option<String>,
    /// Each user's who has none by name.
    #[arg(long)]
    default_user: bool,
    /// A client id's; of the user, if one is given too.
    #[arg(long, value_name = "ID", conflicts_with = "default_client_id")]
    client_id: Option<String>,
    /// Each client id's that has none by name.
    #[arg(long)]
    default_client_id: bool,
    /// An address's.
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["default_ip", "user", "default_user", "client_id", "default_client_id"])]
    ip: Option<String>,
    /// Each address's that has none by name.
    #[arg(long, conflicts_with_all = ["user", "default_user", "client_id", "default_client_id"])]
    default_ip: bool,
}

impl Whose {
    /// Kinds and names in Kafka's words; `None` stands for the default.
    fn parts(&self) -> Vec<(&'static str, Option<&str>)> {
        let parts = [
            ("user", self.user.as_deref(), self.default_user),
            ("client-id", self.client_id.as_deref(), self.default_client_id),
            ("ip", self.ip.as_deref(), self.default_ip),
        ];
        let named = parts.into_iter().filter(|(_, name, is_default)| name.is_some() || *is_default);
        named.map(|(kind, name, _)| (kind, name)).collect()
    }

    /// The parts, of which there must be one at least.
    fn required(&self) -> Result<Vec<(&'static str, Option<&str>)>, Failure> {
        let parts = self.parts();
        if parts.is_empty() {
            return Err(Failure::usage("whose quotas: --user, --client-id, --ip, or one of their defaults"));
        }
        Ok(parts)
    }
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    whose: Whose,
}

#[derive(Debug, clap::Args)]
struct Set {
    #[command(flatten)]
    whose: Whose,
    /// Quotas and their values.
    #[arg(required = true, value_name = "QUOTA=VALUE")]
    quotas: Vec<String>,
    /// Only checks whether it could be done.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
struct Remove {
    #[command(flatten)]
    whose: Whose,
    /// Quotas; all that there are when none is given.
    #[arg(value_name = "QUOTA")]
    quotas: Vec<String>,
    #[command(flatten)]
    confirm: Confirm,
}

const COLUMNS: &[Column] = &[
    column("USER", "user"),
    column("CLIENT-ID", "client_id"),
    column("IP", "ip"),
    column("QUOTA", "quota"),
    column("VALUE", "value"),
];

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { command, connection, output } = arguments;
    match command {
        Command::List(told) => list(&told, &mut connection.connect().await?, output).await,
        Command::Set(told) => {
            let (parts, ops) = (told.whose.required()?, ops(&told.quotas)?);
            alter(&mut connection.connect().await?, &parts, ops, told.dry_run).await
        }
        Command::Remove(told) => remove(&told, &mut connection.connect().await?).await,
    }
}

async fn describe(cluster: &mut Cluster, parts: &[(&str, Option<&str>)]) -> Result<Vec<Described>, Failure> {
    let component = |(kind, name): &(&str, Option<&str>)| {
        ComponentData::default()
            .with_entity_type(text(kind))
            .with_match_type(if name.is_some() { EXACT } else { BY_DEFAULT })
            .with_match(name.map(text))
    };
    let request = DescribeClientQuotasRequest::default()
        .with_components(parts.iter().map(component).collect())
        .with_strict(!parts.is_empty());
    let broker = cluster.any();
    let version = broker.version_of::<DescribeClientQuotasRequest>(VERSION)?;
    let answer = broker.call(&request, version).await?;
    match answer.error_code {
        0 => Ok(answer.entries.unwrap_or_default()),
        code => Err(Failure::refused("list quotas", code, answer.error_message.as_deref())),
    }
}

async fn list(told: &List, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    output.show(&table(cluster, &told.whose.parts()).await?)?;
    Ok(Exit::Done)
}

/// Quotas of these, or all of them.
pub(super) async fn table(cluster: &mut Cluster, parts: &[(&str, Option<&str>)]) -> Result<Table, Failure> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for entry in describe(cluster, parts).await? {
        let part = |kind: &str| {
            let found = entry.entity.iter().find(|part| part.entity_type.as_str() == kind);
            Cell::optional(found.map(|part| part.entity_name.as_deref().unwrap_or(DEFAULT)))
        };
        for value in &entry.values {
            let key = Cell::text(value.key.as_str());
            rows.push(vec![part("user"), part("client-id"), part("ip"), key, number(value.value)]);
        }
    }
    rows.sort_by_key(|row| format!("{row:?}"));
    let mut table = Table::new(COLUMNS);
    rows.into_iter().for_each(|row| table.row(row));
    Ok(table)
}

/// Whole numbers as such.
#[allow(clippy::cast_possible_truncation, reason = "a cast of a float saturates, and what is shown so is whole")]
fn number(value: f64) -> Cell {
    if value.fract() == 0.0 { Cell::Number(value as i64) } else { Cell::Decimal(value) }
}

async fn remove(told: &Remove, cluster: &mut Cluster) -> Result<Exit, Failure> {
    let parts = told.whose.required()?;
    let found = describe(cluster, &parts).await?;
    let there = || found.iter().flat_map(|entry| &entry.values).map(|value| value.key.as_str());
    if let Some(missing) = told.quotas.iter().find(|wanted| !there().any(|key| key == wanted.as_str())) {
        return Err(Failure::not_found(format!("{} has no {missing}", shown(&parts))).next("barnabas quotas list"));
    }
    let keys: Vec<&str> =
        if told.quotas.is_empty() { there().collect() } else { told.quotas.iter().map(String::as_str).collect() };
    if keys.is_empty() {
        return Err(Failure::not_found(format!("{} has no quotas", shown(&parts))).next("barnabas quotas list"));
    }
    told.confirm.ask(&format!("{} of {} will be removed", keys.join(", "), shown(&parts)))?;
    let ops = keys.into_iter().map(|key| OpData::default().with_key(text(key)).with_remove(true)).collect();
    alter(cluster, &parts, ops, false).await
}

async fn alter(
    cluster: &mut Cluster,
    parts: &[(&str, Option<&str>)],
    ops: Vec<OpData>,
    dry_run: bool,
) -> Result<Exit, Failure> {
    let part = |(kind, name): &(&str, Option<&str>)| {
        EntityData::default().with_entity_type(text(kind)).with_entity_name(name.map(text))
    };
    let entry = EntryData::default().with_entity(parts.iter().map(part).collect()).with_ops(ops);
    let request = |_| AlterClientQuotasRequest::default().with_entries(vec![entry.clone()]).with_validate_only(dry_run);
    let answer = cluster.ask_controller(VERSION, request, |_| 0).await?;
    let Some(outcome) = answer.entries.first() else {
        let (address, reason) = (cluster.any().address().to_owned(), "an answer without a result".to_owned());
        return Err(CallError::Malformed { address, reason }.into());
    };
    match outcome.error_code {
        0 => Ok(Exit::Done),
        code => {
            let act = format!("change quotas of {}", shown(parts));
            Err(Failure::refused(act, code, outcome.error_message.as_deref()))
        }
    }
}

/// As people call it: `user alice, client-id <default>`.
fn shown(parts: &[(&str, Option<&str>)]) -> String {
    let parts: Vec<String> = parts.iter().map(|(kind, name)| format!("{kind} {}", name.unwrap_or(DEFAULT))).collect();
    parts.join(", ")
}

fn ops(given: &[String]) -> Result<Vec<OpData>, Failure> {
    let op = |given: &String| {
        let wrong = || Failure::usage(format!("{given}: it is of the form QUOTA=VALUE, as producer_byte_rate=1000000"));
        let (key, value) = given.split_once('=').ok_or_else(wrong)?;
        Ok(OpData::default().with_key(text(key.trim())).with_value(value.trim().parse().map_err(|_| wrong())?))
    };
    given.iter().map(op).collect()
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        quotas: Arguments,
    }

    fn parse(line: &str) -> Result<Command, String> {
        Line::try_parse_from(line.split(' ')).map(|line| line.quotas.command).map_err(|error| error.to_string())
    }

    #[test]
    fn whose_quotas_is_told_in_kafkas_words() {
        let Command::Set(told) = parse("quotas set --default-user --client-id c request_percentage=12.5").unwrap()
        else {
            panic!("set")
        };
        assert_eq!(told.whose.parts(), [("user", None), ("client-id", Some("c"))]);
        assert_eq!(shown(&told.whose.parts()), "user <default>, client-id c");
        let op = &ops(&told.quotas).unwrap()[0];
        assert_eq!((op.key.as_str(), op.value, op.remove), ("request_percentage", 12.5, false));
        let Command::List(told) = parse("quotas list").unwrap() else { panic!("list") };
        assert!(told.whose.parts().is_empty() && told.whose.required().is_err());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in
            ["quotas set --user a", "quotas set --user a --default-user x=1", "quotas set --ip 10.0.0.1 --user a x=1"]
        {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(ops(&["producer_byte_rate".to_owned()]).is_err() && ops(&["x=fast".to_owned()]).is_err());
    }
}
