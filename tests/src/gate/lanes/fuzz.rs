//! The fuzz targets from their seeds, as many at a time as there are cores: each is a process that has one.
//!
//! libFuzzer wants code that counts its edges. The flags for that are stable ones, so that neither cargo-fuzz nor a nightly compiler is
//! needed; only a sanitizer would be, and code without `unsafe` has little to show it.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::crash::given;
use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// Seconds that each target runs, unless `FUZZ_SECONDS` says otherwise.
const SECONDS: u64 = 60;
/// Longest input in bytes.
const INPUT_MAX: &str = "8192";
/// What has to be written down when the build is for a named target, so that build scripts are built without the flags.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// As cargo-fuzz 0.13 builds, without a sanitizer; but in several units, which compile at the same time.
const FLAGS: [&str; 9] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-sanitizer-coverage-stack-depth",
    "-Cdebug-assertions",
    "-Ccodegen-units=16",
];

/// What leaves the engine of regular expressions without the counting.
const WRAPPER: &str = "rustc.sh";

/// What peers and certificates say before anybody knows who they are; the other targets have the lane `hostile` beside them.
const OF_LOGINS: [&str; 9] =
    ["login", "scram", "jwt", "oauthbearer", "names", "mapping_rules", "pem", "short_names", "rights"];

/// The command that builds every target.
pub(crate) fn build(root: &Path) -> Command {
    let place = root.join("tests/fuzz");
    let mut build = Command::new("cargo");
    build.args(["build", "-q", "--release", "--locked", "--target", TRIPLE]).current_dir(&place);
    build.env("RUSTFLAGS", FLAGS.join(" ")).env("RUSTC_WRAPPER", place.join(WRAPPER));
    build
}

/// The targets of logins for a while, or with `FUZZ_RUNS` for that many executions.
pub(crate) fn fuzz(room: &Room<'_>) -> Result<String, Outcome> {
    run_all(room, OF_LOGINS.iter().map(ToString::to_string).collect())
}

/// Every target.
pub(crate) fn fuzz_all(room: &Room<'_>) -> Result<String, Outcome> {
    let targets = targets(&room.workshop.root().join("tests/fuzz/targets"))?;
    run_all(room, targets.into())
}

/// Runs them all, whatever the others find; every failure is told.
fn run_all(room: &Room<'_>, targets: VecDeque<String>) -> Result<String, Outcome> {
    let place = room.workshop.root().join("tests/fuzz");
    let (left, told) = (Mutex::new(targets), Mutex::new(Vec::new()));
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let work = || {
        while let Some(target) = next() {
            let outcome = run(room, &target, &place);
            told.lock().unwrap_or_else(PoisonError::into_inner).push((target, outcome));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let (mut executions, mut found) = (Vec::new(), Vec::new());
    for (target, outcome) in told.into_inner().unwrap_or_else(PoisonError::into_inner) {
        match outcome {
            Ok(number) => executions.push(format!("{target} {number}")),
            Err(Outcome::Failed(why) | Outcome::Skipped(why) | Outcome::Forbidden(why)) => found.push(why),
        }
    }
    if found.is_empty() { Ok(format!("executions: {}", executions.join(", "))) } else { failed(found.join("\n")) }
}

fn targets(place: &Path) -> Result<Vec<String>, Outcome> {
    let files: Vec<PathBuf> =
        fs::read_dir(place)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    let mut names: Vec<String> =
        files.iter().filter_map(|file| file.file_stem()?.to_str().map(str::to_owned)).collect();
    names.sort();
    Ok(names)
}

/// Runs one target; how often it was executed.
fn run(room: &Room<'_>, target: &str, place: &Path) -> Result<u64, Outcome> {
    // What it finds on its way stays in the lane's directory.
    let corpus = room.path(&format!("{target}-corpus"));
    fs::create_dir(&corpus)?;
    let bound = match given("FUZZ_RUNS") {
        Some(runs) => format!("-runs={runs}"),
        None => format!("-max_total_time={}", given("FUZZ_SECONDS").unwrap_or(SECONDS)),
    };
    let mut command = Command::new(place.join("target").join(TRIPLE).join("release").join(target));
    command.arg(&corpus).arg(place.join("seeds").join(target)).arg(bound);
    command.args(["-print_final_stats=1", "-timeout=10", "-rss_limit_mb=2048"]);
    command.arg(format!("-max_len={INPUT_MAX}"));
    command.arg(format!("-artifact_prefix={}", room.path(&found_by(target)).display()));
    let outcome = room.step(target, command);
    let found = artifacts(room, target)?;
    match outcome {
        Err(Outcome::Failed(why)) if !found.is_empty() => {
            return failed(format!("{target} found {}: {why}", found.join(", ")));
        }
        outcome => outcome?,
    }
    if !found.is_empty() {
        return failed(format!("{target} ended well, and found {}", found.join(", ")));
    }
    let told = fs::read_to_string(room.log(target))?;
    let executed = told.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    match executed.and_then(|number| number.trim().parse().ok()) {
        Some(0) | None => failed(format!("{target} was not executed")),
        Some(number) => Ok(number),
    }
}

/// How the names of the files begin in which a target leaves what it found.
fn found_by(target: &str) -> String {
    format!("{target}-found-")
}

/// The inputs that a target left: it crashes, hangs or takes too much memory on them.
fn artifacts(room: &Room<'_>, target: &str) -> Result<Vec<String>, Outcome> {
    let mut found = Vec::new();
    for entry in fs::read_dir(room.path(""))? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&found_by(target))) {
            found.push(path.display().to_string());
        }
    }
    Ok(found)
}
