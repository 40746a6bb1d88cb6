use std::io;

use super::*;
use crate::listener::{Listener, SecurityProtocol};

/// The settings of the server.properties that Apache Kafka 4.3 ships.
const SHIPPED: &str = "
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
num.network.threads=3
num.io.threads=8
socket.send.buffer.bytes=102400
socket.receive.buffer.bytes=102400
socket.request.max.bytes=104857600
log.dirs=/tmp/kraft-combined-logs
num.partitions=1
num.recovery.threads.per.data.dir=1
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
log.retention.hours=168
log.segment.bytes=1073741824
log.retention.check.interval.ms=300000
";

fn load(
    files: &[(&str, &str)],
    variables: &[(&str, &str)],
    assignments: &[&str],
) -> Result<(Config, Vec<Warning>), String> {
    let read_file = |path: &Path| {
        let found = files.iter().find(|(name, _)| Path::new(name) == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    };
    let sources = ConfigSources {
        files: files
            .iter()
            .filter(|(name, _)| name.ends_with("server.properties"))
            .map(|(name, _)| name.into())
            .collect(),
        environment: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        assignments: assignments.iter().map(|one| (*one).to_owned()).collect(),
        read_file: &read_file,
    };
    Config::load(&sources).map_err(|errors| errors.to_string())
}

fn load_file(text: &str) -> Result<(Config, Vec<Warning>), String> {
    load(&[("server.properties", text)], &[], &[])
}

fn plain(host: &str, port: u16) -> Listener {
    Listener { name: "PLAINTEXT".to_owned(), protocol: SecurityProtocol::Plaintext, host: host.to_owned(), port }
}

#[test]
fn the_file_that_kafka_ships_loads_with_one_word_about_what_is_inert() {
    let (config, warnings) = load_file(SHIPPED).unwrap();
    assert_eq!(config.listeners(), [plain("", 9092)]);
    assert_eq!(config.advertised_listeners(), [plain("localhost", 9092)]);
    let controller = Listener { name: "CONTROLLER".to_owned(), ..plain("", 9093) };
    assert_eq!(config.controller_listeners(), std::slice::from_ref(&controller));
    let told = config.advertised_controller("CONTROLLER").map(|told| (told.host.as_str(), told.port));
    assert_eq!(told, Some(("localhost", 9093)));
    assert_eq!(config.all_listeners().count(), 2);
    assert_eq!(config.read(&key::LOG_DIRS), ["/tmp/kraft-combined-logs"]);
    assert_eq!(config.read(&key::NODE_ID), 1);
    let [Warning::WithoutEffect(inert)] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(inert.contains(&"transaction.state.log.min.isr".to_owned()));
    assert!(!inert.contains(&"num.io.threads".to_owned()), "a default asks for nothing");
}

#[test]
fn a_start_without_anything_listens_on_this_machine_only() {
    let config = Config::dev();
    assert_eq!(config.listeners(), [plain("127.0.0.1", 9092)]);
    assert_eq!(config.advertised_listeners(), [plain("127.0.0.1", 9092)]);
    assert_eq!(config.read(&key::LOG_DIRS), ["./barnabas-data"]);
    assert_eq!(config.read(&key::OFFSETS_TOPIC_REPLICATION_FACTOR), 1);
    assert!(load(&[], &[], &[]).unwrap().1.is_empty());
}

#[test]
fn one_variable_does_not_drop_the_development_defaults() {
    let (config, _) = load(&[], &[("KAFKA_NUM_PARTITIONS", "3")], &[]).unwrap();
    assert_eq!(config.read(&key::NUM_PARTITIONS), 3);
    assert_eq!(config.read(&key::OFFSETS_TOPIC_REPLICATION_FACTOR), 1);
}

#[test]
fn later_layers_win_and_are_remembered() {
    let files =
        [("a/server.properties", "num.partitions=2\nbroker.rack=a"), ("b/server.properties", "\nnum.partitions=3")];
    let rack = |config: &Config| config.read(&key::BROKER_RACK);
    let (config, _) = load(&files, &[], &[]).unwrap();
    assert_eq!((config.read(&key::NUM_PARTITIONS), rack(&config).as_deref()), (3, Some("a")));
    assert_eq!(config.source("num.partitions").to_string(), "b/server.properties:2");
    let (config, _) = load(&files, &[("KAFKA_NUM_PARTITIONS", "4")], &[]).unwrap();
    assert_eq!(config.read(&key::NUM_PARTITIONS), 4);
    let (config, _) = load(&files, &[("KAFKA_NUM_PARTITIONS", "4")], &["num.partitions=5"]).unwrap();
    assert_eq!(config.read(&key::NUM_PARTITIONS), 5);
    assert_eq!(config.source("num.partitions"), Source::CommandLine);
    assert_eq!(config.source("num.io.threads"), Source::Default);
}

#[test]
fn every_problem_is_reported_with_its_place() {
    let text =
        "num.partitions=0\nlog.segment.bytes=many\nlisteners=PLAINTEXT://:9092\ndelete.topic.enable=yes\nx=\\u12\n";
    let errors = load(&[("server.properties", text)], &[("KAFKA_NODE_ID", "-3")], &["nonsense"]).unwrap_err();
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 6, "{errors}");
    assert_eq!(
        lines[0],
        "server.properties:1: Invalid value 0 for configuration num.partitions: Value must be at least 1"
    );
    assert!(lines[1].starts_with("server.properties:2: ") && lines[1].ends_with("Not a number of type INT"));
    assert!(lines.iter().any(|line| line.starts_with("server.properties:5: ")));
    assert!(lines.iter().any(|line| line.starts_with("environment KAFKA_NODE_ID: ")));
    assert_eq!(lines[5], "command line: -c nonsense: give it as key=value");
}

