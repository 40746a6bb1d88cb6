//! kafka-console-producer. Records leave uncompressed and one request at a time, whatever the options for batches and
//! compression say; headers are not parsed.

use std::path::PathBuf;

use clap::Parser;

use crate::cli::connection::ConnectionArguments;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::produce::{Lines, Told, write};

/// kafka-console-producer, as of Apache Kafka 4.3.
#[derive(Debug, Parser)]
#[command(name = "kafka-console-producer", version, infer_long_args = true)]
pub(super) struct Arguments {
    /// The servers to connect to.
    #[arg(long, value_name = "HOST:PORT,...")]
    bootstrap_server: String,
    /// A properties file for the client.
    #[arg(long, visible_alias = "producer.config", value_name = "FILE")]
    command_config: Option<PathBuf>,
    /// A property for the client.
    #[arg(long, visible_alias = "producer-property", value_name = "KEY=VALUE")]
    command_property: Vec<String>,
    /// The topic.
    #[arg(long)]
    topic: String,
    /// parse.key and key.separator.
    #[arg(long, visible_alias = "property", value_name = "KEY=VALUE")]
    reader_property: Vec<String>,
    /// 1, all or -1.
    #[arg(long, default_value = "-1", allow_hyphen_values = true)]
    request_required_acks: String,
    /// Taken and without effect.
    #[arg(long, num_args = 0..=1, default_missing_value = "gzip")]
    compression_codec: Option<String>,
    /// Taken and without effect.
    #[arg(long)]
    batch_size: Option<u32>,
    /// Taken and without effect: every request is waited for.
    #[arg(long)]
    sync: bool,
    /// How long a request may take.
    #[arg(long, default_value_t = 30_000)]
    request_timeout_ms: u32,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let acks = match arguments.request_required_acks.as_str() {
        "all" | "-1" => -1,
        "1" => 1,
        other => return Err(Failure::usage(format!("--request-required-acks {other}: 1, all or -1 are served"))),
    };
    let lines = lines(&arguments.reader_property)?;
    let timeout = format!("request.timeout.ms={}", arguments.request_timeout_ms.max(1));
    let properties = [timeout].into_iter().chain(arguments.command_property);
    let connection = ConnectionArguments::of_tool(Some(arguments.bootstrap_server), arguments.command_config);
    let mut cluster = connection.with_properties(properties).connect().await?;
    let told = Told { topic: arguments.topic, partition: None, acks };
    write(&mut cluster, &told, &lines, std::io::stdin().lock(), |_| ()).await?;
    Ok(Exit::Done)
}

fn lines(properties: &[String]) -> Result<Lines, Failure> {
    let (mut parses_key, mut separator) = (false, "\t".to_owned());
    for property in properties {
        match property.split_once('=') {
            Some(("parse.key", value)) => parses_key = value.trim() == "true",
            Some(("key.separator", value)) => value.clone_into(&mut separator),
            Some(("ignore.error" | "null.marker", _)) | None => {
                return Err(Failure::usage(format!("--reader-property {property} is not served")));
            }
            Some(_) => {}
        }
    }
    Ok(Lines { separator: parses_key.then_some(separator), key: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_parsed_when_told_and_its_separator_is_a_tab() {
        let read = |properties: &[&str]| lines(&properties.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
        assert_eq!(read(&[]).unwrap().separator, None);
        assert_eq!(read(&["parse.key=true"]).unwrap().separator.as_deref(), Some("\t"));
        let told = read(&["key.separator=:", "parse.key=true"]).unwrap();
        assert_eq!(told.separator.as_deref(), Some(":"));
        assert!(read(&["null.marker=x"]).is_err());
    }
}
