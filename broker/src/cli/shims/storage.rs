//! kafka-storage. Where it differs: there is nothing to choose between versions of metadata and kinds of quorums, so
//! `--release-version`, `--feature`, `version-mapping` and `feature-dependencies` are not there; `--standalone` and
//! `--no-initial-controllers` are what happens anyway.

use std::path::PathBuf;

use barnabas_storage::seam::Seams;
use clap::Parser;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::cli::storage::directory::{LogDirectory, problems};
use crate::cli::storage::{load, random_uuid, scram};
use crate::server::FormatOptions;

/// kafka-storage, as of Apache Kafka 4.3.
#[derive(Debug, Parser)]
#[command(name = "kafka-storage", version, infer_long_args = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Get information about the Kafka log directories on this node.
    Info {
        /// The Kafka configuration file to use.
        #[arg(short, long)]
        config: PathBuf,
    },
    /// Format the Kafka log directories on this node.
    Format(Format),
    /// Print a random UUID.
    RandomUuid,
}

#[derive(Debug, clap::Args)]
struct Format {
    /// The Kafka configuration file to use.
    #[arg(short, long)]
    config: PathBuf,
    /// The cluster ID to use.
    #[arg(short = 't', long)]
    cluster_id: String,
    /// A SCRAM_CREDENTIAL, e.g. 'SCRAM-SHA-256=[name=alice,password=alice-secret]'.
    #[arg(short = 'S', long)]
    add_scram: Vec<String>,
    /// Skip over already formatted directories rather than failing.
    #[arg(short = 'g', long)]
    ignore_formatted: bool,
    /// One controller: there is no other quorum yet.
    #[arg(short, long, conflicts_with = "no_initial_controllers")]
    standalone: bool,
    /// The quorum as the settings say.
    #[arg(short = 'N', long)]
    no_initial_controllers: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.command {
        Command::Info { config } => info(config),
        Command::Format(told) => format(told).await,
        Command::RandomUuid => random_uuid(),
    }
}

async fn format(told: Format) -> Result<Exit, Failure> {
    let config = load(&[told.config], Vec::new(), Vec::new())?;
    let users = scram::users(&told.add_scram)?;
    let options = FormatOptions { cluster_id: Some(told.cluster_id), ignore_formatted: told.ignore_formatted, users };
    let formatted = crate::server::format(&config, Seams::system(), options).await?;
    if formatted.directories.is_empty() {
        print("All of the log directories are already formatted.\n")?;
    }
    let first = config.read(&barnabas_config::key::LOG_DIRS).into_iter().next().map(PathBuf::from);
    let lines = formatted.directories.iter().map(|directory| {
        let kind = if Some(directory) == first.as_ref() { "metadata" } else { "data" };
        format!("Formatting {kind} directory {} with metadata.version {METADATA_VERSION}.\n", directory.display())
    });
    print(&lines.collect::<String>())?;
    Ok(Exit::Done)
}

/// What Apache Kafka 4.3 formats with, and what brokers here say that the cluster has.
const METADATA_VERSION: &str = "4.3-IV0";

fn info(config: PathBuf) -> Result<Exit, Failure> {
    let directories = LogDirectory::all(&Seams::system(), &load(&[config], Vec::new(), Vec::new())?);
    let problems: Vec<String> = problems(&directories).into_iter().flatten().collect();
    let text = found(&directories) + &listed("Found problem", &problems);
    print(&text)?;
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Failed })
}

fn found(directories: &[LogDirectory]) -> String {
    let there: Vec<_> = directories.iter().filter(|directory| directory.exists).collect();
    let mut text = String::new();
    if !there.is_empty() {
        text += if there.len() == 1 { "Found log directory:\n" } else { "Found log directories:\n" };
        text.extend(there.iter().map(|directory| format!("  {}\n", directory.path.display())));
        text += "\n";
    }
    if let Some(meta) = directories.iter().find_map(|directory| directory.meta.as_ref()) {
        text += &format!(
            "Found metadata: {{cluster.id={}, directory.id={}, node.id={}, version=1}}\n\n",
            meta.cluster_id, meta.directory_id, meta.node_id
        );
    }
    text
}

fn listed(head: &str, lines: &[String]) -> String {
    match lines {
        [] => String::new(),
        lines => {
            let plural = if lines.len() == 1 { "" } else { "s" };
            let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
            format!("{head}{plural}:\n{lines}\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tools_options_are_taken() {
        let line = "kafka-storage format -t id -c server.properties -g -N -S SCRAM-SHA-256=[name=a,password=b]";
        let Command::Format(told) = Arguments::try_parse_from(line.split(' ')).unwrap().command else {
            panic!("format")
        };
        assert!(told.ignore_formatted && told.add_scram.len() == 1 && told.cluster_id == "id");
        assert!(Arguments::try_parse_from(["kafka-storage", "format", "-c", "x"]).is_err());
        assert!(Arguments::try_parse_from(["kafka-storage", "random-uuid"]).is_ok());
    }

    #[test]
    fn problems_are_counted_in_the_head() {
        assert_eq!(listed("Found problem", &["a".to_owned()]), "Found problem:\n  a\n\n");
        assert!(listed("Found problem", &["a".to_owned(), "b".to_owned()]).starts_with("Found problems:\n"));
        assert_eq!(listed("Found problem", &[]), "");
    }
}
