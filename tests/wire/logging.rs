//! The log of a broker, as programs read it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use barnabas_tests::harness::port;
use serde_json::Value;

use crate::fixture::program;

/// A broker that is told everything by its environment.
fn told_by_environment(directory: &std::path::Path) -> Command {
    let mut broker = Command::new(program());
    broker.env("BARNABAS_LOG_FORMAT", "json").env("BARNABAS_LOG_DIRS", directory.join("data"));
    broker.env("BARNABAS_LISTENERS", format!("PLAINTEXT://127.0.0.1:{}", port::free().unwrap()));
    broker.env("BARNABAS_NUM_PARTITION", "3").stdout(Stdio::null()).stderr(Stdio::piped());
    broker
}

#[test]
fn every_line_of_a_log_in_json_is_an_object_and_warnings_say_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let mut broker = told_by_environment(directory.path()).spawn().unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(broker.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        let line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if line["message"] == "ready" {
            assert!(Command::new("kill").arg(broker.id().to_string()).status().unwrap().success());
        }
        lines.push(line);
    }
    assert!(broker.wait().unwrap().success());
    for line in &lines {
        for field in ["timestamp", "level", "target", "message"] {
            assert!(line[field].is_string(), "{field}: {line}");
        }
    }
    let with = |message: &str| lines.iter().find(|line| line["message"].as_str().unwrap().contains(message)).unwrap();
    assert!(with("ready")["addresses"].as_str().unwrap().contains("127.0.0.1"), "a field is beside the message");
    let warning = with("unknown setting num.partition is ignored (did you mean num.partitions?)");
    assert_eq!(warning["level"], "WARN");
    assert!(warning["message"].as_str().unwrap().contains("; change or drop it"), "{warning}");
}

#[test]
fn a_format_of_the_log_that_there_is_not_is_a_wrong_command_line() {
    let directory = tempfile::tempdir().unwrap();
    for words in [&[][..], &["serve"]] {
        let output =
            told_by_environment(directory.path()).args(words).env("BARNABAS_LOG_FORMAT", "xml").output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("text, json"), "{told}");
    }
}
