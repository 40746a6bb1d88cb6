//! Rules of access for the name in a client's certificate, as `ssl.principal.mapping.rules` makes it: kafka-acls gives and takes them, and
//! the console tools work while they are there.

use std::fs;
use std::process::Command;

use barnabas_tests::harness::broker::java;

use super::{Authority, Secured};
use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

const TOPIC: &str = "rules";
/// Who the client's certificate is.
const PRINCIPAL: &str = "User:alice";
const REFUSED: &str = "Not authorized to access";

/// On a broker with an authorizer, whose administrator comes without TLS.
pub(super) fn rules(room: &Room<'_>, authority: &Authority) -> Result<(), Outcome> {
    let settings = [
        ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
        ("super.users", "User:ANONYMOUS"),
    ];
    let mut secured = Secured::start(room, authority, "rules-broker", &settings)?;
    let client = format!("security.protocol=SSL\n{}", authority.java_properties(true));
    fs::write(room.path("rules.properties"), client)?;
    let outcome = at_work(room, &secured);
    room.with_log_of(&mut secured.broker, outcome)?;
    secured.broker.stop()?;
    Ok(())
}

fn at_work(room: &Room<'_>, secured: &Secured) -> Result<(), Outcome> {
    let administer = |step: &str, class: &str, arguments: &[&str]| {
        let mut command = tool(room, class, &secured.broker.bootstrap());
        command.args(arguments);
        room.step(step, command)
    };
    let acls = |step: &str, change: &str, of: &[&str]| {
        let arguments = [&[change, "--allow-principal", PRINCIPAL, "--topic", TOPIC], of].concat();
        administer(step, "org.apache.kafka.tools.AclCommand", &arguments)
    };
    administer("rules-topic", "org.apache.kafka.tools.TopicCommand", &["--create", "--topic", TOPIC])?;
    refused(room, secured, "rules-before")?;
    acls("rules-producer", "--add", &["--producer"])?;
    acls("rules-consumer", "--add", &["--consumer", "--group", TOPIC])?;
    let lines: String = (0..100).map(|n| format!("line {n}\n")).collect();
    fs::write(room.path("rules-lines"), &lines)?;
    let mut producer = connected(room, secured, "org.apache.kafka.tools.ConsoleProducer");
    producer.args(["--topic", TOPIC]);
    room.step_reading("rules-produce", producer, &room.path("rules-lines"))?;
    room.step("rules-consume", consumer(room, secured))?;
    let read = fs::read_to_string(room.output("rules-consume"))?;
    if read != lines {
        return failed(format!("{} bytes sent by {PRINCIPAL}, {} read", lines.len(), read.len()));
    }
    acls("rules-taken", "--remove", &["--consumer", "--group", TOPIC, "--force"])?;
    refused(room, secured, "rules-after")
}

/// A consumer that is told that it may not.
fn refused(room: &Room<'_>, secured: &Secured, step: &str) -> Result<(), Outcome> {
    match room.step(step, consumer(room, secured)) {
        Ok(()) | Err(Outcome::Failed(_)) => {}
        Err(other) => return Err(other),
    }
    let told = fs::read_to_string(room.output(step))? + &fs::read_to_string(room.log(step))?;
    if told.contains(REFUSED) { Ok(()) } else { failed(format!("{step} was not refused: {told}")) }
}

fn consumer(room: &Room<'_>, secured: &Secured) -> Command {
    let mut command = connected(room, secured, "org.apache.kafka.tools.consumer.ConsoleConsumer");
    command.args(["--topic", TOPIC, "--group", TOPIC, "--from-beginning", "--max-messages", "100"]);
    command.args(["--timeout-ms", "60000"]);
    command
}

/// One of Kafka's tools that shows the client's certificate.
fn connected(room: &Room<'_>, secured: &Secured, class: &str) -> Command {
    let mut command = tool(room, class, &secured.bootstrap(true));
    command.arg("--command-config").arg(room.path("rules.properties"));
    command
}

fn tool(room: &Room<'_>, class: &str, bootstrap: &str) -> Command {
    let jars = Need::JavaFour.place(room.workshop).join("jars");
    let mut command = java(&jars, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn");
    command.args([class, "--bootstrap-server", bootstrap]);
    command
}
