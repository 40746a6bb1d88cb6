//! The settings of Node's clients: kafkajs, and @confluentinc/kafka-javascript on librdkafka. The program sets each to two values and
//! looks at what it changes by time; what it makes of batches is read from the log here: how many there are, their codec, their
//! size. The second client has a lane of its own that is run by name only: its addon is built from the package's sources for minutes.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

/// kafkajs.
pub(crate) fn kafkajs(room: &Room<'_>) -> Result<String, Outcome> {
    settings(room, "kafkajs", Need::Node)
}

/// @confluentinc/kafka-javascript.
pub(crate) fn confluent(room: &Room<'_>) -> Result<String, Outcome> {
    settings(room, "confluent", Need::NodeLibrdkafka)
}

fn settings(room: &Room<'_>, client: &str, need: Need) -> Result<String, Outcome> {
    let mut broker = room.broker("broker", &[])?;
    let mut command = Command::new("node");
    command.arg(room.workshop.client("node-settings").join("settings.js")).arg(client);
    command.env("BOOTSTRAP", broker.bootstrap());
    command.env("NODE_PATH", need.place(room.workshop).join("node_modules"));
    let ran = room.step(client, command);
    room.with_log_of(&mut broker, ran)?;
    broker.stop()?;
    let printed = fs::read_to_string(room.output(client))?;
    let facts: Value = serde_json::from_str(printed.lines().last().unwrap_or_default())?;
    let cases = facts["cases"].as_array().cloned().unwrap_or_default();
    if cases.is_empty() {
        return failed(format!("{client} produced nothing: {printed}"));
    }
    let mut seen = Vec::new();
    for case in &cases {
        seen.push(batches(room, case)?);
    }
    let version = facts["version"].as_str().unwrap_or("?");
    Ok(format!("{client} {version}: {}; fetches after {} ms", seen.join(", "), facts["took"]))
}

/// Looks at the batches of one topic.
fn batches(room: &Room<'_>, case: &Value) -> Result<String, Outcome> {
    let topic = case["topic"].as_str().unwrap_or_default();
    let log = room.path("broker/data").join(format!("{topic}-0/00000000000000000000.log"));
    let dumped = Command::new(room.program()).args(["log", "dump", "-o", "json"]).arg(log).output()?;
    let dumped: Value = serde_json::from_slice(&dumped.stdout)?;
    let batches = dumped["batches"].as_array().cloned().unwrap_or_default();
    let codec = case["codec"].as_str().unwrap_or_default();
    if let Some(other) = batches.iter().find(|batch| batch["codec"] != codec) {
        return failed(format!("{topic}: a batch is not in {codec}: {other}"));
    }
    let (least, most) = (case["batches"][0].as_u64().unwrap_or(1), case["batches"][1].as_u64().unwrap_or(0));
    let count = u64::try_from(batches.len()).unwrap_or(u64::MAX);
    if !(least..=most).contains(&count) {
        return failed(format!("{topic}: {count} batches, expected {least} to {most}"));
    }
    let largest = batches.iter().filter_map(|batch| batch["bytes"].as_u64()).max().unwrap_or_default();
    if case["most"].as_u64().is_some_and(|most| largest > most) {
        return failed(format!("{topic}: a batch has {largest} bytes, expected at most {}", case["most"]));
    }
    Ok(format!("{} {count} of at most {largest} bytes", topic.split_once('-').map_or(topic, |(_, case)| case)))
}
