//! DescribeLogDirs (key 35): the log directories, what is in them, and how much room there is (KIP-113, KIP-827).
//!
//! Where it differs from Apache Kafka: sizes are those of the segments; the journal counts for none. No directory is
//! cordoned: `cordoned.log.dirs` is inert.
//!
//! Versions: 2 flexible; 3 an error for the whole (below, no directories); 4 total and usable bytes; 5 whether a directory
//! is cordoned (KIP-1066).

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use barnabas_auth::{Operation, ResourceType};
use barnabas_storage::seam::Disk;
use barnabas_storage::{Log, LogDir};
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse, TopicName};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

use crate::api::authorized_operations::CLUSTER_NAME;
use crate::api::later_version::{Answer, CodecError, put_count};
use crate::api::shape::{Kind, array, structs, text};
use crate::api::{Api, CloseReason, LaterVersion, Need, OneStage, RequestContext, RunsOn, Shape, Versions};

/// DescribeLogDirs.
pub struct DescribeLogDirs;

const UNKNOWN_BYTES: i64 = -1;
/// The codec's last version: requests of version 5 have its form, and so have answers up to the end of a directory.
const CODECS_LAST: i16 = 4;

impl Api for DescribeLogDirs {
    type Request = DescribeLogDirsRequest;
    const NAME: &'static str = "DescribeLogDirs";
    const VERSIONS: Versions = Versions::new(1, 5);
    const LATER_VERSION: Option<LaterVersion<Self::Request>> = Some(LaterVersion {
        version: 5,
        decode: |from| Ok(DescribeLogDirsRequest::decode(from, CODECS_LAST)?),
        answer: Answer::By(encode),
        #[cfg(test)]
        encode: |request| crate::api::later_version::written(request, CODECS_LAST),
    });
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

    fn error_codes(response: &DescribeLogDirsResponse) -> impl IntoIterator<Item = i16> {
        let parts = response.results.iter().map(|result| result.error_code);
        std::iter::once(response.error_code).chain(parts)
    }
}

/// Writes an answer of version 5.
fn encode(answer: &DescribeLogDirsResponse) -> Result<Bytes, CodecError> {
    let whole = answer.compute_size(CODECS_LAST)?;
    let mut into = BytesMut::with_capacity(whole + answer.results.len());
    answer.clone().with_results(Vec::new()).encode(&mut into, CODECS_LAST)?;
    // Without the count of none and the tags.
    into.truncate(into.len() - 2);
    put_count(&mut into, answer.results.len())?;
    for directory in &answer.results {
        directory.encode(&mut into, CODECS_LAST)?;
        // Before the tags: not cordoned.
        into.truncate(into.len() - 1);
        into.put_slice(&[0, 0]);
    }
    into.put_u8(0);
    Ok(into.freeze())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_5_says_of_each_directory_that_it_is_not_cordoned() {
        let directory = |path: &'static str, bytes| {
            DescribeLogDirsResult::default()
                .with_log_dir(StrBytes::from_static_str(path))
                .with_total_bytes(bytes)
                .with_usable_bytes(UNKNOWN_BYTES)
        };
        let answer = DescribeLogDirsResponse::default().with_results(vec![directory("/a", 7), directory("/b", 8)]);
        // Taken by hand from the schema of Kafka 4.3.1.
        let expected = b"\x00\x00\x00\x00\x00\x00\x03\
            \x00\x00\x03/a\x01\x00\x00\x00\x00\x00\x00\x00\x07\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\
            \x00\x00\x03/b\x01\x00\x00\x00\x00\x00\x00\x00\x08\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\
            \x00";
        assert_eq!(encode(&answer).unwrap(), &expected[..]);
        let many = answer.with_results(vec![directory("/c", 9); 200]);
        assert_eq!(encode(&many).unwrap()[..8], *b"\x00\x00\x00\x00\x00\x00\xc9\x01");
    }
}
