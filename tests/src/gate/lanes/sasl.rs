//! Stock clients behind a login: Kafka's tools, kcat, confluent-kafka, kafka-python, kafkajs and franz-go, by every
//! mechanism, kcat without OAUTHBEARER; and kafka-configs on credentials.

use std::fs;
use std::process::Command;

use barnabas_tests::harness::broker::{Broker, java};
use serde_json::Value;

use crate::gate::lane::{Outcome, failed};
use crate::gate::lanes::clients;
use crate::gate::need::Need;
use crate::gate::room::Room;

mod oauth;

const USER: &str = "admin";
const PASSWORD: &str = "admin-secret";
const MECHANISMS: [&str; 3] = ["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"];

/// Every client on one broker whose only listener asks for a login.
pub(crate) fn sasl(room: &Room<'_>) -> Result<String, Outcome> {
    let settings = [
        ("listener.security.protocol.map", "PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT"),
        ("sasl.enabled.mechanisms", "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN"),
        ("bootstrap.user", "admin:admin-secret"),
    ];
    let mut broker = room.broker("broker", &settings)?;
    let outcome = at_work(room, &broker);
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(format!("{facts}; {}", oauth::oauth(room)?))
}

fn at_work(room: &Room<'_>, broker: &Broker) -> Result<String, Outcome> {
    for mechanism in MECHANISMS {
        fs::write(room.path(&format!("{mechanism}.properties")), properties(mechanism, USER, PASSWORD))?;
    }
    credentials(room, broker)?;
    for mechanism in MECHANISMS {
        console(room, broker, mechanism, &|class| tool(room, class))?;
        kcat(room, broker, mechanism)?;
    }
    let mut facts = vec!["Kafka's tools and kcat".to_owned()];
    facts.extend(clients_of_languages(room, broker, &MECHANISMS.join(","), USER, PASSWORD)?);
    Ok(format!("{} by {}", facts.join(", "), MECHANISMS.join(", ")))
}

/// Clients for Python, Node and Go by these mechanisms; the password of OAUTHBEARER is a token.
fn clients_of_languages(
    room: &Room<'_>,
    broker: &Broker,
    mechanisms: &str,
    user: &str,
    password: &str,
) -> Result<Vec<String>, Outcome> {
    let mut python = Command::new(Need::Python.place(room.workshop).join("bin/python"));
    python.arg("-B").arg(room.workshop.client("python").join("sasl.py"));
    let mut node = Command::new("node");
    node.arg(room.workshop.client("kafkajs").join("sasl.js"));
    node.env("NODE_PATH", Need::Node.place(room.workshop).join("node_modules"));
    let mut go = Command::new(clients::go(room, Need::FranzGo));
    go.arg("login");
    let mut facts = Vec::new();
    for (name, mut command) in [("python", python), ("kafkajs", node), ("franz-go", go)] {
        command.env("BOOTSTRAP", broker.bootstrap()).env("SASL_MECHANISMS", mechanisms);
        command.env("SASL_USER", user).env("SASL_PASSWORD", password);
        let step = format!("{name}-{mechanisms}");
        room.step(&step, command)?;
        let output = fs::read_to_string(room.output(&step))?;
        let line: Value = serde_json::from_str(output.lines().last().unwrap_or_default())?;
        facts.push(line["clients"].as_str().unwrap_or("?").to_owned());
    }
    Ok(facts)
}

/// A Java client's settings.
fn properties(mechanism: &str, user: &str, password: &str) -> String {
    let module = if mechanism == "PLAIN" { "plain.PlainLoginModule" } else { "scram.ScramLoginModule" };
    format!(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism={mechanism}\nsasl.jaas.config=\
         org.apache.kafka.common.security.{module} required username=\"{user}\" password=\"{password}\";\n"
    )
}

