//! Topics as a client sees them: partitions, leaders, replicas; and their change.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use kafka_protocol::messages::{
    BrokerId, CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest, DescribeTopicPartitionsRequest,
    TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::cluster::topic_name;
use super::{CallError, Cluster};

/// The last versions whose fields are all understood here.
const CREATE_TOPICS_VERSION: i16 = 7;
const DELETE_TOPICS_VERSION: i16 = 6;
const CREATE_PARTITIONS_VERSION: i16 = 3;
/// From here on partitions and replicas of a new topic may be left to the broker (KIP-464).
const DEFAULTS_SINCE: i16 = 4;
/// From here on a DeleteTopics names topics in structures (KIP-516).
const DELETE_STATES_SINCE: i16 = 6;
/// The setting of a topic that is not to be made, but brought back from its deletion.
const UNDELETE: &str = "barnabas.undelete";
/// Partitions in one answer to DescribeTopicPartitions.
const PARTITIONS_PER_ANSWER: i32 = 2000;

/// A partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionView {
    /// Its index.
    pub index: i32,
    /// Its leader; `None` when it has none.
    pub leader: Option<i32>,
    /// The leader's epoch.
    pub leader_epoch: i32,
    /// Its replicas, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Those in sync.
    pub isr: Vec<i32>,
    /// Those that may lead though not in sync (KIP-966); `None` when the broker does not say.
    pub elr: Option<Vec<i32>>,
    /// Those that were the last in sync (KIP-966).
    pub last_known_elr: Option<Vec<i32>>,
}

/// A topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicView {
    /// Its name.
    pub name: String,
    /// Its id, as Kafka writes it; `None` when the broker knows none.
    pub id: Option<String>,
    /// Whether only coordinators write to it.
    pub is_internal: bool,
    /// Its partitions by index.
    pub partitions: Vec<PartitionView>,
    /// Kafka's code when it cannot be described.
    pub error_code: i16,
}

impl TopicView {
    /// Kafka's code for what a broker has not heard of yet: the topic, one of so many partitions, or a leader.
    fn unheard(&self, partitions: i32) -> Option<i16> {
        use ResponseError::{LeaderNotAvailable, UnknownTopicOrPartition};
        let unknown = UnknownTopicOrPartition.code();
        let is_short = usize::try_from(partitions).is_ok_and(|wanted| self.partitions.len() < wanted);
        match self.error_code {
            0 if is_short => Some(unknown),
            0 if self.partitions.iter().any(|one| one.leader.is_none()) => Some(LeaderNotAvailable.code()),
            code if code == unknown || code == LeaderNotAvailable.code() => Some(code),
            _ => None,
        }
    }
}

/// A topic that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// Number of partitions; `None` leaves it to the broker.
    pub partitions: Option<i32>,
    /// Number of replicas; `None` leaves it to the broker.
    pub replicas: Option<i16>,
    /// Its settings.
    pub configs: Vec<(String, String)>,
}

impl NewTopic {
    /// A deleted topic that is to come back: the only one of its name, or the one of this id.
    #[must_use]
    pub fn undeleted(name: &str, id: Option<&str>) -> Self {
        let configs = vec![(UNDELETE.to_owned(), id.unwrap_or("true").to_owned())];
        Self { name: name.to_owned(), partitions: None, replicas: None, configs }
    }

    fn wire(&self, version: i16) -> CreatableTopic {
        let left_out = if version < DEFAULTS_SINCE { 1 } else { -1 };
        let text = |text: &str| StrBytes::from_string(text.to_owned());
        let config = |(name, value): &(String, String)| {
            CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
        };
        CreatableTopic::default()
            .with_name(topic_name(&self.name))
            .with_num_partitions(self.partitions.unwrap_or(left_out))
            .with_replication_factor(self.replicas.unwrap_or(i16::try_from(left_out).unwrap_or(-1)))
            .with_configs(self.configs.iter().map(config).collect())
    }
}

