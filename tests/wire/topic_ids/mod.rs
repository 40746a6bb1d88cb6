//! Offsets by topic id (OffsetCommit and OffsetFetch 10, KIP-848) and ListOffsets 11: every answer is, byte for byte, the one
//! that Apache Kafka 4.3.1 gave, recorded in `kafka-4.3.1.txt` with ids as `{t}`, `{u}` and `{v}`.
//!
//! Record anew, from a directory of Kafka's jars:
//! `JARS=.gate/java-4/jars cargo test -p barnabas-tests --test wire offsets_by_topic_id`.

pub(crate) mod requests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use barnabas_tests::harness::broker::{Broker, Server};
use barnabas_tests::harness::wait;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{
    CreateTopicsRequest, DeleteTopicsRequest, FindCoordinatorRequest, GroupId, MetadataRequest, OffsetCommitRequest,
    OffsetFetchRequest, TopicName,
};
use kafka_protocol::protocol::{Encodable, StrBytes};
use uuid::Uuid;

use crate::client::{Client, raw_frame};
use crate::fixture;
use requests::{commit, fetch, list_offsets};

const PATIENCE: Duration = Duration::from_secs(60);
/// The first line of the file.
const HEAD: &str =
    "# Apache Kafka 4.3.1, by JARS=.gate/java-4/jars cargo test -p barnabas-tests --test wire offsets_by_topic_id\n";
const LIST_OFFSETS: i16 = 2;
const OFFSET_COMMIT: i16 = 8;
const OFFSET_FETCH: i16 = 9;

/// The ids that the topics have: `t` of two partitions, `u` of one, and one that is nobody's. The topic `u` is deleted and
/// made again: then `gone` is what its id was.
struct Ids {
    t: Uuid,
    u: Uuid,
    gone: Uuid,
    nobodys: Uuid,
}

