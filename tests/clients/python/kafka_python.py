"""kafka-python with its default settings.

Two faults of kafka-python 3.0.12 are walked around, which it shows on Apache Kafka as well: a rebalance that ends between two
calls of poll is forgotten and joined again, without end where the members are polled in turn; and a leader that assigns
before it has heard of the topic's partitions may never notice them. So members are polled at the same time and for long, as
programs of their own would, and have asked for the partitions before they join. A member that joins again still shows the
assignment it had, and may not commit: a group has settled when all its members are stable in one generation.
"""

from concurrent.futures import ThreadPoolExecutor

import kafka
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.structs import MemberState

from scenario import BASE, BOOTSTRAP, GROUPED, KAFKA_PYTHON, LIMIT, MORE, RECORDS, Deadline, Shares, check_record, equal, report, value

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def produce(codec):
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, compression_type=None if codec == "none" else codec, **KAFKA_PYTHON)
    acknowledgements = [
        producer.send(
            f"codec-{codec}",
            value(codec, i),
            f"k{i}".encode(),
            headers=[("n", str(i).encode())],
            timestamp_ms=BASE + i * 1000,
        )
        for i in range(RECORDS)
    ]
    producer.flush(LIMIT)
    for i, acknowledgement in enumerate(acknowledgements):
        equal(f"offset acknowledged, {codec}", i, acknowledgement.get(LIMIT).offset)
    producer.close()


def consumer(group=None):
    return KafkaConsumer(
        bootstrap_servers=BOOTSTRAP,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **KAFKA_PYTHON,
    )


def take(client, count, what):
    """Polls until `count` records are there."""
    deadline = Deadline(what)
    taken = []
    while len(taken) < count:
        deadline.check()
        for records in client.poll(timeout_ms=100).values():
            taken.extend(records)
    return taken


def consume_alone(codec):
    partition = TopicPartition(f"codec-{codec}", 0)
    client = consumer()
    client.assign([partition])
    client.seek_to_beginning(partition)
    for i, record in enumerate(take(client, RECORDS, f"the records of {codec}")):
        check_record(codec, i, record.offset, record.key, record.value, record.timestamp, record.headers)
    equal("end offset", RECORDS, client.end_offsets([partition])[partition])
    client.close()


def seek_by_timestamp():
    partition = TopicPartition("codec-gzip", 0)
    client = consumer()
    client.assign([partition])
    found = client.offsets_for_times({partition: BASE + 249_500})[partition]
    equal("offset for a timestamp", 250, found.offset)
    client.seek(partition, found.offset)
    records = take(client, RECORDS - 250, "the records after seek")
    equal("offsets after seek", list(range(250, RECORDS)), [record.offset for record in records])
    client.close()


def produce_grouped(start, count):
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, **KAFKA_PYTHON)
    for i in range(start, start + count):
        producer.send("grouped", value("grouped", i), str(i).encode(), partition=i % 4)
    producer.flush(LIMIT)
    producer.close()


def settled(group):
    """Whether each member has its share, in one generation that none of them is about to leave."""
    memberships = [client.group_metadata() for client in group]
    stable = all(membership.state == MemberState.STABLE for membership in memberships)
    one_generation = len({membership.generation_id for membership in memberships}) == 1
    return stable and one_generation and all(len(client.assignment()) == 4 // len(group) for client in group)


def consume_in_group(members, start, count):
    group = [consumer("kafka-python") for _ in range(members)]
    for client in group:
        equal("partitions", {0, 1, 2, 3}, client.partitions_for_topic("grouped"))
        client.subscribe(["grouped"])
    shares = Shares(members, start, count)
    produced = False
    while not shares.complete():
        with ThreadPoolExecutor(members) as threads:
            polled = list(threads.map(lambda client: client.poll(timeout_ms=1000), group))
        for member, taken in enumerate(polled):
            for records in taken.values():
                for record in records:
                    shares.read(member, record.key, record.value)
        if not produced and settled(group):
            produce_grouped(start, count)
            produced = True
    for client in group:
        client.commit()
        for partition in client.assignment():
            equal(f"committed offset of {partition}", client.position(partition), client.committed(partition))
        client.close()
    return shares.per_member


def main():
    for codec in CODECS:
        produce(codec)
        consume_alone(codec)
    seek_by_timestamp()
    admin = KafkaAdminClient(bootstrap_servers=BOOTSTRAP, **KAFKA_PYTHON)
    admin.create_topics([NewTopic("grouped", 4, 1)])
    admin.close()
    per_member = consume_in_group(2, 0, GROUPED)
    consume_in_group(1, GROUPED, MORE)
    report("kafka-python", kafka.__version__, CODECS, per_member)


main()
