//! Administrative calls of Java's AdminClient, and Kafka's administrative tools, against what Apache Kafka 4.3.1 answers to the same.
//!
//! The programs print each call with its answer in one line, in a fixed order; what they print on Apache Kafka is in the
//! tree. A difference that is meant is on a list with its reason: `tests/clients/java/admin/differences`. To record anew:
//! `SETTLE_MS=400 cargo gate admin-golden --kafka`, and take the `.out` files of its directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use barnabas_tests::harness::broker::{Broker, java};

use crate::gate::lane::{Outcome, failed};
use crate::gate::need::Need;
use crate::gate::room::Room;

/// Differences shown of those that were found.
const SHOWN: usize = 12;

/// One line of the list: a call (or the beginning of some), and why its answer differs.
struct Difference<'a> {
    call: &'a str,
    /// Another part of the program is not there yet: no difference is as good.
    pending: bool,
}

/// Runs both programs and compares.
pub(crate) fn admin_golden(room: &Room<'_>) -> Result<String, Outcome> {
    let mut facts = Vec::new();
    for (program, golden) in [("Golden", "kafka-4.3.1.golden"), ("Tools", "tools-4.3.1.golden")] {
        let mut broker = room.broker(program, &[])?;
        let outcome = compare(room, &broker, program, golden);
        facts.push(room.with_log_of(&mut broker, outcome)?);
        broker.stop()?;
    }
    Ok(facts.join("; "))
}

fn compare(room: &Room<'_>, broker: &Broker, program: &str, golden: &str) -> Result<String, Outcome> {
    let sources = room.workshop.client("java").join("admin");
    let jars = Need::JavaFour.place(room.workshop).join("jars");
    let mut command = java(&jars, "-Dorg.slf4j.simpleLogger.defaultLogLevel=off");
    command.arg(sources.join(format!("{program}.java"))).env("BOOTSTRAP", broker.bootstrap());
    room.step(program, command)?;
    let expected = fs::read_to_string(sources.join(golden))?;
    let found = fs::read_to_string(room.output(program))?;
    let list = fs::read_to_string(sources.join("differences"))?;
    let allowed: Vec<Difference<'_>> = list.lines().filter_map(difference).collect();
    let (expected, found) = (answers(&expected), answers(&found));
    let (mut wrong, mut meant) = (Vec::new(), vec![false; allowed.len()]);
    let calls: BTreeSet<_> = expected.keys().chain(found.keys()).copied().collect();
    for call in &calls {
        let (expected, found) = (expected.get(call), found.get(call));
        if expected != found {
            match allowed.iter().position(|difference| matches(difference.call, call.0)) {
                Some(at) => meant[at] = true,
                None => wrong.push(format!("{} =>\n- {}\n+ {}", call.0, shown(expected), shown(found))),
            }
        }
    }
    for (difference, _) in allowed.iter().zip(&meant).filter(|(difference, meant)| !**meant && !difference.pending) {
        if calls.iter().any(|call| matches(difference.call, call.0)) {
            wrong.push(format!("{}: no longer differs, take it off the list", difference.call));
        }
    }
    if !wrong.is_empty() {
        let shown = wrong.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n");
        return failed(format!("{program}: {} of {} answers differ\n{shown}", wrong.len(), expected.len()));
    }
    Ok(format!("{} answers of {program}.java as Apache Kafka's", expected.len()))
}

/// Answers by call, and how often it was made before.
fn answers(output: &str) -> BTreeMap<(&str, usize), &str> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    let split = output.lines().filter_map(|line| line.split_once(" => "));
    let answer = split.map(|(call, answer)| {
        let times = times.entry(call).or_default();
        *times += 1;
        ((call, *times), answer)
    });
    answer.collect()
}

fn shown<'a>(answer: Option<&&'a str>) -> &'a str {
    answer.copied().unwrap_or("no such call")
}

/// `call TAB reason`; a reason that begins with `pending` may be gone.
fn difference(line: &str) -> Option<Difference<'_>> {
    let (call, reason) = line.split_once('\t').filter(|_| !line.starts_with('#'))?;
    Some(Difference { call, pending: reason.starts_with("pending") })
}

/// A `*` at the end stands for any rest.
fn matches(pattern: &str, call: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == call, |start| call.starts_with(start))
}
