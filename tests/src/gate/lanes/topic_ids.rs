//! Offsets by topic id: Java's newer consumer commits and fetches them so, and its own log says in which versions.

use std::collections::BTreeSet;
use std::fs;

use barnabas_tests::harness::broker::java;

use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

/// Runs the program and looks at the versions that it used.
pub(crate) fn topic_ids(room: &Room<'_>) -> Result<String, Outcome> {
    let mut broker = room.broker("broker", &[])?;
    let jars = Need::JavaFour.place(room.workshop).join("jars");
    let mut command = java(&jars, "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.clients.NetworkClient=debug");
    command.arg(room.workshop.client("java").join("TopicIds.java")).env("BOOTSTRAP", broker.bootstrap());
    let outcome = room.step("client", command).and_then(|()| versions(room));
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts)
}

/// The classic consumer names topics, up to version 9; the newer one gives their ids, from version 10 on.
fn versions(room: &Room<'_>) -> Result<String, Outcome> {
    let log = fs::read_to_string(room.log("client"))?;
    let mut told = Vec::new();
    for api in ["OFFSET_COMMIT", "OFFSET_FETCH"] {
        let sent = format!("Sending {api} request with header RequestHeader(apiKey={api}, apiVersion=");
        let of_line = |line: &str| line.split_once(&sent)?.1.split(',').next()?.parse::<i16>().ok();
        let used: BTreeSet<i16> = log.lines().filter_map(of_line).collect();
        if used != BTreeSet::from([9, 10]) {
            return failed(format!("{api} was sent in versions {used:?}, not in 9 by name and 10 by id"));
        }
        let count = log.lines().filter_map(of_line).filter(|version| *version == 10).count();
        told.push(format!("{count} times {api} 10"));
    }
    Ok(told.join(", "))
}
