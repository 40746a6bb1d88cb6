//! Apache Kafka's own command line tools, the classes of the 4.3.1 jars, at work on our broker.

use std::fmt::Write as _;
use std::process::Command;

use barnabas_tests::harness::broker::{Broker, java};
use serde_json::Value;

use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

const CONSOLE_LINES: usize = 10_000;
const VERIFIABLE_RECORDS: u64 = 20_000;
const PERFORMANCE_RECORDS: u64 = 200_000;

/// Console, verifiable and performance producers and consumers.
pub(crate) fn tools(room: &Room<'_>) -> Result<String, Outcome> {
    let mut broker = room.broker("broker", &[("num.partitions", "3")])?;
    let outcome = at_work(room, &broker);
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts)
}

fn at_work(room: &Room<'_>, broker: &Broker) -> Result<String, Outcome> {
    console(room, broker)?;
    verifiable(room, broker)?;
    by_controller(room, broker)?;
    let (produced, consumed) = performance(room, broker)?;
    Ok(format!(
        "console {CONSOLE_LINES} lines; verifiable {VERIFIABLE_RECORDS} records; {} calls by --bootstrap-controller; performance \
         {produced}, {consumed}",
        BY_CONTROLLER.len()
    ))
}

/// Calls of the tools that know `--bootstrap-controller`: the class, what is in front of that option, what is behind it, and a word of
/// what is printed.
const BY_CONTROLLER: [(&str, &[&str], &[&str], &str); 6] = [
    ("org.apache.kafka.tools.MetadataQuorumCommand", &[], &["describe", "--status"], "LeaderId:"),
    ("org.apache.kafka.tools.MetadataQuorumCommand", &[], &["describe", "--replication"], "Leader"),
    ("org.apache.kafka.tools.FeatureCommand", &[], &["describe"], "metadata.version"),
    ("org.apache.kafka.tools.ClusterTool", &["cluster-id"], &[], "Cluster ID:"),
    (
        "kafka.admin.ConfigCommand",
        &[],
        &["--entity-type", "brokers", "--entity-default", "--alter", "--add-config", "log.cleaner.backoff.ms=15001"],
        "Completed updating default config",
    ),
    (
        "kafka.admin.ConfigCommand",
        &[],
        &["--entity-type", "brokers", "--entity-default", "--describe"],
        "log.cleaner.backoff.ms=15001",
    ),
];

/// The controller's own listener (KIP-919).
fn by_controller(room: &Room<'_>, broker: &Broker) -> Result<(), Outcome> {
    for (at, (class, before, behind, word)) in BY_CONTROLLER.iter().enumerate() {
        let mut command = class_of(room, class);
        command.args(*before).args(["--bootstrap-controller", &broker.controller()]).args(*behind);
        let step = format!("by-controller-{at}");
        room.step(&step, command)?;
        let told = std::fs::read_to_string(room.output(&step))?;
        if !told.contains(word) {
            return failed(format!("{class} {behind:?} by --bootstrap-controller printed: {told}"));
        }
    }
    Ok(())
}

/// A tool by the class that its script starts.
pub(crate) fn tool(room: &Room<'_>, class: &str) -> Command {
    class_of(room, &format!("org.apache.kafka.tools.{class}"))
}

/// A program by its class with its package.
pub(crate) fn class_of(room: &Room<'_>, class: &str) -> Command {
    let mut command =
        java(&Need::JavaFour.place(room.workshop).join("jars"), "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    command.arg(class);
    command
}

fn connected(room: &Room<'_>, broker: &Broker, class: &str, topic: &str) -> Command {
    let mut command = tool(room, class);
    command.args(["--bootstrap-server", &broker.bootstrap(), "--topic", topic]);
    command
}

/// What goes in by kafka-console-producer comes out of kafka-console-consumer.
fn console(room: &Room<'_>, broker: &Broker) -> Result<(), Outcome> {
    let mut lines = String::new();
    for n in 0..CONSOLE_LINES {
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "line {n} é");
    }
    std::fs::write(room.path("lines"), &lines)?;
    let producer = connected(room, broker, "ConsoleProducer", "console");
    room.step_reading("console-producer", producer, &room.path("lines"))?;
    let mut consumer = connected(room, broker, "consumer.ConsoleConsumer", "console");
    consumer.args(["--from-beginning", "--max-messages", &CONSOLE_LINES.to_string(), "--timeout-ms", "60000"]);
    room.step("console-consumer", consumer)?;
    let output = std::fs::read_to_string(room.output("console-consumer"))?;
    // Three partitions: the lines are all there, in whatever order.
    let (mut sent, mut read): (Vec<&str>, Vec<&str>) = (lines.lines().collect(), output.lines().collect());
    sent.sort_unstable();
    read.sort_unstable();
    if sent == read {
        Ok(())
    } else {
        failed(format!("console: {} lines sent, {} others read", sent.len(), read.len()))
    }
}

