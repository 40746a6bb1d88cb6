//! `barnabas users`: SCRAM users by KIP-554's requests, so that it works against Apache Kafka too. A password comes from a
//! prompt, a pipe, a file or the environment, never from the command line, which every process of the machine can read.

use barnabas_auth::ScramMechanism;
use kafka_protocol::messages::DescribeUserScramCredentialsRequest;
use kafka_protocol::messages::describe_user_scram_credentials_request::UserName;
use kafka_protocol::messages::describe_user_scram_credentials_response::DescribeUserScramCredentialsResult;
use kafka_protocol::protocol::StrBytes;

use super::Failure;
use super::complete::names;
use super::confirm::Confirm;
use super::connection::ConnectionArguments;
use super::exit::Exit;
use super::output::{Cell, Column, Output, Table, column};
use crate::client::Cluster;

mod alter;
mod password;

pub(super) use alter::{remove_credential, set_credential};

const VERSION: i16 = 0;
/// KIP-554: RESOURCE_NOT_FOUND.
const NOT_FOUND: i16 = 91;

/// What `users` is told.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  barnabas users create alice\n  pwgen -s 24 1 | barnabas users create app --password-stdin\n  \
    barnabas users list -o json --command-config admin.properties"
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
    /// Lists users, the mechanisms that they can log in by, and the rounds of their salting.
    List,
    /// Makes a user and prints a client's settings for it.
    Create(alter::Arguments),
    /// Gives a user another password.
    Passwd(alter::Arguments),
    /// Removes users. Their open connections go on.
    Delete {
        /// Their names.
        #[arg(required = true, add = names::users())]
        names: Vec<String>,
        #[command(flatten)]
        confirm: Confirm,
    },
}

const COLUMNS: &[Column] =
    &[column("USER", "user"), column("MECHANISMS", "mechanisms"), column("ITERATIONS", "iterations")];

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { command, connection, output } = arguments;
    match command {
        Command::List => list(&mut connection.connect().await?, output).await,
        Command::Create(told) => alter::create(&told, &mut connection.connect().await?).await,
        Command::Passwd(told) => alter::passwd(&told, &mut connection.connect().await?).await,
        Command::Delete { names, confirm } => {
            confirm.ask(&format!("Removes {} and what they log in with", names.join(", ")))?;
            alter::delete(&names, &mut connection.connect().await?).await
        }
    }
}

async fn list(cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    output.show(&table(cluster).await?)?;
    Ok(Exit::Done)
}

/// Every user by name, with mechanisms and rounds, and nothing of passwords.
pub(super) async fn table(cluster: &mut Cluster) -> Result<Table, Failure> {
    let mut users = describe(cluster, &[]).await?;
    users.sort_by(|left, right| left.user.cmp(&right.user));
    let mut table = Table::new(COLUMNS);
    for user in &users {
        let name = |number| ScramMechanism::of_number(number).map_or("?", ScramMechanism::name);
        table.row(vec![
            Cell::text(user.user.as_str()),
            Cell::list(user.credential_infos.iter().map(|info| name(info.mechanism))),
            Cell::list(user.credential_infos.iter().map(|info| info.iterations)),
        ]);
    }
    Ok(table)
}

/// These users, or all of them; those that are not there are left out.
pub(super) async fn describe(
    cluster: &mut Cluster,
    names: &[&str],
) -> Result<Vec<DescribeUserScramCredentialsResult>, Failure> {
    let name = |name: &&str| UserName::default().with_name(StrBytes::from_string((*name).to_owned()));
    let users = (!names.is_empty()).then(|| names.iter().map(name).collect());
    let request = |_| DescribeUserScramCredentialsRequest::default().with_users(users.clone());
    let answer = cluster.ask_controller(VERSION, request, |answer| answer.error_code).await?;
    if answer.error_code != 0 {
        return Err(Failure::refused("list users", answer.error_code, answer.error_message.as_deref()));
    }
    let mut found = Vec::new();
    for result in answer.results {
        match result.error_code {
            0 => found.push(result),
            NOT_FOUND => {}
            code => {
                let act = format!("look for user {}", result.user.as_str());
                return Err(Failure::refused(act, code, result.error_message.as_deref()));
            }
        }
    }
    Ok(found)
}
