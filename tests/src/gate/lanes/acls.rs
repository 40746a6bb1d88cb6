//! Rules of access by the command line: kafka-acls with every option, and `barnabas acls`. What they print is what they printed
//! on Apache Kafka 4.3.1, recorded in `tests/clients/acls`. Against Kafka itself the lane records it anew:
//! `cargo gate --kafka acls`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use barnabas_tests::harness::broker::{Broker, java};

use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

/// Everybody may do everything, and there are rules.
const SETTINGS: [(&str, &str); 2] = [
    ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
    ("super.users", "User:ANONYMOUS"),
];

/// Runs the commands and compares.
pub(crate) fn acls(room: &Room<'_>) -> Result<String, Outcome> {
    let mut broker = room.broker("broker", &SETTINGS)?;
    let outcome = kafkas(room, &broker).and_then(|kafkas| Ok(format!("{kafkas}; {}", ours(room, &broker)?)));
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts)
}

/// Kafka's tool.
fn kafkas(room: &Room<'_>, broker: &Broker) -> Result<String, Outcome> {
    let sources = room.workshop.client("acls");
    let mut command =
        java(&Need::JavaFour.place(room.workshop).join("jars"), "-Dorg.slf4j.simpleLogger.defaultLogLevel=off");
    command.arg(sources.join("Acls.java")).arg(broker.bootstrap()).arg(sources.join("commands.txt"));
    command.arg(sources.join("client.properties")).arg(broker.controller());
    room.step("kafka-acls", command)?;
    let found = fs::read_to_string(room.output("kafka-acls"))?;
    compare(room, "kafka-acls", &found, &sources.join("kafka-4.3.1.txt"))
}

/// Our own.
fn ours(room: &Room<'_>, broker: &Broker) -> Result<String, Outcome> {
    let sources = room.workshop.client("acls");
    let rules = sources.join("rules.json").display().to_string();
    let mut found = String::new();
    for line in fs::read_to_string(sources.join("barnabas.txt"))?.lines() {
        let mut command = Command::new(room.program());
        command.args(line.split(' ').map(|word| if word == "{rules}" { &*rules } else { word }));
        let ended = command.args(["-b", &broker.bootstrap()]).stdin(Stdio::null()).output()?;
        // Writing to a String cannot fail.
        let _ = writeln!(found, "$ barnabas {line}");
        let printed = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        for line in printed.lines().filter(|line| !is_of_the_broker(line)) {
            // Columns are as wide as what stands in them.
            let _ = writeln!(found, "  {}", line.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        let _ = writeln!(found, "  exit {}", ended.status.code().unwrap_or(-1));
    }
    compare(room, "barnabas acls", &found, &sources.join("barnabas-kafka-4.3.1.txt"))
}

/// Apache Kafka does not tell a client its super users, we do.
fn is_of_the_broker(line: &str) -> bool {
    line.contains("a super user") || line.contains("super.users")
}

fn compare(room: &Room<'_>, tool: &str, found: &str, golden: &Path) -> Result<String, Outcome> {
    if room.is_kafka() {
        fs::write(golden, found)?;
        return Ok(format!("{tool} recorded"));
    }
    let golden = fs::read_to_string(golden)?;
    let calls = found.lines().filter(|line| line.starts_with('$')).count();
    if golden == found {
        return Ok(format!("{calls} calls of {tool} print what they print on Kafka"));
    }
    let at = golden.lines().zip(found.lines()).take_while(|(golden, found)| golden == found).count();
    let call = found.lines().take(at + 1).filter(|line| line.starts_with('$')).last().unwrap_or(tool);
    let line = |text: &str| text.lines().nth(at).unwrap_or("nothing more").to_owned();
    failed(format!("{call}\n  on Kafka {}\n  on ours  {}", line(&golden), line(found)))
}