#[test]
fn errors_hide_no_warnings_from_who_asks_for_both() {
    let read_file = |_: &Path| Ok("num.partition=3\nnum.partitions=x\n".to_owned());
    let files = vec!["server.properties".into()];
    let sources = ConfigSources { files, environment: vec![], assignments: vec![], read_file: &read_file };
    let (errors, warnings) = Config::lint(&sources);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(matches!(&warnings[..], [Warning::Unknown { meant: Some("num.partitions"), .. }]), "{warnings:?}");
}

#[test]
fn a_missing_file_stops_the_start() {
    let read_file = |_: &Path| Err(io::Error::from(io::ErrorKind::NotFound));
    let files = vec!["server.properties".into()];
    let sources = ConfigSources { files, environment: vec![], assignments: vec![], read_file: &read_file };
    assert!(Config::load(&sources).unwrap_err().to_string().starts_with("server.properties: read the settings"));
}

#[test]
fn an_unknown_key_warns_with_the_name_that_was_meant() {
    let (_, warnings) = load_file("num.partition=3").unwrap();
    let shown = warnings[0].to_string();
    assert_eq!(shown, "server.properties:1: unknown setting num.partition is ignored (did you mean num.partitions?)");
}

#[test]
fn the_policy_for_unknown_keys_can_stop_or_be_silent() {
    let stopped = load_file("config.unknown.keys=error\nmy.own=1").unwrap_err();
    assert_eq!(stopped, "server.properties:2: unknown setting my.own");
    assert!(
        load_file("config.unknown.keys=ignore\nmy.own=1\noffsets.topic.replication.factor=1").unwrap().1.is_empty()
    );
}

#[test]
fn a_retired_key_warns_once_and_starts() {
    let (_, warnings) = load_file("zookeeper.connect=z:2181\noffsets.topic.replication.factor=1").unwrap();
    let [Warning::Retired { key, .. }] = &warnings[..] else { panic!("{warnings:?}") };
    assert_eq!(key, "zookeeper.connect");
}

