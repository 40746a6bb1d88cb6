//! Kafka's tool names: our binary under them prints what Apache Kafka's own tools print, asked of the same broker.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use barnabas_tests::harness::broker::Broker;

use super::tools::class_of;
use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// A name, the class behind it, what both are asked, and how their answers are compared.
type Question = (&'static str, &'static str, &'static [&'static str], Compared);

/// How two answers are compared.
#[derive(Clone, Copy, PartialEq)]
enum Compared {
    /// Line by line.
    Exactly,
    /// The Java tool prints in the order of a hash map.
    Sorted,
    /// But for numbers and widths, which change from one moment to the next.
    InForm,
}

use Compared::{Exactly, InForm, Sorted};

const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
const GROUPS: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
const OFFSETS: &str = "org.apache.kafka.tools.GetOffsetShell";
const CONSUMER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";
const CONFIGS: &str = "kafka.admin.ConfigCommand";
const RECORDS: &str = "org.apache.kafka.tools.DeleteRecordsCommand";
const LOG_DIRS: &str = "org.apache.kafka.tools.LogDirsCommand";
const VERSIONS: &str = "org.apache.kafka.tools.BrokerApiVersionsCommand";
const CLUSTER: &str = "org.apache.kafka.tools.ClusterTool";
const QUORUM: &str = "org.apache.kafka.tools.MetadataQuorumCommand";

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

/// Records that are deleted before an offset; both tools are asked twice, the second changes nothing.
const DELETED: &str = r#"{"partitions":[{"topic":"shims","partition":0,"offset":1}],"version":1}"#;
const BEYOND: &str = r#"{"partitions":[{"topic":"shims","partition":0,"offset":99}],"version":1}"#;

