//! kafka-configs.

use std::path::PathBuf;

use clap::{ArgAction, ArgGroup, CommandFactory, FromArgMatches, Parser};

use super::{ServerOrController, end_reading};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::files;

mod entity;
mod quotas;
mod resources;
mod users;

use entity::{Entities, EntityKind};

/// kafka-configs, as of Apache Kafka 4.3.
#[derive(Debug, Parser)]
#[command(name = "kafka-configs", version, infer_long_args = true,
    group = ArgGroup::new("action").required(true).args(["alter", "describe"]))]
#[allow(clippy::struct_excessive_bools, reason = "the tool's options")]
pub(super) struct Arguments {
    #[command(flatten)]
    server: ServerOrController,
    /// Alter the configuration for the entity.
    #[arg(long)]
    alter: bool,
    /// List configs for the given entity.
    #[arg(long, conflicts_with_all = ["add_config", "delete_config", "add_config_file"])]
    describe: bool,
    /// List all configs for the given entity, including static configs.
    #[arg(long)]
    all: bool,
    /// topics, clients, users, brokers, broker-loggers, ips, client-metrics or groups.
    #[arg(long)]
    entity_type: Vec<String>,
    /// Name of the entity.
    #[arg(long)]
    entity_name: Vec<String>,
    /// The default of clients, users, brokers or ips.
    #[arg(long, num_args = 0, action = ArgAction::Append, default_missing_value = "")]
    entity_default: Vec<String>,
    /// Configs to add: k1=v1,k2=[v1,v2,v2],k3=v3.
    #[arg(long)]
    add_config: Option<String>,
    /// A properties file with configs to add.
    #[arg(long)]
    add_config_file: Option<PathBuf>,
    /// Config keys to remove: k1,k2.
    #[arg(long, value_delimiter = ',')]
    delete_config: Vec<String>,
    /// Suppress console prompts: there are none.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    flags: Flags,
    /// Names in the order in which they were given.
    #[arg(skip)]
    names: Vec<String>,
}

/// Options that are type and name at once.
#[derive(Debug, Default, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "the tool's options")]
struct Flags {
    /// The topic's name.
    #[arg(long)]
    topic: Option<String>,
    /// The client's ID.
    #[arg(long)]
    client: Option<String>,
    /// The config defaults for all clients.
    #[arg(long)]
    client_defaults: bool,
    /// The user's principal name.
    #[arg(long)]
    user: Option<String>,
    /// The config defaults for all users.
    #[arg(long)]
    user_defaults: bool,
    /// The broker's ID.
    #[arg(long)]
    broker: Option<String>,
    /// The config defaults for all brokers.
    #[arg(long)]
    broker_defaults: bool,
    /// The broker's ID for its logger config.
    #[arg(long)]
    broker_logger: Option<String>,
    /// The IP address.
    #[arg(long)]
    ip: Option<String>,
    /// The config defaults for all IPs.
    #[arg(long)]
    ip_defaults: bool,
    /// The group's ID.
    #[arg(long)]
    group: Option<String>,
    /// The client metrics config resource name.
    #[arg(long)]
    client_metrics: Option<String>,
}

impl Flags {
    /// Types and names, in the tool's own order.
    fn entities(&self) -> Vec<(EntityKind, String)> {
        use EntityKind::{Broker, BrokerLogger, Client, ClientMetrics, Group, Ip, Topic, User};
        let named = [
            (Topic, &self.topic),
            (Client, &self.client),
            (User, &self.user),
            (Broker, &self.broker),
            (BrokerLogger, &self.broker_logger),
            (Ip, &self.ip),
            (ClientMetrics, &self.client_metrics),
            (Group, &self.group),
        ];
        let defaults = [
            (Client, self.client_defaults),
            (User, self.user_defaults),
            (Broker, self.broker_defaults),
            (Ip, self.ip_defaults),
        ];
        let named = named.into_iter().filter_map(|(kind, name)| Some((kind, name.clone()?)));
        let defaults = defaults.into_iter().filter(|(_, given)| *given).map(|(kind, _)| (kind, String::new()));
        named.chain(defaults).collect()
    }
}

/// What is to be changed.
struct Changes {
    add: Vec<(String, String)>,
    delete: Vec<String>,
}

impl Arguments {
    /// Reads the command line; ends the process when it makes no sense.
    pub(super) fn read() -> Self {
        let matches = Self::command().try_get_matches();
        matches.and_then(Self::of_matches).unwrap_or_else(|error| end_reading(&error))
    }

