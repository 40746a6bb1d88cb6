//! kafka-consumer-groups.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{ArgGroup, Parser};
use kafka_protocol::error::ResponseError;

use super::{Server, pad};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::groups::position;
use crate::cli::groups::seek::{Target, partitions, plan};
use crate::cli::output::{parse_instant, print};
use crate::cli::remark::say;
use crate::client::Cluster;
use crate::group::offsets::TopicPartition;

mod show;

/// kafka-consumer-groups, as of Apache Kafka 4.3.
#[derive(Debug, Parser)]
#[command(name = "kafka-consumer-groups", version, infer_long_args = true,
    group = ArgGroup::new("action").required(true).args(["list", "describe", "delete", "reset_offsets", "delete_offsets"]),
    group = ArgGroup::new("target").args(["to_offset", "to_datetime", "by_duration", "to_earliest", "to_latest",
        "to_current", "shift_by", "from_file"]))]
#[allow(clippy::struct_excessive_bools, reason = "the tool's options")]
pub(super) struct Arguments {
    #[command(flatten)]
    server: Server,
    /// List all consumer groups.
    #[arg(long)]
    list: bool,
    /// Describe groups.
    #[arg(long)]
    describe: bool,
    /// Delete groups without members.
    #[arg(long)]
    delete: bool,
    /// Reset the offsets of a group.
    #[arg(long)]
    reset_offsets: bool,
    /// Delete the offsets of topics.
    #[arg(long)]
    delete_offsets: bool,
    /// The groups.
    #[arg(long)]
    group: Vec<String>,
    /// All groups.
    #[arg(long)]
    all_groups: bool,
    /// Topics, or TOPIC:0,1.
    #[arg(long)]
    topic: Vec<String>,
    /// All topics that the group committed.
    #[arg(long)]
    all_topics: bool,
    /// Describe members.
    #[arg(long)]
    members: bool,
    /// Describe offsets.
    #[arg(long)]
    offsets: bool,
    /// Describe states, or list those in these states.
    #[arg(long, num_args = 0..=1, default_missing_value = "")]
    state: Option<String>,
    /// List those of these types.
    #[arg(long = "type", num_args = 0..=1, default_missing_value = "")]
    kind: Option<String>,
    /// More columns.
    #[arg(long)]
    verbose: bool,
    /// Only shows what would be reset (the default).
    #[arg(long, conflicts_with = "execute")]
    dry_run: bool,
    /// Resets.
    #[arg(long)]
    execute: bool,
    /// Writes the plan as CSV.
    #[arg(long)]
    export: bool,
    /// To an offset.
    #[arg(long)]
    to_offset: Option<i64>,
    /// To a time, YYYY-MM-DDTHH:mm:SS.sss.
    #[arg(long, value_parser = |text: &str| parse_instant(text).ok_or("YYYY-MM-DDTHH:mm:SS.sss"))]
    to_datetime: Option<i64>,
    /// So long ago, PnDTnHnMnS.
    #[arg(long, value_parser = duration_millis)]
    by_duration: Option<i64>,
    /// To the beginning.
    #[arg(long)]
    to_earliest: bool,
    /// To the end.
    #[arg(long)]
    to_latest: bool,
    /// To what is committed.
    #[arg(long)]
    to_current: bool,
    /// By so many records.
    #[arg(long, allow_hyphen_values = true)]
    shift_by: Option<i64>,
    /// To what a CSV file says.
    #[arg(long)]
    from_file: Option<PathBuf>,
    /// How long a request may take.
    #[arg(long, default_value_t = 30_000)]
    timeout: u32,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let timeout = format!("request.timeout.ms={}", arguments.timeout.max(1));
    let mut cluster = arguments.server.connection().with_properties([timeout]).connect().await?;
    let done = if arguments.list {
        list(&arguments, &mut cluster).await
    } else if arguments.describe {
        describe(&arguments, &mut cluster).await
    } else if arguments.delete {
        delete(&arguments, &mut cluster).await
    } else if arguments.delete_offsets {
        delete_offsets(&arguments, &mut cluster).await
    } else {
        reset(&arguments, &mut cluster).await
    };
    match done {
        Err(failure) if failure.exit() != Exit::Usage => {
            // Kafka's tool tells it on stdout, and ends with 0.
            print(&error(&format!("Executing consumer group command failed due to {}", failure.message())))?;
            Ok(Exit::Done)
        }
        done => done.map(|()| Exit::Done),
    }
}