const QUESTIONS: &[Question] = &[
    ("kafka-topics", TOPICS, &["--list"], Exactly),
    ("kafka-topics", TOPICS, &["--list", "--exclude-internal"], Exactly),
    ("kafka-topics", TOPICS, &["--describe", "--topic", "shims|other"], Exactly),
    ("kafka-topics", TOPICS, &["--describe", "--topic", "none"], Exactly),
    ("kafka-topics", TOPICS, &["--create", "--topic", "shims"], Exactly),
    ("kafka-consumer-groups", GROUPS, &["--list"], Exactly),
    ("kafka-consumer-groups", GROUPS, &["--list", "--state"], Exactly),
    ("kafka-consumer-groups", GROUPS, &["--describe", "--group", "g"], Exactly),
    ("kafka-consumer-groups", GROUPS, &["--describe", "--group", "g", "--state"], Exactly),
    (
        "kafka-consumer-groups",
        GROUPS,
        &["--reset-offsets", "--group", "g", "--topic", "shims", "--shift-by", "-1"],
        Exactly,
    ),
    (
        "kafka-consumer-groups",
        GROUPS,
        &["--reset-offsets", "--group", "h", "--all-topics", "--to-earliest", "--export"],
        Sorted,
    ),
    ("kafka-consumer-groups", GROUPS, &["--delete-offsets", "--group", "h", "--topic", "other:0"], Exactly),
    ("kafka-get-offsets", OFFSETS, &["--topic", "shims|other"], Exactly),
    ("kafka-get-offsets", OFFSETS, &["--topic-partitions", "other:1-,shims", "--time", "earliest"], Exactly),
    ("kafka-get-offsets", OFFSETS, &["--topic", "shims|other", "--time", "max-timestamp"], Exactly),
    ("kafka-get-offsets", OFFSETS, &["--topic", "shims|other", "--time", "earliest-local"], Exactly),
    ("kafka-get-offsets", OFFSETS, &["--topic", "shims|other", "--time", "-5"], Exactly),
    ("kafka-get-offsets", OFFSETS, &["--topic", "shims|other", "--time", "earliest-pending-upload"], Exactly),
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
        Exactly,
    ),
    ("kafka-configs", CONFIGS, &["--describe", "--entity-type", "topics", "--entity-name", "other"], Exactly),
    ("kafka-configs", CONFIGS, &["--describe", "--topic", "other", "--all"], Exactly),
    ("kafka-configs", CONFIGS, &["--describe", "--topic", "none"], Exactly),
    ("kafka-configs", CONFIGS, &["--describe", "--entity-type", "topics"], Sorted),
    (
        "kafka-configs",
        CONFIGS,
        &["--alter", "--topic", "other", "--add-config", "retention.ms=5,segment.ms=[6]"],
        Exactly,
    ),
    ("kafka-configs", CONFIGS, &["--alter", "--topic", "other", "--add-config", "retention.ms=soon"], Exactly),
    ("kafka-configs", CONFIGS, &["--alter", "--topic", "other", "--delete-config", "segment.ms"], Exactly),
    ("kafka-configs", CONFIGS, &["--alter", "--topic", "other", "--delete-config", "no.such.config"], Exactly),
    ("kafka-configs", CONFIGS, &["--describe", "--topic", "other"], Exactly),
    ("kafka-configs", CONFIGS, &["--describe", "--entity-type", "brokers"], Exactly),
    ("kafka-configs", CONFIGS, &["--alter", "--broker-defaults", "--add-config", "log.retention.ms=86400000"], Exactly),
    ("kafka-configs", CONFIGS, &["--describe", "--entity-type", "brokers", "--entity-default"], Exactly),
    ("kafka-configs", CONFIGS, &["--alter", "--broker-defaults", "--delete-config", "log.retention.ms"], Exactly),
    ("kafka-configs", CONFIGS, &["--describe", "--broker", "7"], Exactly),
    ("kafka-configs", CONFIGS, &["--alter", "--user", "u", "--add-config", "consumer_byte_rate=10485760"], Exactly),
    (
        "kafka-configs",
        CONFIGS,
        &["--alter", "--user", "u", "--client-defaults", "--add-config", "request_percentage=12.5"],
        Exactly,
    ),
    ("kafka-configs", CONFIGS, &["--describe", "--entity-type", "users"], Exactly),
    ("kafka-configs", CONFIGS, &["--describe", "--entity-type", "users", "--entity-type", "clients"], Exactly),
    (
        "kafka-configs",
        CONFIGS,
        &["--alter", "--user", "u", "--add-config", "SCRAM-SHA-256=[iterations=8192,password=secret]"],
        Exactly,
    ),
    ("kafka-configs", CONFIGS, &["--describe", "--user", "u"], Exactly),
    ("kafka-configs", CONFIGS, &["--alter", "--user", "u", "--delete-config", "SCRAM-SHA-512"], Exactly),
    ("kafka-configs", CONFIGS, &["--alter", "--ip-defaults", "--add-config", "connection_creation_rate=1000"], Exactly),
    ("kafka-configs", CONFIGS, &["--describe", "--entity-type", "ips"], Exactly),
    ("kafka-configs", CONFIGS, &["--alter", "--client-metrics", "m", "--add-config", "interval.ms=60000"], Exactly),
    ("kafka-configs", CONFIGS, &["--describe", "--entity-type", "client-metrics"], Exactly),
    (
        "kafka-configs",
        CONFIGS,
        &["--alter", "--group", "g", "--add-config", "consumer.session.timeout.ms=50000"],
        Exactly,
    ),
    ("kafka-configs", CONFIGS, &["--describe", "--group", "g"], Exactly),
    ("kafka-configs", CONFIGS, &["--describe", "--group", "none"], Exactly),
    ("kafka-delete-records", RECORDS, &["--offset-json-file", "deleted.json"], Exactly),
    ("kafka-delete-records", RECORDS, &["--offset-json-file", "beyond.json"], Exactly),
    ("kafka-log-dirs", LOG_DIRS, &["--describe", "--topic-list", "shims"], Exactly),
    ("kafka-log-dirs", LOG_DIRS, &["--describe", "--broker-list", "7"], Exactly),
    ("kafka-broker-api-versions", VERSIONS, &[], Exactly),
    ("kafka-cluster", CLUSTER, &["cluster-id"], Exactly),
    ("kafka-cluster", CLUSTER, &["list-endpoints"], Exactly),
    ("kafka-cluster", CLUSTER, &["unregister", "--id", "7"], Exactly),
    ("kafka-metadata-quorum", QUORUM, &["describe", "--status"], InForm),
    ("kafka-metadata-quorum", QUORUM, &["describe", "--replication"], InForm),
];