#[test]
fn a_key_twice_in_a_file_warns_and_the_later_counts() {
    let (config, warnings) =
        load_file("num.partitions=2\nnum.partitions=3\noffsets.topic.replication.factor=1").unwrap();
    assert_eq!(config.read(&key::NUM_PARTITIONS), 3);
    assert!(matches!(&warnings[..], [Warning::Repeated { .. }]), "{warnings:?}");
}

#[test]
fn a_value_from_a_provider_is_used_and_never_shown() {
    let files = [("server.properties", "broker.rack=${env:RACK}\nnum.partitions=${file:/s:n}"), ("/s", "n=secret7")];
    let errors = load(&files, &[("RACK", "r1")], &[]).unwrap_err();
    assert!(errors.contains("(hidden)") && !errors.contains("secret7"), "{errors}");
    let files = [files[0], ("/s", "n=7")];
    let (config, _) = load(&files, &[("RACK", "r1")], &[]).unwrap();
    assert_eq!(config.read(&key::NUM_PARTITIONS), 7);
    assert_eq!(config.read(&key::BROKER_RACK).as_deref(), Some("r1"));
    assert_eq!(config.shown("broker.rack"), Some("(hidden)"));
    assert_eq!(config.shown("num.io.threads"), Some("8"));
}

#[test]
fn a_reference_without_a_value_stops_the_start() {
    let errors = load_file("broker.rack=${env:NO_SUCH}").unwrap_err();
    assert_eq!(errors, "server.properties:1: broker.rack: ${env:NO_SUCH}: the environment has no variable NO_SUCH");
}

#[test]
fn broker_id_and_log_dir_are_read_when_their_successors_are_silent() {
    let (config, _) = load_file("broker.id=7\nlog.dir=/a,/b").unwrap();
    assert_eq!(config.read(&key::NODE_ID), 7);
    assert_eq!(config.read(&key::LOG_DIRS), ["/a", "/b"]);
    let (config, _) = load_file("log.dir=/a\nlog.dirs=/c").unwrap();
    assert_eq!(config.read(&key::LOG_DIRS), ["/c"]);
    assert!(load_file("broker.id=7\nnode.id=8").unwrap_err().contains("they are one setting"));
}

#[test]
fn settings_that_contradict_each_other_stop_the_start() {
    let reasons = [
        ("listeners=PLAINTEXT://:9092,PLAINTEXT://:9093", "given twice"),
        ("listeners=CONTROLLER://:9093", "no controller listener"),
        ("listeners=OUT://:9092", "has no protocol"),
        (
            "advertised.listeners=OTHER://h:1\nlistener.security.protocol.map=OTHER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "not among",
        ),
        ("advertised.listeners=PLAINTEXT://0.0.0.0:9092", "name a host"),
        ("inter.broker.listener.name=INTERNAL", "not among the listeners"),
        ("process.roles=broker", "one process is both"),
        ("controller.quorum.voters=1@a:1,2@b:1", "more than one controller"),
        ("log.dirs=", "at least one directory"),
    ];
    for (text, reason) in reasons {
        let errors = load_file(text).unwrap_err();
        assert!(errors.contains(reason), "{text}: {errors}");
    }
}

#[test]
fn a_lone_node_is_told_that_three_replicas_will_not_do() {
    let (_, warnings) = load_file("node.id=1").unwrap();
    assert_eq!(
        warnings[0].to_string(),
        "offsets.topic.replication.factor is 3, but this node is alone: set offsets.topic.replication.factor=1"
    );
}

#[test]
fn a_setting_of_one_listener_goes_before_that_of_all() {
    let text = "ssl.client.auth=none\nlistener.name.outside.ssl.client.auth=required\nssl.key.password=all";
    let (config, _) = load_file(text).unwrap();
    assert_eq!(config.of_listener("OUTSIDE", "ssl.client.auth"), Some("required"));
    assert_eq!(config.of_listener("INSIDE", "ssl.client.auth"), Some("none"));
    assert_eq!(config.of_listener("OUTSIDE", "ssl.key.password"), Some("all"));
    assert_eq!(config.of_listener_alone("INSIDE", "ssl.client.auth"), None);
}
