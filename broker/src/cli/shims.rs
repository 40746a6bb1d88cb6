//! Kafka's tool names: the same binary, called as `kafka-topics` (with or without `.sh`), takes that tool's options and
//! prints its columns. Where they differ from Apache Kafka 4.3: abbreviations of options are taken, and rows that Kafka
//! prints in no order come in order.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use kafka_protocol::error::ResponseError;

use super::connection::ConnectionArguments;
use super::exit::Exit;
use super::failure::Failure;
use super::remark::say;
use super::run_client;
use crate::client::{Cluster, code};

mod api_versions;
mod cluster;
mod configs;
mod console_consumer;
mod console_producer;
mod consumer_groups;
mod delete_records;
mod dump_log;
mod get_offsets;
mod log_dirs;
mod metadata_quorum;
mod storage;
mod topics;

/// The names that are served.
pub(super) const NAMES: &[&str] = &[
    "kafka-topics",
    "kafka-configs",
    "kafka-consumer-groups",
    "kafka-console-producer",
    "kafka-console-consumer",
    "kafka-get-offsets",
    "kafka-delete-records",
    "kafka-log-dirs",
    "kafka-broker-api-versions",
    "kafka-cluster",
    "kafka-metadata-quorum",
    "kafka-storage",
    "kafka-dump-log",
];

/// The connection options of every tool.
#[derive(Debug, clap::Args)]
struct Server {
    /// The servers to connect to.
    #[arg(long, value_name = "HOST:PORT,...")]
    bootstrap_server: String,
    /// A properties file for the client.
    #[arg(long, value_name = "FILE")]
    command_config: Option<PathBuf>,
}

impl Server {
    fn connection(&self) -> ConnectionArguments {
        ConnectionArguments::of_tool(Some(self.bootstrap_server.clone()), self.command_config.clone())
    }
}

/// The connection options of tools that can ask controllers themselves.
#[derive(Debug, clap::Args)]
struct ServerOrController {
    /// The servers to connect to.
    #[arg(long, value_name = "HOST:PORT,...", required_unless_present = "bootstrap_controller")]
    bootstrap_server: Option<String>,
    /// The controllers to connect to, where they have a listener of their own.
    #[arg(long, value_name = "HOST:PORT,...", conflicts_with = "bootstrap_server")]
    bootstrap_controller: Option<String>,
    /// A properties file for the client.
    #[arg(long, value_name = "FILE")]
    command_config: Option<PathBuf>,
}

impl ServerOrController {
    async fn connect(&self) -> Result<Cluster, Failure> {
        let connection = ConnectionArguments::of_tool(self.bootstrap_server.clone(), self.command_config.clone());
        connect(connection, self.bootstrap_controller.clone()).await
    }
}

/// Connects to brokers, or to controllers where those are given.
async fn connect(brokers: ConnectionArguments, controllers: Option<String>) -> Result<Cluster, Failure> {
    let asks_controllers = controllers.is_some();
    let connected = brokers.with_controllers(controllers).connect().await;
    connected.map_err(|failure| if asks_controllers { failure.next(NO_CONTROLLERS) } else { failure })
}

/// What to do where no controller answers.
const NO_CONTROLLERS: &str = "--bootstrap-controller with the address of a listener in controller.listener.names, or \
    --bootstrap-server with a broker's";

/// Reads a tool's command line. What makes no sense ends Kafka's tools with 1, as everything does.
fn read<Arguments: Parser>() -> Arguments {
    Arguments::try_parse().unwrap_or_else(|error| end_reading(&error))
}

/// Shows help, or what makes no sense.
fn end_reading(shown: &clap::Error) -> ! {
    // Nobody can be told that nobody can be told.
    let _ = shown.print();
    std::process::exit(i32::from(shown.use_stderr()))
}

