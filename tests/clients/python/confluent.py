"""confluent-kafka with its default settings."""

import confluent_kafka
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from scenario import BASE, BOOTSTRAP, GROUPED, LIBRDKAFKA, LIMIT, MORE, RECORDS, Shares, check_record, equal, fail, report, value

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def produce(codec):
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "compression.type": codec, **LIBRDKAFKA})
    offsets = []

    def acknowledged(error, message):
        if error:
            fail(f"produce {codec}: {error}")
        offsets.append(message.offset())

    for i in range(RECORDS):
        producer.produce(
            f"codec-{codec}",
            value(codec, i),
            f"k{i}".encode(),
            timestamp=BASE + i * 1000,
            headers=[("n", str(i).encode())],
            on_delivery=acknowledged,
        )
    equal("records left after flush", 0, producer.flush(LIMIT))
    equal("offsets acknowledged", list(range(RECORDS)), offsets)


def consumer(group="alone"):
    return Consumer(
        {
            "bootstrap.servers": BOOTSTRAP,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **LIBRDKAFKA,
        }
    )


def poll(client, what):
    message = client.poll(LIMIT)
    if message is None:
        fail(f"waited too long for {what}")
    if message.error():
        fail(f"{what}: {message.error()}")
    return message


def consume_alone(codec):
    client = consumer()
    client.assign([TopicPartition(f"codec-{codec}", 0, confluent_kafka.OFFSET_BEGINNING)])
    for i in range(RECORDS):
        message = poll(client, f"record {i} of {codec}")
        check_record(codec, i, message.offset(), message.key(), message.value(), message.timestamp()[1], message.headers())
    equal("watermarks", (0, RECORDS), client.get_watermark_offsets(TopicPartition(f"codec-{codec}", 0)))
    client.close()


def seek_by_timestamp():
    client = consumer()
    (found,) = client.offsets_for_times([TopicPartition("codec-gzip", 0, BASE + 249_500)], LIMIT)
    equal("offset for a timestamp", 250, found.offset)
    client.assign([found])
    for offset in range(250, RECORDS):
        equal("offset after seek", offset, poll(client, "a record after seek").offset())
    client.close()


def produce_grouped(start, count):
    producer = Producer({"bootstrap.servers": BOOTSTRAP, **LIBRDKAFKA})
    for i in range(start, start + count):
        producer.produce("grouped", value("grouped", i), str(i).encode(), partition=i % 4)
    equal("records left after flush", 0, producer.flush(LIMIT))


def consume_in_group(members, start, count):
    group = [consumer("confluent") for _ in range(members)]
    for client in group:
        client.subscribe(["grouped"])
    shares = Shares(members, start, count)
    produced = False
    while not shares.complete():
        for member, client in enumerate(group):
            for message in client.consume(100, 0.05):
                if message.error():
                    fail(f"consume in group: {message.error()}")
                shares.read(member, message.key(), message.value())
        if not produced and all(len(client.assignment()) == 4 // members for client in group):
            produce_grouped(start, count)
            produced = True
    for client in group:
        committed = client.commit(asynchronous=False)
        for partition in committed:
            if partition.error:
                fail(f"commit: {partition.error}")
        client.close()
    return shares.per_member


def main():
    for codec in CODECS:
        produce(codec)
        consume_alone(codec)
    seek_by_timestamp()
    admin = AdminClient({"bootstrap.servers": BOOTSTRAP, **LIBRDKAFKA})
    admin.create_topics([NewTopic("grouped", 4, 1)])["grouped"].result(LIMIT)
    per_member = consume_in_group(2, 0, GROUPED)
    consume_in_group(1, GROUPED, MORE)
    version = confluent_kafka.libversion()[0]
    report("confluent-kafka", version, CODECS, per_member)


main()
