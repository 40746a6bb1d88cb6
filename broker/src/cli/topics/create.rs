//! `topics create`.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;

use crate::cli::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, Column, Output, Table, column};
use crate::client::Cluster;
use crate::client::topics::NewTopic;

/// What `create` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Their names.
    #[arg(required = true)]
    names: Vec<String>,
    /// Number of partitions; the broker's num.partitions when not given.
    #[arg(short, long)]
    partitions: Option<i32>,
    /// Number of replicas; the broker's default.replication.factor when not given.
    #[arg(short, long)]
    replication_factor: Option<i16>,
    /// A setting of the topics; may be given several times.
    #[arg(short, long = "config", value_name = "KEY=VALUE")]
    configs: Vec<String>,
    /// A topic that is there already is no error.
    #[arg(long)]
    if_not_exists: bool,
    /// Only checks whether it could be done.
    #[arg(long)]
    dry_run: bool,
}

const COLUMNS: &[Column] = &[
    column("TOPIC", "topic"),
    column("RESULT", "result"),
    column("PARTITIONS", "partitions"),
    column("REPLICAS", "replicas"),
];

pub(super) async fn run(arguments: &Arguments, cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let configs = arguments.configs.iter().map(|given| pair(given)).collect::<Result<Vec<_>, _>>()?;
    let topic = |name: &String| NewTopic {
        name: name.clone(),
        partitions: arguments.partitions,
        replicas: arguments.replication_factor,
        configs: configs.clone(),
    };
    let topics: Vec<_> = arguments.names.iter().map(topic).collect();
    let results = cluster.create_topics(&topics, arguments.dry_run).await?;
    let mut table = Table::new(COLUMNS);
    let mut failures = Vec::new();
    for result in &results {
        match outcome(result, arguments) {
            Ok(done) => table.row(vec![
                Cell::text(result.name.as_str()),
                Cell::text(done),
                Cell::number(Some(result.num_partitions.into()).filter(|number| *number >= 0)),
                Cell::number(Some(result.replication_factor.into()).filter(|number| *number >= 0)),
            ]),
            Err(failure) => failures.push(failure),
        }
    }
    let made = results.iter().filter(|result| result.error_code == 0 && !arguments.dry_run);
    let made: Vec<(&str, i32)> = made.map(|result| (result.name.as_str(), result.num_partitions)).collect();
    if !table.is_empty() {
        output.show(&table)?;
    }
    if !made.is_empty() {
        cluster.await_topics(&made).await?;
    }
    Failure::all_or_some(failures, !table.is_empty())
}

fn outcome(result: &CreatableTopicResult, arguments: &Arguments) -> Result<&'static str, Failure> {
    match result.error_code {
        0 if arguments.dry_run => Ok("would be created"),
        0 => Ok("created"),
        code if arguments.if_not_exists && code == ResponseError::TopicAlreadyExists.code() => Ok("was there"),
        code => {
            let act = format!("create topic {}", result.name.as_str());
            Err(Failure::refused(act, code, result.error_message.as_deref()))
        }
    }
}

/// `KEY=VALUE` of a setting.
pub(super) fn pair(given: &str) -> Result<(String, String), Failure> {
    let wrong = || Failure::usage(format!("--config {given}: it is of the form KEY=VALUE"));
    let (key, value) = given.split_once('=').ok_or_else(wrong)?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}
