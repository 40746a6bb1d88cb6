//! Groups in raw frames: every version of every API of the family, and what a kill leaves of a group.

use std::time::Duration;

use barnabas_tests::harness::wait;
use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    CreateTopicsRequest, FindCoordinatorRequest, GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, OffsetCommitRequest, OffsetFetchRequest, SyncGroupRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use crate::client::Client;
use crate::fixture::Fixture;

const PATIENCE: Duration = Duration::from_secs(30);

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group(name: &str) -> GroupId {
    GroupId(text(name))
}

fn topic() -> TopicName {
    TopicName(text("t"))
}

fn create_topic(client: &mut Client) {
    let topic = CreatableTopic::default().with_name(topic()).with_num_partitions(1).with_replication_factor(1);
    let created = client.ask(&CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000), 7);
    assert_eq!(created.topics[0].error_code, 0);
}

/// Whether to ask again: the coordinator is being made or loaded.
fn is_passing(error: i16) -> bool {
    [ResponseError::CoordinatorNotAvailable, ResponseError::CoordinatorLoadInProgress]
        .map(|e| e.code())
        .contains(&error)
}

fn find_coordinator(client: &mut Client, name: &str, version: i16) {
    let request = FindCoordinatorRequest::default();
    let request =
        if version < 4 { request.with_key(text(name)) } else { request.with_coordinator_keys(vec![text(name)]) };
    wait::until("the coordinator", PATIENCE, || {
        let answer = client.ask(&request, version);
        let (error, node) = match answer.coordinators.first() {
            Some(coordinator) => (coordinator.error_code, coordinator.node_id),
            None => (answer.error_code, answer.node_id),
        };
        assert!(error == 0 || is_passing(error), "{error}");
        (error == 0).then(|| assert!(node.0 >= 0))
    })
    .unwrap();
}

fn join_request(name: &str, member: &StrBytes, version: i16) -> JoinGroupRequest {
    let protocol = JoinGroupRequestProtocol::default().with_name(text("range")).with_metadata(Bytes::from_static(b"m"));
    JoinGroupRequest::default()
        .with_group_id(group(name))
        .with_session_timeout_ms(30_000)
        .with_rebalance_timeout_ms(if version >= 1 { 30_000 } else { -1 })
        .with_member_id(member.clone())
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
}

/// Joins as the only member; from version 4 on by way of MEMBER_ID_REQUIRED.
fn join(client: &mut Client, name: &str, version: i16) -> JoinGroupResponse {
    let ask = |client: &mut Client, member: &StrBytes| {
        let request = join_request(name, member, version);
        wait::until("the group to load", PATIENCE, || {
            let answer = client.ask(&request, version);
            (!is_passing(answer.error_code)).then_some(answer)
        })
        .unwrap()
    };
    let first = ask(client, &StrBytes::default());
    if version < 4 {
        return first;
    }
    assert_eq!(first.error_code, ResponseError::MemberIdRequired.code());
    assert_eq!(first.generation_id, -1);
    ask(client, &first.member_id)
}

fn sync(client: &mut Client, name: &str, joined: &JoinGroupResponse, part: &'static [u8], version: i16) -> Bytes {
    let assignment = SyncGroupRequestAssignment::default()
        .with_member_id(joined.member_id.clone())
        .with_assignment(Bytes::from_static(part));
    let mut request = SyncGroupRequest::default()
        .with_group_id(group(name))
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone())
        .with_assignments(if part.is_empty() { Vec::new() } else { vec![assignment] });
    if version >= 5 {
        request = request.with_protocol_type(Some(text("consumer"))).with_protocol_name(Some(text("range")));
    }
    let synced = client.ask(&request, version);
    assert_eq!(synced.error_code, 0);
    synced.assignment
}

fn heartbeat(client: &mut Client, name: &str, joined: &JoinGroupResponse, version: i16) -> i16 {
    let request = HeartbeatRequest::default()
        .with_group_id(group(name))
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone());
    client.ask(&request, version).error_code
}