fn tool(room: &Room<'_>, class: &str) -> Command {
    let mut command =
        java(&Need::JavaFour.place(room.workshop).join("jars"), "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    command.arg(class);
    command
}

/// kafka-configs sets both mechanisms of a user in one call and removes one: by the other the user still logs in.
fn credentials(room: &Room<'_>, broker: &Broker) -> Result<(), Outcome> {
    let configs = |name: &str, arguments: &[&str]| {
        let mut command = tool(room, "kafka.admin.ConfigCommand");
        command.args(["--bootstrap-server", &broker.bootstrap(), "--entity-type", "users", "--entity-name", "alice"]);
        command.arg("--command-config").arg(room.path("SCRAM-SHA-512.properties")).args(arguments);
        room.step(name, command)
    };
    let login = |mechanism: &str| {
        let file = room.path(&format!("alice-{mechanism}.properties"));
        fs::write(&file, properties(mechanism, "alice", "of alice"))?;
        let mut versions = tool(room, "org.apache.kafka.tools.BrokerApiVersionsCommand");
        versions.args(["--bootstrap-server", &broker.bootstrap(), "--command-config"]).arg(file);
        room.step(&format!("alice-{mechanism}"), versions)
    };
    let both = "SCRAM-SHA-256=[iterations=8192,password=of alice],SCRAM-SHA-512=[password=of alice]";
    configs("configs-add", &["--alter", "--add-config", both])?;
    login("SCRAM-SHA-512")?;
    configs("configs-delete", &["--alter", "--delete-config", "SCRAM-SHA-512"])?;
    login("SCRAM-SHA-256")
}

/// Kafka's console tools; `tool` starts one of a class.
fn console(room: &Room<'_>, broker: &Broker, mechanism: &str, tool: &dyn Fn(&str) -> Command) -> Result<(), Outcome> {
    let (topic, config) = (format!("console-{mechanism}"), room.path(&format!("{mechanism}.properties")));
    let lines: String = (0..100).map(|n| format!("line {n}\n")).collect();
    fs::write(room.path("lines"), &lines)?;
    let connected = |class: &str| {
        let mut command = tool(class);
        command.args(["--bootstrap-server", &broker.bootstrap(), "--topic", &topic, "--command-config"]).arg(&config);
        command
    };
    let producer = connected("org.apache.kafka.tools.ConsoleProducer");
    room.step_reading(&format!("console-producer-{mechanism}"), producer, &room.path("lines"))?;
    let mut consumer = connected("org.apache.kafka.tools.consumer.ConsoleConsumer");
    consumer.args(["--from-beginning", "--max-messages", "100", "--timeout-ms", "60000"]);
    let step = format!("console-consumer-{mechanism}");
    room.step(&step, consumer)?;
    same(&format!("the console's lines by {mechanism}"), &lines, &fs::read_to_string(room.output(&step))?)
}

/// Debian's librdkafka 2.0.2 sends its nonce twice: Apache Kafka 4 refuses its SCRAM, we do not.
fn kcat(room: &Room<'_>, broker: &Broker, mechanism: &str) -> Result<(), Outcome> {
    let kcat = || {
        let mut command = Command::new("kcat");
        command.args(["-b", &broker.bootstrap(), "-t", &format!("kcat-{mechanism}"), "-m", "30"]);
        command.args(["-X", "security.protocol=SASL_PLAINTEXT", "-X", &format!("sasl.mechanism={mechanism}")]);
        command.args(["-X", &format!("sasl.username={USER}"), "-X", &format!("sasl.password={PASSWORD}")]);
        command
    };
    let mut producer = kcat();
    producer.arg("-P");
    room.step_reading(&format!("kcat-producer-{mechanism}"), producer, &room.path("lines"))?;
    let mut consumer = kcat();
    consumer.args(["-C", "-o", "beginning", "-e", "-q"]);
    let step = format!("kcat-consumer-{mechanism}");
    room.step(&step, consumer)?;
    let sent = fs::read_to_string(room.path("lines"))?;
    same(&format!("kcat's lines by {mechanism}"), &sent, &fs::read_to_string(room.output(&step))?)
}

fn same(what: &str, expected: &str, found: &str) -> Result<(), Outcome> {
    if expected == found { Ok(()) } else { failed(format!("{what}: {} sent, {} read", expected.len(), found.len())) }
}
