//! Writing and reading records as a client: batches to a partition's leader, batches from it.

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::ProduceRequest;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};

use super::cluster::topic_name;
use super::offsets::fetch_request;
use super::{CallError, Cluster};
use crate::group::offsets::TopicPartition;

/// The last versions that name topics and whose fields are all understood here.
const PRODUCE_VERSION: i16 = 9;
const FETCH_VERSION: i16 = 12;
/// Most bytes of an answer.
const FETCH_BYTES: i32 = 4 << 20;

/// What a fetch brought of one partition, or Kafka's code.
pub type Fetched = BTreeMap<TopicPartition, Result<Bytes, i16>>;

impl Cluster {
    /// Writes a batch; the offset of its first record, or Kafka's code and what the broker said.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn produce(
        &mut self,
        at: &TopicPartition,
        leader: i32,
        acks: i16,
        batch: Bytes,
    ) -> Result<Result<i64, (i16, Option<String>)>, CallError> {
        let timeout = self.timeout_ms();
        let broker = self.broker(leader).await?;
        let version = broker.version_of::<ProduceRequest>(PRODUCE_VERSION)?;
        let data = PartitionProduceData::default().with_index(at.partition.0).with_records(Some(batch));
        let topic = TopicProduceData::default().with_name(topic_name(&at.topic)).with_partition_data(vec![data]);
        let request = ProduceRequest::default().with_acks(acks).with_timeout_ms(timeout).with_topic_data(vec![topic]);
        let answer = broker.call(&request, version).await?;
        let outcome = answer.responses.first().and_then(|topic| topic.partition_responses.first());
        Ok(match outcome {
            Some(one) if one.error_code == 0 => Ok(one.base_offset),
            Some(one) => Err((one.error_code, one.error_message.as_ref().map(ToString::to_string))),
            None => Err((-1, None)),
        })
    }

    /// Fetches from partitions that one broker leads, for at most `wait_ms` when there is nothing.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn fetch(
        &mut self,
        leader: i32,
        from: &[(TopicPartition, i64)],
        wait_ms: i32,
    ) -> Result<Fetched, CallError> {
        let mut found = Fetched::new();
        let Some(((first, offset), rest)) = from.split_first() else { return Ok(found) };
        let mut request = fetch_request(first, *offset, wait_ms, FETCH_BYTES);
        for (at, offset) in rest {
            request.topics.extend(fetch_request(at, *offset, wait_ms, FETCH_BYTES).topics);
        }
        let broker = self.broker(leader).await?;
        let version = broker.version_of::<FetchRequest>(FETCH_VERSION)?;
        let answer = broker.call(&request, version).await?;
        if answer.error_code != 0 {
            return Err(CallError::Refused { act: format!("fetch from broker {leader}"), code: answer.error_code });
        }
        for topic in answer.responses {
            for one in topic.partitions {
                let index = barnabas_storage::PartitionIndex(one.partition_index);
                let at = TopicPartition { topic: topic.topic.as_str().into(), partition: index };
                let records = one.records.unwrap_or_default();
                found.insert(at, if one.error_code == 0 { Ok(records) } else { Err(one.error_code) });
            }
        }
        Ok(found)
    }
}
