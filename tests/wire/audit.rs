//! The audit of a running broker: what is in its file and its topic, what is not, and that nobody waits for it.

use std::path::Path;
use std::time::Duration;

use barnabas_tests::harness::wait;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::*;
use serde_json::Value;

use crate::client::Client;
use crate::fixture::Fixture;
use crate::login::{scram, set, text};
use crate::sasl::{self, SHA256};
use crate::security::{Secured, keys};

const PATIENCE: Duration = Duration::from_secs(30);
const TOPIC: &str = "__barnabas_audit";

/// The whole lines of a file.
fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(str::to_owned).collect()
}

fn events(path: &Path) -> Vec<Value> {
    lines(path).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits for an event; the whole of it.
pub(crate) fn event(path: &Path, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    wait::until(what, PATIENCE, || events(path).into_iter().find(|event| is_it(event))).unwrap()
}

fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}

pub(crate) fn create_topic(client: &mut Client, name: &str) -> i16 {
    let topic = CreatableTopic::default().with_name(topic_name(name)).with_num_partitions(1).with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
    client.ask(&request, 5).topics[0].error_code
}

/// Literal, on a topic, for everybody's host.
fn allow_read(principal: &str, name: &str) -> AclCreation {
    AclCreation::default()
        .with_resource_type(2)
        .with_resource_name(text(name))
        .with_resource_pattern_type(3)
        .with_principal(text(principal))
        .with_host(text("*"))
        .with_operation(3)
        .with_permission_type(3)
}

/// The records of the audit's topic as they come, or the error.
fn fetch(client: &mut Client) -> Result<Vec<u8>, i16> {
    let partition = FetchPartition::default().with_partition(0).with_fetch_offset(0).with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_topic(topic_name(TOPIC)).with_partitions(vec![partition]);
    let request = FetchRequest::default().with_max_bytes(1 << 20).with_topics(vec![topic]);
    let answer = client.ask(&request, 12);
    let partition = &answer.responses[0].partitions[0];
    match partition.error_code {
        0 => Ok(partition.records.as_ref().map(|records| records.to_vec()).unwrap_or_default()),
        error => Err(error),
    }
}

fn contains(bytes: &[u8], wanted: &str) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
}

fn settings<'a>(file: &'a str, super_users: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("authorizer.class.name", "standard"),
        ("super.users", super_users),
        ("barnabas.audit.file", file),
        ("barnabas.audit.topic.enable", "true"),
        ("barnabas.audit.logins", "all"),
    ]
}

fn set_password(admin: &mut Client, user: &str, password: &str) {
    let request = AlterUserScramCredentialsRequest::default().with_upsertions(vec![set(user, SHA256, password)]);
    assert_eq!(admin.ask(&request, 0).results[0].error_code, 0);
}

