//! The cluster's APIs against a real broker on a real directory, handlers called without a socket; every answer is encoded
//! and read as a client of its version does.

use bytes::{Bytes, BytesMut};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::alter_replica_log_dirs_request::{AlterReplicaLogDir, AlterReplicaLogDirTopic};
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use kafka_protocol::messages::update_features_request::FeatureUpdateKey;
use kafka_protocol::messages::{
    AlterReplicaLogDirsRequest, BrokerId, DescribeLogDirsRequest, DescribeQuorumRequest, TopicName,
    UnregisterBrokerRequest, UpdateFeaturesRequest,
};
use kafka_protocol::protocol::{Decodable, Encodable, Request, StrBytes};

use super::alter_replica_log_dirs::AlterReplicaLogDirs;
use super::describe_log_dirs::DescribeLogDirs;
use super::describe_quorum::DescribeQuorum;
use super::unregister_broker::UnregisterBroker;
use super::update_features::UpdateFeatures;
use crate::api::OneStage;
use crate::api::data::tests::bench::Bench;

async fn ask<T: OneStage>(bench: &Bench, version: i16, request: T::Request) -> <T::Request as Request>::Response
where
    <T::Request as Request>::Response: Decodable,
{
    let answer = T::handle(bench.context::<T>(version), request).await.expect("an answer");
    let mut bytes = BytesMut::new();
    answer.encode(&mut bytes, version).expect("the answer fits the version");
    let mut bytes: Bytes = bytes.freeze();
    Decodable::decode(&mut bytes, version).expect("the answer can be read")
}

fn name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn log_directories_are_described_with_what_is_in_them() {
    let bench = Bench::start().await;
    bench.broker().topics.ensure("t").await.expect("made");
    bench.broker().topics.ensure("u").await.expect("made");
    for version in 1..=4 {
        let all = DescribeLogDirsRequest::default().with_topics(None);
        let dir = ask::<DescribeLogDirs>(&bench, version, all).await.results.remove(0);
        assert!(dir.log_dir.starts_with('/'), "{}", dir.log_dir);
        assert_eq!((dir.error_code, dir.topics.len()), (0, 2), "version {version}");
        assert_eq!(dir.total_bytes > 0, version >= 4);
        let one = DescribableLogDirTopic::default().with_topic(name("t")).with_partitions(vec![0, 7]);
        let some = DescribeLogDirsRequest::default().with_topics(Some(vec![one]));
        let dir = ask::<DescribeLogDirs>(&bench, version, some).await.results.remove(0);
        let told: Vec<_> = dir.topics.iter().map(|topic| (topic.name.to_string(), topic.partitions.len())).collect();
        assert_eq!(told, [("t".to_owned(), 1)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_can_only_be_wished_where_it_is() {
    let bench = Bench::start().await;
    bench.broker().topics.ensure("t").await.expect("made");
    let all = DescribeLogDirsRequest::default().with_topics(None);
    let here = ask::<DescribeLogDirs>(&bench, 4, all).await.results[0].log_dir.to_string();
    for version in 1..=2 {
        for (path, partition, expected) in [
            (here.as_str(), 0, 0),
            (here.as_str(), 9, ResponseError::UnknownTopicOrPartition.code()),
            ("/no/such/dir", 0, ResponseError::LogDirNotFound.code()),
        ] {
            let topic = AlterReplicaLogDirTopic::default().with_name(name("t")).with_partitions(vec![partition]);
            let path = StrBytes::from_string(path.to_owned());
            let dir = AlterReplicaLogDir::default().with_path(path).with_topics(vec![topic]);
            let request = AlterReplicaLogDirsRequest::default().with_dirs(vec![dir]);
            let answer = ask::<AlterReplicaLogDirs>(&bench, version, request).await;
            assert_eq!(answer.results[0].partitions[0].error_code, expected, "version {version}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quorum_is_this_node() {
    let bench = Bench::start().await;
    let id = BrokerId(bench.broker().id.0);
    let of = |topic: &str| {
        let partition = PartitionData::default().with_partition_index(0);
        let topic = TopicData::default().with_topic_name(name(topic)).with_partitions(vec![partition]);
        DescribeQuorumRequest::default().with_topics(vec![topic])
    };
    for version in 0..=2 {
        let answer = ask::<DescribeQuorum>(&bench, version, of("__cluster_metadata")).await;
        let partition = &answer.topics[0].partitions[0];
        assert_eq!((partition.error_code, partition.leader_id), (0, id), "version {version}");
        assert!(partition.leader_epoch > 0 && partition.high_watermark > 0);
        assert_eq!(partition.current_voters[0].replica_id, id);
        assert_eq!(answer.nodes.len(), usize::from(version >= 2));
        let other = ask::<DescribeQuorum>(&bench, version, of("t")).await;
        assert_eq!(other.topics[0].partitions[0].error_code, ResponseError::UnknownTopicOrPartition.code());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn features_are_answered_one_by_one_or_as_a_whole() {
    let bench = Bench::start().await;
    let update = |feature: &str, level: i16| {
        let feature = StrBytes::from_string(feature.to_owned());
        FeatureUpdateKey::default().with_feature(feature).with_max_version_level(level)
    };
    for version in 0..=2 {
        let with_type = |update: FeatureUpdateKey| if version == 0 { update } else { update.with_upgrade_type(1) };
        let request = |key| UpdateFeaturesRequest::default().with_timeout_ms(30_000).with_feature_updates(vec![key]);
        let good = ask::<UpdateFeatures>(&bench, version, request(with_type(update("metadata.version", 30)))).await;
        assert_eq!((good.error_code, good.results.len()), (0, usize::from(version < 2)), "version {version}");
        let bad = ask::<UpdateFeatures>(&bench, version, request(with_type(update("no.such.feature", 1)))).await;
        let code = bad.results.first().map_or(bad.error_code, |result| result.error_code);
        assert_eq!(code, ResponseError::InvalidUpdateVersion.code(), "version {version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_broker_stays_registered() {
    let bench = Bench::start().await;
    let this = bench.broker().id.0;
    for (id, error) in [(this + 1, ResponseError::BrokerIdNotRegistered), (this, ResponseError::InvalidRequest)] {
        let request = UnregisterBrokerRequest::default().with_broker_id(BrokerId(id));
        assert_eq!(ask::<UnregisterBroker>(&bench, 0, request).await.error_code, error.code());
    }
    assert!(bench.broker().controller.image().broker(bench.broker().id).is_some());
}
