//! The simulator's own exam: every seeded bug must be caught.

use std::process::ExitCode;
use std::sync::Mutex;

use crate::{Arguments, campaign};

/// The bugs. The first four are made by the simulated disk, the others stand in the product behind `mutant("...")`.
pub(crate) const MUTANTS: [&str; 14] = [
    "ack_before_sync",
    "directories_not_synced",
    "segments_not_synced",
    "metadata_not_synced",
    "high_watermark_is_log_end",
    "high_watermark_one_too_high",
    "window_of_one",
    "sequences_unchecked",
    "producers_forgotten",
    "commit_answered_early",
    "replay_skips_the_last",
    "torn_tail_kept",
    "retention_takes_one_more",
    "index_entry_off",
];

/// Seeds in which a bug must show.
const SEEDS: u64 = 40;

/// Each bug over seeds until it is caught; fails when one is not.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let most = if arguments.count > 1 { arguments.count } else { SEEDS };
    let (waiting, missed) = (Mutex::new(MUTANTS.iter()), Mutex::new(0));
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().next();
                    let Some(name) = next else { return };
                    match caught(arguments, name, most) {
                        Some((seeds, by)) => println!("{name}: caught after {seeds} seeds: {by}"),
                        None => {
                            println!("{name}: NOT CAUGHT in {most} seeds");
                            *missed.lock().unwrap() += 1;
                        }
                    }
                }
            });
        }
    });
    let missed = missed.into_inner().unwrap();
    println!("{} of {} seeded bugs caught", MUTANTS.len() - missed, MUTANTS.len());
    if missed > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

/// How many seeds it took, and by which anomaly.
fn caught(arguments: &Arguments, name: &str, most: u64) -> Option<(u64, String)> {
    for seed in arguments.seed..arguments.seed + most {
        let output = campaign::one(arguments, Some(name), seed).ok()?;
        if !matches!(output.status.code(), Some(0 | 2)) {
            let text = String::from_utf8_lossy(&output.stdout);
            let by = text.lines().nth(1).map_or_else(|| output.status.to_string(), |line| line.trim().to_owned());
            return Some((seed + 1 - arguments.seed, by));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_stands_somewhere() {
        let rooms = ["storage/src", "raft/src", "broker/src", "tests/sim/src/machine"];
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut text = String::new();
        for room in rooms {
            collect(&root.join(room), &mut text);
        }
        for name in MUTANTS {
            assert!(text.contains(&format!("mutant(\"{name}\")")), "{name} is nowhere");
        }
        assert_eq!(text.matches("mutant(\"").count(), MUTANTS.len(), "a bug that the exam does not know");
    }

    fn collect(path: &std::path::Path, text: &mut String) {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, text);
            } else {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
}
