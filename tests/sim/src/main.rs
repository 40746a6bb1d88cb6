//! The simulator's command line. README.md says what it does.
#![allow(clippy::unwrap_used, reason = "a test program")]

mod campaign;
mod check;
mod client;
mod dice;
mod entropy;
mod exam;
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
    /// Faults hit the node often, and the load is short.
    #[arg(long)]
    hard: bool,
    /// The bug that is switched on (`src/exam.rs` has their names).
    #[arg(long)]
    mutant: Option<String>,
    /// Every seeded bug must be caught within this many seeds (40 unless --count says otherwise).
    #[arg(long)]
    exam: bool,
    /// How many processes run at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

/// Anomalies that are told one by one.
const TOLD: usize = 10;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.exam {
        exam::run(&arguments)
    } else if arguments.count > 1 {
        campaign::run(&arguments)
    } else {
        one(&arguments)
    }
}

fn one(arguments: &Arguments) -> ExitCode {
    let seed = arguments.seed;
    entropy::begin(seed);
    if let Some(path) = &arguments.trace {
        trace::write_to(path).unwrap();
    }
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "off".into());
    tracing_subscriber::fmt().with_env_filter(filter).without_time().with_writer(std::io::stderr).init();
    if let Some(name) = &arguments.mutant {
        barnabas_storage::seam::switch_on(name);
    }
    let plan = Plan::draw(seed);
    let report = run::run(if arguments.hard { plan.harder() } else { plan });
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
