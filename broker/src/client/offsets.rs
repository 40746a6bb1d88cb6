//! Where partitions begin and end, and when their records were written: asked of each partition's leader.

use std::collections::BTreeMap;

use barnabas_storage::PartitionIndex;
use barnabas_storage::batch::{BatchHeader, HEADER_LEN};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{BrokerId, DeleteRecordsRequest, FetchRequest, ListOffsetsRequest};

use super::cluster::topic_name;
use super::{CallError, Cluster};
use crate::group::offsets::TopicPartition;

/// Asks for the log's end.
pub const LATEST: i64 = -1;
/// Asks for the log's start.
pub const EARLIEST: i64 = -2;
/// Asks for the first offset that waits to be tiered (KIP-1023).
pub const EARLIEST_PENDING_UPLOAD: i64 = -6;

const DELETE_RECORDS_VERSION: i16 = 2;
const LIST_OFFSETS_VERSION: i16 = 10;
/// The version that has [`EARLIEST_PENDING_UPLOAD`], on the wire like the one before.
const PENDING_UPLOAD_SINCE: i16 = 11;
/// The last version that names topics.
const FETCH_VERSION: i16 = 12;
/// Enough for a batch's header; a broker sends the first batch whole.
const FIRST_BATCH_BYTES: i32 = 1 << 16;

/// An offset that was found; -1 when no record is as young.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The offset.
    pub offset: i64,
    /// Its record's timestamp; -1 for the log's ends.
    pub timestamp: i64,
}

/// What was found for each partition, or Kafka's code.
pub type FoundOffsets = BTreeMap<TopicPartition, Result<Found, i16>>;

