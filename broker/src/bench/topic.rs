//! Topics of a run: made when they are missing, and who leads their partitions.

use std::time::{Duration, Instant};

use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    BrokerId, CreateTopicsRequest, ListOffsetsRequest, MetadataRequest, MetadataResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::connection::Connection;
use super::{BenchError, Bootstrap};

/// Kafka's codes.
const TOPIC_ALREADY_EXISTS: i16 = 36;
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;

/// Timestamps of ListOffsets that mean an end of the log.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

/// How long leaders may take: thousands of partitions are not made at once everywhere.
const LEADERS_TIMEOUT: Duration = Duration::from_secs(180);
/// Pause between two looks for leaders.
const LEADERS_PAUSE: Duration = Duration::from_millis(5);

/// A topic that is to be there.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its partitions; when the topic exists, at most as many as it has.
    pub partitions: Option<i32>,
    /// Replicas of a new topic; -1 leaves it to the broker.
    pub replication_factor: i16,
    /// Settings of a new topic.
    pub configs: &'a [(&'a str, &'a str)],
}

/// Partitions of a new topic when nothing is said.
pub const PARTITIONS: i32 = 16;

/// Partitions of a topic that are led by one broker.
#[derive(Clone, Debug)]
pub struct Led {
    /// The broker, host:port.
    pub address: String,
    /// Its partitions.
    pub partitions: Vec<i32>,
}

/// Where a partition begins and ends.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// The partition.
    pub partition: i32,
    /// Its first offset.
    pub start: i64,
    /// The offset after its last.
    pub end: i64,
}

/// Makes the topic unless it exists, waits until all its partitions are led, and says by whom.
///
/// # Errors
/// See [`BenchError`].
pub fn ensure(bootstrap: &Bootstrap, wanted: &Wanted<'_>) -> Result<Vec<Led>, BenchError> {
    let mut connection = bootstrap.open()?;
    let mut has = partitions_of(&mut connection, wanted.name)?;
    if has == 0 {
        has = wanted.partitions.unwrap_or(PARTITIONS);
        create(&mut connection, wanted, has)?;
    }
    let partitions = wanted.partitions.unwrap_or(has);
    if partitions > has {
        return Err(BenchError::Partitions { topic: wanted.name.to_owned(), has, wanted: partitions });
    }
    wait_for_leaders(bootstrap, &mut connection, wanted.name, partitions)
}

/// Who leads the partitions of a topic that exists, or the first `partitions` of them.
///
/// # Errors
/// [`BenchError::NoTopic`] and the others.
pub fn led(bootstrap: &Bootstrap, name: &str, partitions: Option<i32>) -> Result<Vec<Led>, BenchError> {
    let mut connection = bootstrap.open()?;
    let has = partitions_of(&mut connection, name)?;
    match partitions.unwrap_or(has) {
        _ if has == 0 => Err(BenchError::NoTopic(name.to_owned())),
        wanted if wanted > has => Err(BenchError::Partitions { topic: name.to_owned(), has, wanted }),
        wanted => wait_for_leaders(bootstrap, &mut connection, name, wanted),
    }
}

/// First and last offsets of partitions that the broker at the other end leads.
///
/// # Errors
/// See [`BenchError`].
pub fn extents(connection: &mut Connection, name: &str, partitions: &[i32]) -> Result<Vec<Extent>, BenchError> {
    let starts = list_offsets(connection, name, partitions, EARLIEST)?;
    let ends = list_offsets(connection, name, partitions, LATEST)?;
    partitions
        .iter()
        .zip(starts.into_iter().zip(ends))
        .map(|(partition, (start, end))| Ok(Extent { partition: *partition, start: start?, end: end? }))
        .collect::<Result<_, i16>>()
        .map_err(|code| BenchError::Refused { act: "list offsets of", what: name.to_owned(), code })
}

fn create(connection: &mut Connection, wanted: &Wanted<'_>, partitions: i32) -> Result<(), BenchError> {
    let config = |(key, value): &(&str, &str)| {
        CreatableTopicConfig::default()
            .with_name(StrBytes::from_string((*key).to_owned()))
            .with_value(Some(StrBytes::from_string((*value).to_owned())))
    };
    let topic = CreatableTopic::default()
        .with_name(name_of(wanted.name))
        .with_num_partitions(partitions)
        .with_replication_factor(wanted.replication_factor)
        .with_configs(wanted.configs.iter().map(config).collect());
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(60_000);
    let answer = connection.call(&request, 5, "create a topic")?;
    match answer.topics.first().map_or(0, |topic| topic.error_code) {
        0 | TOPIC_ALREADY_EXISTS => Ok(()),
        code => Err(BenchError::Refused { act: "create topic", what: wanted.name.to_owned(), code }),
    }
}