/// kafka-verifiable-producer has every record acknowledged, and a group of kafka-verifiable-consumer reads and commits them.
fn verifiable(room: &Room<'_>, broker: &Broker) -> Result<(), Outcome> {
    let records = VERIFIABLE_RECORDS.to_string();
    let mut producer = connected(room, broker, "VerifiableProducer", "verifiable");
    producer.args(["--max-messages", &records]);
    room.step("verifiable-producer", producer)?;
    let acked =
        events(room, "verifiable-producer", "tool_data")?.iter().filter_map(|event| event["acked"].as_u64()).sum();
    equal("records acknowledged to the verifiable producer", VERIFIABLE_RECORDS, acked)?;
    let mut consumer = connected(room, broker, "VerifiableConsumer", "verifiable");
    consumer.args(["--group-id", "verifiable", "--reset-policy", "earliest", "--max-messages", &records]);
    room.step("verifiable-consumer", consumer)?;
    let read = events(room, "verifiable-consumer", "records_consumed")?;
    let read = read.iter().filter_map(|event| event["count"].as_u64()).sum();
    equal("records read by the verifiable consumer", VERIFIABLE_RECORDS, read)?;
    let commits = events(room, "verifiable-consumer", "offsets_committed")?;
    let refused = commits.iter().filter(|event| event["success"] != Value::Bool(true)).count();
    if commits.is_empty() || refused > 0 {
        return failed(format!("verifiable consumer: {} commits, {refused} refused", commits.len()));
    }
    Ok(())
}

fn events(room: &Room<'_>, program: &str, name: &str) -> Result<Vec<Value>, Outcome> {
    let output = std::fs::read_to_string(room.output(program))?;
    let events = output.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    Ok(events.into_iter().filter(|event| event["name"] == name).collect())
}

/// The performance tools finish with the number they were asked for; their figures go into the report.
fn performance(room: &Room<'_>, broker: &Broker) -> Result<(String, String), Outcome> {
    let records = PERFORMANCE_RECORDS.to_string();
    let mut producer = connected(room, broker, "ProducerPerformance", "performance");
    producer.args(["--num-records", &records, "--record-size", "1000", "--throughput", "-1"]);
    room.step("producer-performance", producer)?;
    let output = std::fs::read_to_string(room.output("producer-performance"))?;
    let Some(last) = output.lines().rfind(|line| line.contains("95th")) else {
        return failed("the producer's performance tool printed no summary");
    };
    equal("records sent by the performance tool", Some(records.as_str()), last.split(' ').next())?;
    let produced = last.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("?", |(rate, _)| rate);
    let mut consumer = connected(room, broker, "ConsumerPerformance", "performance");
    consumer.args(["--num-records", &records, "--hide-header"]);
    room.step("consumer-performance", consumer)?;
    // start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, ...
    let output = std::fs::read_to_string(room.output("consumer-performance"))?;
    let fields: Vec<&str> = output.lines().last().unwrap_or_default().split(", ").collect();
    equal("records read by the performance tool", Some(records.as_str()), fields.get(4).copied())?;
    Ok((produced.to_owned(), format!("{} MB/sec", fields.get(3).unwrap_or(&"?"))))
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, expected: T, found: T) -> Result<(), Outcome> {
    if expected == found { Ok(()) } else { failed(format!("{what}: expected {expected:?}, found {found:?}")) }
}
