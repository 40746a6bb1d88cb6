"""The admin client of kafka-python: every call that it offers, with its answer looked at."""

import uuid

import kafka
import kafka.errors as errors
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import (
    ACL, ACLFilter, ACLOperation, ACLPermissionType, ACLResourcePatternType, AlterConfigOp, ConfigResource, MemberToRemove,
    OffsetSpec, ResourcePattern, ResourcePatternFilter, ResourceType, ScramMechanism, UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from kafka.protocol.api_key import ApiKey
from kafka.structs import OffsetAndMetadata, TopicPartitionReplica

from admin_calls import BASE, BOOTSTRAP, LOGIN, RECORDS, Calls, equal, fail, holds, until

TOPIC = "kafka-python-admin"
GROUP = "kafka-python-admin-group"
FIRST = TopicPartition(TOPIC, 0)
# Calls without a check, and why.
WITHOUT = {
    "abort_transaction": "transactions",
    "describe_transactions": "transactions",
    "find_hanging_transactions": "transactions",
    "list_transactions": "transactions",
}


def refused(what, error, call):
    try:
        call()
    except error:
        return
    fail(f"{what} was not refused with {error.__name__}")


def topics(calls):
    wanted = {TOPIC: {"num_partitions": 2, "replication_factor": 1, "configs": {"retention.ms": "86400000"}}}
    calls.create_topics(wanted, validate_only=True)
    equal("made by a validation", False, TOPIC in calls.list_topics())
    (made,) = calls.create_topics(wanted)["topics"]
    equal("made", (TOPIC, 0, 2, 1), tuple(made[key] for key in ("name", "error_code", "num_partitions", "replication_factor")))
    equal("setting of what was made", "86400000", made["configs"]["retention.ms"]["value"])
    calls.wait_for_topics([TOPIC])
    refused("a topic made twice", errors.TopicAlreadyExistsError, lambda: calls.create_topics(wanted))
    calls.create_partitions({TOPIC: 3})
    until("the third partition", 3, lambda: len(calls.describe_topics([TOPIC])[0]["partitions"]))
    refused("fewer partitions", errors.InvalidPartitionsError, lambda: calls.create_partitions({TOPIC: 1}))
    (described,) = calls.describe_topics([TOPIC])
    equal("partitions", [0, 1, 2], sorted(part["partition_index"] for part in described["partitions"]))
    operations = {"READ", "WRITE", "CREATE", "DELETE", "ALTER", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS"}
    equal("permitted on the topic", operations, set(described["authorized_operations"]))
    (by_id,) = calls.describe_topics([uuid.UUID(described["topic_id"])])
    equal("described by its id", TOPIC, by_id["name"])
    page = calls.describe_topic_partitions([TOPIC], response_partition_limit=2)
    equal("a page of partitions", [0, 1], [part["partition_index"] for part in page["topics"][0]["partitions"]])
    equal("its cursor", {"topic_name": TOPIC, "partition_index": 2}, page["next_cursor"])
    page = calls.describe_topic_partitions([TOPIC], cursor=page["next_cursor"])
    equal("the next page", ([2], None), ([part["partition_index"] for part in page["topics"][0]["partitions"]], page["next_cursor"]))


def cluster(calls):
    described = calls.describe_cluster()
    (broker,) = described["brokers"]
    host, port = BOOTSTRAP.split(":")
    equal("broker", (host, int(port)), (broker["host"], broker["port"]))
    equal("controller", broker["broker_id"], described["controller_id"])
    node = broker["broker_id"]
    holds("permitted on the cluster", "CLUSTER_ACTION", described["authorized_operations"])
    (dirs,) = calls.describe_log_dirs({TOPIC: [0, 1, 2]})
    equal("broker of the log directories", node, dirs["broker"])
    (log_dir,) = dirs["log_dirs"]
    equal("logs", [0, 1, 2], sorted(part["partition_index"] for part in log_dir["topics"][0]["partitions"]))
    moved = TopicPartitionReplica(topic=TOPIC, partition=0, broker_id=node)
    equal("moved to where it is", {moved: errors.NoError}, calls.alter_replica_log_dirs({moved: log_dir["log_dir"]}))
    equal("moved to nowhere", {moved: errors.LogDirNotFoundError}, calls.alter_replica_log_dirs({moved: "/nowhere"}))
    quorum = calls.describe_metadata_quorum()
    part = quorum["topics"][0]["partitions"][0]
    equal("quorum", (None, node, [node]), (part["error"], part["leader_id"], [voter["replica_id"] for voter in part["current_voters"]]))
    versions = calls.api_versions()
    equal("versions of Produce and CreateTopics", [(0, 13), (2, 7)], [versions[ApiKey(key)] for key in (0, 19)])
    equal("versions of the broker", dict(versions), {ApiKey(key): span for key, span in calls.get_broker_version_data(node).api_versions.items()})
    features = calls.describe_features()["metadata.version"]
    _, level = features["finalized"]
    equal("a feature within its bounds", True, features["supported"][0] <= level <= features["supported"][1])
    equal("a feature as it is", {"metadata.version": "OK"}, calls.update_features({"metadata.version": ("UPGRADE", level)}, validate_only=True))
    refused("a feature too high", errors.BrokerResponseError, lambda: calls.update_features({"metadata.version": ("UPGRADE", 999)}))
    equal("moved to its own broker", {FIRST: None}, calls.alter_partition_reassignments({FIRST: [node]}))
    equal("moved to no broker", {FIRST: errors.InvalidReplicationAssignmentError}, calls.alter_partition_reassignments({FIRST: [77]}))
    equal("reassignments", {}, calls.list_partition_reassignments())
    election = calls.elect_leaders(0, {TOPIC: [0]})
    equal("an election", [84], [part.error_code for part in election.replica_election_results[0].partition_result])


def configs(calls):
    def read(kind="all"):
        return calls.describe_configs([ConfigResource("topic", TOPIC)], include_synonyms=True, config_filter=kind)["topic"][TOPIC]

    equal("changed", ["retention.ms"], list(read("modified")))
    segment = read()["segment.bytes"]
    equal("a default", ("1073741824", "DEFAULT_CONFIG", "INT"), (segment["value"], segment["config_source"], segment["config_type"]))
    change = {"retention.ms": "7200000", "cleanup.policy": (AlterConfigOp.APPEND, "compact")}
    validated = calls.alter_configs([ConfigResource("topic", TOPIC, {"retention.ms": "1"})], validate_only=True)
    equal("validated", {"topic": {TOPIC: "OK"}}, validated)
    equal("not changed by a validation", "86400000", read()["retention.ms"]["value"])
    equal("altered", {"topic": {TOPIC: "OK"}}, calls.alter_configs([ConfigResource("topic", TOPIC, change)]))
    until("values", ("7200000", "delete,compact"), lambda: tuple(read()[key]["value"] for key in ("retention.ms", "cleanup.policy")))
    equal("reset", {"topic": {TOPIC: "OK"}}, calls.reset_configs([ConfigResource("topic", TOPIC, ["cleanup.policy"])]))
    until("as before", "delete", lambda: read()["cleanup.policy"]["value"])
    whole = [ConfigResource("topic", TOPIC, {"retention.ms": "3600000"})]
    equal("altered as a whole", {"topic": {TOPIC: "OK"}}, calls.alter_configs(whole, incremental=False))
    until("value", "3600000", lambda: read()["retention.ms"]["value"])
    wrong = calls.alter_configs([ConfigResource("topic", TOPIC, {"retention.ms": "long"})])["topic"][TOPIC]
    holds("a setting that is no number", "Invalid value long for configuration retention.ms", wrong)
    node = str(calls.describe_cluster()["controller_id"])
    equal("altered the broker", {"broker": {node: "OK"}}, calls.alter_configs([ConfigResource("broker", node, {"log.retention.ms": "9000000"})]))
    below = {"name": "log.retention.ms", "value": "9000000", "source": "DYNAMIC_BROKER_CONFIG"}
    until("the broker's value below", [below], lambda: read()["retention.ms"]["synonyms"][1:2])
    calls.reset_configs([ConfigResource("broker", node, ["log.retention.ms"])])
    subscription = ConfigResource("client_metrics", "kafka-python", {"interval.ms": "60000"})
    equal("a subscription", {"client_metrics": {"kafka-python": "OK"}}, calls.alter_configs([subscription], raise_on_unknown=False))
    until("subscriptions", ["kafka-python"], lambda: calls.list_config_resources(["client_metrics"]).get("client_metrics"))
    holds("topics with settings", TOPIC, calls.list_config_resources()["topic"])
    calls.reset_configs([ConfigResource("client_metrics", "kafka-python", ["interval.ms"])], raise_on_unknown=False)


def offsets(calls):
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, **LOGIN)
    for i in range(RECORDS):
        producer.send(TOPIC, f"v{i}".encode(), partition=0, timestamp_ms=BASE + i * 1000)
    producer.flush()
    states = calls.describe_producers([FIRST])[FIRST].active_producers
    equal("producers", [RECORDS - 1], [state.last_sequence for state in states])
    producer.close()
    for what, spec, expected in [
        ("earliest", OffsetSpec.EARLIEST, 0),
        ("latest", OffsetSpec.LATEST, RECORDS),
        ("of the highest time", OffsetSpec.MAX_TIMESTAMP, RECORDS - 1),
        ("of a time", BASE + 49_500, 50),
    ]:
        equal(f"offset {what}", expected, calls.list_partition_offsets({FIRST: spec})[FIRST].offset)
    equal("records deleted", 10, calls.delete_records({FIRST: 10})[FIRST]["low_watermark"])
    equal("earliest after that", 10, calls.list_partition_offsets({FIRST: OffsetSpec.EARLIEST})[FIRST].offset)
    refused("records deleted behind the end", errors.OffsetOutOfRangeError, lambda: calls.delete_records({FIRST: 1000}))


def groups(calls):
    equal("committed", {FIRST: errors.NoError}, calls.alter_group_offsets(GROUP, {FIRST: OffsetAndMetadata(42, "why", -1)}))
    found = calls.list_group_offsets({GROUP: [FIRST]})[GROUP][FIRST]
    equal("offset", (42, "why"), (found.offset, found.metadata))
    equal("reset", {FIRST: {"error": errors.NoError, "offset": 10}}, calls.reset_group_offsets(GROUP, {FIRST: OffsetSpec.EARLIEST}))
    equal("offset after that", 10, calls.list_group_offsets(GROUP)[GROUP][FIRST].offset)
    equal("listed", ["Empty"], [group["group_state"] for group in calls.list_groups() if group["group_id"] == GROUP])
    equal("listed by state", [], [group for group in calls.list_groups(states_filter=["Stable"]) if group["group_id"] == GROUP])
    equal("offset deleted", {FIRST: errors.NoError}, calls.delete_group_offsets(GROUP, [FIRST]))
    equal("offsets after that", {}, calls.list_group_offsets(GROUP)[GROUP])
    consumer = KafkaConsumer(bootstrap_servers=BOOTSTRAP, group_id=GROUP, group_instance_id="one", **LOGIN)
    # Before it joins: kafka_python.py says why.
    equal("partitions, for a consumer", {0, 1, 2}, consumer.partitions_for_topic(TOPIC))
    consumer.subscribe([TOPIC])
    until("assigned", True, lambda: consumer.poll(timeout_ms=1000) is not None and bool(consumer.assignment()))
    described = calls.describe_groups([GROUP], include_authorized_operations=True)[GROUP]
    equal("described", (None, "Stable", "consumer", 1),
          (described["error"], described["group_state"], described["protocol_type"], len(described["members"])))
    equal("permitted on the group", {"READ", "DELETE", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS"}, set(described["authorized_operations"]))
    member = described["members"][0]
    equal("its assignment", [0, 1, 2], sorted(member["member_assignment"]["assigned_partitions"][0]["partitions"]))
    equal("deleted with a member", {GROUP: "NonEmptyGroupError"}, calls.delete_groups([GROUP]))
    refused_members = calls.remove_group_members(GROUP, [MemberToRemove(group_instance_id="two")])
    equal("a member that is not there", [errors.UnknownMemberIdError], list(refused_members.values()))
    removed = calls.remove_group_members(GROUP, [MemberToRemove(group_instance_id="one", reason="the test")])
    equal("a member removed", [errors.NoError], list(removed.values()))
    equal("members after that", 0, len(calls.describe_groups([GROUP])[GROUP]["members"]))
    consumer.close(autocommit=False)
    equal("deleted", {GROUP: "OK"}, calls.delete_groups([GROUP]))
    equal("deleted twice", {GROUP: "GroupIdNotFoundError"}, calls.delete_groups([GROUP]))


def acls(calls):
    pattern = (ResourceType.TOPIC, "kafka-python-", ACLResourcePatternType.PREFIXED)
    rule = ACL("User:kafka-python", "*", ACLOperation.READ, ACLPermissionType.ALLOW, ResourcePattern(*pattern))
    made = calls.create_acls([rule])
    equal("made", ([rule], []), (made["succeeded"], made["failed"]))
    which = ACLFilter("User:kafka-python", "*", ACLOperation.ANY, ACLPermissionType.ANY, ResourcePatternFilter(*pattern))
    until("described", ([rule], errors.NoError), lambda: calls.describe_acls(which))
    ((_, deleted, error),) = calls.delete_acls([which])
    equal("deleted", ([rule], errors.NoError), (deleted, error))
    until("no rule", ([], errors.NoError), lambda: calls.describe_acls(which))


def users(calls):
    equal("made", {"kp": None}, calls.alter_user_scram_credentials([UserScramCredentialUpsertion("kp", "SCRAM-SHA-256", "a password", 8192)]))
    login = {"error": None, "credential_infos": [{"mechanism": ScramMechanism.SCRAM_SHA_256, "iterations": 8192}]}
    until("described", login, lambda: calls.describe_user_scram_credentials(["kp"])["kp"])
    equal("deleted", {"kp": None}, calls.alter_user_scram_credentials([UserScramCredentialDeletion("kp", "SCRAM-SHA-256")]))
    until("all of them", {}, calls.describe_user_scram_credentials)


def main():
    calls = Calls(KafkaAdminClient(bootstrap_servers=BOOTSTRAP, **LOGIN))
    for part in (topics, cluster, configs, offsets, groups, acls, users):
        part(calls)
    (deleted,) = calls.delete_topics([TOPIC])["topics"]
    equal("deleted", (TOPIC, 0), (deleted["name"], deleted["error_code"]))
    until("listed no more", False, lambda: TOPIC in calls.list_topics())
    calls.close()
    calls.report("kafka-python", kafka.__version__, WITHOUT)


main()
