//! Metrics that clients push of themselves (KIP-714): subscriptions by kafka-client-metrics and kafka-configs, pushed by Java's
//! producer 4.3 and by librdkafka, and read at `/metrics/clients`.

use std::process::Command;
use std::time::Duration;

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::{http, port, wait};

use super::clients::python;
use super::tools::{class_of, tool};
use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// Longest wait for a value.
const PATIENCE: Duration = Duration::from_secs(30);
const RECORDS: &str = "20000";

/// Subscribes, pushes and reads.
pub(crate) fn client_metrics(room: &Room<'_>) -> Result<String, Outcome> {
    if room.is_kafka() {
        return Err(Outcome::Skipped("Apache Kafka takes no client's metrics without a plug-in".to_owned()));
    }
    let port = port::free()?;
    let mut broker = room.broker("broker", &[("barnabas.http.listener", &port.to_string())])?;
    let outcome = pushed(room, &broker, port);
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts)
}

fn pushed(room: &Room<'_>, broker: &Broker, port: u16) -> Result<String, Outcome> {
    let bootstrap = broker.bootstrap();
    let mut subscribe = class_of(room, "org.apache.kafka.tools.ClientMetricsCommand");
    subscribe.args(["--bootstrap-server", &bootstrap, "--alter", "--name", "java", "--interval", "100"]);
    subscribe.args(["--metrics", "org.apache.kafka.producer.", "--match", "client_software_name=apache-kafka-java"]);
    room.step("client-metrics", subscribe)?;
    let mut subscribe = class_of(room, "kafka.admin.ConfigCommand");
    subscribe.args([
        "--bootstrap-server",
        &bootstrap,
        "--alter",
        "--entity-type",
        "client-metrics",
        "--entity-name",
        "c",
    ]);
    subscribe.args(["--add-config", "metrics=*,interval.ms=100,match=[client_id=of-librdkafka]"]);
    room.step("configs", subscribe)?;
    let java = by_java(room, &bootstrap, port)?;
    let librdkafka = by_librdkafka(room, &bootstrap, port)?;
    let of_broker = http::get(port, "/metrics")?;
    for refused in ["barnabas_client_series_left_out 0", "barnabas_client_instances "] {
        if !of_broker.contains(refused) {
            return failed(format!("/metrics does not have {refused}"));
        }
    }
    Ok(format!("{java} series of Java's producer, {librdkafka} of librdkafka's"))
}

/// The performance tool's producer pushes. Its last push is made before its last records are acknowledged.
fn by_java(room: &Room<'_>, bootstrap: &str, port: u16) -> Result<usize, Outcome> {
    let mut producer = tool(room, "ProducerPerformance");
    producer.args(["--topic", "java", "--num-records", RECORDS, "--record-size", "100", "--throughput", "10000"]);
    producer.args(["--bootstrap-server", bootstrap, "--command-property", "enable.metrics.push=true"]);
    producer.args(["--command-property", "client.id=of-the-gate"]);
    room.step("producer", producer)?;
    let text = http::get(port, "/metrics/clients")?;
    let of_java = |line: &&str| {
        line.contains("client_id=\"of-the-gate\"") && line.contains("client_software_name=\"apache-kafka-java\"")
    };
    let java: Vec<&str> = text.lines().filter(of_java).collect();
    let sent = java.iter().find(|line| line.starts_with("kafka_client_producer_record_send_total{"));
    let count: Option<f64> = sent.and_then(|line| line.rsplit_once(' ')?.1.parse().ok());
    let most: f64 = RECORDS.parse().unwrap_or_default();
    match count {
        Some(count) if 0.0 < count && count <= most => Ok(java.len()),
        _ => failed(format!("records sent, as Java pushed it: {sent:?} of {} values", java.len())),
    }
}

/// confluent-kafka's producer pushes while it lives.
fn by_librdkafka(room: &Room<'_>, bootstrap: &str, port: u16) -> Result<usize, Outcome> {
    let mut command: Command = python(room, "push.py");
    command.env("BOOTSTRAP", bootstrap);
    let mut process = room.start("librdkafka", command)?;
    let ours = |line: &str| line.contains("client_id=\"of-librdkafka\"");
    let found = wait::until("metrics of librdkafka", PATIENCE, || {
        let text = http::get(port, "/metrics/clients").ok()?;
        let count = text.lines().filter(|line| ours(line)).count();
        (count > 0).then_some(count)
    });
    process.kill();
    Ok(found?)
}