/// What controllers are asked themselves.
const OF_CONTROLLERS: &[(&str, &str, &[&str])] = &[
    ("kafka-cluster", CLUSTER, &["cluster-id"]),
    ("kafka-cluster", CLUSTER, &["list-endpoints"]),
    ("kafka-cluster", CLUSTER, &["unregister", "--id", "7"]),
    ("kafka-metadata-quorum", QUORUM, &["describe", "--status"]),
    ("kafka-configs", CONFIGS, &["--alter", "--topic", "other", "--add-config", "retention.ms=7"]),
    ("kafka-configs", CONFIGS, &["--describe", "--broker", "1"]),
    ("kafka-configs", CONFIGS, &["--describe", "--entity-type", "brokers", "--entity-default"]),
    ("kafka-configs", CONFIGS, &["--alter", "--broker-defaults", "--add-config", "log.retention.ms=86400000"]),
    ("kafka-configs", CONFIGS, &["--alter", "--user", "u", "--add-config", "producer_byte_rate=1000"]),
];

/// Makes topics and groups, then asks both.
pub(crate) fn shims(room: &Room<'_>) -> Result<String, Outcome> {
    let mut lay = Command::new(room.program());
    fs::create_dir_all(room.path("bin"))?;
    lay.args(["generate", "shims"]).arg(room.path("bin"));
    room.step("lay", lay)?;
    let mut broker = room.broker("broker", &[("auto.create.topics.enable", "false")])?;
    let outcome = at_work(room, &broker);
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    let dumped = dumps(room, &broker)?;
    let formatted = storage(room, &broker)?;
    Ok(format!("{facts}, {dumped} about files, {formatted} about directories"))
}

/// The files of a partition of the stopped broker, read by both.
fn dumps(room: &Room<'_>, broker: &Broker) -> Result<usize, Outcome> {
    let partition = broker.data().join("shims-0");
    let mut asked = 0;
    for file in fs::read_dir(&partition)? {
        let file = file?.path();
        let options: &[&[&str]] = match file.extension().and_then(|extension| extension.to_str()) {
            Some("log") => {
                &[&[], &["--deep-iteration"], &["--print-data-log"], &["--print-data-log", "--skip-record-metadata"]]
            }
            Some("index" | "timeindex") => &[&[], &["--index-sanity-check"], &["--verify-index-only"]],
            Some("snapshot") => &[&[]],
            _ => continue,
        };
        for options in options {
            let mut theirs = class_of(room, "org.apache.kafka.tools.DumpLogSegments");
            let mut ours = Command::new(room.path("bin").join("kafka-dump-log.sh"));
            for command in [&mut theirs, &mut ours] {
                command.arg("--files").arg(&file).args(*options);
            }
            alike(room, &format!("dump-{asked}"), ours, theirs)?;
            asked += 1;
        }
    }
    Ok(asked)
}

/// Properties of a node whose log directory is to be formatted.
fn storage_settings(room: &Room<'_>, name: &str, directory: &Path) -> Result<PathBuf, Outcome> {
    let file = room.path(&format!("{name}.properties"));
    let text = format!(
        "process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093\n\
         controller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@127.0.0.1:9093\n\
         offsets.topic.replication.factor=1\nlog.dirs={}\n",
        directory.display()
    );
    fs::write(&file, text)?;
    Ok(file)
}

