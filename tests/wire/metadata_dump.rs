//! `cluster metadata-dump`: one document of what a client is told of the metadata, which says what is missing and why.

use serde_json::{Value, json};

use crate::commands::{done, json as document, run};
use crate::fixture::Fixture;

fn missing(dump: &Value) -> Vec<(&str, &str)> {
    fn of(part: &Value) -> Option<(&str, &str)> {
        Some((part["part"].as_str()?, part["why"].as_str()?))
    }
    dump["missing"].as_array().unwrap().iter().filter_map(of).collect()
}

#[test]
fn everything_that_is_told_is_in_one_document_and_no_secret() {
    let fixture = Fixture::start(&[]);
    done(&fixture, "topics create orders --partitions 2 --config retention.ms=1000", "");
    done(&fixture, "users create alice --password-stdin", "open sesame\n");
    done(&fixture, "quotas set --user alice producer_byte_rate=1000", "");
    done(&fixture, "configs set cluster log.retention.ms=5000", "");
    let dump = document(&fixture, "cluster metadata-dump");
    let described = document(&fixture, "topics describe orders");
    let topic = dump["topics"].as_array().unwrap().iter().find(|topic| topic["topic"] == "orders").unwrap();
    assert_eq!(topic["partitions"].as_array().unwrap().len(), 2);
    assert!(described.to_string().contains(topic["id"].as_str().unwrap()), "{described}");
    assert_eq!(topic["partitions"][1]["in_sync"], topic["partitions"][1]["replicas"]);
    assert_eq!(dump["settings_of_topics"], json!({"topic/orders": {"retention.ms": "1000"}}));
    assert_eq!(dump["settings_of_others"]["cluster"], json!({"log.retention.ms": "5000"}));
    assert_eq!((&dump["users"][0]["user"], &dump["quotas"][0]["value"]), (&json!("alice"), &json!(1000)));
    assert_eq!(dump["cluster"]["brokers"][0]["address"], json!(fixture.broker.bootstrap()));
    assert!(dump["quorum"]["replicas"][0]["role"] == "leader" && !dump["features"].as_array().unwrap().is_empty());
    assert!(!dump.to_string().contains("sesame"), "{dump}");
    // Neither rules nor tokens are turned on.
    assert_eq!(missing(&dump), [("acls", "off"), ("tokens", "off")]);
}

#[test]
fn a_part_that_is_refused_is_named_and_the_command_ends_with_7() {
    let fixture = Fixture::start(&[("authorizer.class.name", "standard")]);
    let ended = run(&fixture, "cluster metadata-dump", "");
    assert_eq!(ended.status.code(), Some(7), "{ended:?}");
    let dump: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!((&dump["topics"], &dump["acls"]), (&json!([]), &Value::Null));
    let missing = missing(&dump);
    assert!(missing.contains(&("acls", "refused")) && missing.contains(&("users", "refused")), "{missing:?}");
}
