//! The simulator's command line. README.md says what it does.
#![allow(clippy::unwrap_used, reason = "a test program")]

mod campaign;
mod check;
mod client;
mod dice;
mod entropy;
mod faults;
mod history;
mod machine;
mod node;
mod plan;
mod run;
mod trace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;

use crate::plan::Plan;
use crate::run::Verdict;

/// Runs a whole node from seeds.
#[derive(clap::Parser)]
struct Arguments {
    /// The seed, or the first one.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds from there on, each in a process of its own.
    #[arg(long, default_value_t = 1)]
    count: u64,
    /// Where the trace of a single seed is written.
    #[arg(long)]
    trace: Option<PathBuf>,
    /// How many processes run at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

/// Anomalies that are told one by one.
const TOLD: usize = 10;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.count > 1 { campaign::run(&arguments) } else { one(&arguments) }
}

fn one(arguments: &Arguments) -> ExitCode {
    let seed = arguments.seed;
    entropy::begin(seed);
    if let Some(path) = &arguments.trace {
        trace::write_to(path).unwrap();
    }
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "off".into());
    tracing_subscriber::fmt().with_env_filter(filter).without_time().with_writer(std::io::stderr).init();
    let report = run::run(Plan::draw(seed));
    println!("seed {seed}: {} ({})", format!("{:?}", report.verdict).to_lowercase(), report.facts);
    for anomaly in report.anomalies.iter().take(TOLD) {
        println!("  {anomaly}");
    }
    match report.verdict {
        Verdict::Pass => ExitCode::SUCCESS,
        Verdict::Fail => ExitCode::from(1),
        Verdict::Inconclusive => ExitCode::from(2),
    }
}
