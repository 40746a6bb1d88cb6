//! What monitors ask over HTTP: whether it lives, how far a start has come, and what is wrong.

use std::net::SocketAddr;
use std::time::Duration;

use barnabas_tests::harness::{port, wait};
use serde_json::{Value, json};

use crate::commands::{done, get};
use crate::fixture::Fixture;

fn health(address: SocketAddr) -> Value {
    let answer = get(address, "/v1/health");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("application/json"), "{answer}");
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn what_is_wrong_is_told_with_the_words_of_the_command() {
    let port = port::free().unwrap();
    let fixture = Fixture::start(&[("barnabas.http.listener", &port.to_string())]);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    // Clients are served a moment before it is said so.
    let started = wait::until("the start", Duration::from_secs(30), || {
        get(address, "/startupz").starts_with("HTTP/1.1 200").then_some(())
    });
    started.unwrap();
    assert!(get(address, "/livez").starts_with("HTTP/1.1 200"));
    assert_eq!((&health(address)["status"], &health(address)["findings"]), (&json!("healthy"), &json!([])));
    done(&fixture, "topics create unwell --partitions 2 --config min.insync.replicas=2", "");
    let told = health(address);
    assert_eq!(told["status"], "unhealthy");
    assert_eq!(told["findings"], json!([{"where": "unwell", "finding": "below min.insync.replicas", "count": 2}]));
    assert_eq!(told["startup"], json!({"log_directories": 1, "log_directories_open": 1, "partitions_found": 0}));
    let by_command = crate::commands::run(&fixture, "cluster health -o json", "");
    assert_eq!(serde_json::from_slice::<Value>(&by_command.stdout).unwrap(), told["findings"]);
}
