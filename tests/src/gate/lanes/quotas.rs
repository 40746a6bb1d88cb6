//! Quotas as Kafka's own tools set and feel them: kafka-configs sets and shows those of users, client ids and addresses, and
//! its performance tools get what they were given.

use std::process::Command;

use barnabas_tests::harness::broker::{Broker, java};

use super::tools::tool;
use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

/// Bytes a second that any client may write, and read.
const QUOTA: u32 = 4_000_000;
/// Records of 1000 bytes: for twenty seconds each way.
const RECORDS: u32 = 80_000;
/// How far from the quota a client may come.
const TOLERANCE: f64 = 0.1;
/// Two windows: the burst after silence is a second's, not ten.
const SETTINGS: &[(&str, &str)] = &[("quota.window.num", "2"), ("num.partitions", "3")];

/// What is set is shown, what is wrong is refused, and what is set is what there is.
pub(crate) fn quotas(room: &Room<'_>) -> Result<String, Outcome> {
    let mut broker = room.broker("broker", SETTINGS)?;
    let outcome = at_work(room, &broker);
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts)
}

fn at_work(room: &Room<'_>, broker: &Broker) -> Result<String, Outcome> {
    set_and_shown(room, broker)?;
    let rate = QUOTA.to_string();
    let rates = format!("producer_byte_rate={rate},consumer_byte_rate={rate}");
    configs(room, broker, "set", &["--alter", "--add-config", &rates, "--entity-type", "clients", "--entity-default"])?;
    let (produced, consumed) = (produce(room, broker)?, consume(room, broker)?);
    let quota = f64::from(QUOTA);
    for (what, rate) in [("produced", produced), ("consumed", consumed)] {
        if (rate / quota - 1.0).abs() > TOLERANCE {
            return failed(format!("{what} {rate:.0} bytes/s with a quota of {quota:.0}"));
        }
    }
    let part = |rate: f64| rate / quota * 100.0;
    Ok(format!("of a quota of {QUOTA} bytes/s, {:.1} % written and {:.1} % read", part(produced), part(consumed)))
}

/// Every kind of entity, by name and by default.
fn set_and_shown(room: &Room<'_>, broker: &Broker) -> Result<(), Outcome> {
    let entities: [(&[&str], &str, &str); 5] = [
        (&["--entity-type", "users", "--entity-name", "alice"], "request_percentage=50.5", "user-principal 'alice'"),
        (
            &["--entity-type", "users", "--entity-default", "--entity-type", "clients", "--entity-name", "c"],
            "consumer_byte_rate=9000000000",
            "client-id 'c'",
        ),
        (&["--entity-type", "clients", "--entity-default"], "controller_mutation_rate=1000", "default client-id"),
        (&["--entity-type", "ips", "--entity-name", "10.1.2.3"], "connection_creation_rate=7", "ip '10.1.2.3'"),
        (&["--entity-type", "ips", "--entity-default"], "connection_creation_rate=1000", "default ip"),
    ];
    for (entity, value, shown) in entities {
        configs(room, broker, "set", &[&["--alter", "--add-config", value], entity].concat())?;
        let described = configs(room, broker, "show", &[&["--describe"], entity].concat())?;
        let (key, value) = value.split_once('=').unwrap_or_default();
        let value: f64 = value.parse().unwrap_or_default();
        let found = described.lines().find(|line| line.contains(shown)).unwrap_or_default();
        let got = found.split_once(key).and_then(|(_, rest)| rest.trim_start_matches('=').split(',').next());
        if got.and_then(|got| got.trim().parse().ok()) != Some(value) {
            return failed(format!("{entity:?} with {key}={value} was shown as: {described}"));
        }
        configs(room, broker, "removed", &[&["--alter", "--delete-config", key], entity].concat())?;
        let described = configs(room, broker, "show", &[&["--describe"], entity].concat())?;
        if described.contains(key) {
            return failed(format!("{key} of {entity:?} is still there: {described}"));
        }
    }
    Ok(())
}

/// What kafka-configs prints.
fn configs(room: &Room<'_>, broker: &Broker, name: &str, arguments: &[&str]) -> Result<String, Outcome> {
    let jars = Need::JavaFour.place(room.workshop).join("jars");
    let mut command = java(&jars, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    command.args(["kafka.admin.ConfigCommand", "--bootstrap-server", &broker.bootstrap()]).args(arguments);
    let name = format!("configs-{name}");
    // Outputs are appended to.
    let _ = std::fs::remove_file(room.output(&name));
    room.step(&name, command)?;
    Ok(std::fs::read_to_string(room.output(&name))?)
}

fn performance(room: &Room<'_>, broker: &Broker, class: &str) -> Command {
    let mut command = tool(room, class);
    command.args([
        "--bootstrap-server",
        &broker.bootstrap(),
        "--topic",
        "quota",
        "--num-records",
        &RECORDS.to_string(),
    ]);
    command
}

/// Bytes a second of kafka-producer-perf-test, by what it reports every five seconds: not at first, when it starts up and
/// has its burst.
fn produce(room: &Room<'_>, broker: &Broker) -> Result<f64, Outcome> {
    let mut producer = performance(room, broker, "ProducerPerformance");
    producer.args(["--record-size", "1000", "--throughput", "-1"]);
    room.step("producer-performance", producer)?;
    let output = std::fs::read_to_string(room.output("producer-performance"))?;
    // 19680 records sent, 3920.3 records/sec (3.74 MB/sec), ...
    let reports = output.lines().filter(|line| line.contains("records/sec") && !line.contains("95th")).skip(1);
    let rate = |line: &str| line.split(", ").nth(1)?.split(' ').next()?.parse::<f64>().ok();
    let rates: Vec<f64> = reports.filter_map(rate).collect();
    if rates.is_empty() {
        return failed(format!("no reports in: {output}"));
    }
    Ok(rates.iter().sum::<f64>() / rates.len() as f64 * 1000.0)
}

/// Bytes a second of kafka-consumer-perf-test, without the time of the group's rebalance. Its fetches are small beside the
/// quota: one that would exceed it is put off as a whole.
fn consume(room: &Room<'_>, broker: &Broker) -> Result<f64, Outcome> {
    let mut consumer = performance(room, broker, "ConsumerPerformance");
    consumer.args(["--hide-header", "--timeout", "60000", "--fetch-size", "65536"]);
    room.step("consumer-performance", consumer)?;
    let output = std::fs::read_to_string(room.output("consumer-performance"))?;
    // start, end, MB, MB.sec, nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec
    let rate = output.lines().last().unwrap_or_default().split(", ").nth(8).and_then(|rate| rate.parse::<f64>().ok());
    rate.map(|mebibytes| mebibytes * 1_048_576.0).ok_or_else(|| Outcome::Failed(format!("no rate in: {output}")))
}
