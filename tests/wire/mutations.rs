//! What is counted and told of administrative requests beyond their answers: `controller_mutation_rate`, and the audit.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::alter_partition_reassignments_request::{ReassignablePartition, ReassignableTopic};
use kafka_protocol::messages::alter_replica_log_dirs_request::{AlterReplicaLogDir, AlterReplicaLogDirTopic};
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::messages::{
    AlterClientQuotasRequest, AlterPartitionReassignmentsRequest, AlterReplicaLogDirsRequest, BrokerId,
    CreatePartitionsRequest, ElectLeadersRequest, TopicName, UnregisterBrokerRequest,
};

use crate::audit::{create_topic, event};
use crate::client::Client;
use crate::fixture::Fixture;
use crate::login::text;

/// A change a second for everybody.
fn limit(client: &mut Client) {
    let entity = EntityData::default().with_entity_type(text("client-id")).with_entity_name(None);
    let op = OpData::default().with_key(text("controller_mutation_rate")).with_value(1.0);
    let entry = EntryData::default().with_entity(vec![entity]).with_ops(vec![op]);
    let answer = client.ask(&AlterClientQuotasRequest::default().with_entries(vec![entry]), 1);
    assert_eq!(answer.entries[0].error_code, 0);
}

/// The code of the answer, and the time to wait.
fn more(client: &mut Client, version: i16, count: i32) -> (i16, i32) {
    let topic =
        CreatePartitionsTopic::default().with_name(TopicName(text("t"))).with_count(count).with_assignments(None);
    let request = CreatePartitionsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
    let answer = client.ask(&request, version);
    (answer.results[0].error_code, answer.throttle_time_ms)
}

#[test]
fn new_partitions_count_against_the_mutation_quota() {
    let fixture = Fixture::start(&[]);
    let mut client = Client::connect(fixture.address());
    assert_eq!(create_topic(&mut client, "t"), 0);
    limit(&mut client);
    // What is refused makes none, and counts for none.
    for _ in 0..20 {
        assert_eq!(more(&mut client, 3, 1), (ResponseError::InvalidPartitions.code(), 0));
    }
    assert_eq!(more(&mut client, 3, 200), (0, 0), "what overdraws the quota is made");
    let (code, wait) = more(&mut client, 3, 201);
    assert_eq!(code, ResponseError::ThrottlingQuotaExceeded.code());
    assert!(wait > 0, "{wait}");
    // Older clients do not know that error: they are made to wait instead.
    let mut other = Client::connect(fixture.address());
    let (code, wait) = more(&mut other, 2, 201);
    assert!(code == 0 && wait > 0, "{code} {wait}");
}

#[test]
fn the_audit_tells_of_elections_reassignments_directories_and_brokers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.json");
    let fixture = Fixture::start(&[("barnabas.audit.file", path.to_str().unwrap())]);
    let mut client = Client::connect(fixture.address());
    assert_eq!(create_topic(&mut client, "t"), 0);
    let named = TopicName(text("t"));
    let topic = TopicPartitions::default().with_topic(named.clone()).with_partitions(vec![0]);
    client.ask(&ElectLeadersRequest::default().with_topic_partitions(Some(vec![topic])), 2);
    let partition = ReassignablePartition::default().with_partition_index(0).with_replicas(Some(vec![BrokerId(7)]));
    let topic = ReassignableTopic::default().with_name(named.clone()).with_partitions(vec![partition]);
    client.ask(&AlterPartitionReassignmentsRequest::default().with_topics(vec![topic]), 0);
    let topic = AlterReplicaLogDirTopic::default().with_name(named).with_partitions(vec![0]);
    let dir = AlterReplicaLogDir::default().with_path(text("/elsewhere")).with_topics(vec![topic]);
    client.ask(&AlterReplicaLogDirsRequest::default().with_dirs(vec![dir]), 2);
    client.ask(&UnregisterBrokerRequest::default().with_broker_id(BrokerId(9)), 0);
    for (api, detail, value) in [
        ("ElectLeaders", "partitions", "0"),
        ("AlterPartitionReassignments", "replicas", "7"),
        ("AlterReplicaLogDirs", "directory", "/elsewhere"),
        ("UnregisterBroker", "broker", "9"),
    ] {
        let told = event(&path, api, |event| event["api"]["operation"] == api);
        assert_eq!(told["resources"][0]["data"][detail], value, "{told}");
        assert_eq!(told["status"], "Failure", "{told}");
    }
}
