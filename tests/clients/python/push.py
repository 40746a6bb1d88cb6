"""A producer of librdkafka that lives until it is killed, and pushes its metrics."""

import os

from confluent_kafka import Producer

producer = Producer({"bootstrap.servers": os.environ["BOOTSTRAP"], "client.id": "of-librdkafka", "enable.metrics.push": True})
while True:
    producer.produce("librdkafka", b"a record")
    producer.poll(0.1)