    fn of_matches(matches: clap::ArgMatches) -> Result<Self, clap::Error> {
        let mut arguments = Self::from_arg_matches(&matches)?;
        let mut names = Vec::new();
        for (id, given) in [("entity_name", &arguments.entity_name), ("entity_default", &arguments.entity_default)] {
            names.extend(matches.indices_of(id).into_iter().flatten().zip(given.iter().cloned()));
        }
        names.sort_unstable();
        arguments.names = names.into_iter().map(|(_, name)| name).collect();
        Ok(arguments)
    }

    fn entities(&self) -> Result<Entities, Failure> {
        let flags = self.flags.entities();
        let is_mixed = !self.entity_type.is_empty() || !self.names.is_empty();
        if is_mixed && !flags.is_empty() {
            let text = "--entity-{type,name,default} should not be used in conjunction with specific entity flags";
            return Err(Failure::usage(text));
        }
        let mut kinds = self.entity_type.iter().map(|name| EntityKind::named(name)).collect::<Result<Vec<_>, _>>()?;
        let mut names = self.names.clone();
        for (kind, name) in flags {
            kinds.push(kind);
            names.push(name);
        }
        Entities::new(kinds, names, self.alter)
    }

    fn changes(&self) -> Result<Changes, Failure> {
        let mut add = Vec::new();
        if let Some(file) = &self.add_config_file {
            for property in barnabas_config::properties::parse(&files::read(file)?) {
                let property = property.map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
                add.push((property.key, property.value));
            }
        }
        add.extend(pairs(self.add_config.as_deref().unwrap_or_default())?);
        let is_wrong = |key: &str| !key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if let Some((key, _)) = add.iter().find(|(key, _)| is_wrong(key)) {
            return Err(Failure::usage(format!("Invalid character found for config key: {key}")));
        }
        let delete: Vec<String> = self.delete_config.iter().map(|key| key.trim().to_owned()).collect();
        if self.alter && add.is_empty() && delete.is_empty() {
            let text =
                "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter";
            return Err(Failure::usage(text));
        }
        Ok(Changes { add, delete })
    }
}

/// Commas within brackets belong to a value.
fn pairs(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_u32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if !text.is_empty() {
        parts.push(&text[start..]);
    }
    let wrong = || Failure::usage("Invalid entity config: all configs to be added must be in the format \"key=val\".");
    let pair = |part: &str| {
        let (key, value) = part.split_once('=').ok_or_else(wrong)?;
        let outside = value.split_once('[').map_or(value, |(before, _)| before);
        if outside.contains('=') {
            return Err(wrong());
        }
        Ok((key.trim().to_owned(), value.replace(['[', ']'], "").trim().to_owned()))
    };
    parts.into_iter().map(pair).collect()
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let entities = arguments.entities()?;
    let changes = arguments.changes()?;
    let mut cluster = arguments.server.connect().await?;
    match entities.first() {
        EntityKind::User | EntityKind::Client | EntityKind::Ip if arguments.alter => {
            users::alter(&entities, &changes, &mut cluster).await?;
        }
        EntityKind::User | EntityKind::Client | EntityKind::Ip => users::describe(&entities, &mut cluster).await?,
        kind if arguments.alter => resources::alter(kind, entities.name(), &changes, &mut cluster).await?,
        kind => resources::describe(kind, entities.names.first(), arguments.all, &mut cluster).await?,
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Arguments {
        let line = format!("kafka-configs --bootstrap-server h:1 {line}");
        Arguments::of_matches(Arguments::command().try_get_matches_from(line.split(' ')).unwrap()).unwrap()
    }

    #[test]
    fn names_follow_the_order_in_which_they_were_given() {
        let line =
            "--alter --entity-type users --entity-default --entity-type clients --entity-name c --add-config a=1";
        let entities = parse(line).entities().unwrap();
        assert_eq!(entities.names, ["", "c"]);
        let flags = parse("--describe --user u --client-defaults").entities().unwrap();
        assert_eq!(
            (flags.kinds, flags.names),
            (vec![EntityKind::User, EntityKind::Client], vec!["u".into(), "".into()])
        );
        assert!(parse("--describe --topic t --entity-type topics").entities().is_err());
    }

    #[test]
    fn commas_in_brackets_belong_to_a_value() {
        let read = |text| pairs(text).unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(read("a=1,b=[x,y], c = z"), [pair("a", "1"), pair("b", "x,y"), pair("c", "z")]);
        assert_eq!(
            read("SCRAM-SHA-256=[iterations=8192,password=p=q]"),
            [pair("SCRAM-SHA-256", "iterations=8192,password=p=q")]
        );
        assert_eq!(read("ssl.endpoint.identification.algorithm="), [pair("ssl.endpoint.identification.algorithm", "")]);
        assert!(pairs("a").is_err() && pairs("a=b=c").is_err());
    }
}
