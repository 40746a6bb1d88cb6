//! `topics create`.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::CreateTopicsRequest;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::protocol::StrBytes;

use crate::cli::Failure;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, Column, Output, Table, column};
use crate::client::Cluster;
use crate::client::cluster::topic_name;

/// The last version whose fields are all understood here.
const VERSION: i16 = 7;
/// From here on partitions and replicas may be left to the broker (KIP-464).
const DEFAULTS_SINCE: i16 = 4;

/// What `create` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Their names.
    #[arg(required = true)]
    names: Vec<String>,
    /// Number of partitions; the broker's num.partitions when not given.
    #[arg(short, long, default_value_t = -1, allow_hyphen_values = true, hide_default_value = true)]
    partitions: i32,
    /// Number of replicas; the broker's default.replication.factor when not given.
    #[arg(short, long, default_value_t = -1, allow_hyphen_values = true, hide_default_value = true)]
    replication_factor: i16,
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
    let configs = arguments.configs.iter().map(|given| config(given)).collect::<Result<Vec<_>, _>>()?;
    let topic = |name: &String, version: i16| {
        let left_out = |number: i32| if number == -1 && version < DEFAULTS_SINCE { 1 } else { number };
        CreatableTopic::default()
            .with_name(topic_name(name))
            .with_num_partitions(left_out(arguments.partitions))
            .with_replication_factor(i16::try_from(left_out(arguments.replication_factor.into())).unwrap_or(-1))
            .with_configs(configs.clone())
    };
    let timeout_ms = i32::try_from(cluster.settings().timeout.as_millis()).unwrap_or(i32::MAX);
    let request = |version| {
        CreateTopicsRequest::default()
            .with_topics(arguments.names.iter().map(|name| topic(name, version)).collect())
            .with_timeout_ms(timeout_ms)
            .with_validate_only(arguments.dry_run)
    };
    let answer = cluster.ask_controller(VERSION, request, |_| 0).await?;
    let mut table = Table::new(COLUMNS);
    let mut failures = Vec::new();
    for result in &answer.topics {
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
    if !table.is_empty() {
        output.show(&table)?;
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

fn config(given: &str) -> Result<CreatableTopicConfig, Failure> {
    let wrong = || Failure::usage(format!("--config {given}: it is of the form KEY=VALUE"));
    let (key, value) = given.split_once('=').ok_or_else(wrong)?;
    let text = |text: &str| StrBytes::from_string(text.trim().to_owned());
    Ok(CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value))))
}
