//! AlterReplicaLogDirs (key 34): replicas move to another log directory (KIP-113).
//!
//! Where it differs from Apache Kafka: nothing moves yet. A replica that is where it is wanted is done; one that would
//! have to move to another directory of this broker is refused with UNSUPPORTED_VERSION.
//!
//! Versions: 2 flexible.

use barnabas_auth::{Operation, ResourceType};
use barnabas_storage::PartitionIndex;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::alter_replica_log_dirs_response::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult,
};
use kafka_protocol::messages::{AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse};

use super::describe_log_dirs::absolute;
use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::shape::{Kind, array, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};
use crate::audit::event::{Activity, Subject};

/// AlterReplicaLogDirs.
pub struct AlterReplicaLogDirs;

impl Api for AlterReplicaLogDirs {
    type Request = AlterReplicaLogDirsRequest;
    const NAME: &'static str = "AlterReplicaLogDirs";
    const VERSIONS: Versions = Versions::new(1, 2);
    const SHAPE: Shape =
        Shape { flexible: 2, fields: &[structs(&[text(), structs(&[text(), array(&Kind::Fixed(4))])])] };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Alter, resource: ResourceType::Cluster }];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
}

impl OneStage for AlterReplicaLogDirs {
    async fn handle(
        context: RequestContext,
        request: Self::Request,
    ) -> Result<AlterReplicaLogDirsResponse, CloseReason> {
        let allowed = context.allowed(Operation::Alter, ResourceType::Cluster, CLUSTER_NAME);
        let mut results = Vec::new();
        for dir in &request.dirs {
            for topic in &dir.topics {
                let partitions = topic.partitions.iter().map(|index| {
                    let refused = match allowed {
                        true => refusal(&context, &topic.name, *index, &dir.path),
                        false => Some(ResponseError::ClusterAuthorizationFailed),
                    };
                    context.tell(Activity::Update, refused, || {
                        let subject = Subject::new(ResourceType::Topic.name(), &topic.name);
                        subject.with("partition", index).with("directory", &*dir.path)
                    });
                    AlterReplicaLogDirPartitionResult::default()
                        .with_partition_index(*index)
                        .with_error_code(refused.map_or(0, |error| error.code()))
                });
                results.push(
                    AlterReplicaLogDirTopicResult::default()
                        .with_topic_name(topic.name.clone())
                        .with_partitions(partitions.collect()),
                );
            }
        }
        Ok(AlterReplicaLogDirsResponse::default().with_results(results))
    }

    fn error_codes(response: &AlterReplicaLogDirsResponse) -> impl IntoIterator<Item = i16> {
        response.results.iter().flat_map(|topic| &topic.partitions).map(|partition| partition.error_code)
    }
}

/// Why the replica is not, or will not be, in that directory.
fn refusal(context: &RequestContext, topic: &str, index: i32, path: &str) -> Option<ResponseError> {
    let partitions = &context.broker.partitions;
    let Some(dir) = partitions.log_dirs().find(|dir| absolute(dir.path()) == path) else {
        return Some(ResponseError::LogDirNotFound);
    };
    if dir.is_offline() {
        return Some(ResponseError::KafkaStorageError);
    }
    let Some(partition) = partitions.by_name(topic, PartitionIndex(index)) else {
        return Some(ResponseError::UnknownTopicOrPartition);
    };
    let is_there = dir.log(partition.topic_id(), partition.index()).is_some();
    if is_there { None } else { Some(ResponseError::UnsupportedVersion) }
}