/// Runs the tool that the program's name says; `None` when it is our own name.
pub(super) fn run(program: &Path) -> Option<ExitCode> {
    let name = program.file_name()?.to_str()?;
    let name = name.strip_suffix(".sh").unwrap_or(name);
    let ended = match name {
        "kafka-topics" => run_client(topics::run(read())),
        "kafka-consumer-groups" => run_client(consumer_groups::run(read())),
        "kafka-get-offsets" => run_client(get_offsets::run(read())),
        "kafka-configs" => run_client(configs::run(configs::Arguments::read())),
        "kafka-delete-records" => run_client(delete_records::run(read())),
        "kafka-log-dirs" => run_client(log_dirs::run(read())),
        "kafka-broker-api-versions" => run_client(api_versions::run(read())),
        "kafka-cluster" => run_client(cluster::run(read())),
        "kafka-metadata-quorum" => run_client(metadata_quorum::run(read())),
        "kafka-storage" => run_client(storage::run(read())),
        "kafka-dump-log" => dump_log::run(&read()),
        "kafka-console-producer" => run_client(console_producer::run(read())),
        "kafka-console-consumer" => run_client(console_consumer::run(read())),
        _ => return None,
    };
    Some(end(name, ended))
}

/// Kafka's tools end with 1 whatever was wrong.
fn end(name: &str, ended: Result<Exit, Failure>) -> ExitCode {
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            say(format_args!("{name}: {failure}"));
            Exit::Failed.into()
        }
    }
}

/// What the broker said, as the Java client shows it: its message, or the error's own.
fn java_message(code: i16, said: Option<&str>) -> String {
    said.filter(|said| !said.is_empty()).map_or_else(|| code::message(code), str::to_owned)
}

/// The Java client's exception for a code.
fn java_class(code: i16) -> String {
    let name =
        ResponseError::try_from_code(code).map_or_else(|| "UnknownServer".to_owned(), |error| format!("{error:?}"));
    let name = name.strip_suffix("Failed").filter(|name| name.ends_with("Authorization")).unwrap_or(&name);
    format!("org.apache.kafka.common.errors.{name}Exception")
}

/// An exception as the Java client shows it.
fn java_exception(code: i16, said: Option<&str>) -> String {
    format!("{}: {}", java_class(code), java_message(code, said))
}

/// Text in a column that is padded on the right.
fn pad(text: &str, width: usize) -> String {
    format!("{text:<width$}")
}

/// The names that a tool's `--topic` means: a regular expression that covers a whole name, commas between several.
fn matching(pattern: &str, names: impl IntoIterator<Item = String>) -> Result<Vec<String>, Failure> {
    let alternatives = pattern.trim().trim_matches(['"', '\'']).replace(',', "|").replace(' ', "");
    let wrong = |error| Failure::usage(format!("{pattern} is an invalid regex: {error}"));
    let regex = regex_automata::meta::Regex::new(&format!("^(?:{alternatives})$")).map_err(wrong)?;
    Ok(names.into_iter().filter(|name| regex.is_match(name.as_str())).collect())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tools_have_no_contradictions() {
        topics::Arguments::command().debug_assert();
        consumer_groups::Arguments::command().debug_assert();
        get_offsets::Arguments::command().debug_assert();
        configs::Arguments::command().debug_assert();
        delete_records::Arguments::command().debug_assert();
        log_dirs::Arguments::command().debug_assert();
        api_versions::Arguments::command().debug_assert();
        cluster::Arguments::command().debug_assert();
        metadata_quorum::Arguments::command().debug_assert();
        storage::Arguments::command().debug_assert();
        dump_log::Arguments::command().debug_assert();
        console_producer::Arguments::command().debug_assert();
        console_consumer::Arguments::command().debug_assert();
    }

    #[test]
    fn a_pattern_covers_a_whole_name() {
        let names = || ["orders", "orders.new", "bills"].map(str::to_owned);
        assert_eq!(matching("orders", names()).unwrap(), ["orders"]);
        assert_eq!(matching("orders.*,b.*", names()).unwrap().len(), 3);
        assert!(matching("(", names()).is_err());
    }

    #[test]
    fn errors_are_named_as_java_names_them() {
        assert_eq!(
            java_exception(1, None),
            "org.apache.kafka.common.errors.OffsetOutOfRangeException: The requested offset is not within the range of \
             offsets maintained by the server."
        );
        assert_eq!(java_exception(29, Some("no")), "org.apache.kafka.common.errors.TopicAuthorizationException: no");
    }

    #[test]
    fn our_own_name_is_no_tool() {
        assert!(run(Path::new("/usr/bin/barnabas")).is_none());
    }
}
