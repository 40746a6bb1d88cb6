"""The admin client of aiokafka: every call that it offers, with its answer looked at."""

import asyncio

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidPartitionsError

from admin_calls import BASE, BOOTSTRAP, LOGIN, RECORDS, Calls, equal, fail, holds, until_async

TOPIC = "aiokafka-admin"
GROUP = "aiokafka-admin-group"
FIRST = TopicPartition(TOPIC, 0)


async def topics(calls):
    wanted = [NewTopic(TOPIC, 2, 1, topic_configs={"retention.ms": "86400000"})]
    await calls.create_topics(wanted, validate_only=True)
    equal("made by a validation", False, TOPIC in await calls.list_topics())
    for what, code in [("made", 0), ("made twice", 36)]:
        answer = await calls.create_topics(wanted)
        equal(what, [(TOPIC, code)], [tuple(error[:2]) for error in answer.topic_errors])
    await until_async("listed", lambda: calls.list_topics(), lambda found: TOPIC in found)
    await calls.create_partitions({TOPIC: NewPartitions(3)})
    await until_async("the third partition", lambda: calls.describe_topics([TOPIC]), lambda found: len(found[0]["partitions"]) == 3)
    try:
        await calls.create_partitions({TOPIC: NewPartitions(1)})
        fail("fewer partitions were not refused")
    except InvalidPartitionsError as error:
        holds("why", "currently has 3 partition(s)", str(error))
    (described,) = await calls.describe_topics([TOPIC])
    equal("described", (0, TOPIC, [0, 1, 2]),
          (described["error_code"], described["topic"], sorted(part["partition"] for part in described["partitions"])))


async def cluster(calls):
    described = await calls.describe_cluster()
    (broker,) = described["brokers"]
    equal("broker", BOOTSTRAP, f"{broker['host']}:{broker['port']}")
    equal("controller", broker["node_id"], described["controller_id"])
    equal("length of the cluster id", 22, len(described["cluster_id"]))
    equal("coordinator", broker["node_id"], await calls.find_coordinator(GROUP))


async def configs(calls):
    async def read(kind, name, key):
        (answer,) = await calls.describe_configs([ConfigResource(kind, name, {key: None})], include_synonyms=True)
        ((code, _, found_kind, found_name, entries),) = answer.resources
        equal("resource", (0, kind, name), (code, found_kind, found_name))
        return entries[0][:2]

    topic = ConfigResourceType.TOPIC
    equal("a setting of the topic", ("retention.ms", "86400000"), await read(topic, TOPIC, "retention.ms"))
    (answer,) = await calls.alter_configs([ConfigResource(topic, TOPIC, {"retention.ms": "7200000"})])
    equal("altered", [(0, topic, TOPIC)], [(code, kind, name) for code, _, kind, name in answer.resources])
    await until_async("value", lambda: read(topic, TOPIC, "retention.ms"), lambda found: found == ("retention.ms", "7200000"))
    node = str((await calls.describe_cluster())["controller_id"])
    equal("a setting of the broker", ("node.id", node), await read(ConfigResourceType.BROKER, node, "node.id"))


async def records(calls):
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, **LOGIN)
    await producer.start()
    for i in range(RECORDS):
        await producer.send(TOPIC, f"v{i}".encode(), partition=0, timestamp_ms=BASE + i * 1000)
    await producer.stop()
    equal("deleted up to", {FIRST: 10}, await calls.delete_records({FIRST: RecordsToDelete(10)}))


async def groups(calls):
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=BOOTSTRAP, group_id=GROUP, **LOGIN)
    await consumer.start()
    await consumer.commit({FIRST: (42, "why")})
    ((described, *_),) = [answer.groups for answer in await calls.describe_consumer_groups([GROUP])]
    equal("described", (0, GROUP, "Stable", "consumer"), tuple(described[:4]))
    equal("members", 1, len(described[5]))
    holds("groups", (GROUP, "consumer"), [tuple(group[:2]) for group in await calls.list_consumer_groups()])
    for partitions in (None, [FIRST]):
        committed = await calls.list_consumer_group_offsets(GROUP, partitions=partitions)
        equal("committed", (42, "why"), (committed[FIRST].offset, committed[FIRST].metadata))
    await consumer.stop()


async def main():
    calls = Calls(AIOKafkaAdminClient(bootstrap_servers=BOOTSTRAP, **LOGIN))
    await calls.start()
    for part in (topics, cluster, configs, records, groups):
        await part(calls)
    answer = await calls.delete_topics([TOPIC])
    equal("deleted", [(TOPIC, 0)], [tuple(error[:2]) for error in answer.topic_error_codes])
    await until_async("listed no more", lambda: calls.list_topics(), lambda found: TOPIC not in found)
    await calls.close()
    calls.report("aiokafka", aiokafka.__version__, {})


asyncio.run(main())
