//! kafka-topics.

use std::collections::{BTreeMap, BTreeSet};

use clap::{ArgGroup, Parser};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::BrokerId;
use kafka_protocol::messages::CreateTopicsRequest;
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::protocol::StrBytes;

use super::{Server, java_message, matching};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::client::Cluster;
use crate::client::cluster::topic_name;
use crate::client::topics::{PartitionView, TopicView};

const CREATE_VERSION: i16 = 7;

/// kafka-topics, as of Apache Kafka 4.3.
#[derive(Debug, Parser)]
#[command(name = "kafka-topics", version, infer_long_args = true,
    group = ArgGroup::new("action").required(true).args(["list", "create", "delete", "alter", "describe"]))]
#[allow(clippy::struct_excessive_bools, reason = "the tool's options")]
pub(super) struct Arguments {
    #[command(flatten)]
    server: Server,
    /// List all available topics.
    #[arg(long)]
    list: bool,
    /// Create a new topic.
    #[arg(long)]
    create: bool,
    /// Delete topics.
    #[arg(long)]
    delete: bool,
    /// Alter the number of partitions.
    #[arg(long)]
    alter: bool,
    /// List details for the given topics.
    #[arg(long)]
    describe: bool,
    /// The topic; a regular expression except with --create.
    #[arg(long)]
    topic: Option<String>,
    /// The topic's id, to describe.
    #[arg(long)]
    topic_id: Option<String>,
    /// A setting of the topic that is created.
    #[arg(long, value_name = "NAME=VALUE")]
    config: Vec<String>,
    /// The number of partitions.
    #[arg(long)]
    partitions: Option<i32>,
    /// The number of replicas.
    #[arg(long)]
    replication_factor: Option<i32>,
    /// Replicas by hand: broker:broker,broker:broker.
    #[arg(long)]
    replica_assignment: Option<String>,
    /// Only under-replicated partitions.
    #[arg(long)]
    under_replicated_partitions: bool,
    /// Only partitions without a leader.
    #[arg(long)]
    unavailable_partitions: bool,
    /// Only partitions below min.insync.replicas.
    #[arg(long)]
    under_min_isr_partitions: bool,
    /// Only partitions at min.insync.replicas.
    #[arg(long)]
    at_min_isr_partitions: bool,
    /// Only topics that set something.
    #[arg(long)]
    topics_with_overrides: bool,
    /// A topic that is not there is no error.
    #[arg(long)]
    if_exists: bool,
    /// A topic that is there already is no error.
    #[arg(long)]
    if_not_exists: bool,
    /// Without internal topics.
    #[arg(long)]
    exclude_internal: bool,
    /// Partitions in one answer; any number is served.
    #[arg(long)]
    partition_size_limit_per_response: Option<i32>,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let mut cluster = arguments.server.connection().connect().await?;
    let done = if arguments.create {
        create(&arguments, &mut cluster).await
    } else if arguments.list {
        let names = names(&arguments, &mut cluster).await?;
        print(&(names.join("\n") + "\n"))
    } else if arguments.describe {
        describe(&arguments, &mut cluster).await
    } else if arguments.alter {
        alter(&arguments, &mut cluster).await
    } else {
        delete(&arguments, &mut cluster).await
    };
    match done {
        Ok(()) => Ok(Exit::Done),
        Err(failure) => {
            // Kafka's tool tells it on stdout.
            print(&format!("Error while executing topic command : {}\n", failure.message()))?;
            Ok(Exit::Failed)
        }
    }
}

async fn names(arguments: &Arguments, cluster: &mut Cluster) -> Result<Vec<String>, Failure> {
    let topics = cluster.topics(None).await?;
    let shown = topics.into_iter().filter(|topic| !(arguments.exclude_internal && topic.is_internal));
    let names = shown.map(|topic| topic.name);
    match &arguments.topic {
        Some(pattern) => matching(pattern, names),
        None => Ok(names.collect()),
    }
}

/// Those that `--topic` means; one at least, unless `--if-exists`.
async fn existing(arguments: &Arguments, cluster: &mut Cluster) -> Result<Vec<String>, Failure> {
    let names = names(arguments, cluster).await?;
    match &arguments.topic {
        Some(topic) if names.is_empty() && !topic.is_empty() && !arguments.if_exists => {
            Err(Failure::not_found(format!("Topic '{topic}' does not exist as expected")))
        }
        _ => Ok(names),
    }
}

fn required<'a>(arguments: &'a Arguments, action: &str) -> Result<&'a str, Failure> {
    let missing = || Failure::usage(format!("Missing required argument \"[topic]\" for --{action}"));
    arguments.topic.as_deref().ok_or_else(missing)
}

