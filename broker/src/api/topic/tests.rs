//! Topics against a real broker on a real directory, handlers called without a socket.

use barnabas_storage::PartitionIndex;
use bytes::{Bytes, BytesMut};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::alter_partition_reassignments_request::{ReassignablePartition, ReassignableTopic};
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_topic_partitions_request::TopicRequest;
use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest,
    DescribeClusterRequest, DescribeTopicPartitionsRequest, ElectLeadersRequest, ListPartitionReassignmentsRequest,
    MetadataRequest, MetadataResponse, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, Request, StrBytes};

use super::alter_partition_reassignments::AlterPartitionReassignments;
use super::create_partitions::CreatePartitions;
use super::create_topics::CreateTopics;
use super::delete_topics::DeleteTopics;
use super::describe_topic_partitions::DescribeTopicPartitions;
use super::elect_leaders::ElectLeaders;
use super::list_partition_reassignments::ListPartitionReassignments;
use super::metadata::Metadata;
use crate::api::OneStage;
use crate::api::authorized_operations::NOT_ASKED;
use crate::api::cluster::describe_cluster::DescribeCluster;
use crate::api::data::tests::bench::Bench;

/// The answer as a client of this version reads it.
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

fn named(names: &[&str]) -> Vec<MetadataRequestTopic> {
    names.iter().map(|topic| MetadataRequestTopic::default().with_name(Some(name(topic)))).collect()
}

async fn metadata(bench: &Bench, version: i16, names: &[&str], create: bool) -> MetadataResponse {
    let request = MetadataRequest::default().with_topics(Some(named(names))).with_allow_auto_topic_creation(create);
    ask::<Metadata>(bench, version, request).await
}

fn only(response: MetadataResponse) -> MetadataResponseTopic {
    assert_eq!(response.topics.len(), 1, "{response:?}");
    response.topics.into_iter().next().expect("one topic")
}

async fn create(bench: &Bench, version: i16, topic: CreatableTopic, validate_only: bool) -> CreatableTopicResult {
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(30_000)
        .with_validate_only(validate_only);
    ask::<CreateTopics>(bench, version, request).await.topics.into_iter().next().expect("one result")
}

