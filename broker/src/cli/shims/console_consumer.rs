//! kafka-console-consumer, without membership: `--group` begins where the group committed and commits what was shown,
//! which a group with members refuses; without it nothing is committed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use barnabas_storage::batch::Record;
use clap::Parser;

use crate::cli::connection::ConnectionArguments;
use crate::cli::consume::{self, follow};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::groups::seek::{Target, partitions, plan};
use crate::cli::output::print_bytes;
use crate::cli::remark::say;
use crate::group::offsets::TopicPartition;

/// kafka-console-consumer, as of Apache Kafka 4.3.
#[derive(Debug, Parser)]
#[command(name = "kafka-console-consumer", version, infer_long_args = true)]
pub(super) struct Arguments {
    /// The servers to connect to.
    #[arg(long, value_name = "HOST:PORT,...")]
    bootstrap_server: String,
    /// A properties file for the client.
    #[arg(long, visible_alias = "consumer.config", value_name = "FILE")]
    command_config: Option<PathBuf>,
    /// A property for the client.
    #[arg(long, visible_alias = "consumer-property", value_name = "KEY=VALUE")]
    command_property: Vec<String>,
    /// The topic.
    #[arg(long)]
    topic: String,
    /// The partition; all when not given.
    #[arg(long)]
    partition: Option<i32>,
    /// earliest, latest, or an offset; needs --partition.
    #[arg(long, requires = "partition")]
    offset: Option<Target>,
    /// From the log's start when the group has committed nothing.
    #[arg(long)]
    from_beginning: bool,
    /// Ends after so many records.
    #[arg(long)]
    max_messages: Option<u64>,
    /// Ends when nothing has come for so long.
    #[arg(long)]
    timeout_ms: Option<i64>,
    /// The group.
    #[arg(long)]
    group: Option<String>,
    /// print.timestamp, print.key, print.offset, print.partition, print.value, key.separator, line.separator, null.literal.
    #[arg(long, visible_alias = "property", value_name = "KEY=VALUE")]
    formatter_property: Vec<String>,
    /// Taken: control records are never shown.
    #[arg(long)]
    isolation_level: Option<String>,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let form = Form::read(&arguments.formatter_property);
    let connection = ConnectionArguments::of_tool(Some(arguments.bootstrap_server), arguments.command_config);
    let mut cluster = connection.with_properties(arguments.command_property).connect().await?;
    let named = match arguments.partition {
        Some(partition) => format!("{}:{partition}", arguments.topic),
        None => arguments.topic,
    };
    let wanted = partitions(&mut cluster, &[named], &BTreeMap::new()).await?;
    let start = if arguments.from_beginning { Target::Earliest } else { Target::Latest };
    let mut from = plan(&mut cluster, &wanted, &BTreeMap::new(), arguments.offset.unwrap_or(start)).await?;
    if let Some(group) = &arguments.group {
        for (at, committed) in cluster.committed(group).await? {
            from.entry(at).and_modify(|offset| *offset = committed.offset);
        }
    }
    let told = consume::Told { from, end: None, max: arguments.max_messages, idle_ms: arguments.timeout_ms };
    let (seen, next) = follow(&mut cluster, told, |at, record| print_bytes(&form.line(at, record))).await?;
    if let Some(group) = &arguments.group {
        let told = cluster.commit(group, &next).await?;
        if let Some(code) = told.values().copied().find(|code| *code != 0) {
            return Err(Failure::refused(format!("commit offsets of group {group}"), code, None));
        }
    }
    say(format_args!("Processed a total of {seen} messages"));
    Ok(Exit::Done)
}

/// What of a record is shown, in Kafka's order.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "the formatter's properties")]
struct Form {
    timestamp: bool,
    partition: bool,
    offset: bool,
    key: bool,
    value: bool,
    separator: String,
    end: String,
    null: String,
}

impl Form {
    fn read(properties: &[String]) -> Self {
        let value = |name: &str| {
            let given = properties.iter().rev().filter_map(|property| property.split_once('='));
            given.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        };
        let flag = |name: &str| value(name).map(|value| value.trim().eq_ignore_ascii_case("true"));
        Self {
            timestamp: flag("print.timestamp").unwrap_or(false),
            partition: flag("print.partition").unwrap_or(false),
            offset: flag("print.offset").unwrap_or(false),
            key: flag("print.key").unwrap_or(false),
            value: flag("print.value").unwrap_or(true),
            separator: value("key.separator").unwrap_or_else(|| "\t".to_owned()),
            end: value("line.separator").unwrap_or_else(|| "\n".to_owned()),
            null: value("null.literal").unwrap_or_else(|| "null".to_owned()),
        }
    }

    fn line(&self, at: &TopicPartition, record: &Record) -> Vec<u8> {
        let bytes =
            |bytes: &Option<bytes::Bytes>| bytes.as_ref().map_or(self.null.as_bytes().to_vec(), |one| one.to_vec());
        let parts = [
            (self.timestamp, format!("CreateTime:{}", record.timestamp.0).into_bytes()),
            (self.partition, format!("Partition:{}", at.partition).into_bytes()),
            (self.offset, format!("Offset:{}", record.offset.0).into_bytes()),
            (self.key, bytes(&record.key)),
            (self.value, bytes(&record.value)),
        ];
        let shown: Vec<Vec<u8>> = parts.into_iter().filter(|(is_shown, _)| *is_shown).map(|(_, part)| part).collect();
        let mut line = shown.join(self.separator.as_bytes());
        line.extend_from_slice(self.end.as_bytes());
        line
    }
}

#[cfg(test)]
mod tests {
    use barnabas_storage::{Offset, PartitionIndex, Timestamp};
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_line_has_what_is_asked_for_in_kafkas_order() {
        let at = TopicPartition { topic: "t".into(), partition: PartitionIndex(2) };
        let record =
            Record { offset: Offset(7), timestamp: Timestamp(5), key: None, value: Some(Bytes::from_static(b"v")) };
        let line = |properties: &[&str]| {
            Form::read(&properties.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()).line(&at, &record)
        };
        assert_eq!(line(&[]), b"v\n");
        let all = ["print.key=true", "print.timestamp=true", "print.offset=true", "print.partition=true"];
        assert_eq!(line(&all), b"CreateTime:5\tPartition:2\tOffset:7\tnull\tv\n");
        assert_eq!(line(&["print.key=true", "key.separator=="]), b"null=v\n");
    }
}
