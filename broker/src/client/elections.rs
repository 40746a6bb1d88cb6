//! Elections of partitions' leaders that a client asks for (KIP-183, KIP-460).

use std::collections::BTreeMap;

use barnabas_storage::PartitionIndex;
use kafka_protocol::messages::ElectLeadersRequest;
use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::protocol::Request;

use super::cluster::topic_name;
use super::{CallError, Cluster};
use crate::group::offsets::TopicPartition;

/// The last version whose fields are all understood here.
const ELECT_LEADERS_VERSION: i16 = 2;
/// From here on it can be told who may lead: before, only the preferred replica (KIP-460).
const KINDS_SINCE: i16 = 1;

/// Who is to lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Election {
    /// The first of the replicas, where it is in sync.
    Preferred = 0,
    /// Any replica, though what it has not got is lost; where nobody leads.
    Unclean = 1,
}

/// Kafka's code of one partition, and what the broker said.
pub type Outcome = (i16, Option<String>);

impl Cluster {
    /// Asks for leaders of these partitions; all of them for `None`, then only those with an outcome are told.
    ///
    /// # Errors
    /// See [`CallError`]; [`CallError::Unsupported`] also where a broker does not know unclean elections.
    pub async fn elect_leaders(
        &mut self,
        election: Election,
        partitions: Option<&[TopicPartition]>,
    ) -> Result<BTreeMap<TopicPartition, Outcome>, CallError> {
        let topics = partitions.map(by_topic);
        let timeout = i32::try_from(self.settings().timeout.as_millis()).unwrap_or(i32::MAX);
        let controller = self.controller().await?;
        if election == Election::Unclean && !controller.serves::<ElectLeadersRequest>(KINDS_SINCE) {
            let (address, api) = (controller.address().to_owned(), ElectLeadersRequest::KEY);
            return Err(CallError::Unsupported { address, api });
        }
        let request = |version| {
            let kind = if version < KINDS_SINCE { 0 } else { election as i8 };
            ElectLeadersRequest::default()
                .with_election_type(kind)
                .with_topic_partitions(topics.clone())
                .with_timeout_ms(timeout)
        };
        let answer = self.ask_controller(ELECT_LEADERS_VERSION, request, |answer| answer.error_code).await?;
        let mut outcomes = BTreeMap::new();
        for topic in &answer.replica_election_results {
            for one in &topic.partition_result {
                let at =
                    TopicPartition { topic: topic.topic.as_str().into(), partition: PartitionIndex(one.partition_id) };
                outcomes.insert(at, (one.error_code, one.error_message.as_ref().map(ToString::to_string)));
            }
        }
        // Who is refused as a whole by an empty list has to be told so, too.
        match answer.error_code {
            code if code != 0 && outcomes.is_empty() => {
                Err(CallError::Refused { act: "elect leaders".to_owned(), code })
            }
            _ => Ok(outcomes),
        }
    }
}

fn by_topic(partitions: &[TopicPartition]) -> Vec<TopicPartitions> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for at in partitions {
        topics.entry(&at.topic).or_default().push(at.partition.0);
    }
    let topic = |(name, indexes)| TopicPartitions::default().with_topic(topic_name(name)).with_partitions(indexes);
    topics.into_iter().map(topic).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_asked_for_topic_by_topic() {
        let at = |topic: &str, index| TopicPartition { topic: topic.into(), partition: PartitionIndex(index) };
        let topics = by_topic(&[at("b", 1), at("a", 0), at("b", 2)]);
        let told: Vec<_> = topics.iter().map(|topic| (topic.topic.as_str(), &topic.partitions[..])).collect();
        assert_eq!(told, [("a", &[0][..]), ("b", &[1, 2][..])]);
    }
}
