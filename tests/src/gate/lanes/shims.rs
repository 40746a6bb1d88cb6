//! Kafka's tool names: our binary under them prints what Apache Kafka's own tools print, asked of the same broker.

use std::fs;
use std::process::Command;

use barnabas_tests::harness::broker::Broker;

use super::tools::tool;
use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// A name, the class behind it, and what both are asked.
type Question = (&'static str, &'static str, &'static [&'static str]);

const TOPICS: &str = "TopicCommand";
const GROUPS: &str = "consumer.group.ConsumerGroupCommand";
const OFFSETS: &str = "GetOffsetShell";
const CONSUMER: &str = "consumer.ConsoleConsumer";

/// What is made first, by our tools alone.
const BEFORE: &[(&str, &[&str])] = &[
    ("kafka-topics", &["--create", "--topic", "shims", "--partitions", "1"]),
    ("kafka-topics", &["--create", "--topic", "other", "--partitions", "3", "--config", "retention.ms=3600000"]),
    ("kafka-console-producer", &["--topic", "shims", "--reader-property", "parse.key=true"]),
    (
        "kafka-consumer-groups",
        &["--reset-offsets", "--group", "g", "--topic", "shims", "--to-offset", "2", "--execute"],
    ),
    ("kafka-consumer-groups", &["--reset-offsets", "--group", "h", "--topic", "other", "--to-latest", "--execute"]),
];
/// What the producer is given.
const LINES: &str = "a\tone\nb\ttwo\na\tthree\n";

const QUESTIONS: &[Question] = &[
    ("kafka-topics", TOPICS, &["--list"]),
    ("kafka-topics", TOPICS, &["--list", "--exclude-internal"]),
    ("kafka-topics", TOPICS, &["--describe", "--topic", "shims|other"]),
    ("kafka-topics", TOPICS, &["--describe", "--topic", "none"]),
    ("kafka-topics", TOPICS, &["--create", "--topic", "shims"]),
    ("kafka-consumer-groups", GROUPS, &["--list"]),
    ("kafka-consumer-groups", GROUPS, &["--list", "--state"]),
    ("kafka-consumer-groups", GROUPS, &["--describe", "--group", "g"]),
    ("kafka-consumer-groups", GROUPS, &["--describe", "--group", "g", "--state"]),
    ("kafka-consumer-groups", GROUPS, &["--reset-offsets", "--group", "g", "--topic", "shims", "--shift-by", "-1"]),
    (
        "kafka-consumer-groups",
        GROUPS,
        &["--reset-offsets", "--group", "h", "--all-topics", "--to-earliest", "--export"],
    ),
    ("kafka-consumer-groups", GROUPS, &["--delete-offsets", "--group", "h", "--topic", "other:0"]),
    ("kafka-get-offsets", OFFSETS, &["--topic", "shims|other"]),
    ("kafka-get-offsets", OFFSETS, &["--topic-partitions", "other:1-,shims", "--time", "earliest"]),
    (
        "kafka-console-consumer",
        CONSUMER,
        &[
            "--topic",
            "shims",
            "--from-beginning",
            "--max-messages",
            "3",
            "--formatter-property",
            "print.key=true",
            "--formatter-property",
            "print.offset=true",
        ],
    ),
];

/// Makes topics and groups, then asks both.
pub(crate) fn shims(room: &Room<'_>) -> Result<String, Outcome> {
    let mut lay = Command::new(room.workshop.root().join("target/release/barnabas"));
    fs::create_dir_all(room.path("bin"))?;
    lay.args(["generate", "shims"]).arg(room.path("bin"));
    room.step("lay", lay)?;
    let mut broker = room.broker("broker", &[("auto.create.topics.enable", "false")])?;
    let outcome = at_work(room, &broker);
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts)
}

fn at_work(room: &Room<'_>, broker: &Broker) -> Result<String, Outcome> {
    fs::write(room.path("lines"), LINES)?;
    for (at, (name, arguments)) in BEFORE.iter().enumerate() {
        room.step_reading(&format!("before-{at}"), ours(room, broker, name, arguments), &room.path("lines"))?;
    }
    for (at, (name, class, arguments)) in QUESTIONS.iter().enumerate() {
        let mut theirs = tool(room, class);
        theirs.args(["--bootstrap-server", &broker.bootstrap()]).args(*arguments);
        let ours = printed(room, &format!("{at}-ours"), ours(room, broker, name, arguments))?;
        let theirs = printed(room, &format!("{at}-theirs"), theirs)?;
        // The Java tool exports in the order of a hash map.
        let is_alike = if arguments.contains(&"--export") { sorted(&ours) == sorted(&theirs) } else { ours == theirs };
        if !is_alike {
            return failed(format!("{name} {}\n--- ours\n{ours}--- theirs\n{theirs}", arguments.join(" ")));
        }
    }
    Ok(format!("{} questions answered alike", QUESTIONS.len()))
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

fn ours(room: &Room<'_>, broker: &Broker, name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(room.path("bin").join(format!("{name}.sh")));
    command.args(["--bootstrap-server", &broker.bootstrap()]).args(arguments);
    command
}

/// What it prints, however it ends, without blanks at the ends of lines.
fn printed(room: &Room<'_>, name: &str, command: Command) -> Result<String, Outcome> {
    let mut process = room.start(name, command)?;
    if let Err(timed_out) = process.wait(room.budget()) {
        return failed(timed_out.to_string());
    }
    let output = fs::read_to_string(room.output(name))?;
    Ok(output.lines().map(|line| format!("{}\n", line.trim_end())).collect())
}
