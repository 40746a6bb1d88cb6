//! `side-by-side`: the load client of the benches, and the run that puts Apache Kafka and Barnabas beside each other.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "a load client measures with the machine's own clock")]

mod batch;
mod compare;
mod connection;
mod fetch;
mod idle;
mod latency;
mod peer;
mod process;
mod produce;
mod topic;

use std::error::Error;

use clap::{Parser, Subcommand};

/// What any step of a bench may fail with.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Parser)]
#[command(about = "A light load client for brokers that speak the Kafka protocol, and a side-by-side run")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start Apache Kafka and Barnabas in turn and print a table of medians and ratios.
    Compare(compare::Options),
    /// Produce to a running broker.
    Produce(produce::Options),
    /// Fetch from a running broker what `produce` wrote.
    Fetch(fetch::Options),
    /// Produce at a fixed rate and measure until a consumer has it.
    Latency(latency::Options),
}

fn main() -> Outcome<()> {
    match Arguments::parse().command {
        Command::Compare(options) => compare::run(&options),
        Command::Produce(options) => {
            topic::create(&options.bootstrap, &options.topic, options.partitions, &[])?;
            let done = produce::run(&options)?;
            report(&format!(
                "{:.1} MB/s, {:.0} requests/s, p50 {:?}, p99 {:?}",
                done.megabytes_per_second(),
                done.requests_per_second(),
                done.percentile(0.5),
                done.percentile(0.99)
            ));
            Ok(())
        }
        Command::Fetch(options) => {
            let done = fetch::run(&options)?;
            report(&format!("{:.1} MB/s, {:.0} requests/s", done.megabytes_per_second(), done.requests_per_second()));
            Ok(())
        }
        Command::Latency(options) => {
            topic::create(&options.bootstrap, &options.topic, 1, &[])?;
            let done = latency::run(&options)?;
            report(&format!(
                "p50 {:?}, p99 {:?}, p99.9 {:?}",
                done.percentile(0.5),
                done.percentile(0.99),
                done.percentile(0.999)
            ));
            Ok(())
        }
    }
}

/// Prints one line of results.
#[allow(clippy::print_stdout, reason = "results are what this program is for")]
fn report(line: &str) {
    println!("{line}");
}
