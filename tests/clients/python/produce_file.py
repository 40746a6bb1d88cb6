"""Produces every line of a file with confluent-kafka's idempotent producer, through whatever happens to the broker.

produce_file.py TOPIC FILE PROGRESS: PROGRESS grows by one byte for every thousand acknowledged lines.
"""

import sys

from confluent_kafka import Producer

from scenario import BOOTSTRAP, fail

# A broker that is killed comes back within this time.
DELIVERY_TIMEOUT_MS = 120_000
STEP = 1000


def main(topic, path, progress_path):
    producer = Producer(
        {
            "bootstrap.servers": BOOTSTRAP,
            "enable.idempotence": True,
            "delivery.timeout.ms": DELIVERY_TIMEOUT_MS,
            "log_level": 3,
        }
    )
    acknowledged = 0
    progress = open(progress_path, "wb", buffering=0)

    def delivered(error, message):
        nonlocal acknowledged
        if error:
            fail(f"line refused: {error}")
        acknowledged += 1
        if acknowledged % STEP == 0:
            progress.write(b".")

    sent = 0
    with open(path, "rb") as lines:
        for line in lines:
            while True:
                try:
                    producer.produce(topic, line[:-1], on_delivery=delivered)
                    break
                except BufferError:
                    producer.poll(0.1)
            sent += 1
            if sent % STEP == 0:
                producer.poll(0)
    left = producer.flush(DELIVERY_TIMEOUT_MS / 1000)
    if left or acknowledged != sent:
        fail(f"{acknowledged} of {sent} lines acknowledged, {left} left")


main(*sys.argv[1:])
