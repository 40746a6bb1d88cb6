//! The command line and the page at work on a broker: topics, records, groups, what is behind and by how much.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use barnabas_tests::harness::port;
use serde_json::Value;

use crate::fixture::{Fixture, program};

/// Runs a command on the broker.
pub(crate) fn run(fixture: &Fixture, line: &str, input: &str) -> Output {
    let mut command = Command::new(program());
    command.args(line.split(' ')).args(["-b", &fixture.broker.bootstrap()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Runs a command that says itself where its cluster is.
pub(crate) fn run_alone(line: &str) -> Output {
    Command::new(program()).args(line.split(' ')).stdin(Stdio::null()).output().unwrap()
}

/// Runs a command that must succeed; its output.
pub(crate) fn done(fixture: &Fixture, line: &str, input: &str) -> String {
    let output = run(fixture, line, input);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {} {errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn json(fixture: &Fixture, line: &str) -> Value {
    serde_json::from_str(&done(fixture, &format!("{line} -o json"), "")).unwrap()
}

/// How a command ends that fails, and what it says.
pub(crate) fn failed(fixture: &Fixture, line: &str) -> (i32, String) {
    let output = run(fixture, line, "");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn topics_records_and_groups_by_command_and_the_lag_on_the_page() {
    let port = port::free().unwrap();
    let fixture = Fixture::start(&[("barnabas.http.listener", &port.to_string())]);
    done(&fixture, "topics create orders --partitions 2", "");
    done(&fixture, "produce orders --partition 1", "one\ntwo\nthree\n");
    assert_eq!(
        done(&fixture, "consume orders --from earliest --exit --format %p:%o:%v\\n", ""),
        "1:0:one\n1:1:two\n1:2:three\n"
    );
    let plan = json(&fixture, "groups seek billing --topic orders:1 --to 1");
    assert_eq!((&plan[0]["from"], &plan[0]["to"]), (&Value::Null, &Value::from(1)));
    assert_eq!(json(&fixture, "groups list"), Value::Array(Vec::new()));
    done(&fixture, "groups seek billing --topic orders:1 --to 1 --execute", "");
    let lag = json(&fixture, "groups lag");
    assert_eq!((&lag[0]["group"], &lag[0]["lag"]), (&Value::from("billing"), &Value::from(2)));
    assert!(lag[0]["lag_seconds"].as_f64().unwrap() >= 0.0);

    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let metrics = get(address, "/metrics");
    let sample = "kafka_consumergroup_lag{consumergroup=\"billing\",topic=\"orders\",partition=\"1\"} 2\n";
    assert!(metrics.contains(sample) && metrics.contains("kafka_consumergroup_lag_seconds{"), "{metrics}");
    assert!(metrics.contains("kafka_topic_partitions{topic=\"orders\"} 2\n"), "{metrics}");
    let page = get(address, "/");
    let row = "<td>billing</td><td>Empty</td><td class=\"n\">0</td><td>orders</td><td class=\"n\">1</td>\
               <td class=\"n\">1</td><td class=\"n\">2</td>";
    assert!(page.contains(row), "{page}");
    assert!(get(address, "/readyz").starts_with("HTTP/1.1 200"));
    assert!(get(address, "/nothing").starts_with("HTTP/1.1 404"));

    done(&fixture, "groups delete billing --yes", "");
    assert_eq!(json(&fixture, "groups list"), Value::Array(Vec::new()));
}

#[test]
fn commands_end_as_documented() {
    let fixture = Fixture::start(&[("auto.create.topics.enable", "false")]);
    done(&fixture, "topics create t", "");
    assert_eq!(failed(&fixture, "topics create t").0, 4);
    assert_eq!(run(&fixture, "topics create t --if-not-exists", "").status.code(), Some(0));
    let (code, text) = failed(&fixture, "topics describe none");
    assert!(
        code == 3 && text.contains("UNKNOWN_TOPIC_OR_PARTITION (3)") && text.contains("barnabas topics list"),
        "{text}"
    );
    assert_eq!(failed(&fixture, "groups describe none").0, 3);
    let (code, text) = failed(&fixture, "topics delete t");
    assert!(code == 2 && text.contains("--yes"), "{text}");
    assert_eq!(failed(&fixture, "topics nonsense").0, 2);
    assert_eq!(run(&fixture, "topics health", "").status.code(), Some(0));
    assert_eq!(run(&fixture, "cluster health", "").status.code(), Some(0));
    let mut nobody = Command::new(program());
    let ended = nobody.args(["topics", "list", "-b", "127.0.0.1:1"]).output().unwrap();
    assert_eq!(ended.status.code(), Some(6));
}

#[test]
fn health_ends_with_8_where_a_topic_wants_more_replicas_in_sync_than_there_are() {
    let fixture = Fixture::start(&[]);
    done(&fixture, "topics create well", "");
    done(&fixture, "topics create unwell --config min.insync.replicas=2", "");
    for command in ["topics health", "cluster health"] {
        let ended = run(&fixture, command, "");
        assert_eq!(ended.status.code(), Some(8), "{command}");
        let text = String::from_utf8(ended.stdout).unwrap();
        assert!(text.contains("unwell") && text.contains("below min.insync.replicas"), "{command}: {text}");
        assert!(!text.contains(" well") && !text.contains("\nwell"), "{command}: {text}");
    }
    done(&fixture, "configs unset topic/unwell min.insync.replicas", "");
    assert_eq!(run(&fixture, "topics health", "").status.code(), Some(0));
}

#[test]
fn records_are_trimmed_and_what_a_group_committed_is_deleted_by_command() {
    let fixture = Fixture::start(&[]);
    done(&fixture, "topics create orders --partitions 2", "");
    done(&fixture, "produce orders --partition 1", "one\ntwo\nthree\n");
    done(&fixture, "groups seek billing --topic orders --to earliest --execute", "");

    let (code, text) = failed(&fixture, "topics trim orders:1 --to -1");
    assert!(code == 2 && text.contains("--yes"), "{text}");
    done(&fixture, "topics trim orders --to latest --dry-run", "");
    let places = json(&fixture, "topics offsets orders");
    assert_eq!((&places[1]["start"], &places[1]["end"]), (&Value::from(0), &Value::from(3)), "nothing was deleted");
    let plan = json(&fixture, "topics trim orders:1 --to -1 --yes");
    assert_eq!((&plan[0]["to"], &plan[0]["deleted"]), (&Value::from(2), &Value::from(2)));
    let places = json(&fixture, "topics offsets orders:1");
    assert_eq!((&places[0]["start"], &places[0]["offsets"]), (&Value::from(2), &Value::from(1)));
    assert_eq!(done(&fixture, "consume orders --from earliest --exit --format %v", ""), "three");

    assert_eq!(failed(&fixture, "groups delete-offsets billing --topic orders:1").0, 2);
    done(&fixture, "groups delete-offsets billing --topic orders:1 --yes", "");
    let lag = json(&fixture, "groups lag billing");
    assert_eq!((lag.as_array().unwrap().len(), &lag[0]["partition"]), (1, &Value::from(0)));
    assert_eq!(failed(&fixture, "groups delete-offsets billing --topic orders:1 --yes").0, 3);
}

#[test]
fn a_tool_that_is_to_ask_controllers_asks_them_and_says_where_they_are_when_nobody_is() {
    let fixture = Fixture::start(&[]);
    let ended = |name: &str, line: &str| {
        let mut tool = Command::new(program());
        tool.arg0(name).args(line.split(' ')).output().unwrap()
    };
    let nobody = format!("127.0.0.1:{}", port::free().unwrap());
    // A broker's listener answers that it is no controller's.
    for address in [fixture.broker.bootstrap(), fixture.broker.controller(), nobody] {
        for (name, line) in [
            ("kafka-configs", format!("--describe --broker 1 --bootstrap-controller {address}")),
            ("kafka-metadata-quorum.sh", format!("--bootstrap-controller {address} describe --status")),
            ("kafka-cluster", format!("cluster-id -C {address}")),
        ] {
            let ended = ended(name, &line);
            let said = String::from_utf8_lossy(&ended.stderr);
            if address == fixture.broker.controller() {
                assert_eq!(ended.status.code(), Some(0), "{name}: {said}");
            } else {
                assert_eq!(ended.status.code(), Some(1), "{said}");
                assert!(said.contains("try: --bootstrap-controller") && said.contains(&address), "{name}: {said}");
            }
        }
    }
    assert_eq!(ended("kafka-topics", "--list").status.code(), Some(1), "bad usage ends Kafka's tools with 1");
    assert_eq!(ended("kafka-configs", "--describe --broker 1").status.code(), Some(1));
    assert_eq!(ended("kafka-configs", "--help").status.code(), Some(0));
}

#[test]
fn settings_of_topics_and_brokers_by_command() {
    let fixture = Fixture::start(&[("auto.create.topics.enable", "false")]);
    done(&fixture, "topics create orders --config retention.ms=1000", "");
    assert_eq!(json(&fixture, "configs list topic/orders")[0]["value"], "1000");
    done(&fixture, "configs set topic/orders retention.ms=2000 cleanup.policy+=compact", "");
    let found = json(&fixture, "configs get topic/orders retention.ms cleanup.policy");
    assert_eq!((&found[0]["value"], &found[0]["from"]), (&Value::from("2000"), &Value::from("topic")));
    assert_eq!(found[1]["value"], "delete,compact");
    assert!(found[0]["documentation"].as_str().is_some_and(|text| !text.is_empty()), "{found}");
    done(&fixture, "configs unset topic/orders retention.ms", "");
    assert_eq!(json(&fixture, "configs get topic/orders retention.ms")[0]["from"], "default");
    assert_eq!(failed(&fixture, "configs unset topic/orders retention.ms").0, 3);
    assert_eq!(failed(&fixture, "configs get topic/orders no.such").0, 3);
    assert_eq!(failed(&fixture, "configs get topic/none retention.ms").0, 3);
    let (code, text) = failed(&fixture, "configs set topic/orders retention.ms=soon");
    assert!(code == 1 && text.contains("Not a number of type LONG"), "{text}");
    assert_eq!(failed(&fixture, "configs set orders retention.ms=1").0, 2);

    done(&fixture, "configs set cluster log.retention.ms=86400000", "");
    done(&fixture, "configs set group/g consumer.session.timeout.ms=50000", "");
    done(&fixture, "configs set client-metrics/m interval.ms=60000", "");
    done(&fixture, "configs set broker-logger/1 root=WARN --dry-run", "");
    let changed = json(&fixture, "configs list");
    let of: Vec<_> = changed.as_array().unwrap().iter().filter_map(|one| one["of"].as_str()).collect();
    assert_eq!(of, ["cluster", "group/g", "client-metrics/m", "topic/orders"], "{changed}");
    assert_eq!(json(&fixture, "configs get broker/1 log.retention.ms")[0]["from"], "cluster");
}

/// How `configs diff` ends, and of each row the setting, its value and the other value.
fn differing(fixture: &Fixture, line: &str) -> (i32, Vec<[Option<String>; 3]>) {
    let output = run(fixture, &format!("configs diff {line} -o json"), "");
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = |row: &Value| ["setting", "value", "other_value"].map(|key| row[key].as_str().map(str::to_owned));
    (output.status.code().unwrap(), shown.as_array().unwrap().iter().map(row).collect())
}

fn difference(setting: &str, value: Option<&str>, other: Option<&str>) -> [Option<String>; 3] {
    [Some(setting), value, other].map(|text| text.map(str::to_owned))
}

/// A broker on which settings of two topics and of the cluster are not as by default.
fn with_settings() -> Fixture {
    let fixture = Fixture::start(&[("auto.create.topics.enable", "false")]);
    done(&fixture, "topics create orders --config retention.ms=1000 --config preallocate=true", "");
    done(&fixture, "topics create bills --config retention.ms=2000", "");
    done(&fixture, "configs set cluster log.retention.ms=86400000", "");
    fixture
}

#[test]
fn settings_are_compared_key_by_key() {
    let fixture = with_settings();
    let preallocate = difference("preallocate", Some("true"), Some("false"));
    let retention = |value, other| difference("retention.ms", Some(value), Some(other));
    let of_both = differing(&fixture, "topic/orders topic/bills");
    assert_eq!(of_both, (8, vec![preallocate.clone(), retention("1000", "2000")]));
    assert_eq!(differing(&fixture, "topic/orders"), (8, vec![preallocate, retention("1000", "86400000")]));
    assert_eq!(differing(&fixture, "topic/orders topic/orders"), (0, Vec::new()));
    assert_eq!(failed(&fixture, "configs diff topic/orders topic/none").0, 3);
    assert_eq!(failed(&fixture, "configs diff topic/orders cluster").0, 2);
}

#[test]
fn properties_of_a_topic_are_written_and_set_again() {
    let (fixture, directory) = (with_settings(), tempfile::tempdir().unwrap());
    let file = directory.path().join("orders.properties");
    let written = done(&fixture, "configs export topic/orders --properties", "");
    assert_eq!(written, "preallocate=true\nretention.ms=1000\n");
    std::fs::write(&file, written).unwrap();
    done(&fixture, "configs unset topic/orders preallocate", "");
    let shown = file.display();
    let differs = vec![difference("preallocate", None, Some("true"))];
    assert_eq!(differing(&fixture, &format!("topic/orders --file {shown}")), (8, differs));
    assert_eq!(failed(&fixture, &format!("configs import {shown}")).0, 2, "properties do not say whose they are");
    done(&fixture, &format!("configs import {shown} --to topic/orders --yes"), "");
    assert_eq!(differing(&fixture, &format!("topic/orders --file {shown}")).0, 0);
    std::fs::write(&file, "retention.ms=soon\n").unwrap();
    assert_eq!(failed(&fixture, &format!("configs import {shown} --to topic/orders --yes")).0, 1);
}

#[test]
fn settings_of_a_cluster_are_written_to_a_file_and_set_from_it() {
    let (fixture, directory) = (with_settings(), tempfile::tempdir().unwrap());
    let (all, topic) = (directory.path().join("all.yaml"), directory.path().join("topic.yaml"));
    std::fs::write(&all, done(&fixture, "configs export", "")).unwrap();
    std::fs::write(&topic, done(&fixture, "configs export topic/orders", "")).unwrap();
    done(&fixture, "configs unset topic/orders preallocate", "");
    done(&fixture, "configs set topic/bills retention.ms=3000", "");
    done(&fixture, "configs unset cluster log.retention.ms", "");

    let applied = json(&fixture, &format!("topics apply {} --dry-run", topic.display()));
    assert_eq!((&applied[0]["what"], &applied[0]["to"]), (&"preallocate".into(), &"true".into()), "{applied}");
    let all = all.display();
    let plan = json(&fixture, &format!("configs import {all} --dry-run"));
    let planned = |at: usize| ["of", "action", "setting", "to"].map(|key| plan[at][key].as_str().unwrap());
    assert_eq!(plan.as_array().unwrap().len(), 3, "{plan}");
    assert_eq!(planned(0), ["topic/bills", "set", "retention.ms", "2000"]);
    assert_eq!(planned(2), ["cluster", "set", "log.retention.ms", "86400000"]);
    assert_eq!(failed(&fixture, &format!("configs import {all}")).0, 2, "nobody is there to say yes");
    assert_eq!(differing(&fixture, &format!("topic/bills --file {all}")).0, 8, "a plan changes nothing");
    done(&fixture, &format!("configs import {all} --yes"), "");
    for resource in ["topic/orders", "topic/bills", "cluster"] {
        assert_eq!(differing(&fixture, &format!("{resource} --file {all}")), (0, Vec::new()), "{resource}");
    }
}

#[test]
fn the_quorum_the_served_apis_the_features_and_elections_by_command() {
    let fixture = Fixture::start(&[]);
    done(&fixture, "topics create t --partitions 2", "");
    let quorum = json(&fixture, "cluster quorum");
    assert_eq!(
        (&quorum["quorum"][0]["leader"], &quorum["quorum"][0]["voters"][0]),
        (&1.into(), &"1".into()),
        "{quorum}"
    );
    assert_eq!(
        (&quorum["replicas"][0]["role"], &quorum["replicas"][0]["lag"]),
        (&"leader".into(), &0.into()),
        "{quorum}"
    );
    assert!(quorum["quorum"][0]["high_watermark"].as_i64().is_some_and(|offset| offset > 0), "{quorum}");

    let served = json(&fixture, "cluster api-versions --broker 1");
    let metadata = served.as_array().unwrap().iter().find(|row| row["api"] == "Metadata").unwrap();
    assert_eq!((&metadata["key"], &metadata["kafka_client_uses"]), (&3.into(), &13.into()), "{metadata}");
    assert_eq!(metadata["served"], metadata["barnabas_serves"], "{metadata}");
    let all = json(&fixture, "cluster api-versions --all");
    assert!(all.as_array().unwrap().iter().any(|row| row["served"].is_null()), "{all}");
    assert_eq!(failed(&fixture, "cluster api-versions --broker 7").0, 6);

    let features = json(&fixture, "cluster features");
    let version = &features[0];
    assert_eq!(version["feature"], "metadata.version", "{features}");
    assert!(
        version["level"].as_i64() <= version["supported_to"].as_i64() && version["level"].is_number(),
        "{features}"
    );

    assert_eq!(json(&fixture, "cluster elect preferred"), Value::Array(Vec::new()));
    let told = run(&fixture, "cluster elect unclean --topic t:1", "");
    assert!(told.status.success() && told.stdout.is_empty());
    assert!(String::from_utf8_lossy(&told.stderr).contains("no partition needs"), "{told:?}");
    assert_eq!(failed(&fixture, "cluster elect preferred --topic t:2").0, 3);
    assert_eq!(failed(&fixture, "cluster elect preferred --topic none").0, 3);
}

#[test]
fn topics_are_altered_all_or_nothing_and_applied_from_a_file() {
    let fixture = Fixture::start(&[("auto.create.topics.enable", "false")]);
    done(&fixture, "topics create orders --partitions 2", "");
    let partitions =
        |topic: &str| json(&fixture, &format!("topics describe {topic}"))["topics"][0]["partitions"].clone();
    assert_eq!(failed(&fixture, "topics alter orders --partitions 4 --config retention.ms=soon").0, 1);
    assert_eq!(partitions("orders"), 2, "nothing was changed");
    done(&fixture, "topics alter orders --partitions 4 --config retention.ms=5", "");
    assert_eq!(partitions("orders"), 4);
    done(&fixture, "topics alter orders --unset retention.ms", "");

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("topics.yaml");
    let apply = |text: &str, options: &str| {
        std::fs::write(&file, text).unwrap();
        run(&fixture, &format!("topics apply {}{options}", file.display()), "")
    };
    let text = "topics:\n- {name: orders, partitions: 6, configs: {retention.ms: 7}}\n- {name: bills, partitions: 3}\n";
    let plan = apply(text, " --dry-run -o json");
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!((&plan[0]["from"], &plan[0]["to"]), (&Value::from(4), &Value::from(6)), "{plan}");
    assert_eq!(failed(&fixture, "topics describe bills").0, 3, "a plan changes nothing");
    assert_eq!(apply(text, "").status.code(), Some(2), "nobody is there to say yes");
    assert!(apply(text, " --yes").status.success());
    assert_eq!((partitions("orders"), partitions("bills")), (Value::from(6), Value::from(3)));
    let again = apply(text, " --yes -o json");
    assert_eq!(serde_json::from_slice::<Value>(&again.stdout).unwrap(), Value::Array(Vec::new()));
    assert!(!apply("topics: [{name: orders, partitions: 2}, {name: new}]", " --yes").status.success());
    assert_eq!(failed(&fixture, "topics describe new").0, 3, "a conflict changes nothing");
}

#[test]
fn the_doctor_finds_an_advertised_address_that_nobody_answers_at() {
    let fixture = Fixture::start(&[]);
    done(&fixture, "topics create t", "");
    let well = json(&fixture, "doctor --round-trip t");
    let steps: Vec<_> = well.as_array().unwrap().iter().filter_map(|check| check["step"].as_str()).collect();
    assert_eq!(
        steps,
        ["dns", "tcp", "api-versions", "metadata", "dns", "tcp", "api-versions", "metadata", "round-trip"]
    );
    assert_eq!(run(&fixture, "doctor --round-trip none", "").status.code(), Some(8));

    let silent = port::free().unwrap();
    let advertised = format!("PLAINTEXT://127.0.0.1:{silent}");
    let fixture = Fixture::start(&[("advertised.listeners", &advertised)]);
    let ended = run(&fixture, "doctor -o json", "");
    assert_eq!(ended.status.code(), Some(8));
    let checks: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let finding = checks.as_array().unwrap().iter().find(|check| check["result"] == "FINDING").unwrap();
    assert_eq!((&finding["who"], &finding["step"]), (&Value::from("broker 1"), &Value::from("tcp")), "{checks}");
    assert!(finding["try"].as_str().unwrap().contains("advertised.listeners"), "{checks}");
}

/// A program of ours on a directory of its own, without a broker.
fn offline(directory: &std::path::Path, line: &str) -> Output {
    let data = format!("log.dirs={}", directory.join("data").display());
    Command::new(program()).args(line.split(' ')).args(["-c", &data]).output().unwrap()
}

#[test]
fn a_user_given_at_the_formatting_can_log_in_at_the_first_start() {
    let directory = tempfile::tempdir().unwrap();
    let scram = directory.path().join("admin.scram");
    std::fs::write(&scram, "SCRAM-SHA-512=[name=admin,password=secret]\n").unwrap();
    let line = format!("storage format --cluster-id abcdefghijklmnopqrstuv --add-scram @{}", scram.display());
    let formatted = offline(directory.path(), &line);
    assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stderr));
    assert!(!offline(directory.path(), &line).status.success(), "it is formatted already");
    assert!(!offline(directory.path(), &format!("{line} -g")).status.success(), "users come too late");
    let info: Value = serde_json::from_slice(&offline(directory.path(), "storage info -o json").stdout).unwrap();
    assert_eq!(info[0]["cluster_id"], "abcdefghijklmnopqrstuv");

    let port = port::free().unwrap();
    let mut broker = Command::new(program());
    broker.args(["serve", "-c", &format!("log.dirs={}", directory.path().join("data").display())]);
    broker.args(["-c", &format!("listeners=SASL_PLAINTEXT://127.0.0.1:{port}")]);
    let mut broker = broker.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let login = "sasl.jaas.config=M required username=\"admin\" password=\"secret\";";
    let list = || {
        let mut list = Command::new(program());
        list.args(["users", "list", "-o", "name", "-b", &format!("127.0.0.1:{port}")]);
        list.args(["--command-property", "security.protocol=SASL_PLAINTEXT"]);
        list.args(["--command-property", "sasl.mechanism=SCRAM-SHA-512", "--command-property", login]);
        let listed = list.output().unwrap();
        listed.status.success().then(|| String::from_utf8(listed.stdout).unwrap())
    };
    let listed = barnabas_tests::harness::wait::until("a login", std::time::Duration::from_secs(60), list);
    broker.kill().unwrap();
    broker.wait().unwrap();
    assert_eq!(listed.unwrap(), "admin\n");
}

#[test]
fn systemd_is_told_when_clients_are_served_and_when_that_ends() {
    let directory = tempfile::tempdir().unwrap();
    let socket = std::os::unix::net::UnixDatagram::bind(directory.path().join("notify")).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    let mut broker = Command::new(program());
    broker.env("NOTIFY_SOCKET", directory.path().join("notify"));
    broker.args(["serve", "-c", &format!("log.dirs={}", directory.path().join("data").display())]);
    broker.args(["-c", &format!("listeners=PLAINTEXT://127.0.0.1:{}", port::free().unwrap())]);
    let mut broker = broker.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let told = || {
        let mut bytes = [0; 1024];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let ready = told();
    assert!(ready.contains("READY=1") && ready.contains("STATUS=serves on 127.0.0.1:"), "{ready}");
    // Without TLS nothing is read again, but the broker of a service goes on.
    for signal in ["-HUP", "-TERM"] {
        assert!(Command::new("kill").args([signal, &broker.id().to_string()]).status().unwrap().success());
    }
    assert!(told().contains("STOPPING=1"));
    assert!(broker.wait().unwrap().success());
}

#[test]
fn files_of_a_stopped_broker_are_dumped() {
    let mut fixture = Fixture::start(&[]);
    done(&fixture, "topics create t", "");
    done(&fixture, "produce t", "one\ntwo\n");
    fixture.broker.stop().unwrap();
    let verified = Command::new(program()).args(["log", "verify"]).arg(fixture.broker.data()).output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
    assert_eq!(String::from_utf8_lossy(&verified.stderr), "", "how far it has come is told on terminals only");
    let log = fixture.broker.data().join("t-0/00000000000000000000.log");
    let dump = || Command::new(program()).args(["log", "dump", "--records", "-o", "json"]).arg(&log).output().unwrap();
    let dumped = dump();
    assert!(dumped.status.success());
    let dumped: Value = serde_json::from_slice(&dumped.stdout).unwrap();
    let values: Vec<_> = dumped["records"].as_array().unwrap().iter().map(|record| &record["value"]).collect();
    assert_eq!(values, ["one", "two"], "{dumped}");
    assert_eq!(dumped["batches"][0]["valid"], true, "{dumped}");
    let mut bytes = std::fs::read(&log).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    std::fs::write(&log, bytes).unwrap();
    assert_eq!(dump().status.code(), Some(8), "a wrong checksum is a finding");
}
