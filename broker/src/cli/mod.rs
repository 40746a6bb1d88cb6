//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod serve;

/// A log broker that speaks the Kafka protocol.
#[derive(Debug, Parser)]
#[command(name = "barnabas", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts a broker (what happens without a command, too).
    Serve(serve::Arguments),
}

/// Reads the command line and runs it.
#[must_use]
pub fn run() -> ExitCode {
    match Cli::parse().command.unwrap_or(Command::Serve(serve::Arguments::default())) {
        Command::Serve(arguments) => serve::run(&arguments),
    }
}
