//! The command line and the page at work on a broker: topics, records, groups, what is behind and by how much.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
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

fn get(address: SocketAddr, path: &str) -> String {
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