fn error(text: &str) -> String {
    format!("\nError: {text}\n")
}

/// Groups of consumers: those of other types, as Connect's, are not this tool's.
async fn all_groups(
    cluster: &mut Cluster,
) -> Result<Vec<kafka_protocol::messages::list_groups_response::ListedGroup>, Failure> {
    let listed = cluster.list_groups(&[]).await?.into_iter().map(|(_, group)| group);
    Ok(listed.filter(|group| matches!(&*group.protocol_type, "" | "consumer")).collect())
}

async fn named(arguments: &Arguments, cluster: &mut Cluster) -> Result<Vec<String>, Failure> {
    if arguments.all_groups {
        return Ok(all_groups(cluster).await?.iter().map(|group| group.group_id.to_string()).collect());
    }
    if arguments.group.is_empty() {
        return Err(Failure::usage("one of these options is needed: --all-groups, --group"));
    }
    let mut groups = arguments.group.clone();
    groups.sort();
    groups.dedup();
    Ok(groups)
}

async fn list(arguments: &Arguments, cluster: &mut Cluster) -> Result<(), Failure> {
    let groups = all_groups(cluster).await?;
    if arguments.state.is_none() && arguments.kind.is_none() {
        return print(&groups.iter().map(|group| format!("{}\n", group.group_id.as_str())).collect::<String>());
    }
    let has = |filter: &Option<String>, value: &str| {
        let of = filter.as_deref().unwrap_or("");
        of.is_empty() || of.split(',').any(|one| one.trim().eq_ignore_ascii_case(value))
    };
    let rows: Vec<_> = groups
        .iter()
        .filter(|group| has(&arguments.state, &group.group_state) && has(&arguments.kind, &group.group_type))
        .collect();
    let width = rows.iter().map(|group| group.group_id.len()).fold(15, usize::max) + 10;
    let row = |group: &str, kind: &str, state: &str| {
        let mut text = pad(group, width);
        for (is_shown, column) in [(arguments.kind.is_some(), kind), (arguments.state.is_some(), state)] {
            if is_shown {
                text += &format!(" {}", pad(column, 20));
            }
        }
        text + "\n"
    };
    let mut text = row("GROUP", "TYPE", "STATE");
    for group in rows {
        text += &row(&group.group_id, &group.group_type, &group.group_state);
    }
    print(&text)
}

async fn describe(arguments: &Arguments, cluster: &mut Cluster) -> Result<(), Failure> {
    for group in named(arguments, cluster).await? {
        let found = match position::of_group(cluster, &group, false).await {
            Err(failure) if failure.exit() == Exit::NotFound => {
                // As the admin client describes a group that is not there.
                print(&error(&format!("Consumer group '{group}' does not exist.")))?;
                continue;
            }
            found => found?,
        };
        warn(&group, &found.described.group_state);
        let text = if arguments.members {
            show::members(&group, &found, arguments.verbose)
        } else if arguments.state.is_some() && !arguments.offsets {
            let coordinator = coordinator(cluster, &group).await?;
            show::state(&group, &found, &coordinator, arguments.verbose)
        } else {
            show::offsets(&group, &found, arguments.verbose)
        };
        print(&text)?;
    }
    Ok(())
}

fn warn(group: &str, state: &str) {
    match state {
        "Empty" => say(format_args!("\nConsumer group '{group}' has no active members.")),
        "PreparingRebalance" | "CompletingRebalance" => {
            say(format_args!("\nWarning: Consumer group '{group}' is rebalancing."));
        }
        _ => {}
    }
}

