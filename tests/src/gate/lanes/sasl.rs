//! Stock clients behind a login: Kafka's tools, Java 2.8, kcat, confluent-kafka, kafka-python, kafkajs and franz-go, by every
//! mechanism, kcat and Java 2.8 without OAUTHBEARER; by some over TLS, half of them with a certificate, too; and kafka-configs on
//! credentials.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use barnabas_tests::harness::broker::java;
use serde_json::Value;

use super::authority::Authority;
use super::clients;

use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

mod door;
mod oauth;

use door::{Door, Doors};

const USER: &str = "admin";
const PASSWORD: &str = "admin-secret";
const MECHANISMS: [&str; 3] = ["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"];

/// The mechanism that is tried over TLS as well.
const OVER_TLS: &str = "SCRAM-SHA-512";

/// Every client on one broker whose listeners all ask for a login.
pub(crate) fn sasl(room: &Room<'_>) -> Result<String, Outcome> {
    let authority = Authority::new(room)?;
    let doors = Doors::new(&authority)?;
    let mechanisms = MECHANISMS.join(",");
    let mut settings = doors.settings();
    settings.extend([("sasl.enabled.mechanisms", mechanisms.as_str()), ("bootstrap.user", "admin:admin-secret")]);
    let mut broker = room.broker("broker", &settings)?;
    let outcome = at_work(room, &Doors::plain(&broker)).and_then(|facts| {
        Ok(format!("{facts}; {}", over_tls(room, &doors.tls(&authority), &doors.mutual(&authority))?))
    });
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(format!("{facts}; {}", oauth::oauth(room, &authority)?))
}

fn at_work(room: &Room<'_>, door: &Door<'_>) -> Result<String, Outcome> {
    for mechanism in MECHANISMS {
        fs::write(door.file(room, mechanism), properties(door, mechanism, USER, PASSWORD))?;
    }
    credentials(room, door)?;
    for mechanism in MECHANISMS {
        console(room, door, mechanism, &|class| tool(room, class))?;
        kcat(room, door, mechanism, None)?;
    }
    let mut facts = vec!["Kafka's tools and kcat".to_owned(), kcat_of_releases(room, door)?];
    for mechanism in JAVA_TWO {
        java_two(room, door, mechanism)?;
    }
    facts.push("Java 2.8".to_owned());
    for client in LANGUAGES {
        facts.push(client_of_language(room, door, client, &MECHANISMS.join(","), (USER, PASSWORD))?);
    }
    Ok(format!("{} by {}", facts.join(", "), MECHANISMS.join(", ")))
}

/// Half of the clients with a certificate, which does not spare them the login.
fn over_tls(room: &Room<'_>, tls: &Door<'_>, mutual: &Door<'_>) -> Result<String, Outcome> {
    for door in [tls, mutual] {
        fs::write(door.file(room, OVER_TLS), properties(door, OVER_TLS, USER, PASSWORD))?;
    }
    console(room, mutual, OVER_TLS, &|class| tool(room, class))?;
    java_two(room, mutual, OVER_TLS)?;
    kcat(room, tls, OVER_TLS, None)?;
    for (release, door) in [(LIBRDKAFKA[0], tls), (LIBRDKAFKA[1], mutual)] {
        kcat(room, door, OVER_TLS, Some(release))?;
    }
    for (client, door) in [("python", mutual), ("kafkajs", tls), ("franz-go", mutual), ("python", tls)] {
        client_of_language(room, door, client, &format!("{OVER_TLS},PLAIN"), (USER, PASSWORD))?;
    }
    without_certificate(room, tls, mutual)?;
    Ok(format!(
        "the same over TLS by {OVER_TLS}, clients of languages by PLAIN too, where one has to with a certificate"
    ))
}

/// Who shows no certificate where one has to is not asked for a login.
fn without_certificate(room: &Room<'_>, tls: &Door<'_>, mutual: &Door<'_>) -> Result<(), Outcome> {
    for (door, is_served) in [(tls, true), (mutual, false)] {
        let mut command = Command::new(room.program());
        command.args(["topics", "list", "--bootstrap-server", &door.bootstrap, "--command-config"]);
        command.arg(tls.file(room, OVER_TLS));
        let listed = room.start(&format!("{}list", door.prefix), command)?.wait(room.budget())?.success();
        if listed != is_served {
            return failed(format!("{} without a certificate: served {listed}", door.bootstrap));
        }
    }
    Ok(())
}