impl Cluster {
    /// Topics by name, each with its error; all of them for `None`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn topics(&mut self, names: Option<&[&str]>) -> Result<Vec<TopicView>, CallError> {
        let answer = self.metadata(names).await?;
        let ids = |ids: &[BrokerId]| ids.iter().map(|id| id.0).collect();
        let view = |topic: &kafka_protocol::messages::metadata_response::MetadataResponseTopic| {
            let partition =
                |one: &kafka_protocol::messages::metadata_response::MetadataResponsePartition| PartitionView {
                    index: one.partition_index,
                    leader: Some(one.leader_id.0).filter(|id| *id >= 0),
                    leader_epoch: one.leader_epoch,
                    replicas: ids(&one.replica_nodes),
                    isr: ids(&one.isr_nodes),
                    elr: None,
                    last_known_elr: None,
                };
            let mut partitions: Vec<_> = topic.partitions.iter().map(partition).collect();
            partitions.sort_by_key(|one| one.index);
            TopicView {
                name: topic.name.as_ref().map_or_else(String::new, |name| name.to_string()),
                id: (!topic.topic_id.is_nil()).then(|| barnabas_storage::TopicId(topic.topic_id).to_string()),
                is_internal: topic.is_internal,
                partitions,
                error_code: topic.error_code,
            }
        };
        let mut topics: Vec<_> = answer.topics.iter().map(view).collect();
        topics.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(topics)
    }

    /// Adds what DescribeTopicPartitions says of eligible leaders, where a broker serves it.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn add_eligible_leaders(&mut self, topics: &mut [TopicView]) -> Result<(), CallError> {
        let Ok(version) = self.any().version_of::<DescribeTopicPartitionsRequest>(0) else { return Ok(()) };
        let named = |topic: &TopicView| TopicRequest::default().with_name(topic_name(&topic.name));
        let names: Vec<_> = topics.iter().filter(|topic| topic.error_code == 0).map(named).collect();
        let mut cursor: Option<(TopicName, i32)> = None;
        while !names.is_empty() {
            let from = cursor.map(|(name, index)| Cursor::default().with_topic_name(name).with_partition_index(index));
            let request = DescribeTopicPartitionsRequest::default()
                .with_topics(names.clone())
                .with_response_partition_limit(PARTITIONS_PER_ANSWER)
                .with_cursor(from);
            let answer = self.any().call(&request, version).await?;
            for described in &answer.topics {
                let name = described.name.as_ref().map_or("", |name| name.as_str());
                let Some(topic) = topics.iter_mut().find(|topic| topic.name == name) else { continue };
                for one in &described.partitions {
                    let ids = |ids: &Option<Vec<BrokerId>>| ids.as_ref().map(|ids| ids.iter().map(|id| id.0).collect());
                    let found = topic.partitions.iter_mut().find(|partition| partition.index == one.partition_index);
                    if let Some(partition) = found {
                        partition.elr = ids(&one.eligible_leader_replicas);
                        partition.last_known_elr = ids(&one.last_known_elr);
                    }
                }
            }
            cursor = answer.next_cursor.map(|next| (next.topic_name, next.partition_index));
            if cursor.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Makes topics; what became of each.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn create_topics(
        &mut self,
        topics: &[NewTopic],
        validate_only: bool,
    ) -> Result<Vec<CreatableTopicResult>, CallError> {
        let timeout = self.timeout_ms();
        let request = |version| {
            CreateTopicsRequest::default()
                .with_topics(topics.iter().map(|topic| topic.wire(version)).collect())
                .with_timeout_ms(timeout)
                .with_validate_only(validate_only)
        };
        Ok(self.ask_controller(CREATE_TOPICS_VERSION, request, |_| 0).await?.topics)
    }

    /// Asks the broker that answered first until it knows these topics with so many partitions and their leaders, for as
    /// long as a call may take: Apache Kafka answers a change before its brokers have heard of it.
    ///
    /// # Errors
    /// See [`CallError`]; one of the topics that it has still not heard of.
    pub async fn await_topics(&mut self, wanted: &[(&str, i32)]) -> Result<(), CallError> {
        let names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
        let address = self.any().address().to_owned();
        let mut attempts = self.attempts();
        loop {
            let topics = self.topics(Some(&names)).await?;
            let unheard = |(name, count): &(&str, i32)| {
                let code = topics.iter().find(|topic| topic.name == *name)?.unheard(*count)?;
                Some((format!("wait until {address} has heard what was done to topic {name}"), code))
            };
            let Some((act, code)) = wanted.iter().find_map(unheard) else { return Ok(()) };
            if !attempts.again().await {
                return Err(CallError::Refused { act, code });
            }
        }
    }

    /// Deletes topics; what became of each.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn delete_topics(&mut self, names: &[&str]) -> Result<Vec<DeletableTopicResult>, CallError> {
        let timeout = self.timeout_ms();
        let request = |version| {
            let request = DeleteTopicsRequest::default().with_timeout_ms(timeout);
            if version >= DELETE_STATES_SINCE {
                let state = |name: &&str| DeleteTopicState::default().with_name(Some(topic_name(name)));
                request.with_topics(names.iter().map(state).collect())
            } else {
                request.with_topic_names(names.iter().map(|name| topic_name(name)).collect())
            }
        };
        let answer = self.ask_controller(DELETE_TOPICS_VERSION, request, |_| 0).await?;
        Ok(answer.responses)
    }

    /// Gives topics more partitions; what became of each.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn create_partitions(
        &mut self,
        wanted: &[(&str, i32)],
        validate_only: bool,
    ) -> Result<Vec<CreatePartitionsTopicResult>, CallError> {
        let timeout = self.timeout_ms();
        let topic = |(name, count): &(&str, i32)| {
            CreatePartitionsTopic::default().with_name(topic_name(name)).with_count(*count).with_assignments(None)
        };
        let request = |_| {
            let topics = wanted.iter().map(topic).collect();
            CreatePartitionsRequest::default()
                .with_topics(topics)
                .with_timeout_ms(timeout)
                .with_validate_only(validate_only)
        };
        let answer = self.ask_controller(CREATE_PARTITIONS_VERSION, request, |_| 0).await?;
        Ok(answer.results)
    }

    /// The timeout of a call, for requests that carry one.
    #[must_use]
    pub fn timeout_ms(&self) -> i32 {
        i32::try_from(self.settings().timeout.as_millis()).unwrap_or(i32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_heard_of_with_all_its_partitions_and_their_leaders() {
        let partition = |leader| PartitionView { leader, ..PartitionView::default() };
        let topic = |error_code, leaders: &[Option<i32>]| TopicView {
            partitions: leaders.iter().map(|leader| partition(*leader)).collect(),
            error_code,
            ..TopicView::default()
        };
        assert_eq!(topic(0, &[Some(1), Some(2)]).unheard(2), None);
        assert_eq!(topic(0, &[Some(1)]).unheard(2), Some(3));
        assert_eq!(topic(0, &[Some(1), None]).unheard(2), Some(5));
        assert_eq!(topic(3, &[]).unheard(1), Some(3));
        assert_eq!(topic(29, &[]).unheard(1), None, "who may not know will not know later");
    }
}