#[test]
fn denials_changes_and_logins_are_in_the_file_and_the_topic_and_no_secret_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made").join("audit.json");
    let mut fixture = sasl::start(&settings(path.to_str().unwrap(), "User:admin"));
    let mut admin = sasl::admin(&fixture);
    set_password(&mut admin, "alice", "al1ce-s3cret");
    assert_eq!(create_topic(&mut admin, "orders"), 0);
    let rules = CreateAclsRequest::default().with_creations(vec![allow_read("User:alice", "orders")]);
    assert_eq!(admin.ask(&rules, 2).results[0].error_code, 0);
    let setting = AlterableConfig::default().with_name(text("retention.ms")).with_value(Some(text("87654321")));
    let resource = AlterConfigsResource::default().with_resource_type(2).with_resource_name(text("orders"));
    let change = IncrementalAlterConfigsRequest::default().with_resources(vec![resource.with_configs(vec![setting])]);
    assert_eq!(admin.ask(&change, 0).responses[0].error_code, 0);

    let mut alice = Client::connect(fixture.address());
    assert_eq!(sasl::plain(&mut alice, "alice", "al1ce-s3cret").error_code, 0);
    for _ in 0..5 {
        assert_eq!(create_topic(&mut alice, "forbidden"), ResponseError::TopicAuthorizationFailed.code());
    }
    assert_eq!(fetch(&mut alice), Err(ResponseError::TopicAuthorizationFailed.code()), "READ is asked for");
    let mut nobody = Client::connect(fixture.address());
    assert_ne!(sasl::plain(&mut nobody, "alice-wr0ng-field", "wr0ng-s3cret").error_code, 0);

    let user = event(&path, "the user", |event| event["entity"]["type"] == "User");
    assert_eq!((&user["entity"]["name"], &user["actor"]["user"]["name"]), (&"alice".into(), &"User:admin".into()));
    assert_eq!(user["entity"]["data"]["set"], "SCRAM-SHA-256");
    let rule = event(&path, "the rule", |event| event["unmapped"]["kind"] == "ACL");
    assert_eq!((&rule["class_uid"], &rule["entity"]["name"]), (&3004.into(), &"User:alice".into()));
    assert_eq!(rule["entity"]["data"]["resource_name"], "orders");
    let config = event(&path, "the setting", |event| event["api"]["operation"] == "IncrementalAlterConfigs");
    assert_eq!(config["resources"][0]["data"]["settings"], "retention.ms");
    let made = event(&path, "the topic", |event| event["resources"][0]["name"] == "orders");
    assert_eq!((&made["class_uid"], &made["status"]), (&6003.into(), &"Success".into()));
    event(&path, "the login", |event| event["class_uid"] == 3002 && event["user"]["name"] == "User:alice");
    let is_failed = |event: &Value| event["class_uid"] == 3002 && event["status"] == "Failure";
    let failed = event(&path, "the failed login", is_failed);
    assert_eq!(
        (&failed["user"]["name"], &failed["auth_protocol"]),
        (&"User:alice-wr0ng-field".into(), &"SASL PLAIN".into())
    );

    let expected = lines(&path);
    let in_topic = |admin: &mut Client| {
        let records = fetch(admin).ok()?;
        expected.iter().all(|line| contains(&records, line)).then_some(records)
    };
    let records = wait::until("the topic to have every line", PATIENCE, || in_topic(&mut admin)).unwrap();
    fixture.broker.stop().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    for secret in ["s3cret", "87654321", "salt of the client", "admin-secret"] {
        assert!(!text.contains(secret) && !contains(&records, secret), "{secret} in {text}");
    }
    let of_forbidden = |event: &&Value| event["resources"][0]["name"] == "forbidden";
    let events = events(&path);
    let denied: Vec<&Value> = events.iter().filter(of_forbidden).collect();
    assert_eq!(denied.len(), 2, "the first, and the others at the stop");
    assert_eq!(
        (&denied[0]["actor"]["authorizations"][0]["decision"], &denied[1]["count"]),
        (&"denied".into(), &4.into())
    );
}

#[test]
fn a_failed_login_is_told_with_the_name_it_tried_and_many_names_are_told_together() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.json");
    let mut fixture = sasl::start(&settings(path.to_str().unwrap(), "User:admin"));
    let try_out = |user: &str| {
        let mut client = Client::connect(fixture.address());
        assert_ne!(scram(&mut client, SHA256, user, "wr0ng-s3cret").error_code, 0);
    };
    try_out("mallory");
    let failed = event(&path, "the failed login", |event| event["status"] == "Failure");
    assert_eq!(
        (&failed["user"]["name"], &failed["auth_protocol"]),
        (&"User:mallory".into(), &"SASL SCRAM-SHA-256".into())
    );
    (0..5).for_each(|number| try_out(&format!("guess{number}")));
    let mut client = Client::connect(fixture.address());
    let long = format!("a\n{}", "x".repeat(5000));
    assert_ne!(sasl::plain(&mut client, &long, "wr0ng-s3cret").error_code, 0);
    fixture.broker.stop().unwrap();
    let failed: Vec<Value> = events(&path).into_iter().filter(|event| event["status"] == "Failure").collect();
    let names: Vec<&str> = failed.iter().filter_map(|event| event["user"]["name"].as_str()).collect();
    assert_eq!((names.len(), names[0], names[2]), (3, "User:mallory", "several"), "{names:?}");
    assert!(names[1].starts_with("User:a\nxxx") && names[1].len() < 600, "bounded, and one line of the file");
    assert_eq!(failed[2]["count"], 5);
    assert!(!std::fs::read_to_string(&path).unwrap().contains("s3cret"));
}

