//! `barnabas bench` on a broker of ours: what it says that it wrote is what it reads, and its errors say what to do.

use std::process::{Command, Output};
use std::time::Duration;

use barnabas_broker::bench::{Limit, consume, e2e, produce};
use barnabas_tests::harness::wait;
use serde_json::Value;

use crate::fixture::{Fixture, program};

fn bench(fixture: &Fixture, arguments: &str) -> Output {
    let mut command = Command::new(program());
    command.arg("bench").args(["--bootstrap", &fixture.broker.bootstrap()]).args(arguments.split(' '));
    command.output().unwrap()
}

fn figures(fixture: &Fixture, arguments: &str) -> Value {
    let output = bench(fixture, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn what_bench_produce_wrote_is_what_bench_consume_reads() {
    let fixture = Fixture::start(&[]);
    for acks in ["0", "1", "all"] {
        let topic = format!("load-{acks}");
        let load = format!("--topic {topic} --partitions 5 --connections 3 --record-size 100 --records 5001");
        let wrote = figures(&fixture, &format!("produce {load} --acks {acks} -o json"));
        // Two connections, so that they do not share the partitions evenly.
        let read = format!("consume --topic {topic} --connections 2 --partitions-per-fetch 2 -o json");
        assert!(wrote["records"].as_u64().unwrap() >= 5001);
        // Only acks all waits for the sync that shows records to consumers.
        let patience = if acks == "all" { Duration::ZERO } else { Duration::from_secs(30) };
        let same = wait::until("all records to be shown", patience, || {
            let read: Value = serde_json::from_slice(&bench(&fixture, &read).stdout).ok()?;
            ((&wrote["records"], &wrote["megabytes"]) == (&read["records"], &read["megabytes"])).then_some(())
        });
        assert!(same.is_ok(), "acks {acks}: not what was written: {wrote}");
    }
}

#[test]
fn a_limit_of_records_or_time_ends_the_load() {
    let fixture = Fixture::start(&[]);
    let limit = Limit { records: Some(30), ..Limit::default() };
    let options = produce_options(&fixture, limit);
    let one_record = produce::Options { record_bytes: 100, batch_bytes: 1, ..options.clone() };
    let done = produce::run(&one_record).unwrap();
    assert_eq!((done.records, done.requests, done.waits.total()), (30, 30, 30));
    let time = Limit { time: Some(std::time::Duration::from_millis(50)), ..Limit::default() };
    assert!(produce::run(&produce::Options { limit: time, ..options }).unwrap().records > 0);
    let read = consume::Options {
        bootstrap: fixture.broker.bootstrap().as_str().into(),
        topics: vec!["limits".to_owned()],
        partitions: None,
        connections: 1,
        partition_bytes: 1000,
        fetch_bytes: 1000,
        partitions_per_fetch: 1,
        limit,
    };
    let done = consume::run(&read).unwrap();
    assert!((30..60).contains(&done.records), "{done:?}");
}

#[test]
fn every_request_sent_at_a_rate_reaches_the_consumer() {
    let fixture = Fixture::start(&[]);
    let limit = Limit { records: Some(400), ..Limit::default() };
    let options = produce::Options {
        connections: 2,
        record_bytes: 100,
        batch_bytes: 640,
        records_per_second: Some(2000.0),
        ..produce_options(&fixture, limit)
    };
    for _ in 0..2 {
        // The second time the topic is not empty.
        let done = e2e::run(&options).unwrap();
        assert_eq!((done.records, done.waits.total()), (400, 80));
    }
}

#[test]
fn connections_stay_open_while_they_are_idle() {
    let fixture = Fixture::start(&[]);
    let done = figures(&fixture, "connections --connections 100 --seconds 0.1 -o json");
    assert_eq!(done["connections"], 100);
    assert!(done["ask_max_ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn errors_name_the_cause_and_the_next_step() {
    let fixture = Fixture::start(&[]);
    figures(&fixture, "produce --topic narrow --partitions 1 --records 1 -o json");
    for (arguments, words) in [
        ("consume --topic nowhere", ["no topic nowhere", "bench produce"]),
        ("produce --topic narrow --partitions 2", ["has 1 partitions", "--partitions 1"]),
        ("produce --topic narrow --records 1 --record-size 2000000", ["MESSAGE_TOO_LARGE", "--batch-size"]),
        ("produce --topic bad/name --records 1", ["INVALID_TOPIC", "--topic"]),
    ] {
        let output = bench(&fixture, arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && words.iter().all(|word| text.contains(word)), "{arguments}: {text}");
    }
}

#[test]
fn bench_is_told_of_its_cluster_as_every_other_command_is() {
    let fixture = crate::sasl::start(&[]);
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("barnabas")).unwrap();
    let login = |mechanism: &str, module: &str, password: &str| {
        let jaas =
            format!("org.apache.kafka.common.security.{module} required username=\"admin\" password=\"{password}\";");
        let text = format!("security.protocol=SASL_PLAINTEXT\nsasl.mechanism={mechanism}\nsasl.jaas.config={jaas}\n");
        std::fs::write(home.path().join("barnabas/load.properties"), text).unwrap();
    };
    let run = |words: &str| {
        let mut command = Command::new(program());
        command.arg("bench").args(words.split(' ')).args(["--profile", "load", "-o", "json"]);
        command.env("XDG_CONFIG_HOME", home.path()).env("BOOTSTRAP_SERVERS", fixture.broker.bootstrap());
        command.output().unwrap()
    };
    for (mechanism, module) in [
        ("SCRAM-SHA-256", "scram.ScramLoginModule"),
        ("SCRAM-SHA-512", "scram.ScramLoginModule"),
        ("PLAIN", "plain.PlainLoginModule"),
    ] {
        login(mechanism, module, "admin-secret");
        let output = run("produce --records 10 --connections 2");
        assert!(output.status.success(), "{mechanism}: {output:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        let told: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
        assert!(told["records"].as_u64() >= Some(10) && told["bytes_per_second"].as_f64() > Some(0.0), "{told}");
    }
    assert_eq!(run("consume --topic nowhere").status.code(), Some(3));
    login("SCRAM-SHA-256", "scram.ScramLoginModule", "guessed");
    let refused = run("produce --records 10");
    assert_eq!(refused.status.code(), Some(5), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("SASL_AUTHENTICATION_FAILED"), "{refused:?}");
    assert_eq!(run("produce -b 127.0.0.1:1").status.code(), Some(6));
}

fn produce_options(fixture: &Fixture, limit: Limit) -> produce::Options {
    produce::Options {
        bootstrap: fixture.broker.bootstrap().as_str().into(),
        topics: vec!["limits".to_owned()],
        partitions: Some(2),
        replication_factor: -1,
        connections: 2,
        in_flight: 5,
        record_bytes: 1024,
        batch_bytes: 16_384,
        acks: -1,
        limit,
        records_per_second: None,
    }
}
