//! `kill -9` in a loop under load, and a history check over everything that clients were told.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::history::{History, Record, drained};
use barnabas_tests::harness::process::Process;
use barnabas_tests::harness::wait;

use super::clients::go;
use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

/// Times the broker is killed, unless `CRASH_CYCLES` says otherwise.
const CYCLES: usize = 8;
/// Idempotent producers at work.
const PRODUCERS: usize = 2;
/// How far each producer's history grows between two kills: some thousand acknowledged records.
const GROWTH: u64 = 100_000;
/// Longest wait for clients to get on.
const PROGRESS: Duration = Duration::from_secs(60);
/// Small segments, so that kills fall into rolls too.
const SETTINGS: &[(&str, &str)] = &[("log.segment.bytes", "1048576")];

/// Idempotent producers and a group keep working while the broker is killed again and again; topics made right before a kill
/// survive it with their ids.
pub(crate) fn crash(room: &Room<'_>) -> Result<String, Outcome> {
    let mut broker = room.broker("broker", SETTINGS)?;
    let outcome = cycles(room, &mut broker);
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts)
}

fn cycles(room: &Room<'_>, broker: &mut Broker) -> Result<String, Outcome> {
    room.step("create", franz_go(room, broker, &["create", "crash", "6"]))?;
    let mut producers = (0..PRODUCERS)
        .map(|n| {
            let name = format!("p{n}");
            let history = room.path(&format!("{name}.history"));
            let mut command = franz_go(room, broker, &["load"]);
            command.arg(history).args(["crash", "6", &name]);
            room.start(&name, command)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut member = start_member(room, broker, "member", "crash")?;
    let kills = std::env::var("CRASH_CYCLES").ok().and_then(|kills| kills.parse().ok()).unwrap_or(CYCLES);
    for cycle in 0..kills {
        for (n, producer) in producers.iter_mut().enumerate() {
            grown(producer, &room.path(&format!("p{n}.history")))?;
        }
        let made = format!("made-{cycle}");
        room.step("create", franz_go(room, broker, &["create", &made, "3"]))?;
        let before = ids(room, broker, &made)?;
        broker.kill();
        broker.restart()?;
        let after = ids(room, broker, &made)?;
        if before != after {
            return failed(format!("topics before a kill:\n{before}and after it:\n{after}"));
        }
    }
    for (n, producer) in producers.iter_mut().enumerate() {
        stopped(producer, &room.log(&format!("p{n}")))?;
    }
    let log = drain(room, broker, "crash")?;
    read_everything(room, &mut member, log.len())?;
    Ok(format!("{kills} kills, {}", verdict(room, &log)?))
}

fn verdict(room: &Room<'_>, log: &[Record]) -> Result<String, Outcome> {
    let mut sends = History::default();
    for n in 0..PRODUCERS {
        sends.add(&room.path(&format!("p{n}.history")))?;
    }
    sends.check_sends(log).map_err(|anomalies| Outcome::Failed(anomalies.to_string()))?;
    if sends.unknown() > 0 {
        return failed(format!("idempotent producers gave up on {} records", sends.unknown()));
    }
    let mut group = History::default();
    group.add(&room.path("member.history"))?;
    group.check_group(log).map_err(|anomalies| Outcome::Failed(anomalies.to_string()))?;
    Ok(format!("{} records acknowledged, {} read by the group", sends.acknowledged(), group.read()))
}

/// A franz-go program, connected.
pub(crate) fn franz_go(room: &Room<'_>, broker: &Broker, arguments: &[&str]) -> Command {
    let mut command = Command::new(go(room, Need::FranzGo));
    command.args(arguments).env("BOOTSTRAP", broker.bootstrap());
    command
}

/// Starts a member of the group `watchers` that writes `NAME.history`.
pub(crate) fn start_member(room: &Room<'_>, broker: &Broker, name: &str, topic: &str) -> Result<Process, Outcome> {
    let mut command = franz_go(room, broker, &["group"]);
    command.arg(room.path(&format!("{name}.history"))).args(["watchers", topic]);
    room.start(name, command)
}

/// Every record of a topic.
pub(crate) fn drain(room: &Room<'_>, broker: &Broker, topic: &str) -> Result<Vec<Record>, Outcome> {
    let name = format!("drain-{topic}");
    // Outputs are appended to, and a lane may drain more than once.
    let _ = fs::remove_file(room.output(&name));
    room.step(&name, franz_go(room, broker, &["drain", topic]))?;
    Ok(drained(&fs::read_to_string(room.output(&name))?))
}

/// Ends a client that runs until it is told to stop.
pub(crate) fn stopped(process: &mut Process, log: &Path) -> Result<(), Outcome> {
    let status = process.terminate(PROGRESS)?;
    if status.success() {
        return Ok(());
    }
    failed(format!("a client ended with {status}: {}", fs::read_to_string(log).unwrap_or_default()))
}

/// The ids of all topics, once `awaited` is among them: Apache Kafka answers a creation before its broker has heard of it.
fn ids(room: &Room<'_>, broker: &Broker, awaited: &str) -> Result<String, Outcome> {
    wait::until(&format!("topic {awaited} to be listed"), PROGRESS, || {
        let _ = fs::remove_file(room.output("ids"));
        if let Err(outcome) = room.step("ids", franz_go(room, broker, &["ids"])) {
            return Some(Err(outcome));
        }
        let ids = fs::read_to_string(room.output("ids")).ok()?;
        ids.contains(awaited).then_some(Ok(ids))
    })?
}

fn grown(producer: &mut Process, history: &Path) -> Result<(), Outcome> {
    let size = || fs::metadata(history).map_or(0, |metadata| metadata.len());
    let wanted = size() + GROWTH;
    let ended = wait::until("a producer to get on", PROGRESS, || {
        if size() >= wanted { Some(None) } else { producer.ended().map(Some) }
    })?;
    match ended {
        None => Ok(()),
        Some(status) => failed(format!("a producer ended under load: {status}")),
    }
}

fn read_everything(room: &Room<'_>, member: &mut Process, records: usize) -> Result<(), Outcome> {
    let read = || {
        let mut history = History::default();
        history.add(&room.path("member.history")).ok()?;
        (history.read_once() >= records).then_some(())
    };
    wait::until("the group to read every record", PROGRESS, read)?;
    stopped(member, &room.log("member"))
}