#[test]
fn a_refused_handshake_is_told_with_the_certificate_that_was_shown() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.json");
    let trust = keys("ca.pem");
    let mut secured = Secured::start_with(&[
        ("ssl.client.auth", "required"),
        ("listener.name.ssl.ssl.truststore.location", &trust),
        ("barnabas.audit.file", path.to_str().unwrap()),
    ]);
    assert!(!secured.serves(Some("stranger.pem")) && !secured.serves(None) && secured.serves(Some("client.pem")));
    secured.fixture.broker.stop().unwrap();
    let events = events(&path);
    let of = |kind: &str| events.iter().find(|event| event["status_code"] == kind).unwrap();
    let untrusted = of("certificate-untrusted");
    assert_eq!((&untrusted["user"]["name"], &untrusted["auth_protocol"]), (&"User:CN=stranger".into(), &"TLS".into()));
    assert_eq!((&untrusted["class_uid"], &untrusted["status"]), (&3002.into(), &"Failure".into()));
    assert_eq!(untrusted["src_endpoint"]["ip"], "127.0.0.1");
    assert!(untrusted["status_detail"].as_str().unwrap().contains("add the issuer's certificate"));
    assert_eq!(of("certificate-missing")["user"]["name"], "unknown");
    assert!(events.iter().all(|event| event["user"]["name"] != "User:CN=Alice,OU=clients,O=Barnabas"), "who is let in");
}

#[test]
fn a_full_queue_holds_up_no_request_and_what_is_lost_is_counted() {
    const RULES: usize = 3000;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("audit.json");
    let own = [("barnabas.audit.queue.events.max", "16")];
    let fixture = Fixture::start(&[&settings(path.to_str().unwrap(), "User:ANONYMOUS")[..], &own].concat());
    let mut client = Client::connect(fixture.address());
    let rules = (0..RULES).map(|number| allow_read("User:a", &format!("t{number}"))).collect();
    let answer = client.ask(&CreateAclsRequest::default().with_creations(rules), 2);
    assert!(answer.results.len() == RULES && answer.results.iter().all(|result| result.error_code == 0));
    let told = |wanted: u64| {
        let of_class = |event: &Value| event["class_uid"].as_u64() == Some(wanted);
        events(&path).into_iter().filter(of_class).map(|event| event["count"].as_u64().unwrap_or(1)).sum::<u64>()
    };
    let is_complete = || (told(3004) + told(0) == RULES as u64).then_some(());
    wait::until("every rule to be told or to be counted as lost", PATIENCE, is_complete).unwrap();
}

#[test]
fn a_broker_without_the_settings_writes_nothing_and_makes_no_topic() {
    let own = [("authorizer.class.name", "standard"), ("super.users", "User:admin")];
    let mut fixture = sasl::start(&own);
    let mut admin = sasl::admin(&fixture);
    set_password(&mut admin, "alice", "al1ce-s3cret");
    let mut alice = Client::connect(fixture.address());
    assert_eq!(sasl::plain(&mut alice, "alice", "al1ce-s3cret").error_code, 0);
    assert_ne!(create_topic(&mut alice, "forbidden"), 0);
    assert_eq!(fetch(&mut admin), Err(ResponseError::UnknownTopicOrPartition.code()));
    fixture.broker.stop().unwrap();
    let names = std::fs::read_dir(fixture.broker.data()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("audit")));
}
