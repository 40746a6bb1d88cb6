//! librdkafka's numbered tests, each number in a process of its own, beside the table of what passed before.
//!
//! They are built from the npm package that ships them, never with its quick mode, which skips most sub-tests and calls
//! that a pass. Tests of the client on its own mock cluster are left out: no broker takes part in them. A number that fails
//! where the table says that it passes is run once more, since many of these tests watch the clock.
//! `UPDATE=1 cargo gate librdkafka` writes the table; reasons that stand in it stay.

mod log;
mod runner;
mod table;

use std::fs;

use runner::Runner;
use table::Table;

use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// What passed, what failed and why, in the repository.
const TABLE: &str = "tests/suites/librdkafka.tsv";

/// Runs every number and compares.
pub(crate) fn librdkafka(room: &Room<'_>) -> Result<String, Outcome> {
    let path = room.workshop.root().join(TABLE);
    let before = Table::parse(&fs::read_to_string(&path).unwrap_or_default());
    let mut runner = Runner::start(room)?;
    let outcome = every_number(&mut runner, &before);
    let (now, again) = runner.checked(outcome)?;
    runner.stop()?;
    fs::write(room.path("librdkafka.tsv"), now.rendered())?;
    let again = if again.is_empty() { String::new() } else { format!("; at the second try {}", again.join(", ")) };
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, now.rendered())?;
        return Ok(format!("{TABLE} is written: {}{again}", now.counts()));
    }
    let worse = now.worse_than(&before);
    if !worse.is_empty() {
        return failed(format!("{}; {}", now.counts(), worse.join("\n")));
    }
    Ok(format!("{}{again}", now.counts()))
}

/// The new table, and the numbers that passed at the second try only.
fn every_number(runner: &mut Runner<'_>, before: &Table) -> Result<(Table, Vec<String>), Outcome> {
    let (mut now, mut again) = (Table::default(), Vec::new());
    for number in runner.numbers()? {
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