/// host:port, two blanks, the id.
async fn coordinator(cluster: &mut Cluster, group: &str) -> Result<String, Failure> {
    let address = cluster.coordinator(group).await?.address().to_owned();
    let id = cluster.brokers().await?.into_iter().find(|(_, one)| *one == address).map_or(-1, |(id, _)| id);
    Ok(format!("{address}  ({id})"))
}

async fn delete(arguments: &Arguments, cluster: &mut Cluster) -> Result<(), Failure> {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for group in named(arguments, cluster).await? {
        match cluster.delete_group(&group).await? {
            0 => done.push(format!("'{group}'")),
            code => failed.push((group, message(code))),
        }
    }
    if failed.is_empty() {
        return print(&format!("Deletion of requested consumer groups ({}) was successful.\n", done.join(", ")));
    }
    let mut text = error("Deletion of some consumer groups failed:");
    for (group, message) in failed {
        text += &format!("* Group '{group}' could not be deleted due to: {message}\n");
    }
    if !done.is_empty() {
        text += &format!("\nThese consumer groups were deleted successfully: {}\n", done.join(", "));
    }
    print(&text)
}

/// The message of Kafka's error.
fn message(code: i16) -> String {
    match ResponseError::try_from_code(code) {
        Some(ResponseError::NonEmptyGroup) => "The group is not empty.".to_owned(),
        Some(ResponseError::GroupIdNotFound) => "The group id does not exist.".to_owned(),
        Some(ResponseError::GroupAuthorizationFailed) => "Group authorization failed.".to_owned(),
        Some(ResponseError::UnknownTopicOrPartition) => "This server does not host this topic-partition.".to_owned(),
        Some(ResponseError::GroupSubscribedToTopic) => {
            "Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it.".to_owned()
        }
        _ => crate::client::code::name(code),
    }
}

async fn delete_offsets(arguments: &Arguments, cluster: &mut Cluster) -> Result<(), Failure> {
    let [group] = arguments.group.as_slice() else {
        return Err(Failure::usage("--delete-offsets takes one --group"));
    };
    let wanted = partitions(cluster, &arguments.topic, &BTreeMap::new()).await?;
    let (code, told) = cluster.delete_offsets(group, &wanted).await?;
    let first = told.values().copied().find(|code| *code != 0).unwrap_or(0);
    let mut text = match (code, first) {
        (0, 0) => format!("Request succeeded for deleting offsets from group {group}.\n"),
        (0, _) => error("Encountered some partition-level error, see the follow-up details."),
        (code, _) => error(&message(code)),
    };
    let width = wanted.iter().map(|at| at.topic.len()).fold(15, usize::max);
    let row = |topic: &str, partition: &str, status: &str| {
        format!("\n{} {} {}", pad(topic, width), pad(partition, 10), pad(status, 15))
    };
    text += &row("TOPIC", "PARTITION", "STATUS");
    for at in &wanted {
        let status = match if code != 0 { code } else { told.get(at).copied().unwrap_or(0) } {
            0 => "Successful".to_owned(),
            code => format!("Error: {}", message(code)),
        };
        text += &row(&at.topic, &at.partition.to_string(), &status);
    }
    print(&(text + "\n"))
}

async fn reset(arguments: &Arguments, cluster: &mut Cluster) -> Result<(), Failure> {
    let mut plans: Vec<(String, BTreeMap<TopicPartition, i64>)> = Vec::new();
    for group in named(arguments, cluster).await? {
        let described = cluster.describe_group(&group).await?;
        if !matches!(&*described.group_state, "" | "Empty" | "Dead") {
            print(&error(&format!(
                "Assignments can only be reset if the group '{group}' is inactive, but the current state is {}.",
                &*described.group_state
            )))?;
            plans.push((group, BTreeMap::new()));
            continue;
        }
        let plan = plan_of(arguments, cluster, &group).await?;
        if arguments.execute {
            let told = cluster.commit(&group, &plan).await?;
            if let Some(code) = told.values().copied().find(|code| *code != 0) {
                return Err(Failure::new(Exit::Failed, message(code)));
            }
        }
        plans.push((group, plan));
    }
    print(&if arguments.export { show::csv(&plans) } else { show::plan(&plans) })
}