fn name_of(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

fn metadata(connection: &mut Connection, name: &str) -> Result<MetadataResponse, BenchError> {
    let topic = MetadataRequestTopic::default().with_name(Some(name_of(name)));
    let request = MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(false);
    connection.call(&request, 4, "ask for metadata")
}

/// How many partitions the topic has; 0 when there is none.
fn partitions_of(connection: &mut Connection, name: &str) -> Result<i32, BenchError> {
    let answer = metadata(connection, name)?;
    match answer.topics.first() {
        Some(topic) if topic.error_code == UNKNOWN_TOPIC_OR_PARTITION => Ok(0),
        Some(topic) if topic.error_code != 0 && topic.partitions.is_empty() => {
            Err(BenchError::Refused { act: "describe topic", what: name.to_owned(), code: topic.error_code })
        }
        Some(topic) => Ok(i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX)),
        None => Ok(0),
    }
}

/// Metadata names a leader a moment before that leader takes requests: ListOffsets tells when it does.
fn wait_for_leaders(
    bootstrap: &Bootstrap,
    connection: &mut Connection,
    name: &str,
    partitions: i32,
) -> Result<Vec<Led>, BenchError> {
    let deadline = Instant::now() + LEADERS_TIMEOUT;
    while Instant::now() < deadline {
        let answer = metadata(connection, name)?;
        let led = leaders_of(&answer, &bootstrap.addresses, partitions);
        let found: usize = led.iter().map(|led| led.partitions.len()).sum();
        if found == usize::try_from(partitions).unwrap_or(0) && all_serve(bootstrap, &led, name)? {
            return Ok(led);
        }
        std::thread::sleep(LEADERS_PAUSE);
    }
    Err(BenchError::NoLeaders(name.to_owned()))
}

/// A single broker is reached at the address that was given: it may advertise another, for others.
fn leaders_of(answer: &MetadataResponse, bootstrap: &str, partitions: i32) -> Vec<Led> {
    let mut led: Vec<Led> = Vec::new();
    for broker in &answer.brokers {
        let address = match answer.brokers.len() {
            1 => bootstrap.to_owned(),
            _ => format!("{}:{}", broker.host, broker.port),
        };
        let own = answer.topics.iter().flat_map(|topic| &topic.partitions).filter(|at| at.leader_id == broker.node_id);
        let own = own.filter(|at| at.error_code == 0 && at.partition_index < partitions);
        let mut own: Vec<i32> = own.map(|at| at.partition_index).collect();
        own.sort_unstable();
        if !own.is_empty() {
            led.push(Led { address, partitions: own });
        }
    }
    led
}

fn all_serve(bootstrap: &Bootstrap, led: &[Led], name: &str) -> Result<bool, BenchError> {
    for led in led {
        let mut connection = bootstrap.open_at(&led.address)?;
        if list_offsets(&mut connection, name, &led.partitions, EARLIEST)?.iter().any(Result::is_err) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// An offset or an error for each partition, in their order.
fn list_offsets(
    connection: &mut Connection,
    name: &str,
    partitions: &[i32],
    timestamp: i64,
) -> Result<Vec<Result<i64, i16>>, BenchError> {
    let asked = partitions
        .iter()
        .map(|index| ListOffsetsPartition::default().with_partition_index(*index).with_timestamp(timestamp))
        .collect();
    let topic = ListOffsetsTopic::default().with_name(name_of(name)).with_partitions(asked);
    let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
    let answer = connection.call(&request, 2, "list offsets")?;
    let mut found: Vec<_> = answer.topics.into_iter().flat_map(|topic| topic.partitions).collect();
    found.sort_unstable_by_key(|at| at.partition_index);
    if found.len() != partitions.len() {
        return Err(
            connection.malformed("list offsets", format!("{} partitions instead of {}", found.len(), partitions.len()))
        );
    }
    Ok(found.iter().map(|at| if at.error_code == 0 { Ok(at.offset) } else { Err(at.error_code) }).collect())
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::metadata_response::{
        MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
    };

    use super::*;

    fn answer(brokers: &[i32], leaders: &[i32]) -> MetadataResponse {
        let broker = |id: &i32| {
            MetadataResponseBroker::default()
                .with_node_id(BrokerId(*id))
                .with_host(StrBytes::from_static_str("h"))
                .with_port(*id)
        };
        let partition = |(index, leader): (i32, &i32)| {
            MetadataResponsePartition::default().with_partition_index(index).with_leader_id(BrokerId(*leader))
        };
        let topic = MetadataResponseTopic::default().with_partitions((0..).zip(leaders).map(partition).collect());
        MetadataResponse::default().with_brokers(brokers.iter().map(broker).collect()).with_topics(vec![topic])
    }

    #[test]
    fn partitions_are_dealt_to_their_leaders() {
        let led = leaders_of(&answer(&[1, 2], &[2, 1, 2, -1]), "b:1", 4);
        let found: Vec<_> = led.iter().map(|led| (led.address.as_str(), led.partitions.as_slice())).collect();
        assert_eq!(found, [("h:1", &[1][..]), ("h:2", &[0, 2][..])]);
    }

    #[test]
    fn a_single_broker_is_reached_where_it_was_found() {
        let led = leaders_of(&answer(&[1], &[1, 1, 1]), "b:1", 2);
        assert_eq!((led[0].address.as_str(), led[0].partitions.len()), ("b:1", 2));
    }
}
