//! `barnabas acls` at work on a broker with rules.

use serde_json::Value;

use crate::commands::{done, failed, json, run};
use crate::fixture::Fixture;

const SETTINGS: [(&str, &str); 2] = [("authorizer.class.name", "standard"), ("super.users", "User:ANONYMOUS")];

fn count(fixture: &Fixture, line: &str) -> usize {
    json(fixture, line).as_array().unwrap().len()
}

#[test]
fn rules_are_granted_asked_about_and_revoked() {
    let fixture = Fixture::start(&SETTINGS);
    done(&fixture, "topics create orders", "");
    assert_eq!(count(&fixture, "acls grant alice producer --topic orders --dry-run"), 3);
    assert_eq!(count(&fixture, "acls list"), 0);
    assert_eq!(count(&fixture, "acls grant alice producer --topic orders"), 3);
    assert_eq!(count(&fixture, "acls grant bob write topic:orders-*"), 1);
    assert_eq!(count(&fixture, "acls list --resource topic:orders-eu"), 1);
    assert_eq!(count(&fixture, "acls list --principal alice"), 3);

    let allowed = done(&fixture, "acls check alice write topic:orders", "");
    assert!(allowed.starts_with("allowed: User:alice WRITE on TOPIC orders"), "{allowed}");
    let denied = run(&fixture, "acls explain bob write topic:orders", "");
    let told = String::from_utf8(denied.stdout).unwrap();
    assert!(denied.status.code() == Some(8) && told.contains("orders does not begin with orders-"), "{told}");
    assert!(!told.contains("note:"), "this broker tells its super users: {told}");
    assert!(done(&fixture, "acls check ANONYMOUS alter cluster", "").contains("a super user"));
    let who = json(&fixture, "acls whocan write topic:orders");
    let who: Vec<&str> = who.as_array().unwrap().iter().map(|row| row["principal"].as_str().unwrap()).collect();
    assert_eq!(who, ["User:ANONYMOUS", "User:alice"]);
    let may = json(&fixture, "acls effective alice");
    assert_eq!(may, serde_json::json!([{"resource": "topic:orders", "operations": ["write", "create", "describe"]}]));
    let odd = run(&fixture, "acls lint", "");
    assert!(odd.status.code() == Some(8), "{}", String::from_utf8_lossy(&odd.stdout));

    assert_eq!(count(&fixture, "acls revoke alice producer --topic orders"), 3);
    assert_eq!(failed(&fixture, "acls revoke alice producer --topic orders").0, 3);
    assert_eq!(run(&fixture, "acls check alice write topic:orders", "").status.code(), Some(8));
}

#[test]
fn a_file_of_rules_becomes_the_rules() {
    let fixture = Fixture::start(&SETTINGS);
    done(&fixture, "acls grant alice consumer --topic orders --group billing", "");
    done(&fixture, "acls grant eve read topic:ord* --literal --host 10.0.0.0/8", "");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("rules.json");
    let rules = done(&fixture, "acls list -o json", "");
    std::fs::write(&file, &rules).unwrap();
    let apply = |options: &str| run(&fixture, &format!("acls apply {} {options}", file.display()), "");
    assert_eq!(apply("--prune --dry-run").status.code(), Some(0), "what is listed is what is there");

    let Value::Array(mut kept) = serde_json::from_str(&rules).unwrap() else { panic!("{rules}") };
    kept.truncate(1);
    kept.push(serde_json::json!({"principal": "admin", "operation": "all", "resource": "cluster"}));
    std::fs::write(&file, Value::Array(kept).to_string()).unwrap();
    assert_eq!(apply("--prune --dry-run").status.code(), Some(8));
    assert_eq!(apply("--prune").status.code(), Some(2), "nobody confirms that rules go");
    assert_eq!(count(&fixture, "acls list"), 4);
    assert_eq!(apply("--yes").status.code(), Some(0));
    assert_eq!(count(&fixture, "acls list"), 5);
    assert_eq!(apply("--prune --yes").status.code(), Some(0));
    assert_eq!(count(&fixture, "acls list"), 2);
}

#[test]
fn without_an_authorizer_the_command_says_which_setting_is_missing() {
    let fixture = Fixture::start(&[]);
    let (code, text) = failed(&fixture, "acls list");
    assert!(code == 1 && text.contains("SECURITY_DISABLED") && text.contains("authorizer.class.name"), "{text}");
}
