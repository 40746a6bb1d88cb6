//! One request per API, with names that are there and names that are not, and the rights that it asks for. Cases of APIs
//! that are not served yet wait for them.

use std::time::Duration;

use barnabas_auth::{Operation as Op, ResourceType as On};
use barnabas_broker::api::Need;
use barnabas_storage::Timestamp;
use barnabas_storage::batch::BatchBuilder;
use barnabas_tests::harness::wait;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::admin_cases;
use super::peer::Peer;
use crate::client::Client;
use crate::topic_ids::requests;

/// A request and its rights.
pub(super) struct Case {
    /// The API, and what is special about the request.
    pub(super) name: &'static str,
    /// What it asks for.
    pub(super) needs: &'static [Need],
    /// Whether the topics have to be restored before it.
    pub(super) changes: bool,
    /// Asks; the printed answer.
    pub(super) ask: fn(&mut Peer) -> String,
}

pub(super) const fn need(operation: Op, resource: On) -> Need {
    Need { operation, resource }
}

pub(super) const fn case(name: &'static str, needs: &'static [Need], ask: fn(&mut Peer) -> String) -> Case {
    Case { name, needs, changes: false, ask }
}

pub(super) const KNOWN: &str = "golden.known";
pub(super) const ABSENT: &str = "golden.absent";
pub(super) const DOOMED: &str = "golden.doomed";
pub(super) const MADE: &str = "golden.made";

pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub(super) fn topic(name: &str) -> TopicName {
    TopicName(text(name))
}

pub(super) const GROUP: &str = "golden.group";
pub(super) const STRANGER: &str = "golden.stranger";

pub(super) fn group() -> GroupId {
    GroupId(text(GROUP))
}

/// The group that is there and the one that is not.
pub(super) fn groups() -> Vec<GroupId> {
    [GROUP, STRANGER].map(|name| GroupId(text(name))).to_vec()
}

/// One element for the topic that is there and one for the one that is not.
pub(super) fn both<T>(one: impl Fn(TopicName) -> T) -> Vec<T> {
    [KNOWN, ABSENT].into_iter().map(|name| one(topic(name))).collect()
}

pub(super) fn make(client: &mut Client, names: &[&str]) -> Vec<i16> {
    let one = |name: &&str| {
        create_topics_request::CreatableTopic::default()
            .with_name(topic(name))
            .with_num_partitions(1)
            .with_replication_factor(1)
    };
    let request = CreateTopicsRequest::default().with_topics(names.iter().map(one).collect()).with_timeout_ms(10_000);
    client.ask(&request, 7).topics.iter().map(|made| made.error_code).collect()
}

pub(super) fn metadata(client: &mut Client, names: &[&str], creates: bool) -> MetadataResponse {
    let one = |name: &&str| metadata_request::MetadataRequestTopic::default().with_name(Some(topic(name)));
    let request = MetadataRequest::default()
        .with_topics(Some(names.iter().map(one).collect()))
        .with_allow_auto_topic_creation(creates)
        .with_include_topic_authorized_operations(true);
    client.ask(&request, 12)
}

/// The id of no topic.
const NO_ID: Uuid = Uuid::from_u128(u128::MAX / 3);

/// One element for the id of the topic that is there and one for an id of none.
fn by_id<T>(known: Uuid, one: impl Fn(Uuid) -> T) -> Vec<T> {
    [known, NO_ID].into_iter().map(one).collect()
}

fn metadata_by_id(peer: &mut Peer) -> MetadataResponse {
    let one = |id| metadata_request::MetadataRequestTopic::default().with_name(None).with_topic_id(id);
    let request = MetadataRequest::default()
        .with_topics(Some(by_id(peer.known, one)))
        .with_include_topic_authorized_operations(true);
    peer.ask(&request, 13)
}

fn produce_by_id(peer: &mut Peer) -> ProduceResponse {
    let data = |id| {
        let partition = produce_request::PartitionProduceData::default().with_records(Some(batch()));
        produce_request::TopicProduceData::default().with_topic_id(id).with_partition_data(vec![partition])
    };
    let request =
        ProduceRequest::default().with_acks(1).with_timeout_ms(10_000).with_topic_data(by_id(peer.known, data));
    peer.ask(&request, 13)
}