/// The mechanisms by which Java 2.8 comes without TLS. Of OAUTHBEARER it has only the unsecured tokens that are for tests.
const JAVA_TWO: [&str; 2] = ["SCRAM-SHA-256", "PLAIN"];

/// Everything that the lane `java-2` does, behind a login.
fn java_two(room: &Room<'_>, door: &Door<'_>, mechanism: &str) -> Result<(), Outcome> {
    let step = format!("{}java-2-{mechanism}", door.prefix);
    let mut command = clients::java_program(room, Need::JavaTwo);
    door.tell(&mut command);
    command.env("CLIENT_PROPERTIES", door.file(room, mechanism)).env("TOPIC_PREFIX", format!("{step}-"));
    room.step(&step, command)
}

/// Clients for Python, Node and Go.
const LANGUAGES: [&str; 3] = ["python", "kafkajs", "franz-go"];

/// One of them by these mechanisms; the password of OAUTHBEARER is a token.
fn client_of_language(
    room: &Room<'_>,
    door: &Door<'_>,
    client: &str,
    mechanisms: &str,
    (user, password): (&str, &str),
) -> Result<String, Outcome> {
    let mut command = match client {
        "python" => clients::python(room, "sasl.py"),
        "kafkajs" => {
            let mut node = Command::new("node");
            node.arg(room.workshop.client("kafkajs").join("sasl.js"));
            node.env("NODE_PATH", Need::Node.place(room.workshop).join("node_modules"));
            node
        }
        _ => {
            let mut go = Command::new(clients::go(room, Need::FranzGo));
            go.arg("login");
            go
        }
    };
    door.tell(&mut command);
    command.env("SASL_MECHANISMS", mechanisms).env("SASL_USER", user).env("SASL_PASSWORD", password);
    let step = format!("{}{client}-{mechanisms}", door.prefix);
    room.step(&step, command)?;
    let output = fs::read_to_string(room.output(&step))?;
    let line: Value = serde_json::from_str(output.lines().last().unwrap_or_default())?;
    Ok(line["clients"].as_str().unwrap_or("?").to_owned())
}

/// A Java client's settings.
fn properties(door: &Door<'_>, mechanism: &str, user: &str, password: &str) -> String {
    let module = if mechanism == "PLAIN" { "plain.PlainLoginModule" } else { "scram.ScramLoginModule" };
    format!(
        "{}sasl.mechanism={mechanism}\nsasl.jaas.config=\
         org.apache.kafka.common.security.{module} required username=\"{user}\" password=\"{password}\";\n",
        door.java()
    )
}