async fn create(arguments: &Arguments, cluster: &mut Cluster) -> Result<(), Failure> {
    let name = required(arguments, "create")?;
    if name.contains('.') || name.contains('_') {
        print(
            "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could \
             collide. To avoid issues it is best to use either, but not both.\n",
        )?;
    }
    let range = |wanted: Option<i32>, most: i32, text: &str| match wanted {
        Some(number) if !(1..=most).contains(&number) => Err(Failure::usage(text)),
        _ => Ok(wanted.unwrap_or(-1)),
    };
    let replicas =
        range(arguments.replication_factor, 32_767, "The replication factor must be between 1 and 32767 inclusive")?;
    let partitions = range(arguments.partitions, i32::MAX, "The partitions must be greater than 0")?;
    let mut topic = CreatableTopic::default()
        .with_name(topic_name(name))
        .with_num_partitions(partitions)
        .with_replication_factor(i16::try_from(replicas).unwrap_or(-1))
        .with_configs(arguments.config.iter().map(|given| config(given)).collect::<Result<_, _>>()?);
    if let Some(assignment) = &arguments.replica_assignment {
        topic = topic.with_num_partitions(-1).with_replication_factor(-1).with_assignments(assignments(assignment)?);
    }
    let timeout = cluster.timeout_ms();
    let request = |_| CreateTopicsRequest::default().with_topics(vec![topic.clone()]).with_timeout_ms(timeout);
    let answer = cluster.ask_controller(CREATE_VERSION, request, |_| 0).await?;
    let result = answer.topics.first().ok_or("the broker answered for no topic")?;
    match result.error_code {
        0 => print(&format!("Created topic {name}.\n")),
        code if code == ResponseError::TopicAlreadyExists.code() && arguments.if_not_exists => Ok(()),
        code => Err(said(code, result.error_message.as_deref())),
    }
}

fn config(given: &str) -> Result<CreatableTopicConfig, Failure> {
    let text = "requirement failed: Invalid topic config: all configs to be added must be in the format \"key=val\".";
    let (key, value) = given.split_once('=').ok_or_else(|| Failure::usage(text))?;
    let text = |text: &str| StrBytes::from_string(text.trim().to_owned());
    Ok(CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value))))
}

fn assignments(text: &str) -> Result<Vec<CreatableReplicaAssignment>, Failure> {
    let wrong = || Failure::usage(format!("--replica-assignment {text}: broker:broker,broker:broker"));
    let mut assignments = Vec::new();
    for (partition, index) in text.split(',').zip(0..) {
        let ids: Result<Vec<BrokerId>, _> = partition.split(':').map(|id| id.trim().parse().map(BrokerId)).collect();
        let ids = ids.map_err(|_| wrong())?;
        if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() {
            return Err(Failure::usage("Partition replica lists may not contain duplicate entries"));
        }
        assignments.push(CreatableReplicaAssignment::default().with_partition_index(index).with_broker_ids(ids));
    }
    Ok(assignments)
}

fn said(code: i16, message: Option<&str>) -> Failure {
    java_message(code, message).into()
}

async fn alter(arguments: &Arguments, cluster: &mut Cluster) -> Result<(), Failure> {
    required(arguments, "alter")?;
    let count = arguments.partitions.ok_or_else(|| Failure::usage("Missing required argument \"[partitions]\""))?;
    let names = existing(arguments, cluster).await?;
    let wanted: Vec<(&str, i32)> = names.iter().map(|name| (name.as_str(), count)).collect();
    let results = cluster.create_partitions(&wanted, false).await?;
    match results.iter().find(|result| result.error_code != 0) {
        Some(result) => Err(said(result.error_code, result.error_message.as_deref())),
        None => Ok(()),
    }
}

async fn delete(arguments: &Arguments, cluster: &mut Cluster) -> Result<(), Failure> {
    required(arguments, "delete")?;
    let names = existing(arguments, cluster).await?;
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let results = if wanted.is_empty() { Vec::new() } else { cluster.delete_topics(&wanted).await? };
    match results.iter().find(|result| result.error_code != 0) {
        Some(result) => Err(said(result.error_code, result.error_message.as_deref())),
        None => Ok(()),
    }
}

async fn describe(arguments: &Arguments, cluster: &mut Cluster) -> Result<(), Failure> {
    let mut topics = match &arguments.topic_id {
        Some(id) => {
            let all = cluster.topics(None).await?;
            let found: Vec<_> = all.into_iter().filter(|topic| topic.id.as_ref() == Some(id)).collect();
            if found.is_empty() && !arguments.if_exists {
                return Err(Failure::not_found(format!("TopicId '{id}' does not exist as expected")));
            }
            found
        }
        None => {
            let names = existing(arguments, cluster).await?;
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            if names.is_empty() { Vec::new() } else { cluster.topics(Some(&names)).await? }
        }
    };
    cluster.add_eligible_leaders(&mut topics).await?;
    let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
    let overrides = if names.is_empty() { BTreeMap::new() } else { cluster.topic_overrides(&names).await? };
    let live: BTreeSet<i32> = cluster.brokers().await?.into_keys().collect();
    let asks_min_isr = arguments.under_min_isr_partitions || arguments.at_min_isr_partitions;
    let min_isr = if asks_min_isr { cluster.min_insync_replicas(&names).await? } else { BTreeMap::new() };
    let mut text = String::new();
    for topic in &topics {
        let configs = overrides.get(&topic.name).cloned().unwrap_or_default();
        let least = min_isr.get(&topic.name).copied().unwrap_or(1);
        text += &shown(topic, &configs, arguments, |partition| is_asked_for(partition, arguments, &live, least));
    }
    print(&text)
}