fn fetch_by_id(peer: &mut Peer) -> FetchResponse {
    let data = |id| fetch_request::FetchTopic::default().with_topic_id(id).with_partitions(vec![fetched()]);
    let request =
        FetchRequest::default().with_max_bytes(1000).with_session_epoch(-1).with_topics(by_id(peer.known, data));
    peer.ask(&request, 16)
}

fn delete_by_id(peer: &mut Peer) -> DeleteTopicsResponse {
    let state = |id| delete_topics_request::DeleteTopicState::default().with_name(None).with_topic_id(id);
    let request = DeleteTopicsRequest::default().with_topics(by_id(peer.doomed, state)).with_timeout_ms(10_000);
    peer.ask(&request, 6)
}

fn batch() -> bytes::Bytes {
    BatchBuilder::new().record(Timestamp(1000), None, Some(b"golden record")).build()
}

fn fetched() -> fetch_request::FetchPartition {
    fetch_request::FetchPartition::default()
        .with_current_leader_epoch(-1)
        .with_last_fetched_epoch(-1)
        .with_partition_max_bytes(1000)
}

fn produce(client: &mut Client) -> ProduceResponse {
    let data = |name| {
        let partition = produce_request::PartitionProduceData::default().with_records(Some(batch()));
        produce_request::TopicProduceData::default().with_name(name).with_partition_data(vec![partition])
    };
    client.ask(&ProduceRequest::default().with_acks(1).with_timeout_ms(10_000).with_topic_data(both(data)), 9)
}

fn fetch(client: &mut Client, replica: i32) -> FetchResponse {
    let data = |name| fetch_request::FetchTopic::default().with_topic(name).with_partitions(vec![fetched()]);
    let request = FetchRequest::default()
        .with_replica_id(BrokerId(replica))
        .with_max_bytes(1000)
        .with_session_epoch(-1)
        .with_topics(both(data));
    client.ask(&request, 12)
}

pub(super) fn fetch_codes(client: &mut Client) -> i16 {
    let answer = fetch(client, -1);
    let known = answer.responses.iter().find(|one| *one.topic == *topic(KNOWN));
    known.map_or(-1, |known| known.partitions[0].error_code)
}

fn list_offsets(client: &mut Client) -> ListOffsetsResponse {
    let data = |name| {
        let partition =
            list_offsets_request::ListOffsetsPartition::default().with_current_leader_epoch(-1).with_timestamp(-1);
        list_offsets_request::ListOffsetsTopic::default().with_name(name).with_partitions(vec![partition])
    };
    client.ask(&ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(both(data)), 7)
}

fn epochs(client: &mut Client) -> OffsetForLeaderEpochResponse {
    let data = |name| {
        let partition = offset_for_leader_epoch_request::OffsetForLeaderPartition::default()
            .with_current_leader_epoch(-1)
            .with_leader_epoch(0);
        offset_for_leader_epoch_request::OffsetForLeaderTopic::default()
            .with_topic(name)
            .with_partitions(vec![partition])
    };
    client.ask(&OffsetForLeaderEpochRequest::default().with_replica_id(BrokerId(-2)).with_topics(both(data)), 4)
}

pub(super) fn offset_commit(client: &mut Client) -> OffsetCommitResponse {
    let data = |name| {
        let partition = offset_commit_request::OffsetCommitRequestPartition::default().with_committed_offset(1);
        offset_commit_request::OffsetCommitRequestTopic::default().with_name(name).with_partitions(vec![partition])
    };
    let request = OffsetCommitRequest::default()
        .with_group_id(group())
        .with_generation_id_or_member_epoch(-1)
        .with_topics(both(data));
    client.ask(&request, 8)
}

