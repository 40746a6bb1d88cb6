//! Cases of administrative APIs.

use barnabas_auth::{Operation as Op, ResourceType as On};
use kafka_protocol::messages::*;

use super::cases::{
    ALTER_CLUSTER, Case, DESCRIBE_CLUSTER, DESCRIBE_GROUP, KNOWN, both, case, group, groups, need, shown, text, topic,
};
use crate::client::Client;
use barnabas_broker::api::Need;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const GROUP: i8 = 32;

const DESCRIBE_CONFIGS: Need = need(Op::DescribeConfigs, On::Cluster);
const ALTER_CONFIGS: Need = need(Op::AlterConfigs, On::Cluster);
const CONFIGS_SEEN: &[Need] =
    &[need(Op::DescribeConfigs, On::Topic), DESCRIBE_CONFIGS, need(Op::DescribeConfigs, On::Group)];
const CONFIGS_CHANGED: &[Need] = &[need(Op::AlterConfigs, On::Topic), ALTER_CONFIGS, need(Op::AlterConfigs, On::Group)];

fn resources<T>(one: impl Fn(i8, &str) -> T) -> Vec<T> {
    [(TOPIC, "golden.known"), (TOPIC, "golden.absent"), (BROKER, "1"), (GROUP, "golden.group")]
        .into_iter()
        .map(|(kind, name)| one(kind, name))
        .collect()
}

fn describe_configs(client: &mut Client) -> DescribeConfigsResponse {
    let one = |kind, name: &str| {
        describe_configs_request::DescribeConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text(name))
            .with_configuration_keys(None)
    };
    let mut answer = client.ask(&DescribeConfigsRequest::default().with_resources(resources(one)), 4);
    answer.results.iter_mut().for_each(|result| result.configs.clear());
    answer
}

fn alter_configs(client: &mut Client) -> AlterConfigsResponse {
    let one = |kind, name: &str| {
        alter_configs_request::AlterConfigsResource::default().with_resource_type(kind).with_resource_name(text(name))
    };
    let request = AlterConfigsRequest::default().with_resources(resources(one)).with_validate_only(true);
    client.ask(&request, 2)
}

fn incremental_alter_configs(client: &mut Client) -> IncrementalAlterConfigsResponse {
    let one = |kind, name: &str| {
        incremental_alter_configs_request::AlterConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text(name))
    };
    let request = IncrementalAlterConfigsRequest::default().with_resources(resources(one)).with_validate_only(true);
    client.ask(&request, 1)
}

fn describe_groups(client: &mut Client) -> DescribeGroupsResponse {
    let request = DescribeGroupsRequest::default().with_groups(groups()).with_include_authorized_operations(true);
    client.ask(&request, 5)
}

fn delete_groups(client: &mut Client) -> DeleteGroupsResponse {
    client.ask(&DeleteGroupsRequest::default().with_groups_names(groups()), 2)
}

fn offset_delete(client: &mut Client) -> OffsetDeleteResponse {
    let one = |name| {
        let partition = offset_delete_request::OffsetDeleteRequestPartition::default().with_partition_index(0);
        offset_delete_request::OffsetDeleteRequestTopic::default().with_name(name).with_partitions(vec![partition])
    };
    client.ask(&OffsetDeleteRequest::default().with_group_id(group()).with_topics(both(one)), 0)
}

fn create_partitions(client: &mut Client) -> CreatePartitionsResponse {
    let one = |name| {
        create_partitions_request::CreatePartitionsTopic::default().with_name(name).with_count(2).with_assignments(None)
    };
    let request =
        CreatePartitionsRequest::default().with_topics(both(one)).with_timeout_ms(10_000).with_validate_only(true);
    client.ask(&request, 3)
}

