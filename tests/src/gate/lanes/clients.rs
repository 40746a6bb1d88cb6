//! One lane per stock client: its own program, in its own language, with its usual defaults, on a fresh broker.
//!
//! Each program is told the broker by `BOOTSTRAP`, prints one JSON line of facts, and exits with an error and a message if
//! anything it sent did not come back as it was.

use std::path::PathBuf;
use std::process::Command;

use barnabas_tests::harness::broker::java;
use serde_json::Value;

use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

/// Java kafka-clients 4.3.
pub(crate) fn java_4(room: &Room<'_>) -> Result<String, Outcome> {
    java_client(room, Need::JavaFour)
}

/// Java kafka-clients 2.8.
pub(crate) fn java_2(room: &Room<'_>) -> Result<String, Outcome> {
    java_client(room, Need::JavaTwo)
}

fn java_client(room: &Room<'_>, need: Need) -> Result<String, Outcome> {
    client(room, java_program(room, need))
}

/// The Java client on the jars of a need.
pub(crate) fn java_program(room: &Room<'_>, need: Need) -> Command {
    let source = room.workshop.client("java").join("Client.java");
    let jars = need.place(room.workshop).join("jars");
    let mut command = java(&jars, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    command.arg(source);
    command
}

/// librdkafka by the rdkafka crate.
pub(crate) fn rdkafka(room: &Room<'_>) -> Result<String, Outcome> {
    client(room, Command::new(Need::Rdkafka.place(room.workshop).join("target/debug/rdkafka-client")))
}

/// kcat, as Debian packages it.
pub(crate) fn kcat(room: &Room<'_>) -> Result<String, Outcome> {
    client(room, kcat_program(room))
}

/// The script for kcat.
pub(crate) fn kcat_program(room: &Room<'_>) -> Command {
    Command::new(room.workshop.client("kcat").join("client.sh"))
}

/// confluent-kafka for Python.
pub(crate) fn confluent_kafka(room: &Room<'_>) -> Result<String, Outcome> {
    client(room, python(room, "confluent.py"))
}

/// kafka-python.
pub(crate) fn kafka_python(room: &Room<'_>) -> Result<String, Outcome> {
    client(room, python(room, "kafka_python.py"))
}

/// aiokafka.
pub(crate) fn aiokafka(room: &Room<'_>) -> Result<String, Outcome> {
    client(room, python(room, "aio.py"))
}

/// A Python client.
pub(crate) fn python(room: &Room<'_>, program: &str) -> Command {
    let mut command = Command::new(Need::Python.place(room.workshop).join("bin/python"));
    command.arg("-B").arg(room.workshop.client("python").join(program));
    command
}

/// kafkajs.
pub(crate) fn kafkajs(room: &Room<'_>) -> Result<String, Outcome> {
    client(room, kafkajs_program(room))
}

/// The program on kafkajs.
pub(crate) fn kafkajs_program(room: &Room<'_>) -> Command {
    let mut command = Command::new("node");
    command.arg(room.workshop.client("kafkajs").join("client.js"));
    command.env("NODE_PATH", Need::Node.place(room.workshop).join("node_modules"));
    command
}

/// franz-go.
pub(crate) fn franz_go(room: &Room<'_>) -> Result<String, Outcome> {
    client(room, Command::new(go(room, Need::FranzGo)))
}

/// sarama.
pub(crate) fn sarama(room: &Room<'_>) -> Result<String, Outcome> {
    client(room, Command::new(go(room, Need::Sarama)))
}

/// segmentio's kafka-go.
pub(crate) fn kafka_go(room: &Room<'_>) -> Result<String, Outcome> {
    client(room, Command::new(go(room, Need::KafkaGo)))
}

/// The program that `go build` made for a need.
pub(crate) fn go(room: &Room<'_>, need: Need) -> PathBuf {
    need.place(room.workshop).join("client")
}

/// Runs the program of a client on a fresh broker, which has to stop cleanly after it.
fn client(room: &Room<'_>, mut command: Command) -> Result<String, Outcome> {
    let mut broker = room.broker("broker", &[])?;
    let place = room.path("client");
    std::fs::create_dir(&place)?;
    command.env("BOOTSTRAP", broker.bootstrap()).current_dir(place);
    let outcome = room.step("client", command).and_then(|()| facts(room, "client"));
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts)
}

/// The JSON line of a client, for the report.
pub(crate) fn facts(room: &Room<'_>, program: &str) -> Result<String, Outcome> {
    let output = std::fs::read_to_string(room.output(program))?;
    let Some(line) = output.lines().last() else { return failed("the client printed no facts") };
    let facts: Value = serde_json::from_str(line)?;
    let number = |name: &str| facts[name].as_u64().unwrap_or_default();
    let records = number("records");
    if records == 0 || number("resumed") == 0 {
        return failed(format!("the client checked nothing: {line}"));
    }
    Ok(format!(
        "{} {}: {records} records in {} codecs, group {}, {} after resume",
        facts["client"].as_str().unwrap_or("?"),
        facts["version"].as_str().unwrap_or("?"),
        number("codecs"),
        facts["members"].as_str().unwrap_or("?"),
        number("resumed"),
    ))
}