fn tool(room: &Room<'_>, class: &str) -> Command {
    let mut command =
        java(&Need::JavaFour.place(room.workshop).join("jars"), "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    command.arg(class);
    command
}

/// kafka-configs sets both mechanisms of a user in one call and removes one: by the other the user still logs in.
fn credentials(room: &Room<'_>, door: &Door<'_>) -> Result<(), Outcome> {
    let configs = |name: &str, arguments: &[&str]| {
        let mut command = tool(room, "kafka.admin.ConfigCommand");
        command.args(["--bootstrap-server", &door.bootstrap, "--entity-type", "users", "--entity-name", "alice"]);
        command.arg("--command-config").arg(door.file(room, "SCRAM-SHA-512")).args(arguments);
        room.step(name, command)
    };
    let login = |mechanism: &str| {
        let file = room.path(&format!("alice-{mechanism}.properties"));
        fs::write(&file, properties(door, mechanism, "alice", "of alice"))?;
        let mut versions = tool(room, "org.apache.kafka.tools.BrokerApiVersionsCommand");
        versions.args(["--bootstrap-server", &door.bootstrap, "--command-config"]).arg(file);
        room.step(&format!("alice-{mechanism}"), versions)
    };
    let both = "SCRAM-SHA-256=[iterations=8192,password=of alice],SCRAM-SHA-512=[password=of alice]";
    configs("configs-add", &["--alter", "--add-config", both])?;
    login("SCRAM-SHA-512")?;
    configs("configs-delete", &["--alter", "--delete-config", "SCRAM-SHA-512"])?;
    login("SCRAM-SHA-256")
}

/// Kafka's console tools; `tool` starts one of a class.
fn console(room: &Room<'_>, door: &Door<'_>, mechanism: &str, tool: &dyn Fn(&str) -> Command) -> Result<(), Outcome> {
    let prefix = door.prefix;
    let (topic, config) = (format!("{prefix}console-{mechanism}"), door.file(room, mechanism));
    let lines: String = (0..100).map(|n| format!("line {n}\n")).collect();
    fs::write(room.path("lines"), &lines)?;
    let connected = |class: &str| {
        let mut command = tool(class);
        command.args(["--bootstrap-server", &door.bootstrap, "--topic", &topic, "--command-config"]).arg(&config);
        command
    };
    let producer = connected("org.apache.kafka.tools.ConsoleProducer");
    room.step_reading(&format!("{prefix}console-producer-{mechanism}"), producer, &room.path("lines"))?;
    let mut consumer = connected("org.apache.kafka.tools.consumer.ConsoleConsumer");
    consumer.args(["--from-beginning", "--max-messages", "100", "--timeout-ms", "60000"]);
    let step = format!("{prefix}console-consumer-{mechanism}");
    room.step(&step, consumer)?;
    same(&format!("the console's lines by {mechanism}"), &lines, &fs::read_to_string(room.output(&step))?)
}

/// Releases of librdkafka beside Debian's. All before 2.6.1 send their nonce twice in SCRAM: Apache Kafka 4 refuses them, we do not.
const LIBRDKAFKA: [&str; 2] = ["1.8.2", "2.3.0"];

fn kcat_of_releases(room: &Room<'_>, door: &Door<'_>) -> Result<String, Outcome> {
    for release in LIBRDKAFKA {
        let library = library(room, release);
        let (mut version, step) = (Command::new("kcat"), format!("kcat-{release}"));
        version.arg("-V").env("LD_LIBRARY_PATH", &library);
        room.step(&step, version)?;
        let told = fs::read_to_string(room.output(&step))?;
        if !told.contains(&format!("librdkafka {release} ")) {
            return failed(format!("kcat was to load librdkafka {release}, and says {told}"));
        }
        for mechanism in MECHANISMS {
            kcat(room, door, mechanism, Some(release))?;
        }
    }
    Ok(format!("kcat on librdkafka {}", LIBRDKAFKA.join(" and ")))
}

fn library(room: &Room<'_>, release: &str) -> PathBuf {
    Need::Librdkafka.place(room.workshop).join(release)
}

/// Debian's kcat, with its own librdkafka 2.0.2 or with another release.
fn kcat(room: &Room<'_>, door: &Door<'_>, mechanism: &str, other: Option<&str>) -> Result<(), Outcome> {
    let prefix = &format!("{}{}", door.prefix, other.unwrap_or_default());
    let kcat = || {
        let mut command = Command::new("kcat");
        if let Some(release) = other {
            command.env("LD_LIBRARY_PATH", library(room, release));
        }
        command.args(["-b", &door.bootstrap, "-t", &format!("{prefix}kcat-{mechanism}"), "-m", "30"]);
        command.args(door.librdkafka().iter().flat_map(|setting| ["-X", setting]));
        command.args(["-X", &format!("sasl.mechanism={mechanism}")]);
        command.args(["-X", &format!("sasl.username={USER}"), "-X", &format!("sasl.password={PASSWORD}")]);
        command
    };
    let mut producer = kcat();
    producer.arg("-P");
    room.step_reading(&format!("{prefix}kcat-producer-{mechanism}"), producer, &room.path("lines"))?;
    let mut consumer = kcat();
    consumer.args(["-C", "-o", "beginning", "-e", "-q"]);
    let step = format!("{prefix}kcat-consumer-{mechanism}");
    room.step(&step, consumer)?;
    let sent = fs::read_to_string(room.path("lines"))?;
    same(&format!("kcat's lines by {mechanism}"), &sent, &fs::read_to_string(room.output(&step))?)
}

fn same(what: &str, expected: &str, found: &str) -> Result<(), Outcome> {
    if expected == found { Ok(()) } else { failed(format!("{what}: {} sent, {} read", expected.len(), found.len())) }
}