async fn plan_of(
    arguments: &Arguments,
    cluster: &mut Cluster,
    group: &str,
) -> Result<BTreeMap<TopicPartition, i64>, Failure> {
    if let Some(file) = &arguments.from_file {
        return show::read_csv(&crate::cli::files::read(file)?, group);
    }
    if !arguments.all_topics && arguments.topic.is_empty() {
        return Err(Failure::usage("One of the reset scopes should be defined: --all-topics, --topic."));
    }
    let committed = cluster.committed(group).await?;
    let wanted = partitions(cluster, &arguments.topic, &committed).await?;
    plan(cluster, &wanted, &committed, target(arguments)?).await
}

fn target(arguments: &Arguments) -> Result<Target, Failure> {
    let now = || barnabas_storage::seam::Seams::system().clock.now().0;
    let given = [
        arguments.to_offset.map(Target::Offset),
        arguments.to_datetime.map(Target::Time),
        arguments.by_duration.map(|millis| Target::Time(now().saturating_sub(millis))),
        arguments.to_earliest.then_some(Target::Earliest),
        arguments.to_latest.then_some(Target::Latest),
        arguments.to_current.then_some(Target::Current),
        arguments.shift_by.map(Target::By),
    ];
    let missing = || {
        Failure::usage(
            "Option '--reset-offsets' requires one of the following scenarios: --to-offset, --to-datetime, \
             --by-duration, --to-earliest, --to-latest, --to-current, --shift-by, --from-file",
        )
    };
    given.into_iter().flatten().next().ok_or_else(missing)
}

/// PnDTnHnMnS as milliseconds.
fn duration_millis(text: &str) -> Result<i64, String> {
    let wrong = || "a duration as P1DT2H30M".to_owned();
    let mut rest = text.strip_prefix(['P', 'p']).ok_or_else(wrong)?;
    let (mut millis, mut of_day) = (0.0, false);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(['T', 't']) {
            (rest, of_day) = (after, true);
            continue;
        }
        let end = rest.find(|one: char| one.is_ascii_alphabetic()).ok_or_else(wrong)?;
        let number: f64 = rest[..end].parse().map_err(|_| wrong())?;
        let unit = match (rest[end..].chars().next().map(|unit| unit.to_ascii_uppercase()), of_day) {
            (Some('D'), false) => 86_400_000.0,
            (Some('H'), true) => 3_600_000.0,
            (Some('M'), true) => 60_000.0,
            (Some('S'), true) => 1000.0,
            _ => return Err(wrong()),
        };
        millis += number * unit;
        rest = &rest[end + 1..];
    }
    Ok(millis as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(format!("kafka-consumer-groups --bootstrap-server b:1 {line}").split(' '))
    }

    #[test]
    fn durations_are_iso_8601() {
        assert_eq!(duration_millis("P1DT2H30M"), Ok(95_400_000));
        assert_eq!(duration_millis("PT0.5S"), Ok(500));
        assert!(duration_millis("1D").is_err() && duration_millis("P1H").is_err() && duration_millis("PT5").is_err());
    }

    #[test]
    fn a_reset_has_one_target() {
        let told = parse("--reset-offsets --group g --topic t --to-earliest").unwrap();
        assert_eq!(target(&told).unwrap(), Target::Earliest);
        assert!(parse("--reset-offsets --group g --to-earliest --to-latest").is_err());
        let shifted = parse("--reset-offsets --group g --all-topics --shift-by -5").unwrap();
        assert_eq!(target(&shifted).unwrap(), Target::By(-5));
    }

    #[test]
    fn states_may_be_asked_for_with_and_without_names() {
        assert_eq!(parse("--list --state").unwrap().state.as_deref(), Some(""));
        assert_eq!(parse("--list --state Stable").unwrap().state.as_deref(), Some("Stable"));
        assert_eq!(parse("--list").unwrap().state, None);
    }
}