impl Cluster {
    /// The leader of each partition; Kafka's code where there is none.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn leaders(
        &mut self,
        wanted: impl IntoIterator<Item = &TopicPartition>,
    ) -> Result<BTreeMap<TopicPartition, Result<i32, i16>>, CallError> {
        let mut leaders: BTreeMap<TopicPartition, Result<i32, i16>> =
            wanted.into_iter().map(|at| (at.clone(), Err(ResponseError::UnknownTopicOrPartition.code()))).collect();
        let mut names: Vec<String> = leaders.keys().map(|at| at.topic.to_string()).collect();
        names.dedup();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if names.is_empty() {
            return Ok(leaders);
        }
        let answer = self.metadata(Some(&names)).await?;
        for topic in &answer.topics {
            let name = topic.name.as_ref().map_or("", |name| name.as_str());
            for partition in &topic.partitions {
                let at = TopicPartition { topic: name.into(), partition: PartitionIndex(partition.partition_index) };
                if let Some(leader) = leaders.get_mut(&at) {
                    let id = partition.leader_id.0;
                    *leader = if id >= 0 { Ok(id) } else { Err(ResponseError::LeaderNotAvailable.code()) };
                }
            }
        }
        Ok(leaders)
    }

    /// ListOffsets: for each partition the first offset whose record is as young as the timestamp, or the log's end
    /// ([`LATEST`]) or start ([`EARLIEST`]).
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn list_offsets(&mut self, wanted: &[(TopicPartition, i64)]) -> Result<FoundOffsets, CallError> {
        let leaders = self.leaders(wanted.iter().map(|(at, _)| at)).await?;
        let timeout_ms = self.timeout_ms();
        let mut found = FoundOffsets::new();
        let mut by_leader: BTreeMap<i32, Vec<&(TopicPartition, i64)>> = BTreeMap::new();
        for one in wanted {
            match leaders.get(&one.0) {
                Some(Ok(leader)) => by_leader.entry(*leader).or_default().push(one),
                Some(Err(code)) => drop(found.insert(one.0.clone(), Err(*code))),
                None => {}
            }
        }
        for (leader, wanted) in by_leader {
            let broker = self.broker(leader).await?;
            let form = broker.version_of::<ListOffsetsRequest>(LIST_OFFSETS_VERSION)?;
            let is_later = wanted.iter().any(|(_, timestamp)| *timestamp == EARLIEST_PENDING_UPLOAD)
                && broker.serves::<ListOffsetsRequest>(PENDING_UPLOAD_SINCE);
            let version = if is_later { PENDING_UPLOAD_SINCE } else { form };
            let answer = broker.call_as(&list_offsets_request(&wanted, timeout_ms), version, form).await?;
            for topic in &answer.topics {
                for partition in &topic.partitions {
                    let index = PartitionIndex(partition.partition_index);
                    let at = TopicPartition { topic: topic.name.as_str().into(), partition: index };
                    let one = Found { offset: partition.offset, timestamp: partition.timestamp };
                    found.insert(at, if partition.error_code == 0 { Ok(one) } else { Err(partition.error_code) });
                }
            }
        }
        Ok(found)
    }

    /// Deletes the records before an offset of each partition, -1 being the log's end: where the log begins now, or
    /// Kafka's code.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn delete_records(
        &mut self,
        wanted: &BTreeMap<TopicPartition, i64>,
    ) -> Result<BTreeMap<TopicPartition, Result<i64, i16>>, CallError> {
        let timeout = self.timeout_ms();
        let mut outcomes = BTreeMap::new();
        for (at, leader) in self.leaders(wanted.keys()).await? {
            let leader = match leader {
                Ok(leader) => leader,
                Err(code) => {
                    outcomes.insert(at, Err(code));
                    continue;
                }
            };
            let offset = wanted.get(&at).copied().unwrap_or(0);
            let partition = DeleteRecordsPartition::default().with_partition_index(at.partition.0).with_offset(offset);
            let topic = DeleteRecordsTopic::default().with_name(topic_name(&at.topic)).with_partitions(vec![partition]);
            let request = DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(timeout);
            let broker = self.broker(leader).await?;
            let version = broker.version_of::<DeleteRecordsRequest>(DELETE_RECORDS_VERSION)?;
            let answer = broker.call(&request, version).await?;
            if let Some(one) = answer.topics.first().and_then(|topic| topic.partitions.first()) {
                outcomes.insert(at, if one.error_code == 0 { Ok(one.low_watermark) } else { Err(one.error_code) });
            }
        }
        Ok(outcomes)
    }

    /// The timestamp of the batch that holds an offset, in milliseconds; `None` when there is nothing there (any more).
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn written_at(
        &mut self,
        at: &TopicPartition,
        leader: i32,
        offset: i64,
    ) -> Result<Option<i64>, CallError> {
        let broker = self.broker(leader).await?;
        let version = broker.version_of::<FetchRequest>(FETCH_VERSION)?;
        let answer = broker.call(&fetch_request(at, offset, 0, FIRST_BATCH_BYTES), version).await?;
        let partition = answer.responses.first().and_then(|topic| topic.partitions.first());
        let records = partition.filter(|partition| partition.error_code == 0).and_then(|one| one.records.as_ref());
        let header = records.and_then(|records| BatchHeader::read(records.get(..HEADER_LEN)?));
        Ok(header.map(|header| header.base_timestamp().0).filter(|timestamp| *timestamp >= 0))
    }
}

fn list_offsets_request(wanted: &[&(TopicPartition, i64)], timeout_ms: i32) -> ListOffsetsRequest {
    let mut topics: BTreeMap<&str, Vec<ListOffsetsPartition>> = BTreeMap::new();
    for (at, timestamp) in wanted {
        let partition = ListOffsetsPartition::default().with_partition_index(at.partition.0).with_timestamp(*timestamp);
        topics.entry(&at.topic).or_default().push(partition.with_current_leader_epoch(-1));
    }
    let topic = |(name, partitions): (&str, Vec<_>)| {
        ListOffsetsTopic::default().with_name(topic_name(name)).with_partitions(partitions)
    };
    ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_topics(topics.into_iter().map(topic).collect())
        .with_timeout_ms(timeout_ms)
}

/// A Fetch of one partition, without a session.
#[must_use]
pub fn fetch_request(at: &TopicPartition, offset: i64, wait_ms: i32, bytes: i32) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_partition(at.partition.0)
        .with_current_leader_epoch(-1)
        .with_fetch_offset(offset)
        .with_last_fetched_epoch(-1)
        .with_log_start_offset(-1)
        .with_partition_max_bytes(bytes);
    let topic = FetchTopic::default().with_topic(topic_name(&at.topic)).with_partitions(vec![partition]);
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(wait_ms)
        .with_min_bytes(i32::from(wait_ms > 0))
        .with_max_bytes(bytes)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}
