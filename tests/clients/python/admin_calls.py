"""What the two Python programs that make every administrative call share: the checks, and which calls were made."""

import json
import os
import sys
import time

BOOTSTRAP = os.environ["BOOTSTRAP"]
LOGIN = {
    "security_protocol": "SASL_PLAINTEXT",
    "sasl_mechanism": "PLAIN",
    "sasl_plain_username": os.environ["SASL_USER"],
    "sasl_plain_password": os.environ["SASL_PASSWORD"],
}
RECORDS = 100
# Seconds that anything may take.
LIMIT = 30
# An hour ago: retention goes by the time of the records.
BASE = int(time.time() * 1000) - 3_600_000


def fail(message):
    sys.exit(message)


def equal(what, expected, found):
    if expected != found:
        fail(f"{what}: expected {expected!r}, found {found!r}")


def holds(what, part, whole):
    if part not in whole:
        fail(f"{what}: {part!r} is not in {whole!r}")


def until(what, expected, call):
    """Kafka's own broker shows a change of metadata a little after it was answered."""
    end = time.monotonic() + LIMIT
    while (found := call()) != expected:
        if time.monotonic() > end:
            equal(what, expected, found)


async def until_async(what, call, condition):
    """The same for calls that are awaited."""
    end = time.monotonic() + LIMIT
    while not condition(found := await call()):
        if time.monotonic() > end:
            fail(f"waited too long for {what}: {found}")


class Calls:
    """An admin client that remembers which of its calls were made."""

    def __init__(self, admin):
        self.admin = admin
        self.made = set()

    def __getattr__(self, name):
        self.made.add(name)
        return getattr(self.admin, name)

    def report(self, client, version, without):
        """Fails for a call without a check; `without` has the reasons why some have none."""
        offered = {name for name in dir(type(self.admin)) if not name.startswith("_") and callable(getattr(self.admin, name))}
        equal("calls without a check", [], sorted(offered - self.made - set(without)))
        equal("calls that are checked, and said not to be", [], sorted(self.made & set(without)))
        print(json.dumps({"client": client, "version": version, "calls": len(self.made), "without": len(without)}))
