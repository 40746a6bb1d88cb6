//! `barnabas acls suggest` on a broker that has denied something.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use barnabas_tests::harness::wait;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::audit::{create_topic, event};
use crate::client::Client;
use crate::commands::run;
use crate::fixture::Fixture;
use crate::sasl;

const PATIENCE: Duration = Duration::from_secs(30);

/// Properties of a super user's.
fn of_admin(directory: &Path) -> PathBuf {
    let properties = directory.join("admin.properties");
    let login = "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"admin\" password=\"admin-secret\";";
    let text = format!("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config={login}\n");
    std::fs::write(&properties, text).unwrap();
    properties
}

/// A broker with rules whose audit is in a file, and a user who has been denied to make the topic `wanted`, twice.
struct Scene {
    directory: TempDir,
    fixture: Fixture,
    user: Client,
    by_admin: String,
}

impl Scene {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.json");
        let fixture = sasl::start(&[
            ("authorizer.class.name", "standard"),
            ("super.users", "User:admin"),
            ("barnabas.audit.file", path.to_str().unwrap()),
            ("barnabas.audit.topic.enable", "true"),
        ]);
        let mut user = Client::connect(fixture.address());
        assert_eq!(sasl::plain(&mut user, "jaas", "of the file").error_code, 0);
        for _ in 0..2 {
            assert_ne!(create_topic(&mut user, "wanted"), 0);
        }
        event(&path, "the denial", |event| event["resources"][0]["name"] == "wanted");
        let by_admin = format!("--command-config {}", of_admin(directory.path()).display());
        Self { directory, fixture, user, by_admin }
    }

    /// A command of the administrator's.
    fn run(&self, line: &str) -> Output {
        run(&self.fixture, &format!("{line} {}", self.by_admin), "")
    }

    fn suggested(&self, how: &str) -> Value {
        let line = format!("acls suggest {how} -o json");
        serde_json::from_slice(&self.run(&line).stdout).unwrap_or_default()
    }

    fn of_file(&self) -> String {
        format!("--file {}", self.directory.path().join("audit.json").display())
    }
}

#[test]
fn what_was_denied_is_suggested_once_and_what_is_granted_is_suggested_no_more() {
    let mut scene = Scene::start();
    let of_file = scene.of_file();
    let rule = json!({
        "principal": "User:jaas", "permission": "allow", "operation": "create", "resource": "topic:wanted",
        "pattern": "literal", "host": "*",
    });
    let suggested = json!([rule]);
    assert_eq!(scene.suggested(&of_file), suggested);
    // The topic is written a moment after the file.
    wait::until("the audit's topic", PATIENCE, || (scene.suggested("jaas") == suggested).then_some(())).unwrap();
    assert_eq!(scene.suggested("alice"), json!([]));
    assert_eq!(scene.suggested(&format!("{of_file} --by-host"))[0]["host"], "127.0.0.1");
    let table = String::from_utf8(scene.run(&format!("acls suggest {of_file}")).stdout).unwrap();
    assert!(table.contains("DENIED") && table.contains("topic:wanted"), "{table}");

    let file = scene.directory.path().join("rules.json");
    std::fs::write(&file, suggested.to_string()).unwrap();
    assert!(scene.run(&format!("acls apply {}", file.display())).status.success());
    assert_eq!(create_topic(&mut scene.user, "wanted"), 0);
    assert_eq!(scene.suggested(&of_file), json!([]), "it is granted now");
}

#[test]
fn what_a_rule_denies_is_told_and_not_suggested() {
    let scene = Scene::start();
    assert!(scene.run("acls grant jaas create topic:wanted --deny").status.success());
    let told = scene.run(&format!("acls suggest {} -o json", scene.of_file()));
    assert_eq!(serde_json::from_slice::<Value>(&told.stdout).unwrap(), json!([]));
    assert!(String::from_utf8_lossy(&told.stderr).contains("revoke it if it is not meant so"), "{told:?}");
}
