//! librdkafka's numbered tests, each number in a process of its own, beside the table of what passed before.
//!
//! They are built from the npm package that ships them, never with its quick mode, which skips most sub-tests and calls
//! that a pass. Tests of the client on its own mock cluster are left out: no broker takes part in them. A number that fails
//! where the table says that it passes is run once more, since many of these tests watch the clock.
//! `UPDATE=1 cargo gate librdkafka` writes the table; reasons that stand in it stay. `LIBRDKAFKA_NUMBERS=0011,0113` runs
//! those only.

mod log;
mod runner;
mod secured;
mod table;

use std::fs;

use runner::Runner;
use table::Table;

use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// What passed, what failed and why, in the repository.
const TABLE: &str = "tests/suites/librdkafka.tsv";
/// The variable that names the numbers to run, if not all.
const NUMBERS: &str = "LIBRDKAFKA_NUMBERS";

/// Runs the numbers and compares.
pub(crate) fn librdkafka(room: &Room<'_>) -> Result<String, Outcome> {
    let path = room.workshop.root().join(TABLE);
    let before = Table::parse(&fs::read_to_string(&path).unwrap_or_default());
    let some = std::env::var(NUMBERS).ok();
    let mut runner = Runner::start(room)?;
    let outcome = numbers(&mut runner, &before, some.as_deref());
    let (ran, again) = runner.checked(outcome)?;
    runner.stop()?;
    let again = if again.is_empty() { String::new() } else { format!("; at the second try {}", again.join(", ")) };
    let report = format!("{}{again}", ran.counts());
    let worse = if some.is_some() { before.missed_by(ran.rows()) } else { ran.worse_than(&before) };
    let now = if some.is_some() { before.with(&ran) } else { ran };
    fs::write(room.path("librdkafka.tsv"), now.rendered())?;
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, now.rendered())?;
        return Ok(format!("{TABLE} is written: {report}"));
    }
    if worse.is_empty() { Ok(report) } else { failed(format!("{report}\n{}", worse.join("\n"))) }
}

/// What came of every number, or of `some`, and the numbers that passed at the second try only.
fn numbers(runner: &mut Runner<'_>, before: &Table, some: Option<&str>) -> Result<(Table, Vec<String>), Outcome> {
    let (mut now, mut again) = (Table::default(), Vec::new());
    for number in runner.numbers()? {
        if some.is_some_and(|some| !some.split(',').any(|digits| digits == number.digits())) {
            continue;
        }
        let mut rows = runner.run(&number)?;
        if !before.missed_by(&rows).is_empty() {
            rows = runner.run(&number)?;
            if before.missed_by(&rows).is_empty() {
                again.push(number.digits().to_owned());
            }
        }
        now.extend(rows.into_iter().map(|row| before.with_reason(row)));
    }
    Ok((now, again))
}
