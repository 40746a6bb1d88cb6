//! `barnabas topics`: an ordinary Kafka client, so that it works against Apache Kafka too.

use super::Failure;
use super::complete::names;
use super::confirm::Confirm;
use super::connection::ConnectionArguments;
use super::exit::Exit;
use super::output::Output;
use super::watch::HealthWatch;

mod apply;
mod change;
mod create;
mod describe;
mod list;
mod offsets;
mod plan;
mod trim;
mod undelete;
pub(super) mod wanted;

pub(super) use describe::{finding, wanted_in_sync};

/// What `topics` is told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  barnabas topics list\n  barnabas topics create orders --partitions 12\n  \
    barnabas topics alter orders --partitions 24 --config retention.ms=86400000\n  barnabas topics apply topics.yaml\n  \
    barnabas topics trim orders:0,3 --to 2026-01-31T00:00Z\n  \
    barnabas topics list -o json --command-config client.properties")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Lists topics with their number of partitions and replicas.
    List(list::Arguments),
    /// Shows topics, their settings and their partitions.
    Describe {
        /// Their names.
        #[arg(required = true, add = names::topics())]
        names: Vec<String>,
    },
    /// Makes topics.
    Create(create::Arguments),
    /// Changes a topic's number of partitions and its settings.
    Alter(change::Alter),
    /// Makes topics and their settings as a YAML file says; shows its plan first.
    Apply(apply::Arguments),
    /// Gives a topic more partitions. Keys go to other partitions from then on.
    AddPartitions {
        /// The topic.
        #[arg(add = names::topics())]
        name: String,
        /// How many it is to have.
        #[arg(long, value_name = "PARTITIONS")]
        to: i32,
    },
    /// Deletes topics with everything in them. A broker whose barnabas.delete.keep.ms is above 0 can bring them back for that time.
    Delete {
        /// Their names.
        #[arg(required = true, add = names::topics())]
        names: Vec<String>,
        /// A topic that is not there is no error.
        #[arg(long)]
        if_exists: bool,
        #[command(flatten)]
        confirm: Confirm,
    },
    /// Brings a deleted topic back with everything in it, while the broker keeps it (barnabas.delete.keep.ms); shows it first.
    Undelete(undelete::Arguments),
    /// Shows where partitions begin and end.
    Offsets(offsets::Arguments),
    /// Deletes the oldest records of partitions; shows its plan first.
    Trim(trim::Arguments),
    /// Shows partitions without a leader, below min.insync.replicas, or with replicas behind; ends with 8 when there are any.
    Health {
        #[command(flatten)]
        watch: HealthWatch,
    },
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { command, connection, output } = arguments;
    let connect = || connection.connect();
    match command {
        Command::List(told) => list::run(&told, &mut connect().await?, output).await,
        Command::Describe { names } => describe::run(&names, &mut connect().await?, output).await,
        Command::Create(told) => create::run(&told, &mut connect().await?, output).await,
        Command::Alter(told) => change::alter(&told, &mut connect().await?).await,
        Command::Apply(told) => apply::run(&told, &mut connect().await?, output).await,
        Command::AddPartitions { name, to } => change::add_partitions(&name, to, &mut connect().await?).await,
        Command::Delete { names, if_exists, confirm } => {
            let mut cluster = connect().await?;
            confirm.ask(&format!("Delete {} with everything in it", names.join(", ")))?;
            change::delete(&names, if_exists, &mut cluster).await
        }
        Command::Undelete(told) => undelete::run(&told, &mut connect().await?, output).await,
        Command::Offsets(told) => offsets::run(&told, &mut connect().await?, output).await,
        Command::Trim(told) => trim::run(&told, &mut connect().await?, output).await,
        Command::Health { watch } => {
            watch.run(&connection, async |cluster| describe::health(cluster, output).await).await
        }
    }
}
