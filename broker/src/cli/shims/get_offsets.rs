//! kafka-get-offsets.

use clap::Parser;

use super::{Server, matching};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::cli::remark::say;
use crate::client::offsets::{EARLIEST, EARLIEST_PENDING_UPLOAD, LATEST};
use crate::group::offsets::TopicPartition;
use barnabas_storage::PartitionIndex;

/// Asks for the record with the highest timestamp (KIP-734).
const MAX_TIMESTAMP: i64 = -3;
/// Asks for the first offset that is on the broker's disk (KIP-405).
const EARLIEST_LOCAL: i64 = -4;
/// Asks for the last offset that is tiered (KIP-1005).
const LATEST_TIERED: i64 = -5;

/// kafka-get-offsets, as of Apache Kafka 4.3.
#[derive(Debug, Parser)]
#[command(name = "kafka-get-offsets", version, infer_long_args = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    server: Server,
    /// A regular expression for topics.
    #[arg(long, conflicts_with = "topic_partitions")]
    topic: Option<String>,
    /// Partitions, separated by commas.
    #[arg(long, value_delimiter = ',')]
    partitions: Vec<i32>,
    /// topic:partition pairs, separated by commas; a partition may be a range a-b.
    #[arg(long, value_delimiter = ',')]
    topic_partitions: Vec<String>,
    /// -1 or latest, -2 or earliest, -3 or max-timestamp, -4 or earliest-local, -5 or latest-tiered, -6 or
    /// earliest-pending-upload, or milliseconds since 1970.
    #[arg(long, default_value = "latest", allow_hyphen_values = true, value_parser = time)]
    time: i64,
    /// Without internal topics.
    #[arg(long)]
    exclude_internal_topics: bool,
}

fn time(text: &str) -> Result<i64, String> {
    match text {
        "latest" => Ok(LATEST),
        "earliest" => Ok(EARLIEST),
        "max-timestamp" => Ok(MAX_TIMESTAMP),
        "earliest-local" => Ok(EARLIEST_LOCAL),
        "latest-tiered" => Ok(LATEST_TIERED),
        "earliest-pending-upload" => Ok(EARLIEST_PENDING_UPLOAD),
        _ => text.parse().map_err(|_| {
            "latest, earliest, max-timestamp, earliest-local, latest-tiered, earliest-pending-upload, or milliseconds since \
             1970"
                .to_owned()
        }),
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let mut cluster = arguments.server.connection().connect().await?;
    let topics = cluster.topics(None).await?;
    let topics = topics.into_iter().filter(|topic| !(arguments.exclude_internal_topics && topic.is_internal));
    let mut wanted = Vec::new();
    for topic in topics {
        for partition in &topic.partitions {
            if is_wanted(&arguments, &topic.name, partition.index)? {
                let at =
                    TopicPartition { topic: topic.name.as_str().into(), partition: PartitionIndex(partition.index) };
                wanted.push((at, arguments.time));
            }
        }
    }
    if wanted.is_empty() {
        let text = "Could not match any topic-partitions with the specified filters";
        return Err(Failure::not_found(text));
    }
    let mut text = String::new();
    for (at, found) in cluster.list_offsets(&wanted).await? {
        match found {
            Ok(found) if found.offset >= 0 => text += &format!("{}:{}:{}\n", at.topic, at.partition, found.offset),
            // As with Kafka's tool, a partition without such an offset is not told.
            Ok(_) => {}
            Err(code) => say(format_args!(
                "Skip getting offsets for topic-partition {}-{} due to error: {}",
                at.topic,
                at.partition,
                crate::client::code::name(code)
            )),
        }
    }
    print(&text)?;
    Ok(Exit::Done)
}

fn is_wanted(arguments: &Arguments, topic: &str, partition: i32) -> Result<bool, Failure> {
    let covers = |pattern: &str| Ok::<_, Failure>(!matching(pattern, [topic.to_owned()])?.is_empty());
    if !arguments.topic_partitions.is_empty() {
        for pair in &arguments.topic_partitions {
            let (name, numbers) = pair.split_once(':').unwrap_or((pair.as_str(), ""));
            if (name.is_empty() || covers(name)?) && is_in(numbers, partition)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let is_named = match &arguments.topic {
        Some(pattern) => covers(pattern)?,
        None => true,
    };
    Ok(is_named && (arguments.partitions.is_empty() || arguments.partitions.contains(&partition)))
}

/// "" is every partition, `a` one, `a-b` those from a up to and without b; either end may be left out.
fn is_in(numbers: &str, partition: i32) -> Result<bool, Failure> {
    let read = |text: &str, or: i32| {
        let wrong = |_| Failure::usage(format!("Invalid rule '{numbers}': a partition or a range a-b"));
        if text.is_empty() { Ok(or) } else { text.parse().map_err(wrong) }
    };
    match numbers.split_once('-') {
        Some((from, to)) => Ok((read(from, 0)?..read(to, i32::MAX)?).contains(&partition)),
        None if numbers.is_empty() => Ok(true),
        None => Ok(read(numbers, 0)? == partition),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_leave_their_end_out() {
        let wanted = |rule: &str| (0..6).filter(|one| is_in(rule, *one).unwrap()).collect::<Vec<_>>();
        assert_eq!(
            (wanted("2"), wanted("1-3"), wanted("-2"), wanted("4-")),
            (vec![2], vec![1, 2], vec![0, 1], vec![4, 5])
        );
        assert!(is_in("x", 0).is_err());
    }

    #[test]
    fn a_time_is_a_word_or_milliseconds() {
        assert_eq!((time("latest"), time("-2"), time("7")), (Ok(-1), Ok(-2), Ok(7)));
        assert!(time("soon").is_err());
    }
}