/// Directories that one formats are read by the other.
fn storage(room: &Room<'_>, broker: &Broker) -> Result<usize, Outcome> {
    let settings = |name: &str, directory: &Path| storage_settings(room, name, directory);
    let ours = || Command::new(room.path("bin").join("kafka-storage.sh"));
    let theirs = || class_of(room, "kafka.tools.StorageTool");
    let mut files = vec![settings("used", &broker.data())?, settings("absent", &room.path("absent"))?];
    for (name, mut command) in [("ours", ours()), ("theirs", theirs())] {
        let file = settings(&format!("by-{name}"), &room.path(&format!("by-{name}")))?;
        command.args(["format", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-S", "SCRAM-SHA-256=[name=a,password=secret]", "-c"]);
        command.arg(&file);
        let printed = printed(room, &format!("format-{name}"), command)?;
        let wanted = format!(
            "Formatting metadata directory {} with metadata.version 4.3-IV0.\n",
            room.path(&format!("by-{name}")).display()
        );
        // Kafka's tool prints the credential, too.
        if !printed.ends_with(&wanted) || (name == "ours" && printed != wanted) {
            return failed(format!("kafka-storage format by {name}: {printed}"));
        }
        files.push(file);
    }
    for (at, file) in files.iter().enumerate() {
        let asked = |mut command: Command| {
            command.args(["info", "-c"]).arg(file);
            command
        };
        alike(room, &format!("info-{at}"), asked(ours()), asked(theirs()))?;
    }
    let asked = |mut command: Command| {
        command.args(["format", "-g", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c"]).arg(&files[2]);
        command
    };
    alike(room, "format-again", asked(ours()), asked(theirs()))?;
    Ok(files.len() + 3)
}

/// Fails unless both print the same.
fn alike(room: &Room<'_>, name: &str, ours: Command, theirs: Command) -> Result<(), Outcome> {
    let question = format!("{ours:?}");
    let ours = printed(room, &format!("{name}-ours"), ours)?;
    let theirs = printed(room, &format!("{name}-theirs"), theirs)?;
    if is_alike(&ours, &theirs, Exactly) {
        Ok(())
    } else {
        failed(format!("{question}\n--- ours\n{ours}--- theirs\n{theirs}"))
    }
}

fn at_work(room: &Room<'_>, broker: &Broker) -> Result<String, Outcome> {
    for (name, text) in [("lines", LINES), ("deleted.json", DELETED), ("beyond.json", BEYOND)] {
        fs::write(room.path(name), text)?;
    }
    for (at, (name, arguments)) in BEFORE.iter().enumerate() {
        let ours = asked(Command::new(room.path("bin").join(format!("{name}.sh"))), room, broker, arguments);
        room.step_reading(&format!("before-{at}"), ours, &room.path("lines"))?;
    }
    let mut differing = Vec::new();
    for (at, (name, class, arguments, compared)) in QUESTIONS.iter().enumerate() {
        let theirs = asked(class_of(room, class), room, broker, arguments);
        let ours = asked(Command::new(room.path("bin").join(name)), room, broker, arguments);
        let ours = printed(room, &format!("{at}-ours"), ours)?;
        let theirs = printed(room, &format!("{at}-theirs"), theirs)?;
        if !is_alike(&ours, &theirs, *compared) {
            differing.push(format!("{name} {}\n--- ours\n{ours}--- theirs\n{theirs}", arguments.join(" ")));
        }
    }
    if !differing.is_empty() {
        return failed(format!("{} of {} answers differ\n{}", differing.len(), QUESTIONS.len(), differing.join("\n")));
    }
    controllers(room, broker)?;
    planned(room, broker)?;
    Ok(format!("{} questions answered alike, {} of controllers", QUESTIONS.len(), OF_CONTROLLERS.len()))
}

/// What controllers are asked, at their own listener.
fn controllers(room: &Room<'_>, broker: &Broker) -> Result<(), Outcome> {
    let address = broker.controller();
    for (at, (name, class, arguments)) in OF_CONTROLLERS.iter().enumerate() {
        let asked = |command| asked_at(command, room, ("--bootstrap-controller", &address), arguments);
        let ours = asked(Command::new(room.path("bin").join(name)));
        let (code, ours) = ended(room, &format!("controller-{at}-ours"), ours)?;
        let (their_code, theirs) = ended(room, &format!("controller-{at}-theirs"), asked(class_of(room, class)))?;
        if code != their_code || form(&ours) != form(&theirs) {
            let asked = arguments.join(" ");
            return failed(format!("{name} {asked}\n--- ours: {code:?}\n{ours}--- theirs: {their_code:?}\n{theirs}"));
        }
    }
    Ok(())
}

/// Topics that a plan has made are known to the next command.
fn planned(room: &Room<'_>, broker: &Broker) -> Result<(), Outcome> {
    let names: Vec<String> = (0..20).map(|n| format!("planned-{n}")).collect();
    let topics: String = names.iter().map(|name| format!("- {{name: {name}, partitions: 3}}\n")).collect();
    let file = room.path("planned.yaml");
    fs::write(&file, format!("topics:\n{topics}"))?;
    let ours = |command: &str| {
        let mut ours = Command::new(room.program());
        ours.args(["topics", command, "-b", &broker.bootstrap()]);
        ours
    };
    let (mut apply, mut describe) = (ours("apply"), ours("describe"));
    apply.arg("--yes").arg(&file);
    describe.args(&names);
    room.step("apply", apply)?;
    room.step("describe", describe)
}

fn is_alike(ours: &str, theirs: &str, compared: Compared) -> bool {
    match compared {
        Exactly => ours == theirs,
        Sorted => sorted(ours) == sorted(theirs),
        InForm => form(ours) == form(theirs),
    }
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// Words, without numbers and what is between them.
fn form(text: &str) -> Vec<&str> {
    text.split(|c: char| c.is_whitespace() || c.is_ascii_digit()).filter(|word| !word.is_empty()).collect()
}

/// The question with where the broker is: after the command, for the tool that takes it there.
fn asked(command: Command, room: &Room<'_>, broker: &Broker, arguments: &[&str]) -> Command {
    asked_at(command, room, ("--bootstrap-server", &broker.bootstrap()), arguments)
}

/// The same for an option and an address.
fn asked_at(mut command: Command, room: &Room<'_>, place: (&str, &str), arguments: &[&str]) -> Command {
    let of_cluster = matches!(arguments.first(), Some(&("cluster-id" | "list-endpoints" | "unregister")));
    let (before, after) = arguments.split_at(usize::from(of_cluster));
    command.args(before).args([place.0, place.1]);
    for argument in after {
        // Files are the room's.
        if argument.ends_with(".json") {
            command.arg(room.path(argument))
        } else {
            command.arg(argument)
        };
    }
    command
}

/// What it prints, however it ends, without blanks at the ends of lines.
fn printed(room: &Room<'_>, name: &str, command: Command) -> Result<String, Outcome> {
    ended(room, name, command).map(|(_, printed)| printed)
}

/// The same with how it ends.
fn ended(room: &Room<'_>, name: &str, command: Command) -> Result<(Option<i32>, String), Outcome> {
    let mut process = room.start(name, command)?;
    let status = match process.wait(room.budget()) {
        Ok(status) => status,
        Err(timed_out) => return failed(timed_out.to_string()),
    };
    let output = fs::read_to_string(room.output(name))?;
    Ok((status.code(), output.lines().map(|line| format!("{}\n", line.trim_end())).collect()))
}
