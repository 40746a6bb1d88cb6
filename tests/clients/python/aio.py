"""aiokafka with its default settings."""

import asyncio

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from scenario import BASE, BOOTSTRAP, GROUPED, LIMIT, MORE, RECORDS, Deadline, Shares, check_record, equal, report, value

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


async def produce(codec):
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, compression_type=None if codec == "none" else codec)
    await producer.start()
    acknowledgements = [
        await producer.send(
            f"codec-{codec}",
            value(codec, i),
            f"k{i}".encode(),
            timestamp_ms=BASE + i * 1000,
            headers=[("n", str(i).encode())],
        )
        for i in range(RECORDS)
    ]
    for i, acknowledgement in enumerate(acknowledgements):
        equal(f"offset acknowledged, {codec}", i, (await asyncio.wait_for(acknowledgement, LIMIT)).offset)
    await producer.stop()


async def consumer(topics=(), group=None):
    client = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=BOOTSTRAP,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await client.start()
    return client


async def take(client, count, what):
    """Polls until `count` records are there."""
    deadline = Deadline(what)
    taken = []
    while len(taken) < count:
        deadline.check()
        for records in (await client.getmany(timeout_ms=100)).values():
            taken.extend(records)
    return taken


async def consume_alone(codec):
    partition = TopicPartition(f"codec-{codec}", 0)
    client = await consumer()
    client.assign([partition])
    await client.seek_to_beginning(partition)
    for i, record in enumerate(await take(client, RECORDS, f"the records of {codec}")):
        check_record(codec, i, record.offset, record.key, record.value, record.timestamp, record.headers)
    equal("end offset", RECORDS, (await client.end_offsets([partition]))[partition])
    await client.stop()


async def seek_by_timestamp():
    partition = TopicPartition("codec-gzip", 0)
    client = await consumer()
    client.assign([partition])
    found = (await client.offsets_for_times({partition: BASE + 249_500}))[partition]
    equal("offset for a timestamp", 250, found.offset)
    client.seek(partition, found.offset)
    records = await take(client, RECORDS - 250, "the records after seek")
    equal("offsets after seek", list(range(250, RECORDS)), [record.offset for record in records])
    await client.stop()


async def produce_grouped(start, count):
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP)
    await producer.start()
    for i in range(start, start + count):
        await producer.send("grouped", value("grouped", i), str(i).encode(), partition=i % 4)
    await producer.stop()


async def consume_in_group(members, start, count):
    group = await asyncio.gather(*(consumer(["grouped"], "aiokafka") for _ in range(members)))
    shares = Shares(members, start, count)
    produced = False
    while not shares.complete():
        for member, client in enumerate(group):
            for records in (await client.getmany(timeout_ms=50)).values():
                for record in records:
                    shares.read(member, record.key, record.value)
        if not produced and all(len(client.assignment()) == 4 // members for client in group):
            await produce_grouped(start, count)
            produced = True
    for client in group:
        await client.commit()
        for partition in client.assignment():
            equal(f"committed offset of {partition}", await client.position(partition), await client.committed(partition))
        await client.stop()
    return shares.per_member


async def main():
    for codec in CODECS:
        await produce(codec)
        await consume_alone(codec)
    await seek_by_timestamp()
    admin = AIOKafkaAdminClient(bootstrap_servers=BOOTSTRAP)
    await admin.start()
    await admin.create_topics([NewTopic("grouped", 4, 1)])
    await admin.close()
    per_member = await consume_in_group(2, 0, GROUPED)
    await consume_in_group(1, GROUPED, MORE)
    report("aiokafka", aiokafka.__version__, CODECS, per_member)


asyncio.run(main())
