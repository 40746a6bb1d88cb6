//! `barnabas storage`: log directories before the first start, and whose they are.

use std::path::{Path, PathBuf};

use barnabas_config::{Config, ConfigSources};
use barnabas_storage::TopicId;
use barnabas_storage::seam::Seams;

use super::Failure;
use super::environment::variables;
use super::exit::Exit;
use super::files::read_text;
use super::output::{Cell, Column, Output, Table, column, print};
use super::remark::remark;
use crate::server::{FormatOptions, Formatted};

pub(super) mod directory;
pub(super) mod scram;

use directory::LogDirectory;

/// What `storage` is told.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A start formats directories that are empty by itself; `format` is for a cluster id of one's own, and for \
    users that are\nto be there from the first moment on.\n\n\
    Examples:\n  barnabas storage format server.properties --cluster-id $(barnabas storage random-uuid)\n  \
    barnabas storage format server.properties --add-scram @admin.scram\n  barnabas storage info server.properties"
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Writes whose they are into log directories that are not formatted yet.
    Format(Format),
    /// Shows whose log directories are; ends with 8 when something is wrong with them.
    Info(Info),
    /// Prints a random id for a cluster.
    RandomUuid,
}

/// What a start would be told.
#[derive(Debug, clap::Args)]
struct Layers {
    /// server.properties files, later ones over earlier ones. Without any: data in ./barnabas-data.
    files: Vec<PathBuf>,
    /// A setting, over files and environment.
    #[arg(short = 'c', long = "config", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
}

impl Layers {
    fn load(&self) -> Result<Config, Failure> {
        load(&self.files, variables(), self.assignments.clone())
    }
}

/// The settings of a start.
pub(super) fn load(
    files: &[PathBuf],
    environment: Vec<(String, String)>,
    assignments: Vec<String>,
) -> Result<Config, Failure> {
    let seams = Seams::system();
    let read_file = |path: &Path| read_text(&seams, path);
    let files = files.to_vec();
    Ok(Config::load(&ConfigSources { files, environment, assignments, read_file: &read_file })?.0)
}

#[derive(Debug, clap::Args)]
struct Format {
    #[command(flatten)]
    layers: Layers,
    /// The cluster's id; a random one when not given.
    #[arg(short = 't', long, value_name = "ID")]
    cluster_id: Option<String>,
    /// A user that the cluster begins with, SCRAM-SHA-512=[name=alice,password=secret], or @FILE with one a line, which
    /// keeps passwords off the list of processes.
    #[arg(short = 'S', long, value_name = "MECHANISM=[...]")]
    add_scram: Vec<String>,
    /// Directories that are formatted already are passed over.
    #[arg(short = 'g', long)]
    ignore_formatted: bool,
}

#[derive(Debug, clap::Args)]
struct Info {
    #[command(flatten)]
    layers: Layers,
    #[command(flatten)]
    output: Output,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.command {
        Command::Format(told) => {
            let users = scram::users(&told.add_scram)?;
            let options = FormatOptions { cluster_id: told.cluster_id, ignore_formatted: told.ignore_formatted, users };
            let Formatted { cluster_id, directories } =
                crate::server::format(&told.layers.load()?, Seams::system(), options).await?;
            for directory in &directories {
                remark(format_args!("{} is formatted for cluster {cluster_id}", directory.display()));
            }
            if directories.is_empty() {
                remark(format_args!("every log directory is formatted already, for cluster {cluster_id}"));
            }
            Ok(Exit::Done)
        }
        Command::Info(told) => info(&told),
        Command::RandomUuid => random_uuid(),
    }
}

/// Never with a leading `-`, which command lines take for an option.
pub(super) fn random_uuid() -> Result<Exit, Failure> {
    let rng = Seams::system().rng;
    let mut id = TopicId(rng.uuid()).to_string();
    while id.starts_with('-') {
        id = TopicId(rng.uuid()).to_string();
    }
    print(&format!("{id}\n"))?;
    Ok(Exit::Done)
}

const COLUMNS: &[Column] = &[
    column("DIRECTORY", "directory"),
    column("CLUSTER", "cluster_id"),
    column("NODE", "node"),
    column("ID", "id"),
    column("PROBLEM", "problem"),
];

fn info(told: &Info) -> Result<Exit, Failure> {
    let directories = LogDirectory::all(&Seams::system(), &told.layers.load()?);
    let problems = directory::problems(&directories);
    let mut table = Table::new(COLUMNS);
    for (directory, problem) in directories.iter().zip(&problems) {
        let meta = directory.meta.as_ref();
        table.row(vec![
            Cell::text(directory.path.to_string_lossy()),
            Cell::optional(meta.map(|meta| meta.cluster_id.as_str())),
            Cell::number(meta.map(|meta| meta.node_id.into())),
            Cell::optional(meta.map(|meta| meta.directory_id.to_string())),
            Cell::optional(problem.as_deref()),
        ]);
    }
    told.output.show(&table)?;
    Ok(if problems.iter().all(Option::is_none) { Exit::Done } else { Exit::Findings })
}