fn commit(client: &mut Client, name: &str, joined: &JoinGroupResponse, metadata: &str, version: i16) -> i16 {
    let partition = OffsetCommitRequestPartition::default()
        .with_committed_offset(42)
        .with_committed_leader_epoch(if version >= 6 { 3 } else { -1 })
        .with_committed_metadata(Some(text(metadata)));
    let topic = OffsetCommitRequestTopic::default().with_name(topic()).with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(group(name))
        .with_generation_id_or_member_epoch(joined.generation_id)
        .with_member_id(joined.member_id.clone())
        .with_topics(vec![topic]);
    client.ask(&request, version).topics[0].partitions[0].error_code
}

/// Offset, leader epoch and metadata.
fn fetch(client: &mut Client, name: &str, version: i16) -> (i64, i32, String) {
    let request = OffsetFetchRequest::default();
    if version >= 8 {
        let topics = OffsetFetchRequestTopics::default().with_name(topic()).with_partition_indexes(vec![0]);
        let wanted = OffsetFetchRequestGroup::default().with_group_id(group(name)).with_topics(Some(vec![topics]));
        let answer = client.ask(&request.with_groups(vec![wanted]), version);
        assert_eq!((answer.groups[0].error_code, &answer.groups[0].group_id), (0, &group(name)));
        let found = &answer.groups[0].topics[0].partitions[0];
        return (found.committed_offset, found.committed_leader_epoch, found.metadata.as_deref().unwrap().to_owned());
    }
    let topics = OffsetFetchRequestTopic::default().with_name(topic()).with_partition_indexes(vec![0]);
    let answer = client.ask(&request.with_group_id(group(name)).with_topics(Some(vec![topics])), version);
    let found = &answer.topics[0].partitions[0];
    assert_eq!((answer.error_code, found.error_code), (0, 0));
    (found.committed_offset, found.committed_leader_epoch, found.metadata.as_deref().unwrap().to_owned())
}

fn leave(client: &mut Client, name: &str, joined: &JoinGroupResponse, version: i16) -> i16 {
    let request = LeaveGroupRequest::default().with_group_id(group(name));
    if version < 3 {
        return client.ask(&request.with_member_id(joined.member_id.clone()), version).error_code;
    }
    let member = MemberIdentity::default().with_member_id(joined.member_id.clone());
    let answer = client.ask(&request.with_members(vec![member]), version);
    assert_eq!(answer.error_code, 0);
    answer.members[0].error_code
}

#[test]
fn a_group_of_one_lives_and_ends_in_every_version() {
    let fixture = Fixture::start(&[("group.initial.rebalance.delay.ms", "0")]);
    let mut client = Client::connect(fixture.address());
    create_topic(&mut client);
    for version in 0..=9_i16 {
        let name = format!("g{version}");
        let unknown = ResponseError::UnknownMemberId.code();
        find_coordinator(&mut client, &name, version.min(6));
        let joined = join(&mut client, &name, version);
        assert_eq!((joined.error_code, joined.generation_id, joined.members.len()), (0, 1, 1), "JoinGroup {version}");
        assert_eq!(joined.leader, joined.member_id);
        assert_eq!(sync(&mut client, &name, &joined, b"all", version.min(5)), "all");
        assert_eq!(sync(&mut client, &name, &joined, b"", version.min(5)), "all");
        assert_eq!(heartbeat(&mut client, &name, &joined, version.min(4)), 0);
        assert_eq!(fetch(&mut client, &name, version.max(1)), (-1, -1, String::new()));
        assert_eq!(commit(&mut client, &name, &joined, "note", version.max(2)), 0);
        let epoch = if version >= 6 { 3 } else { -1 };
        for fetch_version in 1..=9 {
            let told = if fetch_version >= 5 { epoch } else { -1 };
            assert_eq!(fetch(&mut client, &name, fetch_version), (42, told, "note".to_owned()));
        }
        assert_eq!(leave(&mut client, &name, &joined, version.min(5)), 0);
        assert_eq!(leave(&mut client, &name, &joined, version.min(5)), unknown);
        assert_eq!(heartbeat(&mut client, &name, &joined, version.min(4)), unknown);
    }
}

