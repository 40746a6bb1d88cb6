//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod log;
mod serve;
mod topics;

/// Anything that ends the process with an error.
type Failure = Box<dyn std::error::Error + Send + Sync>;

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
    /// Looks at log directories while no broker runs on them.
    Log(log::Arguments),
    /// Lists and makes topics, on any broker that speaks the Kafka protocol.
    Topics(topics::Arguments),
    /// Puts load on any broker that speaks the Kafka protocol and tells what it took.
    Bench(bench::Arguments),
}

/// Reads the command line and runs it.
#[must_use]
pub fn run() -> ExitCode {
    let done = match Cli::parse().command.unwrap_or(Command::Serve(serve::Arguments::default())) {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Log(arguments) => return exit(log::run(&arguments)),
        Command::Topics(arguments) => run_client(topics::run(arguments)),
        Command::Bench(arguments) => bench::run(&arguments),
    };
    exit(done.map(|()| ExitCode::SUCCESS))
}

fn exit(done: Result<ExitCode, Failure>) -> ExitCode {
    match done {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("barnabas: {}", with_causes(failure.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// A command that only talks to a broker needs no more than one thread.
fn run_client(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// An error with everything behind it, in one line.
fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_shown_with_its_causes() {
        let error = crate::server::StartError::Thread(std::io::Error::other("no thread left"));
        assert_eq!(with_causes(&error), "start a thread: no thread left");
    }
}