fn reports(arguments: &Arguments) -> bool {
    arguments.under_replicated_partitions
        || arguments.unavailable_partitions
        || arguments.under_min_isr_partitions
        || arguments.at_min_isr_partitions
}

fn is_asked_for(partition: &PartitionView, arguments: &Arguments, live: &BTreeSet<i32>, min_isr: usize) -> bool {
    let in_sync = partition.isr.len();
    let is_led = partition.leader.is_some_and(|leader| live.contains(&leader));
    !reports(arguments)
        || (arguments.under_replicated_partitions && in_sync < partition.replicas.len())
        || (arguments.unavailable_partitions && !is_led)
        || (arguments.under_min_isr_partitions && (partition.leader.is_none() || in_sync < min_isr))
        || (arguments.at_min_isr_partitions && in_sync == min_isr)
}

fn shown(
    topic: &TopicView,
    configs: &[String],
    arguments: &Arguments,
    is_asked_for: impl Fn(&PartitionView) -> bool,
) -> String {
    let mut text = String::new();
    if !reports(arguments) && (!arguments.topics_with_overrides || !configs.is_empty()) {
        let id = topic.id.as_ref().map_or_else(String::new, |id| format!("\tTopicId: {id}"));
        let replicas = topic.partitions.first().map_or(0, |first| first.replicas.len());
        text += &format!(
            "Topic: {}{id}\tPartitionCount: {}\tReplicationFactor: {replicas}\tConfigs: {}\n",
            topic.name,
            topic.partitions.len(),
            configs.join(",")
        );
    }
    if !arguments.topics_with_overrides {
        let rows = topic.partitions.iter().filter(|partition| is_asked_for(partition));
        text.extend(rows.map(|partition| row(&topic.name, partition)));
    }
    text
}

fn row(topic: &str, partition: &PartitionView) -> String {
    let list = |ids: &[i32]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let optional = |ids: &Option<Vec<i32>>| ids.as_ref().map_or_else(|| "N/A".to_owned(), |ids| list(ids));
    format!(
        "\tTopic: {topic}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}\tElr: {}\tLastKnownElr: {}\n",
        partition.index,
        partition.leader.map_or_else(|| "none".to_owned(), |leader| leader.to_string()),
        list(&partition.replicas),
        list(&partition.isr),
        optional(&partition.elr),
        optional(&partition.last_known_elr)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Arguments {
        Arguments::try_parse_from(line.split(' ')).unwrap()
    }

    fn topic() -> TopicView {
        let partition = |index, leader, isr: &[i32]| PartitionView {
            index,
            leader,
            leader_epoch: 0,
            replicas: vec![1, 2],
            isr: isr.to_vec(),
            elr: Some(Vec::new()),
            last_known_elr: None,
        };
        TopicView {
            name: "t".to_owned(),
            id: Some("AAAAAAAAAAAAAAAAAAAAAQ".to_owned()),
            partitions: vec![partition(0, Some(1), &[1, 2]), partition(1, None, &[2])],
            ..TopicView::default()
        }
    }

    fn described(options: &str) -> String {
        let arguments = parse(&format!("kafka-topics --bootstrap-server b:1 --describe{options}"));
        let live = BTreeSet::from([1, 2]);
        shown(&topic(), &["a=b".to_owned()], &arguments, |one| is_asked_for(one, &arguments, &live, 2))
    }

    #[test]
    fn a_description_has_kafkas_columns() {
        assert_eq!(
            described(""),
            "Topic: t\tTopicId: AAAAAAAAAAAAAAAAAAAAAQ\tPartitionCount: 2\tReplicationFactor: 2\tConfigs: a=b\n\
             \tTopic: t\tPartition: 0\tLeader: 1\tReplicas: 1,2\tIsr: 1,2\tElr: \tLastKnownElr: N/A\n\
             \tTopic: t\tPartition: 1\tLeader: none\tReplicas: 1,2\tIsr: 2\tElr: \tLastKnownElr: N/A\n"
        );
    }

    #[test]
    fn reports_show_only_the_partitions_they_are_about() {
        let partitions = |options: &str| described(options).matches("Partition: ").count();
        assert_eq!(partitions(" --under-replicated-partitions"), 1);
        assert_eq!(partitions(" --unavailable-partitions"), 1);
        assert_eq!(partitions(" --at-min-isr-partitions"), 1);
        assert_eq!(partitions(" --topics-with-overrides"), 0);
    }

    #[test]
    fn an_action_is_needed_and_options_may_be_shortened() {
        assert!(Arguments::try_parse_from(["kafka-topics", "--bootstrap-server", "b:1"]).is_err());
        assert!(parse("kafka-topics --boot b:1 --list").list);
    }
}
