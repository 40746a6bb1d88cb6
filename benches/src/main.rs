//! `side-by-side`: runs that put Apache Kafka and Barnabas beside each other, with the load client of `barnabas bench`.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "a bench measures with the machine's own clock")]

mod authorize;
mod cache;
mod compare;
mod daily;
mod load;
mod logins;
mod peer;
mod plot;
mod process;
mod profile;
mod restart;
mod running;
mod scale;
mod table;
mod workload;

use std::error::Error;

use clap::{Parser, Subcommand};

/// What any step of a bench may fail with.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Parser)]
#[command(about = "Apache Kafka and Barnabas on this machine, in turn, under the same load")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run each workload on each broker in turn, several rounds, and print a table of medians and ratios.
    Compare(compare::Options),
    /// Measure how cost grows with partitions and connections, write it as data, and plot it.
    Scale(scale::Options),
    /// Tell where the time goes: CPU, system calls, context switches of a request, and the functions that take the time.
    Profile(profile::Options),
    /// Time a dozen jobs of every day, with Kafka's tools and with `barnabas`.
    Daily(daily::Options),
    /// Time the authorizer's answers.
    Authorize(authorize::Options),
    /// Time refused logins of users that exist and of users that do not.
    Logins(logins::Options),
}

fn main() -> Outcome<()> {
    match Arguments::parse().command {
        Command::Compare(options) => compare::run(&options),
        Command::Scale(options) => scale::run(&options),
        Command::Profile(options) => profile::run(&options),
        Command::Daily(options) => daily::run(&options),
        Command::Authorize(options) => authorize::run(&options),
        Command::Logins(options) => logins::run(&options),
    }
}

/// Prints a line of results.
#[allow(clippy::print_stdout, reason = "results are what this program is for")]
fn report(line: &str) {
    println!("{line}");
}

/// Says what is being done, apart from the results.
#[allow(clippy::print_stderr, reason = "progress of a run that takes minutes")]
fn say(line: &str) {
    eprintln!("{line}");
}