fn offset_fetch(client: &mut Client, all: bool) -> OffsetFetchResponse {
    let data = |name| {
        offset_fetch_request::OffsetFetchRequestTopics::default().with_name(name).with_partition_indexes(vec![0])
    };
    let topics = (!all).then(|| both(data));
    let asked = |group| {
        offset_fetch_request::OffsetFetchRequestGroup::default().with_group_id(group).with_topics(topics.clone())
    };
    client.ask(&OffsetFetchRequest::default().with_groups(groups().into_iter().map(asked).collect()), 8)
}

fn offset_commit_by_id(peer: &mut Peer) -> OffsetCommitResponse {
    let topics: &[requests::Commits<'_>] = &[(NO_ID, &[(0, None)]), (peer.known, &[(0, None)])];
    let body = requests::commit(GROUP, -1, "", topics);
    peer.ask_body::<OffsetCommitRequest>(10, &body)
}

fn offset_fetch_by_id(peer: &mut Peer, all: bool) -> OffsetFetchResponse {
    let topics: &[requests::Fetches<'_>] = &[(NO_ID, &[0]), (peer.known, &[0])];
    let topics = (!all).then_some(topics);
    let body = requests::fetch(&[(GROUP, topics), (STRANGER, topics)], false);
    peer.ask_body::<OffsetFetchRequest>(10, &body)
}

fn find_coordinator(client: &mut Client, key_type: i8, keys: &[&str]) -> FindCoordinatorResponse {
    let keys = keys.iter().map(|key| text(key)).collect();
    let request = FindCoordinatorRequest::default().with_key_type(key_type).with_coordinator_keys(keys);
    client.ask(&request, 4)
}

fn join_group(client: &mut Client) -> JoinGroupResponse {
    let protocol = join_group_request::JoinGroupRequestProtocol::default().with_name(text("range"));
    let request = JoinGroupRequest::default()
        .with_group_id(group())
        .with_session_timeout_ms(30_000)
        .with_rebalance_timeout_ms(30_000)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol]);
    client.ask(&request, 9)
}

fn leave_group(client: &mut Client) -> LeaveGroupResponse {
    let member = leave_group_request::MemberIdentity::default().with_member_id(text("nobody"));
    client.ask(&LeaveGroupRequest::default().with_group_id(group()).with_members(vec![member]), 5)
}

fn sync_group(client: &mut Client) -> SyncGroupResponse {
    let request =
        SyncGroupRequest::default().with_group_id(group()).with_generation_id(1).with_member_id(text("nobody"));
    client.ask(&request, 5)
}

fn heartbeat(client: &mut Client) -> HeartbeatResponse {
    let request =
        HeartbeatRequest::default().with_group_id(group()).with_generation_id(1).with_member_id(text("nobody"));
    client.ask(&request, 4)
}

fn create_topics(client: &mut Client) -> CreateTopicsResponse {
    let one = create_topics_request::CreatableTopic::default()
        .with_name(topic(MADE))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request =
        CreateTopicsRequest::default().with_topics(vec![one]).with_timeout_ms(10_000).with_validate_only(true);
    let mut answer = client.ask(&request, 7);
    // The settings' names differ by our own; whether there are any is told by the code.
    answer.topics.iter_mut().for_each(|topic| topic.configs = None);
    answer
}

fn delete_topics(client: &mut Client, names: &[&str]) -> DeleteTopicsResponse {
    let state = |name: &&str| delete_topics_request::DeleteTopicState::default().with_name(Some(topic(name)));
    let request = DeleteTopicsRequest::default().with_topics(names.iter().map(state).collect()).with_timeout_ms(10_000);
    client.ask(&request, 6)
}

fn init_producer_id(client: &mut Client) -> InitProducerIdResponse {
    /// Kafka's COORDINATOR_LOAD_IN_PROGRESS, while it has no block of ids yet.
    const LOADING: i16 = 14;
    let request = InitProducerIdRequest::default()
        .with_transactional_id(None)
        .with_producer_id(ProducerId(-1))
        .with_producer_epoch(-1);
    let answered = || Some(client.ask(&request, 4)).filter(|answer| answer.error_code != LOADING);
    wait::until("a producer id", Duration::from_secs(30), answered).unwrap()
}

