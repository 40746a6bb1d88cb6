"""What the Python clients share: the records, and the checks on them."""

import json
import os
import sys
import time

BOOTSTRAP = os.environ["BOOTSTRAP"]
# Lanes that go over TLS or log in give librdkafka's settings, separated by blanks, and those of kafka-python as JSON.
LIBRDKAFKA = dict(setting.split("=", 1) for setting in os.environ.get("LIBRDKAFKA", "").split())
KAFKA_PYTHON = json.loads(os.environ.get("KAFKA_PYTHON", "{}"))
# An hour ago: retention goes by the time of the records.
BASE = int(time.time() * 1000) - 3_600_000
RECORDS = 500
GROUPED = 400
MORE = 40
LIMIT = 60


def value(name, i):
    return f"{name} record {i} é {'x' * (i * 37 % 900)}".encode()


def fail(message):
    sys.exit(message)


def equal(what, expected, found):
    if expected != found:
        fail(f"{what}: expected {expected!r}, found {found!r}")


def check_record(codec, i, offset, key, found, timestamp, headers):
    equal("offset", i, offset)
    equal("key", f"k{i}".encode(), key)
    equal("value", value(codec, i), found)
    equal("timestamp", BASE + i * 1000, timestamp)
    equal("headers", [("n", str(i).encode())], [tuple(header) for header in headers])


class Deadline:
    """A limit on a wait."""

    def __init__(self, what):
        self.what = what
        self.end = time.monotonic() + LIMIT

    def check(self):
        if time.monotonic() > self.end:
            fail(f"waited too long for {self.what}")


class Shares:
    """What the members of a group have read together: each record once, nothing from before `start`."""

    def __init__(self, members, start, count):
        self.start = start
        self.count = count
        self.seen = set()
        self.per_member = [0] * members
        self.deadline = Deadline(f"{count} records in the group")

    def read(self, member, key, found):
        i = int(key)
        if i < self.start:
            fail(f"record {i} was read again after its commit")
        if i in self.seen:
            fail(f"record {i} read twice")
        equal("value in group", value("grouped", i), found)
        self.seen.add(i)
        self.per_member[member] += 1

    def complete(self):
        self.deadline.check()
        if len(self.seen) < self.count:
            return False
        if 0 in self.per_member:
            fail(f"a member read nothing: {self.per_member}")
        return True


def report(client, version, codecs, per_member):
    facts = {
        "client": client,
        "version": version,
        "codecs": len(codecs),
        "records": len(codecs) * RECORDS,
        "members": str(per_member),
        "resumed": MORE,
    }
    print(json.dumps(facts))
