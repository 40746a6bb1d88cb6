//! The load of the lanes that take a broker down: producers, a group, topics that come and go, commits; each writes a
//! history of what it was told.

use std::fs;
use std::time::Duration;

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::history::commits::check_commits;
use barnabas_tests::harness::history::topics::check_topics;
use barnabas_tests::harness::history::{History, Record};
use barnabas_tests::harness::process::Process;
use barnabas_tests::harness::wait;

use super::crash::{drain, franz_go, start_member, stopped};
use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// The topic that producers and the group share.
const TOPIC: &str = "load";
/// Its partitions.
const PARTITIONS: &str = "6";
/// Longest wait for clients to get on.
const PROGRESS: Duration = Duration::from_secs(60);

/// The producers of the whole load, and whether they are idempotent.
const PRODUCERS: [(&str, bool); 3] = [("p0", true), ("p1", true), ("q0", false)];

/// A client and the name of its files.
type Client = (String, Process);

/// The clients at work.
pub(crate) struct Workload {
    name: String,
    producers: Vec<Client>,
    others: Vec<Client>,
}

impl Workload {
    /// Makes the topic and starts all clients; `name` is before the names of their files.
    pub(crate) fn start(room: &Room<'_>, broker: &Broker, name: &str) -> Result<Self, Outcome> {
        room.step("create", franz_go(room, broker, &["create", TOPIC, PARTITIONS]))?;
        let mut producers = Vec::new();
        for (producer, idempotent) in PRODUCERS {
            let producer = format!("{name}-{producer}");
            let process = start_producer(room, broker, &producer, idempotent)?;
            producers.push((producer, process));
        }
        let (member, churn, commit) = (format!("{name}-member"), format!("{name}-churn"), format!("{name}-commit"));
        let others = vec![
            (member.clone(), start_member(room, broker, &member, TOPIC)?),
            (churn.clone(), start_churn(room, broker, &churn)?),
            (commit.clone(), start_commit(room, broker, &commit)?),
        ];
        Ok(Self { name: name.to_owned(), producers, others })
    }

    /// Waits until the idempotent producers' histories have grown by this many bytes: their broker serves.
    pub(crate) fn grown(&mut self, room: &Room<'_>, bytes: u64) -> Result<(), Outcome> {
        for ((_, idempotent), (name, producer)) in PRODUCERS.iter().zip(&mut self.producers) {
            if *idempotent {
                grown(room, name, producer, bytes)?;
            }
        }
        for (name, other) in &mut self.others {
            if let Some(status) = other.ended() {
                return failed(format!("{name} ended under load: {status}"));
            }
        }
        Ok(())
    }

    /// Ends the clients and checks every history; tells what they hold.
    pub(crate) fn finish(mut self, room: &Room<'_>, broker: &Broker) -> Result<String, Outcome> {
        for (name, producer) in &mut self.producers {
            stopped(producer, &room.log(name))?;
        }
        let log = drain(room, broker, TOPIC)?;
        room.step("caught", franz_go(room, broker, &["caught", "watchers", TOPIC]))?;
        for (name, other) in &mut self.others {
            stopped(other, &room.log(name))?;
        }
        self.verdict(room, &log)
    }

    fn verdict(&self, room: &Room<'_>, log: &[Record]) -> Result<String, Outcome> {
        let (mut sends, mut idempotent, mut group) = (History::default(), History::default(), History::default());
        for ((name, _), (_, is_idempotent)) in self.producers.iter().zip(PRODUCERS) {
            let path = room.path(&format!("{name}.history"));
            sends.add(&path)?;
            if is_idempotent {
                idempotent.add(&path)?;
            }
        }
        // franz-go gives a record up when its connection breaks in the first exchange, so some fates are unknown.
        sends.check_sends(log).map_err(|anomalies| Outcome::Failed(anomalies.to_string()))?;
        group.add(&room.path(&format!("{}-member.history", self.name)))?;
        group.check_group(log).map_err(|anomalies| Outcome::Failed(anomalies.to_string()))?;
        let churn = topics_verdict(room, &format!("{}-churn", self.name))?;
        let commits = commits_verdict(room, &format!("{}-commit", self.name))?;
        let (all, idempotent, unknown) = (sends.acknowledged(), idempotent.acknowledged(), sends.unknown());
        Ok(format!(
            "{all} records acknowledged, {idempotent} under idempotence, {unknown} of unknown fate, {} read by a group, \
             {churn}, {commits}",
            group.read()
        ))
    }
}

/// What the history of a churn says.
pub(crate) fn topics_verdict(room: &Room<'_>, name: &str) -> Result<String, Outcome> {
    let facts = check_topics(&room.path(&format!("{name}.history")))?;
    let facts = facts.map_err(|anomalies| Outcome::Failed(format!("{name}: {anomalies}")))?;
    Ok(format!("{} topics made, {} deleted, {} listings", facts.created, facts.deleted, facts.listings))
}

/// What the history of a committer says.
pub(crate) fn commits_verdict(room: &Room<'_>, name: &str) -> Result<String, Outcome> {
    let commits = check_commits(&room.path(&format!("{name}.history")))?;
    let commits = commits.map_err(|anomalies| Outcome::Failed(format!("{name}: {anomalies}")))?;
    Ok(format!("{commits} commits"))
}

/// Starts a producer that writes `NAME.history`.
pub(crate) fn start_producer(
    room: &Room<'_>,
    broker: &Broker,
    name: &str,
    idempotent: bool,
) -> Result<Process, Outcome> {
    let kind = if idempotent { "idempotent" } else { "plain" };
    let mut command = franz_go(room, broker, &["send"]);
    command.arg(room.path(&format!("{name}.history"))).args([TOPIC, PARTITIONS, name, kind]);
    room.start(name, command)
}

/// Starts topics that come and go, in `NAME.history`.
pub(crate) fn start_churn(room: &Room<'_>, broker: &Broker, name: &str) -> Result<Process, Outcome> {
    let mut command = franz_go(room, broker, &["churn"]);
    command.arg(room.path(&format!("{name}.history"))).args(["churn", "5"]);
    room.start(name, command)
}

/// Starts commits without a member, in `NAME.history`.
pub(crate) fn start_commit(room: &Room<'_>, broker: &Broker, name: &str) -> Result<Process, Outcome> {
    let mut command = franz_go(room, broker, &["commit"]);
    command.arg(room.path(&format!("{name}.history"))).args(["committers", TOPIC, PARTITIONS]);
    room.start(name, command)
}

/// Waits until the history of a producer has grown by this many bytes.
pub(crate) fn grown(room: &Room<'_>, name: &str, producer: &mut Process, bytes: u64) -> Result<(), Outcome> {
    let history = room.path(&format!("{name}.history"));
    let size = || fs::metadata(&history).map_or(0, |metadata| metadata.len());
    let wanted = size() + bytes;
    let ended = wait::until(&format!("{name} to get on"), PROGRESS, || {
        if size() >= wanted { Some(None) } else { producer.ended().map(Some) }
    })?;
    match ended {
        None => Ok(()),
        Some(status) => failed(format!("{name} ended under load: {status}")),
    }
}
