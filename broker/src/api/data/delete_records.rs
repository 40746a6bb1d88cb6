//! DeleteRecords (key 21): the records before an offset are deleted; -1 stands for the high watermark (KIP-107).
//!
//! Where it differs from Apache Kafka: what is deleted is durable when the answer leaves. Records that were acknowledged with acks=1
//! and are not synced yet are waited for, as long as the request's timeout says. Records of a topic whose `barnabas.delete.protection` is true
//! are not deleted: POLICY_VIOLATION, whoever asks. The answer has no room for a reason, so the log has it.
//!
//! Versions: 1 (KIP-219, throttling); 2 flexible.

use std::sync::Arc;
use std::time::Duration;

use barnabas_auth::{Operation, ResourceType};
use barnabas_storage::{Offset, PartitionIndex};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::delete_records_request::DeleteRecordsPartition;
use kafka_protocol::messages::delete_records_response::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult};
use kafka_protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};

use crate::api::error_code::ErrorCode;
use crate::api::shape::{int32, int64, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::{Activity, Subject};
use crate::partition::{Partition, is_internal_topic};

/// DeleteRecords.
pub struct DeleteRecords;

/// Stands for the high watermark.
const HIGH_WATERMARK: i64 = -1;
/// No low watermark is known.
const NO_LOW_WATERMARK: i64 = -1;

impl Api for DeleteRecords {
    type Request = DeleteRecordsRequest;
    const NAME: &'static str = "DeleteRecords";
    const VERSIONS: Versions = Versions::new(0, 2);
    const SHAPE: Shape = Shape { flexible: 2, fields: &[structs(&[text(), structs(&[int32(), int64()])]), int32()] };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Delete, resource: ResourceType::Topic }];
    const RUNS_ON: RunsOn = RunsOn::PartitionLeader;
}

impl OneStage for DeleteRecords {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<DeleteRecordsResponse, CloseReason> {
        let timeout = Duration::from_millis(request.timeout_ms.max(0).unsigned_abs().into());
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in request.topics {
            let allowed = context.allowed(Operation::Delete, ResourceType::Topic, &topic.name);
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for asked in topic.partitions {
                let deleted = if allowed {
                    delete(&context, &topic.name, &asked, timeout).await
                } else {
                    Err(ResponseError::TopicAuthorizationFailed)
                };
                context.tell(Activity::Delete, deleted.as_ref().err().copied(), || {
                    let subject = Subject::new(ResourceType::Topic.name(), &topic.name);
                    subject.with("partition", asked.partition_index).with("before_offset", asked.offset)
                });
                let result = DeleteRecordsPartitionResult::default().with_partition_index(asked.partition_index);
                partitions.push(match deleted {
                    Ok(start) => result.with_low_watermark(start.0),
                    Err(error) => result.with_low_watermark(NO_LOW_WATERMARK).with_error_code(error.code()),
                });
            }
            topics.push(DeleteRecordsTopicResult::default().with_name(topic.name).with_partitions(partitions));
        }
        Ok(DeleteRecordsResponse::default().with_topics(topics))
    }

    fn error_codes(response: &DeleteRecordsResponse) -> impl IntoIterator<Item = i16> {
        response.topics.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code)
    }
}

/// Deletes what lies before the offset; where the partition begins then.
async fn delete(
    context: &RequestContext,
    topic: &str,
    asked: &DeleteRecordsPartition,
    timeout: Duration,
) -> Result<Offset, ResponseError> {
    let unknown = ResponseError::UnknownTopicOrPartition;
    let found = context.broker.partitions.topic(topic).ok_or(unknown)?;
    if is_internal_topic(topic) {
        return Err(ResponseError::InvalidTopicException);
    }
    if context.broker.controller.image().topic(topic).is_some_and(|topic| topic.is_protected()) {
        tracing::info!(
            topic,
            "records of a protected topic are not deleted: set its barnabas.delete.protection to false first, if they are to be"
        );
        return Err(ResponseError::PolicyViolation);
    }
    let partition = found.partition(PartitionIndex(asked.partition_index)).map_err(|error| error.code())?;
    let to = target(&partition, asked.offset)?;
    await_commit(&partition, to, timeout).await?;
    let deleted = context.broker.tasks.blocking(move || partition.log().delete_records(to)).await;
    deleted.map_err(|error| error.code())
}

/// Waits for what was appended before `to` to be committed; beyond the log's end there is nothing to wait for.
async fn await_commit(partition: &Partition, to: Offset, timeout: Duration) -> Result<(), ResponseError> {
    if to <= partition.high_watermark() || to > partition.log().log_end_offset() {
        return Ok(());
    }
    partition.committed(Offset(to.0 - 1), timeout).await.map_err(|error| error.code())
}

/// The offset that is meant. Of what is only compacted nothing is deleted.
fn target(partition: &Arc<Partition>, offset: i64) -> Result<Offset, ResponseError> {
    let policy = partition.log().options().cleanup_policy;
    if policy.compact && !policy.delete {
        return Err(ResponseError::PolicyViolation);
    }
    match offset {
        HIGH_WATERMARK => Ok(partition.high_watermark()),
        ..0 => Err(ResponseError::OffsetOutOfRange),
        _ => Ok(Offset(offset)),
    }
}
