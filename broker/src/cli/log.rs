//! `barnabas log`: what can be said and done about log directories while no broker runs on them.

use std::path::{Path, PathBuf};

use barnabas_storage::seam::Seams;

use super::Failure;
use super::exit::Exit;
use super::output::Output;

mod dump;
mod repair;
mod verify;

/// What `log` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Shows what the files of partitions hold: batches, records, entries of indexes, producers. Changes nothing, and a
    /// broker may run. Ends with 8 when something is damaged.
    Dump(dump::Arguments),
    /// Reads log directories of a stopped broker and names everything that is damaged. Changes nothing. Ends with 8 when
    /// there is something to be repaired.
    Verify(verify::Arguments),
    /// Shows a plan for what verify finds; with `--yes` carries it out. What is cut or set aside stays beside it.
    Repair(repair::Arguments),
}

/// Runs it.
pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Dump(arguments) => dump::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Repair(arguments) => repair::run(arguments),
    }
}

/// Keeps a broker away, ours or Apache Kafka's.
fn lock(seams: &Seams, directory: &Path) -> Result<Box<dyn Send + Sync>, Failure> {
    seams.disk.lock(&directory.join(".lock")).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => {
            format!("{} is in use: stop the broker that runs on it first", directory.display()).into()
        }
        _ => format!("lock {}: {error}", directory.display()).into(),
    })
}

/// Where data is when nobody says anything.
fn directories(named: &[PathBuf]) -> Vec<PathBuf> {
    if named.is_empty() { vec![PathBuf::from("barnabas-data")] } else { named.to_vec() }
}
