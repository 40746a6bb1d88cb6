//! `barnabas topics`: an ordinary Kafka client, so that it works against Apache Kafka too.

use super::Failure;
use super::connection::ConnectionArguments;
use super::exit::Exit;
use super::output::Output;

mod create;
mod list;

/// What `topics` is told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  barnabas topics list\n  barnabas topics create orders --partitions 12\n  \
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
    /// Makes topics.
    Create(create::Arguments),
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { command, connection, output } = arguments;
    match command {
        Command::List(told) => list::run(&told, &mut connection.connect().await?, output).await,
        Command::Create(told) => create::run(&told, &mut connection.connect().await?, output).await,
    }
}
