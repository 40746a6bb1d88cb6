//! Data directories to be damaged: one left by a clean stop, one by `kill -9` under records that no checkpoint knows, one by
//! `kill -9` right behind a start; and what each of them holds.

use std::fs;
use std::path::PathBuf;

use barnabas_tests::harness::broker::Broker;

use super::super::crash::franz_go;
use super::injury::copy_tree;
use super::survey::Survey;
use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// Small segments, two partitions of offsets, and metadata snapshots.
pub(super) const SETTINGS: &[(&str, &str)] = &[
    ("log.segment.bytes", "1048576"),
    ("offsets.topic.num.partitions", "2"),
    ("log.journal.bytes.initial", "4194304"),
    ("metadata.log.max.record.bytes.between.snapshots", "2048"),
];
/// The group that commits.
pub(super) const GROUP: &str = "readers";
/// The topics of clients, their partitions, records of each partition in a round, and whether the producer is idempotent.
const TOPICS: [(&str, u32, u32, bool); 4] =
    [("orders", 2, 200, true), ("clicks", 2, 80, false), ("audit", 1, 5, true), ("rare", 1, 0, false)];

/// How a broker was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Clean,
    Killed,
    KilledAtStart,
}

/// A directory, and what is served of it.
pub(super) struct Stock {
    pub(super) stop: Stop,
    pub(super) data: PathBuf,
    pub(super) truth: Survey,
}

/// Fills a broker's directory, and copies it at each of the three stops.
pub(super) fn fill(room: &Room<'_>) -> Result<(Vec<Stock>, usize), Outcome> {
    let mut broker = room.broker("stock", SETTINGS)?;
    let outcome = grow(room, &mut broker);
    let copies = room.with_log_of(&mut broker, outcome)?;
    let mut stocks = Vec::new();
    let mut acknowledged = 0;
    for (stop, name) in copies {
        let data = room.path(name);
        copy_tree(&data, &broker.data())?;
        broker.restart()?;
        let outcome = survey(room, &broker);
        let truth = room.with_log_of(&mut broker, outcome)?;
        broker.kill();
        if !truth.complaints().is_empty() {
            return failed(format!("{stop:?}, not damaged: {}", truth.complaints().join("; ")));
        }
        acknowledged = 0;
        for (topic, ..) in TOPICS.iter().filter(|topic| topic.2 > 0) {
            let history = fs::read_to_string(room.path(&format!("{topic}-{name}.history")))?;
            acknowledged += truth.holds(topic, &history).map_err(|why| Outcome::Failed(format!("{stop:?}: {why}")))?;
        }
        stocks.push(Stock { stop, data, truth });
    }
    Ok((stocks, acknowledged))
}

fn grow(room: &Room<'_>, broker: &mut Broker) -> Result<Vec<(Stop, &'static str)>, Outcome> {
    for (topic, partitions, ..) in TOPICS {
        room.step("create", franz_go(room, broker, &["create", topic, &partitions.to_string()]))?;
    }
    // Enough of them that the metadata is snapshotted, and something is deleted.
    for n in 0..12 {
        let topic = format!("gone-{n}");
        room.step("create", franz_go(room, broker, &["create", &topic, "1"]))?;
        room.step("drop", franz_go(room, broker, &["drop", &topic]))?;
    }
    round(room, broker, 1)?;
    broker.stop()?;
    broker.restart()?;
    round(room, broker, 2)?;
    broker.kill();
    broker.restart()?;
    round(room, broker, 3)?;
    broker.stop()?;
    keep(room, broker, "clean")?;
    broker.restart()?;
    broker.kill();
    keep(room, broker, "killed-at-start")?;
    broker.restart()?;
    round(room, broker, 4)?;
    room.step("create", franz_go(room, broker, &["create", "late", "1"]))?;
    broker.kill();
    keep(room, broker, "killed")?;
    Ok(vec![(Stop::Clean, "clean"), (Stop::KilledAtStart, "killed-at-start"), (Stop::Killed, "killed")])
}

/// Records and commits, all of them acknowledged.
fn round(room: &Room<'_>, broker: &Broker, number: u32) -> Result<(), Outcome> {
    for (topic, partitions, count, idempotent) in TOPICS.iter().filter(|topic| topic.2 > 0) {
        let mut command = franz_go(room, broker, &["stock"]);
        command.arg(room.path(&format!("{topic}.history"))).args([*topic, &partitions.to_string(), &count.to_string()]);
        room.step("produce", {
            command.arg(if *idempotent { "idempotent" } else { "plain" });
            command
        })?;
    }
    let offset = (number * 3).to_string();
    room.step("note", franz_go(room, broker, &["note", GROUP, "orders", "2", &offset]))
}

/// Keeps a copy of the directory and of what was acknowledged so far.
fn keep(room: &Room<'_>, broker: &Broker, name: &str) -> Result<(), Outcome> {
    copy_tree(&broker.data(), &room.path(name))?;
    for (topic, ..) in TOPICS.iter().filter(|topic| topic.2 > 0) {
        fs::copy(room.path(&format!("{topic}.history")), room.path(&format!("{topic}-{name}.history")))?;
    }
    Ok(())
}

/// Asks for everything that is served.
pub(super) fn survey(room: &Room<'_>, broker: &Broker) -> Result<Survey, Outcome> {
    let topics = TOPICS.iter().map(|(topic, partitions, ..)| format!("{topic}:{partitions}"));
    let topics: Vec<String> = topics.chain(["__consumer_offsets:2".to_owned()]).collect();
    let _ = fs::remove_file(room.output("survey"));
    let mut command = franz_go(room, broker, &["survey", GROUP]);
    command.args(&topics);
    room.step("survey", command)?;
    let text = fs::read_to_string(room.output("survey"))?;
    Survey::parse(&text).ok_or_else(|| Outcome::Failed(format!("a survey that does not parse:\n{text}")))
}
