//! ListOffsets (key 2): the offset of a timestamp, or of a special place of a partition.
//!
//! Where it differs from Apache Kafka: a replica or debugging consumer (replica_id other than -1) sees no further than
//! the high watermark either. There is no tiered storage: -5 and -6 find nothing, and timeout_ms has nothing to wait for.
//!
//! Versions: 2 isolation_level (KIP-98); 4 leader epochs (KIP-320); 6 flexible; 7 MAX_TIMESTAMP -3 (KIP-734); 8
//! EARLIEST_LOCAL -4 (KIP-405); 9 LATEST_TIERED -5 (KIP-1005); 10 timeout_ms (KIP-1075); 11 EARLIEST_PENDING_UPLOAD
//! -6 (KIP-1023), on the wire like 10. A special place that is newer than the version gets UNSUPPORTED_VERSION for that
//! partition.

use std::collections::HashSet;
use std::sync::Arc;

use barnabas_auth::{Operation, ResourceType};
use barnabas_storage::{FoundOffset, LeaderEpoch, OffsetQuery, PartitionIndex, ReadError, Timestamp};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse};
use kafka_protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};
use kafka_protocol::protocol::Decodable;

use super::check_leader_epoch;
use crate::api::error_code::ErrorCode;
use crate::api::later_version::Answer;
use crate::api::shape::{int8, int32, int64, structs, text};
use crate::api::{Api, CloseReason, LaterVersion, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::partition::Partition;

/// ListOffsets.
pub struct ListOffsets;

const LEADER_EPOCH_SINCE: i16 = 4;
const READ_COMMITTED: i8 = 1;
/// The codec's last version, whose form version 11 has.
const CODECS_LAST: i16 = 10;

impl Api for ListOffsets {
    type Request = ListOffsetsRequest;
    const NAME: &'static str = "ListOffsets";
    const VERSIONS: Versions = Versions::new(1, 11);
    const LATER_VERSION: Option<LaterVersion<Self::Request>> = Some(LaterVersion {
        version: 11,
        decode: |from| Ok(ListOffsetsRequest::decode(from, CODECS_LAST)?),
        answer: Answer::As(CODECS_LAST),
        #[cfg(test)]
        encode: |request| crate::api::later_version::written(request, CODECS_LAST),
    });
    const SHAPE: Shape = Shape {
        flexible: 6,
        fields: &[
            int32(),
            int8().since(2),
            structs(&[text(), structs(&[int32(), int32().since(4), int64()])]),
            int32().since(10),
        ],
    };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Describe, resource: ResourceType::Topic }];
    const RUNS_ON: RunsOn = RunsOn::PartitionLeader;
}

impl OneStage for ListOffsets {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<ListOffsetsResponse, CloseReason> {
        let read_committed = request.isolation_level == READ_COMMITTED;
        let repeated = repeated(&request.topics);
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            let allowed = context.allowed(Operation::Describe, ResourceType::Topic, &topic.name);
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for partition in topic.partitions {
                let found = if !allowed {
                    Err(ResponseError::TopicAuthorizationFailed)
                } else if repeated.contains(&(topic.name.clone(), partition.partition_index)) {
                    Err(ResponseError::InvalidRequest)
                } else {
                    find(&context, &topic.name, &partition, read_committed).await
                };
                partitions.push(answer(context.version, partition.partition_index, found));
            }
            topics.push(ListOffsetsTopicResponse::default().with_name(topic.name).with_partitions(partitions));
        }
        Ok(ListOffsetsResponse::default().with_topics(topics))
    }

    fn error_codes(response: &ListOffsetsResponse) -> impl IntoIterator<Item = i16> {
        response.topics.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code)
    }
}

type PartitionName = (kafka_protocol::messages::TopicName, i32);

/// Partitions that are asked for more than once: Kafka refuses those.
fn repeated(topics: &[ListOffsetsTopic]) -> HashSet<PartitionName> {
    let mut seen = HashSet::new();
    let mut repeated = HashSet::new();
    for topic in topics {
        for partition in &topic.partitions {
            let name = (topic.name.clone(), partition.partition_index);
            if !seen.insert(name.clone()) {
                repeated.insert(name);
            }
        }
    }
    repeated
}

/// The query that a timestamp of the wire means in this version.
fn query(version: i16, timestamp: i64) -> Option<OffsetQuery> {
    match timestamp {
        -1 => Some(OffsetQuery::Latest),
        -2 => Some(OffsetQuery::Earliest),
        -3 if version >= 7 => Some(OffsetQuery::MaxTimestamp),
        -4 if version >= 8 => Some(OffsetQuery::EarliestLocal),
        -5 if version >= 9 => Some(OffsetQuery::LatestTiered),
        -6 if version >= 11 => Some(OffsetQuery::EarliestPendingUpload),
        0.. => Some(OffsetQuery::At(Timestamp(timestamp))),
        _ => None,
    }
}

async fn find(
    context: &RequestContext,
    topic: &str,
    asked: &ListOffsetsPartition,
    read_committed: bool,
) -> Result<Option<FoundOffset>, ResponseError> {
    let query = query(context.version, asked.timestamp).ok_or(ResponseError::UnsupportedVersion)?;
    let topic = context.broker.partitions.topic(topic).ok_or(ResponseError::UnknownTopicOrPartition)?;
    let partition = topic.partition(PartitionIndex(asked.partition_index)).map_err(|error| error.code())?;
    check_leader_epoch(&partition, LeaderEpoch(asked.current_leader_epoch))?;
    search(context, partition, query, read_committed).await.map_err(|error| error.code())
}

async fn search(
    context: &RequestContext,
    partition: Arc<Partition>,
    query: OffsetQuery,
    read_committed: bool,
) -> Result<Option<FoundOffset>, ReadError> {
    let up_to = if read_committed { partition.last_stable_offset() } else { partition.high_watermark() };
    match query {
        OffsetQuery::Earliest
        | OffsetQuery::Latest
        | OffsetQuery::EarliestLocal
        | OffsetQuery::LatestTiered
        | OffsetQuery::EarliestPendingUpload => partition.log().find_offset(query, up_to),
        // These read batches from disk.
        OffsetQuery::MaxTimestamp | OffsetQuery::At(_) => {
            context.broker.tasks.blocking(move || partition.log().find_offset(query, up_to)).await
        }
    }
}

fn answer(version: i16, index: i32, found: Result<Option<FoundOffset>, ResponseError>) -> ListOffsetsPartitionResponse {
    let answer = ListOffsetsPartitionResponse::default().with_partition_index(index);
    match found {
        Ok(None) => answer,
        Ok(Some(found)) => {
            let answer = answer.with_offset(found.offset.0).with_timestamp(found.timestamp.0);
            if version >= LEADER_EPOCH_SINCE { answer.with_leader_epoch(found.leader_epoch.0) } else { answer }
        }
        Err(error) => answer.with_error_code(error.code()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_offset_is_unsupported_before_its_version() {
        assert_eq!(query(1, -1), Some(OffsetQuery::Latest));
        assert_eq!(query(1, -2), Some(OffsetQuery::Earliest));
        assert_eq!(query(1, 0), Some(OffsetQuery::At(Timestamp(0))));
        for (special, since) in [(-3, 7), (-4, 8), (-5, 9), (-6, 11)] {
            assert_eq!(query(since - 1, special), None);
            assert!(query(since, special).is_some());
        }
        assert_eq!(query(11, -7), None);
    }
}
