//! `barnabas configs`: settings of anything that has some, on any broker that speaks the Kafka protocol, and of files
//! before a broker starts with them.

use super::Failure;
use super::connection::ConnectionArguments;
use super::exit::Exit;
use super::output::Output;

mod change;
mod diff;
mod export;
mod file;
mod get;
mod import;
mod list;
mod resource;
mod wanted;

pub(super) use change::refuse_unless_done;
pub(super) use list::{OwnSettings, own_of_others, own_of_topics};

/// What `configs` is told.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What has settings: topic/NAME, broker/ID, cluster (what holds for every broker), group/NAME,\n\
    client-metrics/NAME, broker-logger/ID (levels of its log).\n\n\
    Examples:\n  barnabas configs list\n  barnabas configs set topic/orders retention.ms=86400000\n  \
    barnabas configs get broker/1 log.retention.ms\n  barnabas configs set broker-logger/1 barnabas_broker=DEBUG\n  \
    barnabas configs diff topic/orders topic/bills\n  barnabas configs export > settings.yaml\n  \
    barnabas configs import settings.yaml\n  barnabas configs lint server.properties\n  barnabas configs render base.properties site.properties --explain"
)]
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
    /// Lists what is not as by default: of what is named, or everything that was changed in the cluster.
    List(list::Arguments),
    /// Shows settings with every place that gives them a value, the one that counts first, and what they are for.
    Get(get::Arguments),
    /// Changes settings while the brokers run.
    Set(change::Set),
    /// Takes values away, so that what stands behind them counts again.
    Unset(change::Unset),
    /// Compares settings key by key: with another resource, a file, or what would count without own values. Ends with 8
    /// when something differs.
    Diff(diff::Arguments),
    /// Writes the values that were set, as `import` and, of topics, `topics apply` take them. Secrets are left out.
    Export(export::Arguments),
    /// Sets what a file says; shows its plan first.
    Import(import::Arguments),
    /// Checks files as a start would, without one: unknown names, wrong values, contradictions. Ends with 8 when
    /// something was found.
    Lint(file::Lint),
    /// Shows the settings that files, environment and command line come to; with `--explain` where each is from.
    Render(file::Render),
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { command, connection, output } = arguments;
    match command {
        Command::Lint(told) => file::lint(&told, output),
        Command::Render(told) => file::render(&told, output),
        Command::Diff(told) => diff::run(&told, &mut connection.connect().await?, output).await,
        Command::Export(told) => export::run(&told, &mut connection.connect().await?, output).await,
        Command::Import(told) => import::run(&told, &mut connection.connect().await?, output).await,
        Command::List(told) => list::run(&told, &mut connection.connect().await?, output).await,
        Command::Get(told) => get::run(&told, &mut connection.connect().await?, output).await,
        Command::Set(told) => change::set(&told, &mut connection.connect().await?).await,
        Command::Unset(told) => change::unset(&told, &mut connection.connect().await?).await,
    }
}
