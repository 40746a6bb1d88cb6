//! `kill -9` in a loop under load, and a history check over everything that clients were told.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::dice::Dice;
use barnabas_tests::harness::history::{Record, drained};
use barnabas_tests::harness::process::Process;
use barnabas_tests::harness::wait;

use super::clients::go;
use super::workload::Workload;
use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

/// Times the broker is killed, unless `CRASH_CYCLES` says otherwise.
const CYCLES: u64 = 50;
/// The most bytes by which a producer's history grows between two kills: some hundred acknowledged records.
const GROWTH: u64 = 15_000;
/// Longest time from a start to the first answer, unless `CRASH_START_MS` says otherwise: for a machine that is busy.
const START: Duration = Duration::from_secs(1);
/// Longest wait for clients to get on.
const PROGRESS: Duration = Duration::from_secs(60);
/// Small segments, so that kills fall into rolls too, and many checkpoints.
const SETTINGS: &[(&str, &str)] = &[
    ("log.segment.bytes", "1048576"),
    ("log.checkpoint.interval.ms", "200"),
    ("metadata.log.max.record.bytes.between.snapshots", "8192"),
];

/// Producers, a group, commits and topics that come and go keep working while the broker is killed again and again, now and
/// then while it starts.
pub(crate) fn crash(room: &Room<'_>) -> Result<String, Outcome> {
    let mut broker = room.broker("broker", SETTINGS)?;
    let mut dice = Dice::from_environment("CRASH_SEED");
    let outcome = cycles(room, &mut broker, &mut dice);
    let facts = room.with_log_of(&mut broker, outcome);
    let facts = facts.map_err(|outcome| match outcome {
        Outcome::Failed(why) => Outcome::Failed(format!("CRASH_SEED={}: {why}", dice.seed())),
        other => other,
    })?;
    broker.stop()?;
    Ok(facts)
}

fn cycles(room: &Room<'_>, broker: &mut Broker, dice: &mut Dice) -> Result<String, Outcome> {
    let kills = given("CRASH_CYCLES").unwrap_or(CYCLES);
    let start_max = given("CRASH_START_MS").map_or(START, Duration::from_millis);
    let mut load = Workload::start(room, broker, "load")?;
    let mut starts = Vec::new();
    for cycle in 0..kills {
        load.grown(room, dice.draw(1..GROWTH))?;
        broker.kill();
        if cycle % 5 == 4 {
            broker.launch()?;
            wait::moment(dice.moment(60));
            broker.kill();
        }
        let took = broker.restart()?;
        if took > start_max {
            return failed(format!("start {cycle} took {took:.2?} until the first answer, more than {start_max:?}"));
        }
        starts.push(took);
    }
    starts.sort();
    Ok(format!("{kills} kills, {}, {}", start_times(&starts), load.finish(room, broker)?))
}

/// A number from the environment.
pub(crate) fn given(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|number| number.parse().ok())
}

/// The quantiles of start times in order.
pub(crate) fn start_times(starts: &[Duration]) -> String {
    let at = |percent: usize| starts.get((starts.len() * percent / 100).min(starts.len().saturating_sub(1)));
    let shown = |percent| at(percent).map_or(0.0, |took| took.as_secs_f64() * 1000.0);
    format!("starts p50 {:.0} p99 {:.0} max {:.0} ms", shown(50), shown(99), shown(100))
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
