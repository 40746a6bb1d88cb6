//! kafka-delete-records.

use std::collections::BTreeMap;
use std::path::PathBuf;

use barnabas_storage::PartitionIndex;
use clap::Parser;
use serde_json::Value;

use super::{Server, java_exception};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::files;
use crate::cli::output::print;
use crate::group::offsets::TopicPartition;

/// kafka-delete-records, as of Apache Kafka 4.3.
#[derive(Debug, Parser)]
#[command(name = "kafka-delete-records", version, infer_long_args = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    server: Server,
    /// A JSON file: {"partitions": [{"topic": "foo", "partition": 1, "offset": 1}], "version": 1}.
    #[arg(long, value_name = "FILE")]
    offset_json_file: PathBuf,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let wanted = offsets(&files::read(&arguments.offset_json_file)?).map_err(Failure::from)?;
    let mut cluster = arguments.server.connection().connect().await?;
    print("Executing records delete operation\n")?;
    let outcomes = cluster.delete_records(&wanted).await?;
    let mut text = "Records delete operation completed:\n".to_owned();
    for (at, outcome) in outcomes {
        text += &match outcome {
            Ok(offset) => format!("partition: {}-{}\tlow_watermark: {offset}\n", at.topic, at.partition.0),
            Err(code) => {
                format!("partition: {}-{}\terror: {}\n", at.topic, at.partition.0, java_exception(code, None))
            }
        };
    }
    print(&text)?;
    Ok(Exit::Done)
}

/// What the file asks for.
fn offsets(text: &str) -> Result<BTreeMap<TopicPartition, i64>, String> {
    let document: Value = serde_json::from_str(text).map_err(|_| "The input string is not a valid JSON".to_owned())?;
    match document.get("version").map_or(Some(1), Value::as_i64) {
        Some(1) => {}
        other => return Err(format!("Not supported version field value {}", other.unwrap_or(0))),
    }
    let partitions = document.get("partitions").and_then(Value::as_array).ok_or("Missing partitions field")?;
    let mut wanted = BTreeMap::new();
    for partition in partitions {
        let missing = |field: &str| format!("partitions: one has no {field}: {partition}");
        let number = |field: &str| partition.get(field).and_then(Value::as_i64).ok_or_else(|| missing(field));
        let topic = partition.get("topic").and_then(Value::as_str).ok_or_else(|| missing("topic"))?;
        let index = i32::try_from(number("partition")?).map_err(|_| missing("partition"))?;
        let at = TopicPartition { topic: topic.into(), partition: PartitionIndex(index) };
        if wanted.insert(at, number("offset")?).is_some() {
            return Err(format!("Offset json file contains duplicate topic partitions: {topic}-{index}"));
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_as_kafkas_tool_reads_it() {
        let one = r#"{"topic": "t", "partition": 1, "offset": 7}"#;
        let wanted = offsets(&format!(r#"{{"partitions": [{one}], "version": 1}}"#)).unwrap();
        assert_eq!(wanted.into_iter().map(|(at, offset)| (at.partition.0, offset)).collect::<Vec<_>>(), [(1, 7)]);
        for (text, reason) in [
            (format!(r#"{{"partitions": [{one}, {one}]}}"#), "duplicate topic partitions: t-1"),
            (r#"{"version": 1}"#.to_owned(), "Missing partitions"),
            (r#"{"version": 2, "partitions": []}"#.to_owned(), "version field value 2"),
            ("{".to_owned(), "not a valid JSON"),
            (r#"{"partitions": [{"topic": "t"}]}"#.to_owned(), "no partition"),
        ] {
            assert!(offsets(&text).unwrap_err().contains(reason), "{text}");
        }
    }
}