fn delete_records(client: &mut Client) -> DeleteRecordsResponse {
    let one = |name| {
        let partition = delete_records_request::DeleteRecordsPartition::default().with_offset(0);
        delete_records_request::DeleteRecordsTopic::default().with_name(name).with_partitions(vec![partition])
    };
    client.ask(&DeleteRecordsRequest::default().with_topics(both(one)).with_timeout_ms(10_000), 2)
}

fn describe_log_dirs(client: &mut Client) -> DescribeLogDirsResponse {
    let one =
        |name| describe_log_dirs_request::DescribableLogDirTopic::default().with_topic(name).with_partitions(vec![0]);
    client.ask(&DescribeLogDirsRequest::default().with_topics(Some(both(one))), 4)
}

fn alter_replica_log_dirs(client: &mut Client) -> AlterReplicaLogDirsResponse {
    let one = alter_replica_log_dirs_request::AlterReplicaLogDirTopic::default()
        .with_name(topic(KNOWN))
        .with_partitions(vec![0]);
    let dir = alter_replica_log_dirs_request::AlterReplicaLogDir::default()
        .with_path(text("/nowhere"))
        .with_topics(vec![one]);
    client.ask(&AlterReplicaLogDirsRequest::default().with_dirs(vec![dir]), 2)
}

fn describe_producers(client: &mut Client) -> DescribeProducersResponse {
    let one =
        |name| describe_producers_request::TopicRequest::default().with_name(name).with_partition_indexes(vec![0]);
    client.ask(&DescribeProducersRequest::default().with_topics(both(one)), 0)
}

fn describe_quorum(client: &mut Client) -> DescribeQuorumResponse {
    let partition = describe_quorum_request::PartitionData::default();
    let one = describe_quorum_request::TopicData::default()
        .with_topic_name(topic("__cluster_metadata"))
        .with_partitions(vec![partition]);
    client.ask(&DescribeQuorumRequest::default().with_topics(vec![one]), 2)
}

fn update_features(client: &mut Client) -> UpdateFeaturesResponse {
    client.ask(&UpdateFeaturesRequest::default().with_timeout_ms(10_000).with_validate_only(true), 1)
}

fn elect_leaders(client: &mut Client) -> ElectLeadersResponse {
    let one = |name| elect_leaders_request::TopicPartitions::default().with_topic(name).with_partitions(vec![0]);
    let request = ElectLeadersRequest::default().with_topic_partitions(Some(both(one))).with_timeout_ms(10_000);
    client.ask(&request, 2)
}

fn list_reassignments(client: &mut Client) -> ListPartitionReassignmentsResponse {
    client.ask(&ListPartitionReassignmentsRequest::default().with_timeout_ms(10_000).with_topics(None), 0)
}

fn alter_reassignments(client: &mut Client) -> AlterPartitionReassignmentsResponse {
    let one = |name| {
        let partition = alter_partition_reassignments_request::ReassignablePartition::default().with_replicas(None);
        alter_partition_reassignments_request::ReassignableTopic::default()
            .with_name(name)
            .with_partitions(vec![partition])
    };
    client.ask(&AlterPartitionReassignmentsRequest::default().with_timeout_ms(10_000).with_topics(both(one)), 0)
}

fn unregister_broker(client: &mut Client) -> UnregisterBrokerResponse {
    client.ask(&UnregisterBrokerRequest::default().with_broker_id(BrokerId(99)), 0)
}

fn list_config_resources(client: &mut Client) -> ListConfigResourcesResponse {
    client.ask(&ListConfigResourcesRequest::default().with_resource_types(vec![16]), 1)
}

fn describe_client_quotas(client: &mut Client) -> DescribeClientQuotasResponse {
    client.ask(&DescribeClientQuotasRequest::default(), 1)
}

fn alter_client_quotas(client: &mut Client) -> AlterClientQuotasResponse {
    let entity = alter_client_quotas_request::EntityData::default()
        .with_entity_type(text("user"))
        .with_entity_name(Some(text("golden.user")));
    let op = alter_client_quotas_request::OpData::default().with_key(text("producer_byte_rate")).with_value(1000.0);
    let entry = alter_client_quotas_request::EntryData::default().with_entity(vec![entity]).with_ops(vec![op]);
    client.ask(&AlterClientQuotasRequest::default().with_entries(vec![entry]).with_validate_only(true), 1)
}

