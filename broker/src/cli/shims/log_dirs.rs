//! kafka-log-dirs.

use std::collections::BTreeSet;

use clap::Parser;
use kafka_protocol::messages::DescribeLogDirsRequest;
use kafka_protocol::messages::describe_log_dirs_response::DescribeLogDirsResult;
use serde_json::{Value, json};

use super::{Server, java_class};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::print;

/// The last version whose fields are all understood here.
const VERSION: i16 = 4;

/// kafka-log-dirs, as of Apache Kafka 4.3.
#[derive(Debug, Parser)]
#[command(name = "kafka-log-dirs", version, infer_long_args = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    server: Server,
    /// Describe the log directories of brokers.
    #[arg(long, required = true)]
    describe: bool,
    /// Topics, separated by commas; all of them when not given.
    #[arg(long, default_value = "", hide_default_value = true)]
    topic_list: String,
    /// Brokers, separated by commas; all of them when not given.
    #[arg(long, default_value = "", hide_default_value = true)]
    broker_list: String,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let topics: BTreeSet<&str> = listed(&arguments.topic_list).collect();
    let asked = listed(&arguments.broker_list).map(str::parse).collect::<Result<BTreeSet<i32>, _>>();
    let asked = asked.map_err(|_| Failure::usage(format!("--broker-list {}: ids", arguments.broker_list)))?;
    let mut cluster = arguments.server.connection().connect().await?;
    let there: BTreeSet<i32> = cluster.brokers().await?.into_keys().collect();
    let commas = |ids: &BTreeSet<i32>| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let absent: BTreeSet<i32> = asked.difference(&there).copied().collect();
    if !absent.is_empty() {
        let text = format!(
            "ERROR: The given brokers do not exist from --broker-list: {}. Current existent brokers: {}",
            commas(&absent),
            commas(&there)
        );
        return Err(Failure::not_found(text));
    }
    let asked = if asked.is_empty() { there } else { asked };
    print("Querying brokers for log directories information\n")?;
    let mut brokers = Vec::new();
    for id in &asked {
        let broker = cluster.broker(*id).await?;
        let version = broker.version_of::<DescribeLogDirsRequest>(VERSION)?;
        let answer = broker.call(&DescribeLogDirsRequest::default().with_topics(None), version).await?;
        if answer.error_code != 0 {
            return Err(Failure::refused(format!("describe log directories of {id}"), answer.error_code, None));
        }
        let directories: Vec<Value> = answer.results.iter().map(|result| directory(result, &topics)).collect();
        brokers.push(json!({"broker": id, "logDirs": directories}));
    }
    let document = json!({"brokers": brokers, "version": 1});
    print(&format!("Received log directory information from brokers {}\n{document}\n", commas(&asked)))?;
    Ok(Exit::Done)
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(|one| !one.is_empty())
}

fn directory(result: &DescribeLogDirsResult, topics: &BTreeSet<&str>) -> Value {
    let shown = result.topics.iter().filter(|topic| topics.is_empty() || topics.contains(topic.name.as_str()));
    let partitions = shown.flat_map(|topic| {
        topic.partitions.iter().map(|partition| {
            json!({
                "partition": format!("{}-{}", topic.name.as_str(), partition.partition_index),
                "size": partition.partition_size,
                "offsetLag": partition.offset_lag,
                "isFuture": partition.is_future_key,
            })
        })
    });
    let partitions: Vec<Value> = partitions.collect();
    let error = (result.error_code != 0).then(|| java_class(result.error_code));
    json!({"partitions": partitions, "error": error, "logDir": result.log_dir.as_str()})
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::TopicName;
    use kafka_protocol::messages::describe_log_dirs_response::{DescribeLogDirsPartition, DescribeLogDirsTopic};
    use kafka_protocol::protocol::StrBytes;

    use super::*;

    #[test]
    fn a_directory_has_kafkas_fields_in_its_order() {
        let topic = |name: &str| {
            let partition = DescribeLogDirsPartition::default().with_partition_index(3).with_partition_size(70);
            let name = TopicName(StrBytes::from_string(name.to_owned()));
            DescribeLogDirsTopic::default().with_name(name).with_partitions(vec![partition])
        };
        let result = DescribeLogDirsResult::default()
            .with_log_dir(StrBytes::from_static_str("/d"))
            .with_topics(vec![topic("a"), topic("b")]);
        assert_eq!(
            directory(&result, &BTreeSet::from(["b"])).to_string(),
            r#"{"partitions":[{"partition":"b-3","size":70,"offsetLag":0,"isFuture":false}],"error":null,"logDir":"/d"}"#
        );
    }
}
