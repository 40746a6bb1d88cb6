//! franz-go's own tests of pkg/kgo, with every record it sends by default, twice in a row on one broker.
//!
//! They are built from the module that the Go proxy serves. What is left out or skips itself is listed with its reason:
//! a skip that is not listed fails, so that no test is lost without a word. The logins of its SCRAM tests are there.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::port;

use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

/// Tests that do not run, and why.
const LIST: &str = "tests/suites/kgo.tsv";
/// Runs in a row.
const RUNS: usize = 2;

/// Runs them.
pub(crate) fn kgo(room: &Room<'_>) -> Result<String, Outcome> {
    let list = fs::read_to_string(room.workshop.root().join(LIST))?;
    let scram = port::free()?;
    let listeners = format!("PLAINTEXT://127.0.0.1:{{port}},SASL://127.0.0.1:{scram}");
    let mut broker = room.broker(
        "broker",
        &[
            ("listeners", &format!("{listeners},CONTROLLER://127.0.0.1:{{controller}}")),
            ("advertised.listeners", &listeners),
            ("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT"),
            ("bootstrap.user", "admin:admin-secret"),
        ],
    )?;
    let outcome = (1..=RUNS).map(|run| one_run(room, &broker, scram, &list, run)).collect::<Result<Vec<_>, _>>();
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts.join("; "))
}

fn one_run(room: &Room<'_>, broker: &Broker, scram: u16, list: &str, run: usize) -> Result<String, Outcome> {
    let left_out: Vec<&str> = rows(list).filter(|row| row[1] == "left out").map(|row| row[0]).collect();
    let (name, place) = (format!("run-{run}"), Need::Kgo.place(room.workshop));
    let mut command = Command::new(place.join("kgo.test"));
    command.args(["-test.v", "-test.timeout", "15m", "-test.skip", &format!("^({})$", left_out.join("|"))]);
    // One test reads the package's own source.
    command.current_dir(fs::read_to_string(place.join("sources"))?.trim());
    command.env("KGO_SEEDS", broker.bootstrap()).env("KGO_TEST_RF", "1").env("KGO_LOG_LEVEL", "none");
    command.env("KGO_TEST_SCRAM", "admin:admin-secret").env("KGO_TEST_SCRAM_SEEDS", format!("127.0.0.1:{scram}"));
    let outcome = room.step(&name, command);
    judge(&fs::read_to_string(room.output(&name))?, list).and_then(|facts| outcome.map(|()| facts))
}

/// The tests of the list: name, how, reason.
fn rows(list: &str) -> impl Iterator<Item = Vec<&str>> {
    list.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>()).filter(|row| row.len() == 3)
}

/// Counts what the log of a run says; every failure and every skip that is not listed is told.
fn judge(log: &str, list: &str) -> Result<String, Outcome> {
    let mut ends = BTreeMap::<&str, Vec<&str>>::new();
    for line in log.lines().filter_map(|line| line.trim_start().strip_prefix("--- ")) {
        if let Some((end, test)) = line.split_once(": ") {
            ends.entry(end).or_default().push(test.split(' ').next().unwrap_or(test));
        }
    }
    let of = |end: &str| ends.get(end).map(Vec::as_slice).unwrap_or_default();
    let skipped = of("SKIP").iter().copied();
    let unlisted: Vec<&str> = skipped.filter(|test| rows(list).all(|row| row[0] != *test)).collect();
    if !of("FAIL").is_empty() || !unlisted.is_empty() {
        return failed(format!("failed: {}; skipped unlisted: {}", of("FAIL").join(", "), unlisted.join(", ")));
    }
    let (tests, parts) = of("PASS").iter().partition::<Vec<&str>, _>(|test| !test.contains('/'));
    if tests.is_empty() {
        return failed("no test ran");
    }
    Ok(format!("{} tests and {} parts of them pass, {} skipped", tests.len(), parts.len(), of("SKIP").len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "test\thow\treason\nTestListed\tskips itself\tfor a reason\n";

    #[test]
    fn a_failure_and_an_unlisted_skip_are_told() {
        let run =
            |line: &str| judge(&format!("--- PASS: TestOne (0.10s)\n    --- PASS: TestOne/part (0.00s)\n{line}"), LIST);
        assert_eq!(run("--- SKIP: TestListed (0.00s)").unwrap(), "1 tests and 1 parts of them pass, 1 skipped");
        assert!(run("    --- SKIP: TestOne/other (0.00s)").is_err());
        assert!(run("--- FAIL: TestTwo (0.00s)").is_err());
        assert!(judge("", LIST).is_err());
    }
}