fn describe_topic_partitions(client: &mut Client, all: bool) -> DescribeTopicPartitionsResponse {
    let one = |name| describe_topic_partitions_request::TopicRequest::default().with_name(name);
    let topics = if all { Vec::new() } else { both(one) };
    let request = DescribeTopicPartitionsRequest::default()
        .with_topics(topics)
        .with_response_partition_limit(1000)
        .with_cursor(None);
    client.ask(&request, 0)
}

fn describe_acls(client: &mut Client) -> DescribeAclsResponse {
    let request = DescribeAclsRequest::default()
        .with_resource_type_filter(1)
        .with_resource_name_filter(Some(text("golden.nothing")))
        .with_pattern_type_filter(1)
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(1)
        .with_permission_type(1);
    client.ask(&request, 3)
}

fn create_acls(client: &mut Client) -> CreateAclsResponse {
    let one = create_acls_request::AclCreation::default()
        .with_resource_type(On::Topic.code())
        .with_resource_name(text("golden.rule"))
        .with_resource_pattern_type(3)
        .with_principal(text("User:nobody"))
        .with_host(text("*"))
        .with_operation(Op::Read.code())
        .with_permission_type(3);
    client.ask(&CreateAclsRequest::default().with_creations(vec![one]), 3)
}

fn delete_acls(client: &mut Client) -> DeleteAclsResponse {
    let one = delete_acls_request::DeleteAclsFilter::default()
        .with_resource_type_filter(1)
        .with_resource_name_filter(Some(text("golden.rule")))
        .with_pattern_type_filter(1)
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(1)
        .with_permission_type(1);
    client.ask(&DeleteAclsRequest::default().with_filters(vec![one]), 3)
}

fn describe_cluster(client: &mut Client) -> DescribeClusterResponse {
    let request =
        DescribeClusterRequest::default().with_include_cluster_authorized_operations(true).with_endpoint_type(1);
    client.ask(&request, 1)
}

fn all_topics(client: &mut Client) -> MetadataResponse {
    client.ask(&MetadataRequest::default().with_topics(None), 12)
}

fn cluster_rights(client: &mut Client) -> MetadataResponse {
    let request =
        MetadataRequest::default().with_topics(Some(Vec::new())).with_include_cluster_authorized_operations(true);
    client.ask(&request, 10)
}

/// An answer as it is printed.
pub(super) fn shown<T: std::fmt::Debug>(answer: T) -> String {
    format!("{answer:?}")
}

const READ_TOPIC: Need = need(Op::Read, On::Topic);
const DESCRIBE_TOPIC: Need = need(Op::Describe, On::Topic);
const CREATE_TOPIC: Need = need(Op::Create, On::Topic);
pub(super) const READ_GROUP: Need = need(Op::Read, On::Group);
pub(super) const DESCRIBE_GROUP: Need = need(Op::Describe, On::Group);
const CREATE_CLUSTER: Need = need(Op::Create, On::Cluster);
pub(super) const DESCRIBE_CLUSTER: Need = need(Op::Describe, On::Cluster);
pub(super) const ALTER_CLUSTER: Need = need(Op::Alter, On::Cluster);
const CLUSTER_ACTION: Need = need(Op::ClusterAction, On::Cluster);

/// Every case, of this file and of the administrative one.
pub(super) fn every() -> impl Iterator<Item = &'static Case> {
    CASES.iter().chain(admin_cases::CASES)
}