fn new_topic(topic: &str, partitions: i32) -> CreatableTopic {
    CreatableTopic::default().with_name(name(topic)).with_num_partitions(partitions).with_replication_factor(-1)
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_answers_in_every_version() {
    let bench = Bench::start().await;
    bench.broker().topics.ensure("there").await.expect("made");
    for version in 0..=13 {
        let answer = metadata(&bench, version, &["there", "not-there", "not legal"], false).await;
        let codes: Vec<i16> = answer.topics.iter().map(|topic| topic.error_code).collect();
        let (unknown, invalid) = (ResponseError::UnknownTopicOrPartition, ResponseError::InvalidTopicException);
        assert_eq!(codes, [0, unknown.code(), invalid.code()], "version {version}");
        assert_eq!(answer.topics[0].partitions[0].leader_id, answer.brokers[0].node_id);
        if version >= 1 {
            assert_eq!(answer.controller_id, answer.brokers[0].node_id);
        }
        if version >= 2 {
            assert_eq!(answer.cluster_id.as_ref().map(|id| id.len()), Some(22));
        }
        assert_eq!(answer.topics[0].topic_id.is_nil(), version < 10);
        assert_eq!(answer.topics[0].topic_authorized_operations, NOT_ASKED);
        let everything = MetadataRequest::default().with_topics((version == 0).then(Vec::new));
        assert_eq!(ask::<Metadata>(&bench, version, everything).await.topics.len(), 1, "version {version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_created_on_demand_is_in_the_answer_and_can_be_used() {
    let bench = Bench::with(&["num.partitions=3"]).await;
    let unknown = ResponseError::UnknownTopicOrPartition.code();
    assert_eq!(only(metadata(&bench, 4, &["t"], false).await).error_code, unknown);
    let made = only(metadata(&bench, 4, &["t"], true).await);
    assert_eq!((made.error_code, made.partitions.len()), (0, 3));
    assert!(bench.broker().partitions.by_name("t", PartitionIndex(2)).is_some());
    assert_eq!(
        only(metadata(&bench, 4, &["no good"], true).await).error_code,
        ResponseError::InvalidTopicException.code()
    );
    assert_eq!(only(metadata(&bench, 4, &["__transaction_state"], true).await).error_code, unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_created_on_demand_when_the_broker_says_so() {
    let bench = Bench::with(&["auto.create.topics.enable=false"]).await;
    let answer = only(metadata(&bench, 4, &["t"], true).await);
    assert_eq!(answer.error_code, ResponseError::UnknownTopicOrPartition.code());
    assert_eq!(bench.broker().controller.image().topic_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_found_by_id_and_unknown_ids_are_told() {
    let bench = Bench::start().await;
    let id = bench.broker().topics.ensure("t").await.expect("made").id;
    let by_id = |id| MetadataRequestTopic::default().with_name(None).with_topic_id(id);
    let unknown = uuid::Uuid::from_u128(77);
    let request = MetadataRequest::default().with_topics(Some(vec![by_id(id.0), by_id(unknown)]));
    let answer = ask::<Metadata>(&bench, 12, request).await;
    assert_eq!(answer.topics[0].name, Some(name("t")));
    assert_eq!(
        (answer.topics[1].error_code, answer.topics[1].topic_id),
        (ResponseError::UnknownTopicId.code(), unknown)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn authorized_operations_are_told_when_asked_for() {
    let bench = Bench::start().await;
    bench.broker().topics.ensure("t").await.expect("made");
    let request = MetadataRequest::default()
        .with_topics(Some(named(&["t"])))
        .with_include_topic_authorized_operations(true)
        .with_include_cluster_authorized_operations(true);
    let answer = ask::<Metadata>(&bench, 8, request.clone()).await;
    assert_eq!(answer.topics[0].topic_authorized_operations, 3576);
    assert_eq!(answer.cluster_authorized_operations, 8096);
    let newer = request.with_include_cluster_authorized_operations(false);
    assert_eq!(ask::<Metadata>(&bench, 13, newer).await.topics[0].topic_authorized_operations, 3576);
    let cluster = DescribeClusterRequest::default().with_include_cluster_authorized_operations(true);
    assert_eq!(ask::<DescribeCluster>(&bench, 0, cluster).await.cluster_authorized_operations, 8096);
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_created_and_refused_in_every_version() {
    let bench = Bench::start().await;
    for version in 2..=7 {
        let topic = format!("t{version}");
        let tried = create(&bench, version, new_topic(&topic, 2), true).await;
        assert_eq!(tried.error_code, 0, "version {version}");
        assert!(bench.broker().controller.image().topic(&topic).is_none(), "only validated");
        let made = create(&bench, version, new_topic(&topic, 2), false).await;
        assert_eq!((made.error_code, made.error_message), (0, None), "version {version}");
        assert!(bench.broker().partitions.by_name(&topic, PartitionIndex(1)).is_some());
        if version >= 5 {
            assert_eq!((made.num_partitions, made.replication_factor), (2, 1));
            assert!(made.configs.is_some_and(|configs| configs.len() > 30));
        }
        assert_eq!(made.topic_id.is_nil(), version < 7);
        let again = create(&bench, version, new_topic(&topic, 2), false).await;
        assert_eq!(again.error_code, ResponseError::TopicAlreadyExists.code());
        assert_eq!(again.error_message.as_deref(), Some(&*format!("Topic '{topic}' already exists.")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_named_twice_in_a_request_is_created_by_neither() {
    let bench = Bench::start().await;
    let topics = vec![new_topic("twice", 1), new_topic("once", 1), new_topic("twice", 2)];
    let request = CreateTopicsRequest::default().with_topics(topics).with_timeout_ms(30_000);
    let results = ask::<CreateTopics>(&bench, 7, request).await.topics;
    let outcomes: Vec<(String, i16)> =
        results.iter().map(|result| (result.name.to_string(), result.error_code)).collect();
    let invalid = ResponseError::InvalidRequest.code();
    assert_eq!(outcomes, [("twice".to_owned(), invalid), ("once".to_owned(), 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_deleted_in_every_version() {
    let bench = Bench::start().await;
    for version in 1..=6 {
        let topic = bench.broker().topics.ensure("t").await.expect("made");
        let request = DeleteTopicsRequest::default().with_timeout_ms(30_000);
        let (known, unknown) = if version < 6 {
            let by_name = |topic| request.clone().with_topic_names(vec![name(topic)]);
            (by_name("t"), by_name("u"))
        } else {
            let by_id = |id| DeleteTopicState::default().with_name(None).with_topic_id(id);
            let request = |id| request.clone().with_topics(vec![by_id(id)]);
            (request(topic.id.0), request(uuid::Uuid::from_u128(77)))
        };
        let deleted = ask::<DeleteTopics>(&bench, version, known).await.responses;
        assert_eq!((deleted[0].error_code, deleted[0].name.clone()), (0, Some(name("t"))), "version {version}");
        assert!(bench.broker().partitions.by_name("t", PartitionIndex(0)).is_none());
        let refused = ask::<DeleteTopics>(&bench, version, unknown).await.responses;
        let expected = if version < 6 { ResponseError::UnknownTopicOrPartition } else { ResponseError::UnknownTopicId };
        assert_eq!(refused[0].error_code, expected.code(), "version {version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_deleted_when_the_broker_says_so() {
    let bench = Bench::with(&["delete.topic.enable=false"]).await;
    bench.broker().topics.ensure("t").await.expect("made");
    let request = DeleteTopicsRequest::default().with_timeout_ms(30_000).with_topic_names(vec![name("t")]);
    let refused = ask::<DeleteTopics>(&bench, 3, request).await.responses;
    assert_eq!(refused[0].error_code, ResponseError::TopicDeletionDisabled.code());
    assert!(bench.broker().controller.image().topic("t").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_and_the_cluster_are_described() {
    let bench = Bench::with(&["num.partitions=5"]).await;
    bench.broker().topics.ensure("t").await.expect("made");
    let request = DescribeTopicPartitionsRequest::default()
        .with_topics(vec![TopicRequest::default().with_name(name("t"))])
        .with_response_partition_limit(2)
        .with_cursor(None);
    let answer = ask::<DescribeTopicPartitions>(&bench, 0, request).await;
    assert_eq!(answer.topics[0].partitions.len(), 2);
    assert_eq!(answer.next_cursor.map(|cursor| cursor.partition_index), Some(2));
    assert_eq!(answer.topics[0].topic_authorized_operations, 3576);
    for version in 0..=2 {
        let answer = ask::<DescribeCluster>(&bench, version, DescribeClusterRequest::default()).await;
        assert_eq!((answer.error_code, answer.brokers.len()), (0, 1), "version {version}");
        assert_eq!(answer.controller_id, answer.brokers[0].broker_id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_gets_more_partitions_that_can_be_used_at_once() {
    let bench = Bench::start().await;
    bench.broker().topics.ensure("t").await.expect("made");
    for version in 0..=3 {
        let count = i32::from(version) + 2;
        let more = CreatePartitionsTopic::default().with_name(name("t")).with_count(count).with_assignments(None);
        let request = CreatePartitionsRequest::default().with_topics(vec![more]).with_timeout_ms(30_000);
        let tried = ask::<CreatePartitions>(&bench, version, request.clone().with_validate_only(true)).await;
        assert_eq!(tried.results[0].error_code, 0, "version {version}");
        assert!(bench.broker().partitions.by_name("t", PartitionIndex(count - 1)).is_none(), "only validated");
        assert_eq!(ask::<CreatePartitions>(&bench, version, request.clone()).await.results[0].error_code, 0);
        assert!(bench.broker().partitions.by_name("t", PartitionIndex(count - 1)).is_some());
        let again = ask::<CreatePartitions>(&bench, version, request).await.results.remove(0);
        assert_eq!(again.error_code, ResponseError::InvalidPartitions.code());
        assert_eq!(again.error_message.as_deref(), Some(&*format!("Topic already has {count} partition(s).")));
    }
    let huge = CreatePartitionsTopic::default().with_name(name("t")).with_count(i32::MAX).with_assignments(None);
    let request = CreatePartitionsRequest::default().with_topics(vec![huge]).with_timeout_ms(30_000);
    let refused = ask::<CreatePartitions>(&bench, 3, request).await.results.remove(0);
    assert_eq!(refused.error_code, ResponseError::PolicyViolation.code());
}

#[tokio::test(flavor = "multi_thread")]
async fn elections_and_reassignments_are_answered_as_one_node_can() {
    let bench = Bench::start().await;
    bench.broker().topics.ensure("t").await.expect("made");
    let this = kafka_protocol::messages::BrokerId(bench.broker().id.0);
    for version in 0..=2 {
        let of = |topic| TopicPartitions::default().with_topic(name(topic)).with_partitions(vec![0]);
        let request = ElectLeadersRequest::default().with_topic_partitions(Some(vec![of("t"), of("absent")]));
        let answer = ask::<ElectLeaders>(&bench, version, request.clone()).await;
        let codes: Vec<i16> =
            answer.replica_election_results.iter().map(|topic| topic.partition_result[0].error_code).collect();
        let expected = [ResponseError::ElectionNotNeeded, ResponseError::UnknownTopicOrPartition];
        assert_eq!(codes, expected.map(|error| error.code()), "version {version}");
        let all = ask::<ElectLeaders>(&bench, version, request.with_topic_partitions(None)).await;
        assert!(all.replica_election_results.is_empty(), "nothing is to be told of those that are led");
    }
    for version in 0..=1 {
        let wanted = ReassignablePartition::default().with_replicas(Some(vec![this]));
        let topic = ReassignableTopic::default().with_name(name("t")).with_partitions(vec![wanted]);
        let request = AlterPartitionReassignmentsRequest::default().with_topics(vec![topic]);
        let answer = ask::<AlterPartitionReassignments>(&bench, version, request).await;
        assert_eq!(answer.responses[0].partitions[0].error_code, 0, "version {version}");
    }
    let request = ListPartitionReassignmentsRequest::default().with_topics(None);
    assert!(ask::<ListPartitionReassignments>(&bench, 0, request).await.topics.is_empty());
}