#[test]
fn a_kill_leaves_the_generation_the_assignment_and_the_offsets() {
    let mut fixture = Fixture::start(&[("group.initial.rebalance.delay.ms", "0")]);
    let mut client = Client::connect(fixture.address());
    create_topic(&mut client);
    find_coordinator(&mut client, "g", 6);
    let joined = join(&mut client, "g", 9);
    assert_eq!(sync(&mut client, "g", &joined, b"all", 5), "all");
    let longest = "x".repeat(4096);
    let too_large = ResponseError::OffsetMetadataTooLarge.code();
    assert_eq!(commit(&mut client, "g", &joined, &format!("{longest}x"), 9), too_large);
    assert_eq!(commit(&mut client, "g", &joined, &longest, 9), 0);
    fixture.broker.kill();
    fixture.broker.restart().unwrap();
    let mut client = Client::connect(fixture.address());
    find_coordinator(&mut client, "g", 6);
    wait::until("the group to load", PATIENCE, || {
        let request = OffsetFetchRequestGroup::default().with_group_id(group("g")).with_topics(None);
        let request = OffsetFetchRequest::default().with_groups(vec![request]);
        (!is_passing(client.ask(&request, 9).groups[0].error_code)).then_some(())
    })
    .unwrap();
    assert_eq!(heartbeat(&mut client, "g", &joined, 4), 0);
    assert_eq!(sync(&mut client, "g", &joined, b"", 5), "all");
    assert_eq!(fetch(&mut client, "g", 9), (42, 3, longest));
    let unchanged = client.ask(&join_request("g", &joined.member_id, 9), 9);
    assert_eq!((unchanged.error_code, unchanged.generation_id), (0, 2), "a leader that joins again rebalances");
}

#[test]
fn offsets_of_topics_that_are_not_there_are_refused_one_by_one() {
    let fixture = Fixture::start(&[]);
    let mut client = Client::connect(fixture.address());
    create_topic(&mut client);
    find_coordinator(&mut client, "simple", 4);
    let partition =
        |index| OffsetCommitRequestPartition::default().with_partition_index(index).with_committed_offset(1);
    let of = |name: &str, partitions| {
        OffsetCommitRequestTopic::default().with_name(TopicName(text(name))).with_partitions(partitions)
    };
    let request = OffsetCommitRequest::default()
        .with_group_id(group("simple"))
        .with_topics(vec![of("t", vec![partition(0), partition(1)]), of("absent", vec![partition(0)])]);
    let errors = wait::until("the group to load", PATIENCE, || {
        let answer = client.ask(&request, 8);
        let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
        let errors: Vec<_> = partitions.map(|partition| (partition.partition_index, partition.error_code)).collect();
        errors.iter().all(|(_, error)| !is_passing(*error)).then_some(errors)
    })
    .unwrap();
    let unknown = ResponseError::UnknownTopicOrPartition.code();
    // As from Kafka: what was refused before the group was asked comes first.
    assert_eq!(errors, [(1, unknown), (0, 0), (0, unknown)]);
}

#[test]
fn coordinators_of_other_kinds_are_not_found() {
    let fixture = Fixture::start(&[]);
    let mut client = Client::connect(fixture.address());
    let mut found = |key_type| {
        let request = FindCoordinatorRequest::default().with_key_type(key_type).with_coordinator_keys(vec![text("x")]);
        client.ask(&request, 6).coordinators[0].error_code
    };
    assert_eq!(found(1), ResponseError::CoordinatorNotAvailable.code());
    assert_eq!(found(2), ResponseError::InvalidRequest.code());
    assert_eq!(found(9), ResponseError::InvalidRequest.code());
}
