//! DescribeLogDirs (key 35): the log directories, what is in them, and how much room there is (KIP-113, KIP-827).
//!
//! Where it differs from Apache Kafka: sizes are those of the segments; the journal counts for none.
//!
//! Versions: 2 flexible; 3 an error for the whole (below, no directories); 4 total and usable bytes. Version 5 (cordoned
//! directories) is not served.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use barnabas_auth::{Operation, ResourceType};
use barnabas_storage::seam::Disk;
use barnabas_storage::{Log, LogDir};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::shape::{Kind, array, structs, text};
use crate::api::{Api, CloseReason, Need, OneStage, RequestContext, RunsOn, Shape, Versions};

/// DescribeLogDirs.
pub struct DescribeLogDirs;

const UNKNOWN_BYTES: i64 = -1;

impl Api for DescribeLogDirs {
    type Request = DescribeLogDirsRequest;
    const NAME: &'static str = "DescribeLogDirs";
    const VERSIONS: Versions = Versions::new(1, 4);
    const SHAPE: Shape = Shape { flexible: 2, fields: &[structs(&[text(), array(&Kind::Fixed(4))]).nullable(0)] };
    const NEEDS: &'static [Need] = &[Need { operation: Operation::Describe, resource: ResourceType::Cluster }];
    const RUNS_ON: RunsOn = RunsOn::AnyBroker;
}

/// The partitions that are asked for; `None` is all.
type Wanted = Option<HashSet<(String, i32)>>;

impl OneStage for DescribeLogDirs {
    async fn handle(context: RequestContext, request: Self::Request) -> Result<DescribeLogDirsResponse, CloseReason> {
        if !context.allowed(Operation::Describe, ResourceType::Cluster, CLUSTER_NAME) {
            let error = ResponseError::ClusterAuthorizationFailed.code();
            return Ok(DescribeLogDirsResponse::default().with_error_code(error));
        }
        let wanted: Wanted = request.topics.map(|topics| {
            let of_topic = |topic: &kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic| {
                let name = topic.topic.to_string();
                topic.partitions.iter().map(move |index| (name.clone(), *index)).collect::<Vec<_>>()
            };
            topics.iter().flat_map(of_topic).collect()
        });
        let dirs: Vec<Arc<LogDir>> = context.broker.partitions.log_dirs().cloned().collect();
        let disk = Arc::clone(&context.broker.seams.disk);
        // Asks the file system.
        let describe = move || dirs.iter().map(|dir| describe(dir, &*disk, wanted.as_ref())).collect();
        let results: Vec<_> = context.broker.tasks.blocking(describe).await;
        Ok(DescribeLogDirsResponse::default().with_results(results))
    }
}

fn describe(dir: &LogDir, disk: &dyn Disk, wanted: Option<&HashSet<(String, i32)>>) -> DescribeLogDirsResult {
    let result = DescribeLogDirsResult::default().with_log_dir(StrBytes::from_string(absolute(dir.path())));
    if dir.is_offline() {
        return result
            .with_error_code(ResponseError::KafkaStorageError.code())
            .with_total_bytes(UNKNOWN_BYTES)
            .with_usable_bytes(UNKNOWN_BYTES);
    }
    let bytes = |bytes: std::io::Result<u64>| bytes.ok().and_then(|bytes| i64::try_from(bytes).ok());
    result
        .with_topics(topics(dir.logs(), wanted))
        .with_total_bytes(bytes(disk.total_bytes(dir.path())).unwrap_or(UNKNOWN_BYTES))
        .with_usable_bytes(bytes(disk.free_bytes(dir.path())).unwrap_or(UNKNOWN_BYTES))
}

/// As Kafka shows a directory, wherever the process was started.
pub(super) fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

fn topics(logs: Vec<Arc<Log>>, wanted: Option<&HashSet<(String, i32)>>) -> Vec<DescribeLogDirsTopic> {
    let mut topics: BTreeMap<Arc<str>, BTreeMap<i32, i64>> = BTreeMap::new();
    for log in logs {
        let (topic, index) = (Arc::clone(log.topic()), log.partition().0);
        if wanted.is_none_or(|wanted| wanted.contains(&(topic.to_string(), index))) {
            let size = i64::try_from(log.size_bytes()).unwrap_or(i64::MAX);
            topics.entry(topic).or_default().insert(index, size);
        }
    }
    let topic = |(name, partitions): (Arc<str>, BTreeMap<i32, i64>)| {
        let partition =
            |(index, size)| DescribeLogDirsPartition::default().with_partition_index(index).with_partition_size(size);
        DescribeLogDirsTopic::default()
            .with_name(TopicName(StrBytes::from_string(name.to_string())))
            .with_partitions(partitions.into_iter().map(partition).collect())
    };
    topics.into_iter().map(topic).collect()
}
