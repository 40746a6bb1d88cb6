//! Topics for a run.

use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{BrokerId, CreateTopicsRequest, ListOffsetsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use crate::Outcome;
use crate::connection::Connection;

/// Kafka's code for a topic that exists.
const TOPIC_ALREADY_EXISTS: i16 = 36;

/// Makes a topic with one replica, unless it exists, and waits until every partition has a leader.
pub(crate) fn create(bootstrap: &str, name: &str, partitions: i32, configs: &[(&str, &str)]) -> Outcome<()> {
    let mut connection = Connection::open(bootstrap)?;
    let configs = configs
        .iter()
        .map(|(key, value)| {
            CreatableTopicConfig::default()
                .with_name(StrBytes::from_string((*key).to_owned()))
                .with_value(Some(StrBytes::from_string((*value).to_owned())))
        })
        .collect();
    let topic = CreatableTopic::default()
        .with_name(TopicName(StrBytes::from_string(name.to_owned())))
        .with_num_partitions(partitions)
        .with_replication_factor(1)
        .with_configs(configs);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000);
    let answer = connection.call(&request, 5)?;
    let code = answer.topics.first().map_or(0, |topic| topic.error_code);
    if code != 0 && code != TOPIC_ALREADY_EXISTS {
        return Err(format!("create topic {name}: error {code}").into());
    }
    wait_for_leaders(&mut connection, name, partitions)
}

/// Metadata names a leader a moment before that leader takes requests: ListOffsets tells when it does.
fn wait_for_leaders(connection: &mut Connection, name: &str, partitions: i32) -> Outcome<()> {
    let partitions = (0..partitions)
        .map(|index| ListOffsetsPartition::default().with_partition_index(index).with_timestamp(-2))
        .collect();
    let topic = ListOffsetsTopic::default()
        .with_name(TopicName(StrBytes::from_string(name.to_owned())))
        .with_partitions(partitions);
    let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while std::time::Instant::now() < deadline {
        let answer = connection.call(&request, 2)?;
        if answer.topics.iter().flat_map(|topic| &topic.partitions).all(|partition| partition.error_code == 0) {
            return Ok(());
        }
    }
    Err(format!("topic {name} has no leaders after 30 s").into())
}
