//! Many seeds, each in a process of its own: nothing of one run is in the next, and one that hangs or aborts is one.

use std::io;
use std::process::{Command, ExitCode, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::Arguments;

/// What came of all seeds.
#[derive(Default)]
struct Tally {
    passed: u64,
    inconclusive: u64,
    failed: u64,
    simulated: f64,
}

/// Runs them and tells what is not a pass.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let (next, tally) = (AtomicU64::new(arguments.seed), Mutex::new(Tally::default()));
    let end = arguments.seed + arguments.count;
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= end {
                        return;
                    }
                    let outcome = one(arguments, arguments.mutant.as_deref(), seed);
                    tally.lock().unwrap().add(seed, outcome);
                }
            });
        }
    });
    let Tally { passed, inconclusive, failed, simulated } = tally.into_inner().unwrap();
    let took = begun.elapsed().as_secs_f64();
    println!(
        "{passed} passed, {failed} failed, {inconclusive} inconclusive: {simulated:.0} s simulated in {took:.0} s ({:.1}x)",
        simulated / took
    );
    if failed > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

/// One seed in a process of its own.
pub(crate) fn one(arguments: &Arguments, mutant: Option<&str>, seed: u64) -> io::Result<Output> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--seed", &seed.to_string()]);
    if arguments.hard {
        command.arg("--hard");
    }
    command.args(mutant.into_iter().flat_map(|name| ["--mutant", name]));
    command.stdin(Stdio::null()).output()
}

impl Tally {
    fn add(&mut self, seed: u64, outcome: io::Result<Output>) {
        let output = match outcome {
            Ok(output) => output,
            Err(error) => {
                self.failed += 1;
                println!("seed {seed}: {error}");
                return;
            }
        };
        let text = String::from_utf8_lossy(&output.stdout);
        self.simulated += simulated(&text);
        match output.status.code() {
            Some(0) => self.passed += 1,
            Some(2) => self.inconclusive += 1,
            code => {
                self.failed += 1;
                let errors = String::from_utf8_lossy(&output.stderr);
                let errors: Vec<&str> = errors.lines().rev().take(20).collect();
                println!("{text}  ended with {code:?}");
                if code != Some(1) {
                    errors.iter().rev().for_each(|line| println!("  {line}"));
                }
            }
        }
    }
}

/// The seconds in a line that a run has printed.
fn simulated(text: &str) -> f64 {
    text.split_once('(').and_then(|(_, facts)| facts.split_once(' ')?.0.parse().ok()).unwrap_or(0.0)
}