const CASES: &[Case] = &[
    case("Produce", &[need(Op::Write, On::Topic)], |client| shown(produce(client))),
    case("Fetch", &[READ_TOPIC], |client| shown(fetch(client, -1))),
    case("Produce by-id", &[need(Op::Write, On::Topic)], |peer| shown(produce_by_id(peer))),
    case("Fetch by-id", &[READ_TOPIC], |peer| shown(fetch_by_id(peer))),
    case("Metadata by-id", &[DESCRIBE_TOPIC], |peer| shown(metadata_by_id(peer))),
    case("Fetch by-a-replica", &[CLUSTER_ACTION], |client| shown(fetch(client, 7))),
    case("ListOffsets", &[DESCRIBE_TOPIC], |client| shown(list_offsets(client))),
    case("Metadata", &[DESCRIBE_TOPIC], |client| shown(metadata(client, &[KNOWN, ABSENT], false))),
    case("Metadata all-topics", &[DESCRIBE_TOPIC], |client| shown(all_topics(client))),
    case("Metadata cluster-rights", &[DESCRIBE_CLUSTER], |client| shown(cluster_rights(client))),
    Case {
        name: "Metadata creating",
        needs: &[DESCRIBE_TOPIC, CREATE_TOPIC, CREATE_CLUSTER],
        changes: true,
        ask: |client| shown(metadata(client, &[MADE], true)),
    },
    case("OffsetCommit", &[READ_GROUP, READ_TOPIC], |client| shown(offset_commit(client))),
    case("OffsetFetch", &[DESCRIBE_GROUP, DESCRIBE_TOPIC], |client| shown(offset_fetch(client, false))),
    case("OffsetFetch all-topics", &[DESCRIBE_GROUP, DESCRIBE_TOPIC], |client| shown(offset_fetch(client, true))),
    case("OffsetCommit by-id", &[READ_GROUP, READ_TOPIC], |peer| shown(offset_commit_by_id(peer))),
    case("OffsetFetch by-id", &[DESCRIBE_GROUP, DESCRIBE_TOPIC], |peer| shown(offset_fetch_by_id(peer, false))),
    case("OffsetFetch by-id all-topics", &[DESCRIBE_GROUP, DESCRIBE_TOPIC], |peer| {
        shown(offset_fetch_by_id(peer, true))
    }),
    case("FindCoordinator", &[DESCRIBE_GROUP], |client| shown(find_coordinator(client, 0, &[GROUP, STRANGER]))),
    case("FindCoordinator of-a-transaction", &[need(Op::Describe, On::TransactionalId)], |client| {
        shown(find_coordinator(client, 1, &["golden.name"]))
    }),
    case("JoinGroup", &[READ_GROUP], |client| {
        // The id that is given is random.
        shown(join_group(client).with_member_id(StrBytes::default()))
    }),
    case("Heartbeat", &[READ_GROUP], |client| shown(heartbeat(client))),
    case("LeaveGroup", &[READ_GROUP], |client| shown(leave_group(client))),
    case("SyncGroup", &[READ_GROUP], |client| shown(sync_group(client))),
    case("CreateTopics", &[CREATE_CLUSTER, CREATE_TOPIC, need(Op::DescribeConfigs, On::Topic)], |client| {
        shown(create_topics(client))
    }),
    Case {
        name: "DeleteTopics",
        needs: &[need(Op::Delete, On::Cluster), DESCRIBE_TOPIC, need(Op::Delete, On::Topic)],
        changes: true,
        ask: |client| shown(delete_topics(client, &[DOOMED, ABSENT])),
    },
    Case {
        name: "DeleteTopics by-id",
        needs: &[need(Op::Delete, On::Cluster), DESCRIBE_TOPIC, need(Op::Delete, On::Topic)],
        changes: true,
        ask: |peer| shown(delete_by_id(peer)),
    },
    case("InitProducerId", &[need(Op::IdempotentWrite, On::Cluster), need(Op::Write, On::Topic)], |client| {
        shown(init_producer_id(client))
    }),
    case("OffsetForLeaderEpoch", &[CLUSTER_ACTION, DESCRIBE_TOPIC], |client| shown(epochs(client))),
    case("DescribeAcls", &[DESCRIBE_CLUSTER], |client| shown(describe_acls(client))),
    case("CreateAcls", &[ALTER_CLUSTER], |client| shown(create_acls(client))),
    case("DeleteAcls", &[ALTER_CLUSTER], |client| shown(delete_acls(client))),
    case("DescribeCluster", &[DESCRIBE_CLUSTER], |client| shown(describe_cluster(client))),
    case("DescribeTopicPartitions", &[DESCRIBE_TOPIC], |client| shown(describe_topic_partitions(client, false))),
    case("DescribeTopicPartitions all-topics", &[DESCRIBE_TOPIC], |client| {
        shown(describe_topic_partitions(client, true))
    }),
];
