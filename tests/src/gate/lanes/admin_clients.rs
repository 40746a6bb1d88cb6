//! The administrative clients of kafkajs, kafka-python, aiokafka, franz-go and the rdkafka crate: every call that they offer, on a
//! broker with an authorizer, a login and delegation tokens.
//!
//! Each program compares the calls that it makes with those that its client offers; what it does not make, because it takes
//! transactions, share groups or the like, is listed in it with the reason. Green against Apache Kafka too.

use std::process::Command;

use barnabas_tests::harness::broker::Broker;
use serde_json::Value;

use super::clients::{go, python};
use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

/// Makes the calls of every client.
pub(crate) fn admin_clients(room: &Room<'_>) -> Result<String, Outcome> {
    let user = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"admin\" \
                password=\"of admin\" user_admin=\"of admin\";";
    let mut broker = room.broker(
        "broker",
        &[
            ("listener.security.protocol.map", "PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT"),
            ("sasl.enabled.mechanisms", "PLAIN"),
            ("sasl.mechanism.inter.broker.protocol", "PLAIN"),
            ("listener.name.plaintext.plain.sasl.jaas.config", user),
            ("delegation.token.secret.key", "the secret of the gate"),
            ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
            ("super.users", "User:admin;User:ANONYMOUS"),
        ],
    )?;
    let outcome = every_client(room, &broker);
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts)
}

fn every_client(room: &Room<'_>, broker: &Broker) -> Result<String, Outcome> {
    let mut kafkajs = Command::new("node");
    kafkajs.arg(room.workshop.client("kafkajs").join("admin.js"));
    kafkajs.env("NODE_PATH", Need::Node.place(room.workshop).join("node_modules"));
    let mut kadm = Command::new(go(room, Need::FranzGo));
    kadm.arg("admin");
    let rdkafka = Command::new(Need::Rdkafka.place(room.workshop).join("target/debug/rdkafka-admin"));
    let programs = [
        ("kafkajs", kafkajs),
        ("kafka-python", python(room, "kafka_python_admin.py")),
        ("aiokafka", python(room, "aio_admin.py")),
        ("kadm", kadm),
        ("rdkafka", rdkafka),
    ];
    let mut facts = Vec::new();
    for (name, mut command) in programs {
        command.env("BOOTSTRAP", broker.bootstrap()).env("SASL_USER", "admin").env("SASL_PASSWORD", "of admin");
        room.step(name, command)?;
        facts.push(calls(room, name)?);
    }
    Ok(format!("calls made: {}", facts.join(", ")))
}

/// The JSON line of a program, for the report.
fn calls(room: &Room<'_>, program: &str) -> Result<String, Outcome> {
    let output = std::fs::read_to_string(room.output(program))?;
    let Some(line) = output.lines().last() else { return failed(format!("{program} printed no facts")) };
    let facts: Value = serde_json::from_str(line)?;
    let (client, version) = (facts["client"].as_str().unwrap_or("?"), facts["version"].as_str().unwrap_or("?"));
    match (facts["calls"].as_u64().unwrap_or_default(), facts["without"].as_u64().unwrap_or_default()) {
        (0, _) => failed(format!("{program} made no call: {line}")),
        (made, 0) => Ok(format!("{client} {version} all {made}")),
        (made, not) => Ok(format!("{client} {version} {made} of {}", made + not)),
    }
}
