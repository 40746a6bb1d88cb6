//! `barnabas groups`: consumer groups of any cluster that speaks the Kafka protocol.

use super::Failure;
use super::complete::names;
use super::confirm::Confirm;
use super::connection::ConnectionArguments;
use super::exit::Exit;
use super::output::{Cell, Column, Output, Table, column, wide};
use super::remark::remark;
use super::watch::Watch;
use crate::client::Cluster;

mod delete_offsets;
pub(super) mod position;
pub(super) mod seek;

/// What `groups` is told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  barnabas groups list\n  barnabas groups lag --watch\n  \
    barnabas groups describe billing -o json\n  barnabas groups seek billing --topic orders --to 2026-01-31T00:00Z\n  \
    barnabas groups delete billing")]
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
    /// Lists groups with their state.
    List {
        /// Only groups in these states, e.g. Stable,Empty.
        #[arg(long, value_delimiter = ',')]
        state: Vec<String>,
        #[command(flatten)]
        watch: Watch,
    },
    /// Shows a group: its state, its members and what each reads.
    Describe {
        /// The group.
        #[arg(add = names::groups())]
        group: String,
    },
    /// Shows how far groups are behind, in records and in seconds.
    Lag {
        /// Groups; all when none is named.
        #[arg(add = names::groups())]
        groups: Vec<String>,
        #[command(flatten)]
        watch: Watch,
    },
    /// Moves a group's offsets: shows the plan; with --execute does it.
    Seek(seek::Arguments),
    /// Deletes what a group has committed of topics that no member reads: they are read as if for the first time.
    DeleteOffsets(delete_offsets::Arguments),
    /// Deletes groups without members, and their offsets.
    Delete {
        /// The groups.
        #[arg(required = true, add = names::groups())]
        groups: Vec<String>,
        #[command(flatten)]
        confirm: Confirm,
    },
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { command, connection, output } = arguments;
    let connect = || connection.connect();
    match command {
        Command::List { state, watch } => {
            watch.run(&connection, async |cluster| list(cluster, &state, output).await).await
        }
        Command::Lag { groups, watch } => {
            watch.run(&connection, async |cluster| lag(cluster, &groups, output).await).await
        }
        Command::Describe { group } => describe(&mut connect().await?, &group, output).await,
        Command::Seek(told) => seek::run(&told, &mut connect().await?, output).await,
        Command::DeleteOffsets(told) => delete_offsets::run(&told, &mut connect().await?).await,
        Command::Delete { groups, confirm } => {
            let mut cluster = connect().await?;
            confirm.ask(&format!("Delete {} and all offsets they committed", groups.join(", ")))?;
            delete(&mut cluster, &groups).await
        }
    }
}

const LISTED: &[Column] = &[
    column("GROUP", "group"),
    column("STATE", "state"),
    column("TYPE", "protocol_type"),
    wide("KIND", "kind"),
    wide("COORDINATOR", "coordinator"),
];

async fn list(cluster: &mut Cluster, states: &[String], output: Output) -> Result<Exit, Failure> {
    let mut table = Table::new(LISTED);
    for (coordinator, group) in cluster.list_groups(states).await? {
        table.row(vec![
            Cell::text(group.group_id.as_str()),
            Cell::text(group.group_state.as_str()),
            Cell::text(group.protocol_type.as_str()),
            Cell::text(group.group_type.as_str()),
            Cell::Number(coordinator.into()),
        ]);
    }
    output.show(&table)?;
    Ok(Exit::Done)
}

const GROUP: &[Column] = &[
    column("GROUP", "group"),
    column("STATE", "state"),
    column("TYPE", "protocol_type"),
    column("ASSIGNOR", "assignor"),
    column("MEMBERS", "members"),
];
const MEMBERS: &[Column] = &[
    column("MEMBER", "member"),
    column("CLIENT", "client"),
    column("HOST", "host"),
    column("INSTANCE", "instance"),
    column("PARTITIONS", "partitions"),
];
const OFFSETS: &[Column] = &[
    column("GROUP", "group"),
    column("TOPIC", "topic"),
    column("PARTITION", "partition"),
    column("COMMITTED", "committed"),
    column("END", "end"),
    column("LAG", "lag"),
    column("LAG s", "lag_seconds"),
    column("CLIENT", "client"),
    wide("MEMBER", "member"),
    wide("HOST", "host"),
];

async fn describe(cluster: &mut Cluster, group: &str, output: Output) -> Result<Exit, Failure> {
    let state = position::of_group(cluster, group, true).await?;
    let mut summary = Table::new(GROUP);
    let described = &state.described;
    summary.row(vec![
        Cell::text(group),
        Cell::text(described.group_state.as_str()),
        Cell::text(described.protocol_type.as_str()),
        Cell::text(described.protocol_data.as_str()),
        Cell::Number(i64::try_from(described.members.len()).unwrap_or(i64::MAX)),
    ]);
    let mut members = Table::new(MEMBERS);
    for member in &described.members {
        let partitions = crate::client::groups::assigned(&member.member_assignment);
        members.row(vec![
            Cell::text(member.member_id.as_str()),
            Cell::text(member.client_id.as_str()),
            Cell::text(member.client_host.as_str()),
            Cell::optional(member.group_instance_id.as_ref().map(ToString::to_string)),
            Cell::list(partitions.iter().map(|at| format!("{}-{}", at.topic, at.partition))),
        ]);
    }
    let mut offsets = Table::new(OFFSETS);
    state.positions.iter().for_each(|position| offsets.row(row(group, position)));
    output.show_all(&[("group", &summary), ("members", &members), ("offsets", &offsets)])?;
    Ok(Exit::Done)
}

async fn lag(cluster: &mut Cluster, groups: &[String], output: Output) -> Result<Exit, Failure> {
    let groups = if groups.is_empty() {
        cluster.list_groups(&[]).await?.into_iter().map(|(_, group)| group.group_id.to_string()).collect()
    } else {
        groups.to_vec()
    };
    let mut table = Table::new(OFFSETS);
    for group in &groups {
        let state = position::of_group(cluster, group, true).await?;
        state.positions.iter().for_each(|position| table.row(row(group, position)));
    }
    output.show(&table)?;
    Ok(Exit::Done)
}

fn row(group: &str, position: &position::Position) -> Vec<Cell> {
    let member = position.member.as_ref();
    vec![
        Cell::text(group),
        Cell::text(&*position.at.topic),
        Cell::Number(position.at.partition.0.into()),
        Cell::number(position.committed.as_ref().map(|committed| committed.offset)),
        Cell::number(position.end),
        Cell::number(position.lag()),
        position.behind_ms.map_or(Cell::Nothing, |millis| Cell::Decimal(millis as f64 / 1000.0)),
        Cell::optional(member.map(|member| member.client_id.as_str())),
        Cell::optional(member.map(|member| member.id.as_str())),
        Cell::optional(member.map(|member| member.host.as_str())),
    ]
}

async fn delete(cluster: &mut Cluster, groups: &[String]) -> Result<Exit, Failure> {
    let (mut failures, mut any_done) = (Vec::new(), false);
    for group in groups {
        match cluster.delete_group(group).await? {
            0 => {
                any_done = true;
                remark(format_args!("deleted group {group}"));
            }
            code => failures.push(Failure::refused(format!("delete group {group}"), code, None)),
        }
    }
    Failure::all_or_some(failures, any_done)
}