/// What is asked: name, API, version and body.
type Case = (&'static str, i16, i16, fn(&Ids) -> Vec<u8>);

const NOTE: Option<&str> = Some("note");

/// Asked in this order.
const CASES: &[Case] = &[
    ("commit one", OFFSET_COMMIT, 10, |ids| commit("g", -1, "", &[(ids.t, &[(0, NOTE)])])),
    ("commit null metadata", OFFSET_COMMIT, 10, |ids| commit("g", -1, "", &[(ids.t, &[(1, None)])])),
    ("commit no topics", OFFSET_COMMIT, 10, |_| commit("g", -1, "", &[])),
    ("commit no partitions", OFFSET_COMMIT, 10, |ids| commit("g", -1, "", &[(ids.t, &[]), (ids.u, &[(0, NOTE)])])),
    ("commit no partitions of nobody's", OFFSET_COMMIT, 10, |ids| commit("g", -1, "", &[(ids.nobodys, &[])])),
    ("commit nobody's", OFFSET_COMMIT, 10, |ids| commit("g", -1, "", &[(ids.nobodys, &[(0, NOTE), (1, NOTE)])])),
    ("commit the zero id", OFFSET_COMMIT, 10, |_| commit("g", -1, "", &[(Uuid::nil(), &[(0, NOTE)])])),
    ("commit of a partition that is not there", OFFSET_COMMIT, 10, |ids| {
        commit("g", -1, "", &[(ids.t, &[(0, NOTE), (9, NOTE), (1, NOTE), (-1, NOTE)])])
    }),
    ("commit good and bad", OFFSET_COMMIT, 10, |ids| {
        let (good, other) = (ids.t, ids.u);
        let nobodys = (ids.nobodys, &[(0, NOTE)][..]);
        commit("g", -1, "", &[(good, &[(0, NOTE)]), nobodys, (other, &[(0, NOTE), (5, NOTE)]), (good, &[(1, NOTE)])])
    }),
    ("commit a topic twice", OFFSET_COMMIT, 10, |ids| {
        commit("g", -1, "", &[(ids.t, &[(0, NOTE)]), (ids.u, &[(0, NOTE)]), (ids.t, &[(1, NOTE)])])
    }),
    ("commit a partition twice", OFFSET_COMMIT, 10, |ids| commit("g", -1, "", &[(ids.t, &[(0, NOTE), (0, None)])])),
    ("commit nobody's twice", OFFSET_COMMIT, 10, |ids| {
        commit("g", -1, "", &[(ids.nobodys, &[(0, NOTE)]), (ids.t, &[(0, NOTE)]), (ids.nobodys, &[(1, NOTE)])])
    }),
    ("commit long metadata", OFFSET_COMMIT, 10, |ids| {
        commit("g", -1, "", &[(ids.t, &[(0, Some(&"x".repeat(4097))), (1, NOTE)])])
    }),
    ("commit of a member that is not there", OFFSET_COMMIT, 10, |ids| {
        commit("absent", 1, "m", &[(ids.t, &[(0, NOTE)]), (ids.nobodys, &[(0, NOTE)])])
    }),
    ("commit of a member of a simple group", OFFSET_COMMIT, 10, |ids| commit("g", 1, "m", &[(ids.t, &[(0, NOTE)])])),
    ("commit good and bad by name", OFFSET_COMMIT, 9, |_| {
        by_name(&[("t", &[0, 9]), ("no", &[0]), ("u", &[0]), ("t", &[1])])
    }),
    ("commit a topic twice by name", OFFSET_COMMIT, 9, |_| by_name(&[("t", &[0]), ("u", &[]), ("t", &[1])])),
    ("commit no partitions by name", OFFSET_COMMIT, 2, |_| by_name_2(&[("no", &[]), ("t", &[])])),
    ("fetch some", OFFSET_FETCH, 10, |ids| fetch(&[("g", Some(&[(ids.t, &[0, 1]), (ids.u, &[0])]))], false)),
    ("fetch good and bad", OFFSET_FETCH, 10, |ids| {
        let bad = [(ids.nobodys, &[0, 1][..]), (Uuid::nil(), &[0][..])];
        fetch(&[("g", Some(&[bad[0], (ids.t, &[1, 9]), bad[1], (ids.u, &[0])]))], false)
    }),
    ("fetch a topic twice", OFFSET_FETCH, 10, |ids| {
        fetch(&[("g", Some(&[(ids.t, &[0, 0]), (ids.nobodys, &[0]), (ids.t, &[1]), (ids.nobodys, &[1])]))], false)
    }),
    ("fetch no topics", OFFSET_FETCH, 10, |_| fetch(&[("g", Some(&[]))], false)),
    ("fetch no partitions", OFFSET_FETCH, 10, |ids| fetch(&[("g", Some(&[(ids.t, &[]), (ids.nobodys, &[])]))], false)),
    ("fetch no groups", OFFSET_FETCH, 10, |_| fetch(&[], true)),
    ("fetch stable", OFFSET_FETCH, 10, |ids| fetch(&[("g", Some(&[(ids.t, &[0])]))], true)),
    ("fetch groups", OFFSET_FETCH, 10, |ids| {
        fetch(&[("absent", Some(&[(ids.t, &[0])])), ("g", Some(&[(ids.t, &[0])])), ("absent", None)], false)
    }),
    ("commit for all", OFFSET_COMMIT, 10, |ids| commit("all", -1, "", &[(ids.u, &[(0, NOTE)])])),
    ("fetch all", OFFSET_FETCH, 10, |_| fetch(&[("all", None)], true)),
    ("list earliest pending upload", LIST_OFFSETS, 11, |_| list_offsets("t", -6)),
    ("list latest tiered", LIST_OFFSETS, 11, |_| list_offsets("t", -5)),
    ("list earliest pending upload before its version", LIST_OFFSETS, 10, |_| list_offsets("t", -6)),
    ("list an unknown place", LIST_OFFSETS, 11, |_| list_offsets("t", -7)),
    ("list of a topic that is not there", LIST_OFFSETS, 11, |_| list_offsets("no", -6)),
];

/// Asked when the topic `u` is another one.
const CASES_LATER: &[Case] = &[
    ("fetch of a topic made again", OFFSET_FETCH, 10, |ids| fetch(&[("g", Some(&[(ids.u, &[0])]))], false)),
    ("fetch of a topic that is gone", OFFSET_FETCH, 10, |ids| fetch(&[("g", Some(&[(ids.gone, &[0])]))], false)),
    ("commit of a topic that is gone", OFFSET_COMMIT, 10, |ids| commit("g", -1, "", &[(ids.gone, &[(0, NOTE)])])),
    ("fetch of a topic made again, after that", OFFSET_FETCH, 10, |ids| fetch(&[("g", Some(&[(ids.u, &[0])]))], true)),
];

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn name(name: &str) -> TopicName {
    TopicName(text(name))
}

fn by_name(topics: &[(&str, &[i32])]) -> Vec<u8> {
    body_by_name(topics, 9)
}

fn by_name_2(topics: &[(&str, &[i32])]) -> Vec<u8> {
    body_by_name(topics, 2)
}

fn body_by_name(topics: &[(&str, &[i32])], version: i16) -> Vec<u8> {
    let partition = |index: &i32| OffsetCommitRequestPartition::default().with_partition_index(*index);
    let topic = |(of, partitions): &(&str, &[i32])| {
        let partitions = partitions.iter().map(partition).collect();
        OffsetCommitRequestTopic::default().with_name(name(of)).with_partitions(partitions)
    };
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_topics(topics.iter().map(topic).collect());
    let mut body = Vec::new();
    request.encode(&mut body, version).unwrap();
    body
}

fn create(client: &mut Client, topics: &[(&str, i32)]) {
    let topic = |(of, partitions): &(&str, i32)| {
        CreatableTopic::default().with_name(name(of)).with_num_partitions(*partitions).with_replication_factor(1)
    };
    let request =
        CreateTopicsRequest::default().with_topics(topics.iter().map(topic).collect()).with_timeout_ms(30_000);
    wait::until("the topics", PATIENCE, || {
        client.ask(&request, 7).topics.iter().all(|topic| topic.error_code == 0).then_some(())
    })
    .unwrap();
}

/// The id of a topic, once the broker knows it and it is not `other`.
fn id(client: &mut Client, of: &str, other: Uuid) -> Uuid {
    let topic = MetadataRequestTopic::default().with_name(Some(name(of)));
    let request = MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(false);
    wait::until("the topic's id", PATIENCE, || {
        let answer = client.ask(&request, 12);
        let leads = answer.topics[0].partitions.iter().all(|partition| partition.leader_id.0 >= 0);
        let found = answer.topics[0].topic_id;
        (answer.topics[0].error_code == 0 && leads && found != other).then_some(found)
    })
    .unwrap()
}

fn load(client: &mut Client, group: &str) {
    let find = FindCoordinatorRequest::default().with_coordinator_keys(vec![text(group)]);
    let wanted = OffsetFetchRequestGroup::default().with_group_id(GroupId(text(group))).with_topics(None);
    let fetch = OffsetFetchRequest::default().with_groups(vec![wanted]);
    wait::until("the group", PATIENCE, || {
        let is_found = client.ask(&find, 4).coordinators[0].error_code == 0;
        (is_found && client.ask(&fetch, 9).groups[0].error_code == 0).then_some(())
    })
    .unwrap();
}

/// The answer as hexadecimal digits, with the names of ids in their place.
fn ask(client: &mut Client, ids: &Ids, (case, key, version, body): &Case) -> String {
    let flexible = (*key, *version) != (OFFSET_COMMIT, 2);
    client.send(&raw_frame(*key, *version, 7, flexible, &body(ids))).unwrap();
    let answer = client.answer().unwrap_or_else(|| panic!("{case}: the connection was closed"));
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut answered = hex(&answer.rest);
    for (of, id) in [("{t}", ids.t), ("{u}", ids.u), ("{v}", ids.gone)] {
        answered = answered.replace(&hex(id.as_bytes()), of);
    }
    format!("{case} | {answered}\n")
}

/// Every answer.
fn answers(broker: &Broker) -> String {
    let mut client = Client::connect(broker.bootstrap().parse().unwrap());
    create(&mut client, &[("t", 2), ("u", 1)]);
    let (t, u) = (id(&mut client, "t", Uuid::nil()), id(&mut client, "u", Uuid::nil()));
    for group in ["g", "all", "absent"] {
        load(&mut client, group);
    }
    let nobodys = Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);
    let ids = Ids { t, u, gone: u, nobodys };
    let mut lines: Vec<String> = CASES.iter().map(|case| ask(&mut client, &ids, case)).collect();
    let doomed = DeleteTopicState::default().with_name(Some(name("u")));
    let gone = DeleteTopicsRequest::default().with_topics(vec![doomed]).with_timeout_ms(30_000);
    assert_eq!(client.ask(&gone, 6).responses[0].error_code, 0);
    create(&mut client, &[("u", 1)]);
    let ids = Ids { u: id(&mut client, "u", u), ..ids };
    lines.extend(CASES_LATER.iter().map(|case| ask(&mut client, &ids, case)));
    std::iter::once(HEAD.to_owned()).chain(lines).collect()
}

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("wire/topic_ids/kafka-4.3.1.txt")
}

fn start(server: &Server) -> (Broker, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (Broker::start(server, directory.path(), &[]).unwrap(), directory)
}

#[test]
fn offsets_by_topic_id_are_answered_as_kafka_does() {
    if let Some(jars) = std::env::var_os("JARS") {
        let (mut kafka, _directory) = start(&Server::Kafka(jars.into()));
        std::fs::write(recorded(), answers(&kafka)).unwrap();
        kafka.stop().unwrap();
    }
    let (ours, _directory) = start(&Server::Barnabas(fixture::program()));
    let found = answers(&ours);
    let golden = std::fs::read_to_string(recorded()).unwrap();
    let differing = golden.lines().zip(found.lines()).filter(|(kafka, ours)| kafka != ours);
    let differing: Vec<_> = differing.map(|(kafka, ours)| format!("Kafka {kafka}\nours  {ours}")).collect();
    assert!(differing.is_empty(), "{} answers differ:\n{}", differing.len(), differing.join("\n"));
    assert_eq!(golden.lines().count(), found.lines().count());
}