fn describe_scram(client: &mut Client) -> DescribeUserScramCredentialsResponse {
    let user = describe_user_scram_credentials_request::UserName::default().with_name(text("golden.user"));
    client.ask(&DescribeUserScramCredentialsRequest::default().with_users(Some(vec![user])), 0)
}

fn alter_scram(client: &mut Client) -> AlterUserScramCredentialsResponse {
    let one = alter_user_scram_credentials_request::ScramCredentialDeletion::default()
        .with_name(text("golden.user"))
        .with_mechanism(1);
    client.ask(&AlterUserScramCredentialsRequest::default().with_deletions(vec![one]), 0)
}

fn list_groups(client: &mut Client) -> ListGroupsResponse {
    client.ask(&ListGroupsRequest::default(), 4)
}

/// Administrative cases.
pub(super) const CASES: &[Case] = &[
    case("DescribeGroups", &[DESCRIBE_GROUP], |client| shown(describe_groups(client))),
    case("ListGroups", &[DESCRIBE_CLUSTER, DESCRIBE_GROUP], |client| shown(list_groups(client))),
    case("DeleteRecords", &[need(Op::Delete, On::Topic)], |client| shown(delete_records(client))),
    case("DescribeConfigs", CONFIGS_SEEN, |client| shown(describe_configs(client))),
    case("AlterConfigs", CONFIGS_CHANGED, |client| shown(alter_configs(client))),
    case("AlterReplicaLogDirs", &[ALTER_CLUSTER], |client| shown(alter_replica_log_dirs(client))),
    case("DescribeLogDirs", &[DESCRIBE_CLUSTER], |client| shown(describe_log_dirs(client))),
    case("CreatePartitions", &[need(Op::Alter, On::Topic)], |client| shown(create_partitions(client))),
    case("ElectLeaders", &[ALTER_CLUSTER], |client| shown(elect_leaders(client))),
    case("IncrementalAlterConfigs", CONFIGS_CHANGED, |client| shown(incremental_alter_configs(client))),
    case("AlterPartitionReassignments", &[ALTER_CLUSTER], |client| shown(alter_reassignments(client))),
    case("ListPartitionReassignments", &[DESCRIBE_CLUSTER], |client| shown(list_reassignments(client))),
    Case {
        name: "OffsetDelete",
        needs: &[need(Op::Delete, On::Group), need(Op::Read, On::Topic)],
        changes: true,
        ask: |client| shown(offset_delete(client)),
    },
    case("DescribeClientQuotas", &[DESCRIBE_CONFIGS], |client| shown(describe_client_quotas(client))),
    case("AlterClientQuotas", &[ALTER_CONFIGS], |client| shown(alter_client_quotas(client))),
    case("DescribeUserScramCredentials", &[DESCRIBE_CLUSTER], |client| shown(describe_scram(client))),
    case("AlterUserScramCredentials", &[ALTER_CLUSTER], |client| shown(alter_scram(client))),
    case("DescribeQuorum", &[DESCRIBE_CLUSTER], |client| shown(describe_quorum(client))),
    case("UpdateFeatures", &[ALTER_CLUSTER], |client| shown(update_features(client))),
    case("DescribeProducers", &[need(Op::Read, On::Topic)], |client| shown(describe_producers(client))),
    case("UnregisterBroker", &[ALTER_CLUSTER], |client| shown(unregister_broker(client))),
    case("ListConfigResources", &[DESCRIBE_CONFIGS], |client| shown(list_config_resources(client))),
    Case {
        name: "DeleteGroups",
        needs: &[need(Op::Delete, On::Group)],
        changes: true,
        ask: |client| shown(delete_groups(client)),
    },
];
