//! `barnabas acls`: an ordinary Kafka client. Questions are answered from the rules that the broker shows, by the same
//! authorizer as a broker's, so that they can be asked of Apache Kafka too.

use barnabas_auth::AclFilter;

use super::Failure;
use super::connection::ConnectionArguments;
use super::exit::Exit;
use super::output::{Output, Table};
use crate::client::Cluster;

mod apply;
mod ask;
mod change;
mod judge;
mod list;
mod recipe;
mod rules;
mod suggest;
mod words;

/// What `acls` is told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Resources are topic:NAME, group:NAME, transactional-id:NAME, delegation-token:ID, \
    user:PRINCIPAL or cluster.\nA name that ends in * is all that begin so.\n\nExamples:\n  \
    barnabas acls grant alice producer --topic orders\n  \
    barnabas acls grant alice consumer --topic orders --group billing\n  \
    barnabas acls grant alice read,describe topic:orders-* --host 10.0.0.7\n  \
    barnabas acls grant app streams app:my-app input:orders output:totals\n  \
    barnabas acls explain alice write topic:orders --from 10.0.0.1\n  \
    barnabas acls whocan delete topic:payments\n  \
    barnabas acls suggest alice -o json > rules.json; barnabas acls apply rules.json --dry-run\n  \
    barnabas acls list -o json > rules.json; barnabas acls apply rules.json --prune --dry-run")]
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
    /// Makes rules that allow (or, with --deny, deny): operations, or what a producer, consumer, streams or connect needs.
    Grant(change::Arguments),
    /// Removes exactly the rules that the same words would make.
    Revoke(change::Arguments),
    /// Lists rules.
    List(list::Arguments),
    /// Tells whether somebody may do something; ends with 8 when not.
    Check(ask::Arguments),
    /// The same, with the rule that decides and rules that nearly do.
    Explain(ask::Arguments),
    /// Lists who may do something.
    Whocan(ask::WhoArguments),
    /// Lists what somebody may do to the cluster, and to each topic and group that is there.
    Effective(ask::EffectiveArguments),
    /// Looks for odd rules; ends with 8 when there are any.
    Lint,
    /// Lists the smallest rules that allow what the audit tells was denied; with -o json as `apply` takes them.
    Suggest(suggest::Arguments),
    /// Makes the rules of a file (as `list -o json` writes them), and with --prune removes the others.
    Apply(apply::Arguments),
}

/// Every rule.
pub(super) async fn table(cluster: &mut Cluster) -> Result<Table, Failure> {
    Ok(list::table(&rules::describe(cluster, &AclFilter::EVERYTHING).await?))
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { command, connection, output } = arguments;
    let cluster = &mut connection.connect().await?;
    match command {
        Command::Grant(told) => change::grant(&told, cluster, output).await,
        Command::Revoke(told) => change::revoke(&told, cluster, output).await,
        Command::List(told) => list::run(&told, cluster, output).await,
        Command::Check(told) => ask::check(&told, cluster, output).await,
        Command::Explain(told) => ask::explain(&told, cluster, output).await,
        Command::Whocan(told) => ask::whocan(&told, cluster, output).await,
        Command::Effective(told) => ask::effective(&told, cluster, output).await,
        Command::Lint => list::lint(cluster, output).await,
        Command::Suggest(told) => suggest::run(&told, cluster, output).await,
        Command::Apply(told) => apply::run(&told, cluster, output).await,
    }
}
