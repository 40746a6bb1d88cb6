//! The fuzz targets, one after the other, from their seeds.
//!
//! libFuzzer wants code that counts its edges. The flags for that are stable ones, so that neither cargo-fuzz nor a nightly compiler is
//! needed; only a sanitizer would be, and code without `unsafe` has little to show it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::crash::given;
use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// Seconds that each target runs, unless `FUZZ_SECONDS` says otherwise.
const SECONDS: u64 = 60;
/// Longest input in bytes.
const INPUT_MAX: &str = "8192";
/// What has to be written down when the build is for a named target, so that build scripts are built without the flags.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// As cargo-fuzz 0.13 builds, without a sanitizer.
const FLAGS: [&str; 9] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-sanitizer-coverage-stack-depth",
    "-Cdebug-assertions",
    "-Ccodegen-units=1",
];

/// What leaves the engine of regular expressions without the counting.
const WRAPPER: &str = "rustc.sh";

/// Every target for a while, or with `FUZZ_RUNS` for that many executions.
pub(crate) fn fuzz(room: &Room<'_>) -> Result<String, Outcome> {
    let place = room.workshop.root().join("tests/fuzz");
    let mut build = Command::new("cargo");
    build.args(["build", "-q", "--release", "--locked", "--target", TRIPLE]).current_dir(&place);
    build.env("RUSTFLAGS", FLAGS.join(" ")).env("RUSTC_WRAPPER", place.join(WRAPPER));
    room.step("build", build)?;
    let mut told = Vec::new();
    for target in targets(&place.join("targets"))? {
        let program = place.join("target").join(TRIPLE).join("release").join(&target);
        told.push(format!("{target} {}", run(room, &target, program, &place)?));
    }
    Ok(format!("executions: {}", told.join(", ")))
}

fn targets(place: &std::path::Path) -> Result<Vec<String>, Outcome> {
    let files: Vec<PathBuf> =
        fs::read_dir(place)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    let mut names: Vec<String> =
        files.iter().filter_map(|file| file.file_stem()?.to_str().map(str::to_owned)).collect();
    names.sort();
    Ok(names)
}

/// Runs one target; how often it was executed.
fn run(room: &Room<'_>, target: &str, program: PathBuf, place: &std::path::Path) -> Result<u64, Outcome> {
    // What it finds on its way stays in the lane's directory.
    let corpus = room.path(&format!("{target}-corpus"));
    fs::create_dir(&corpus)?;
    let bound = match given("FUZZ_RUNS") {
        Some(runs) => format!("-runs={runs}"),
        None => format!("-max_total_time={}", given("FUZZ_SECONDS").unwrap_or(SECONDS)),
    };
    let mut command = Command::new(program);
    command.arg(&corpus).arg(place.join("seeds").join(target)).arg(bound);
    command.args(["-print_final_stats=1", "-timeout=10", "-rss_limit_mb=2048"]);
    command.arg(format!("-max_len={INPUT_MAX}"));
    command.arg(format!("-artifact_prefix={}", room.path(&format!("{target}-found-")).display()));
    room.step(target, command)?;
    let told = fs::read_to_string(room.log(target))?;
    let executed = told.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    match executed.and_then(|number| number.trim().parse().ok()) {
        Some(0) | None => failed(format!("{target} was not executed")),
        Some(number) => Ok(number),
    }
}
