"""confluent-kafka and kafka-python behind a login: every mechanism produces and consumes, a wrong password does not, and
confluent-kafka sets a user's credentials. By OAUTHBEARER confluent-kafka is given its token, and fetches it itself, too."""

import json
import os
import time

import confluent_kafka
import kafka
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from kafka import KafkaConsumer, KafkaProducer
from kafka.net.sasl.oauth import AbstractTokenProvider
from scenario import BOOTSTRAP, LIMIT, Deadline, equal, fail
import token_endpoint

USER, PASSWORD = os.environ["SASL_USER"], os.environ["SASL_PASSWORD"]
# By OAUTHBEARER the password is a token.
MECHANISMS = os.environ["SASL_MECHANISMS"].split(",")
PREFIX = os.environ.get("TOPIC_PREFIX", "")
# PEM files, where the listener is one over TLS; a certificate and its key where one has to be shown.
CA, CERTIFICATE, KEY = (os.environ.get(name) for name in ("SSL_CA", "SSL_CERT", "SSL_KEY"))
PROTOCOL = "SASL_SSL" if CA else "SASL_PLAINTEXT"
RECORDS = [f"behind a login {i}".encode() for i in range(20)]


OIDC = "OAUTHBEARER by OIDC"
ENDPOINT, ASKED = token_endpoint.serve(PASSWORD) if "OAUTHBEARER" in MECHANISMS else ({}, [])


def settings(mechanism, user=USER, password=PASSWORD):
    shared = {
        "bootstrap.servers": BOOTSTRAP,
        "security.protocol": PROTOCOL,
        "sasl.mechanism": mechanism.split()[0],
    }
    if CA:
        shared["ssl.ca.location"] = CA
    if CERTIFICATE:
        shared |= {"ssl.certificate.location": CERTIFICATE, "ssl.key.location": KEY}
    if mechanism == OIDC:
        return shared | ENDPOINT
    if mechanism == "OAUTHBEARER":
        return shared | {"oauth_cb": lambda _: (password, time.time() + 3600)}
    return shared | {
        "sasl.username": user,
        "sasl.password": password,
    }


def confluent(mechanism, topic, user=USER, password=PASSWORD):
    producer = Producer(settings(mechanism, user, password))
    for record in RECORDS:
        producer.produce(topic, record)
    equal("records left behind", 0, producer.flush(LIMIT))
    own = {"group.id": topic, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    consumer = Consumer(settings(mechanism, user, password) | own)
    consumer.subscribe([topic])
    read, deadline = [], Deadline(topic)
    while len(read) < len(RECORDS):
        deadline.check()
        message = consumer.poll(1)
        if message is not None and not message.error():
            read.append(message.value())
    consumer.close()
    equal(topic, RECORDS, read)


class Token(AbstractTokenProvider):
    def token(self):
        return PASSWORD


def kafka_python(mechanism, topic):
    login = {
        "bootstrap_servers": BOOTSTRAP,
        "security_protocol": PROTOCOL,
        "sasl_mechanism": mechanism,
        "sasl_plain_username": USER,
        "sasl_plain_password": PASSWORD,
    }
    if mechanism == "OAUTHBEARER":
        login["sasl_oauth_token_provider"] = Token()
    if CA:
        login |= {"ssl_cafile": CA, "ssl_certfile": CERTIFICATE, "ssl_keyfile": KEY}
    producer = KafkaProducer(**login)
    for record in RECORDS:
        producer.send(topic, record).get(LIMIT)
    producer.close()
    consumer = KafkaConsumer(auto_offset_reset="earliest", consumer_timeout_ms=LIMIT * 1000, **login)
    # Before it joins: kafka_python.py says why.
    consumer.partitions_for_topic(topic)
    consumer.subscribe([topic])
    read = [next(consumer).value for _ in RECORDS]
    consumer.close()
    equal(topic, RECORDS, read)


def refused():
    errors = []
    conf = settings(MECHANISMS[0], password="wrong") | {"error_cb": errors.append, "log_level": 0}
    admin = AdminClient(conf)
    try:
        admin.list_topics(timeout=5)
    except KafkaException:
        pass
    else:
        fail("a wrong password got in")
    admin.poll(1)
    if not any(error.code() == confluent_kafka.KafkaError._AUTHENTICATION for error in errors):
        fail(f"a wrong password was told {errors}")


def alter():
    admin = AdminClient(settings("SCRAM-SHA-512"))
    upsertions = [
        UserScramCredentialUpsertion("carol", ScramCredentialInfo(mechanism, 4096), b"of carol", None)
        for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)
    ]
    for future in admin.alter_user_scram_credentials(upsertions).values():
        future.result(LIMIT)
    described = admin.describe_user_scram_credentials(["carol"])["carol"].result(LIMIT)
    equal("credentials of carol", 2, len(described.scram_credential_infos))
    confluent("SCRAM-SHA-256", f"{PREFIX}of-carol", "carol", "of carol")


for mechanism in MECHANISMS:
    confluent(mechanism, f"{PREFIX}confluent-{mechanism}")
    kafka_python(mechanism, f"{PREFIX}kafka-python-{mechanism}")
refused()
if "OAUTHBEARER" in MECHANISMS:
    confluent(OIDC, f"{PREFIX}confluent-oidc")
    equal("requests for a token", [True, True], ASKED)
if "SCRAM-SHA-512" in MECHANISMS:
    alter()
print(json.dumps({"clients": f"confluent-kafka {confluent_kafka.__version__}, kafka-python {kafka.__version__}"}))
