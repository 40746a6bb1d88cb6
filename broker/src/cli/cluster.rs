//! `barnabas cluster`: the brokers of any cluster that speaks the Kafka protocol, and its controllers.

use kafka_protocol::messages::DescribeLogDirsRequest;

use super::Failure;
use super::connection::ConnectionArguments;
use super::exit::Exit;
use super::output::{Cell, Column, Output, Table, column, wide};
use super::remark::remark;
use super::topics::{finding, wanted_in_sync};
use super::watch::HealthWatch;
use crate::client::Cluster;
use crate::client::topics::PartitionView;
use crate::unwell::FINDINGS as FINDINGS_OF_PARTITIONS;

mod api_versions;
mod elect;
mod features;
mod metadata_dump;
mod quorum;

/// The last version whose fields are all understood here.
const DESCRIBE_LOG_DIRS_VERSION: i16 = 4;

/// What `cluster` is told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  barnabas cluster info\n  barnabas cluster health --watch\n  \
    barnabas cluster health --exit-when-healthy --within 60\n  barnabas cluster disks -o json\n  barnabas cluster quorum\n  barnabas cluster api-versions --all\n  \
    barnabas cluster metadata-dump > metadata.json\n  \
    barnabas cluster elect preferred --topic orders:0,3")]
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
    /// Shows the cluster's id and its brokers.
    Info,
    /// Shows what is wrong; ends with 8 when something is.
    Health {
        #[command(flatten)]
        watch: HealthWatch,
    },
    /// Shows what the log directories of every broker hold.
    Disks,
    /// Shows who keeps the metadata: the leader, its epoch, the high watermark, voters and observers with their lag.
    Quorum,
    /// Shows which versions of which APIs each broker serves, beside those of Kafka's client and of this program.
    ApiVersions(api_versions::Arguments),
    /// Shows the features that are agreed on in the cluster, and the levels that brokers support.
    Features,
    /// Writes everything that a client can be told of the metadata as one document: brokers, features, the quorum, topics with
    /// ids, settings that were made, users, rules of access, quotas and tokens. Never a secret. Ends with 7 when a part was
    /// refused.
    MetadataDump,
    /// Lets the controller elect leaders of partitions that need one. Shows them and asks first.
    Elect(elect::Arguments),
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { command, connection, output } = arguments;
    let connect = || connection.connect();
    match command {
        Command::Health { watch } => watch.run(&connection, async |cluster| health(cluster, output).await).await,
        Command::Info => info(&mut connect().await?, output).await,
        Command::Disks => disks(&mut connect().await?, output).await,
        Command::Quorum => quorum::run(&mut connect().await?, output).await,
        Command::ApiVersions(told) => api_versions::run(&told, &mut connect().await?, output).await,
        Command::Features => features::run(&mut connect().await?, output).await,
        Command::MetadataDump => metadata_dump::run(&mut connect().await?, output).await,
        Command::Elect(told) => elect::run(&told, &mut connect().await?, output).await,
    }
}

const CLUSTER: &[Column] = &[column("CLUSTER", "cluster_id"), column("CONTROLLER", "controller")];
const BROKERS: &[Column] =
    &[column("BROKER", "broker"), column("ADDRESS", "address"), column("RACK", "rack"), wide("FENCED", "fenced")];

async fn info(cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let (summary, brokers) = ask(cluster, false).await?;
    output.show_all(&[("cluster", &summary), ("brokers", &brokers)])?;
    Ok(Exit::Done)
}

/// The cluster, and its brokers, those that are fenced on request.
async fn ask(cluster: &mut Cluster, with_fenced: bool) -> Result<(Table, Table), Failure> {
    let answer = cluster.describe(with_fenced).await?;
    if answer.error_code != 0 {
        return Err(Failure::refused("describe the cluster", answer.error_code, answer.error_message.as_deref()));
    }
    let mut summary = Table::new(CLUSTER);
    summary.row(vec![
        Cell::text(answer.cluster_id.as_str()),
        Cell::number(Some(answer.controller_id.0.into()).filter(|id| *id >= 0)),
    ]);
    let mut brokers = Table::new(BROKERS);
    for broker in &answer.brokers {
        brokers.row(vec![
            Cell::Number(broker.broker_id.0.into()),
            Cell::text(format!("{}:{}", broker.host, broker.port)),
            Cell::optional(broker.rack.as_ref().map(ToString::to_string)),
            Cell::Flag(broker.is_fenced),
        ]);
    }
    Ok((summary, brokers))
}

const FINDINGS: &[Column] = &[column("WHERE", "where"), column("FINDING", "finding"), column("COUNT", "count")];

async fn health(cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let mut table = Table::new(FINDINGS);
    for (id, address) in cluster.brokers().await? {
        if let Err(error) = cluster.broker(id).await {
            let finding = format!("broker {id} advertises {address}: {error}");
            table.row(vec![Cell::text(format!("broker {id}")), Cell::Text(finding), Cell::Number(1)]);
        }
    }
    let topics = cluster.topics(None).await?;
    let in_sync = wanted_in_sync(cluster, &topics).await?;
    for sought in FINDINGS_OF_PARTITIONS {
        for topic in &topics {
            let is_so = |one: &&PartitionView| finding(one, in_sync.get(&topic.name).copied()) == Some(sought);
            let found = topic.partitions.iter().filter(is_so).count();
            if found > 0 {
                let count = Cell::Number(i64::try_from(found).unwrap_or(i64::MAX));
                table.row(vec![Cell::text(topic.name.as_str()), Cell::text(sought), count]);
            }
        }
    }
    let is_healthy = table.is_empty();
    if is_healthy && output.is_table() {
        remark(
            "every broker can be reached, every partition has a leader, as many replicas in sync as writes want, and none behind",
        );
    } else {
        output.show(&table)?;
    }
    Ok(if is_healthy { Exit::Done } else { Exit::Findings })
}

const DISKS: &[Column] = &[
    column("BROKER", "broker"),
    column("DIRECTORY", "directory"),
    column("PARTITIONS", "partitions"),
    column("SIZE", "bytes"),
    column("FREE", "free_bytes"),
    column("OF", "total_bytes"),
    column("ERROR", "error"),
];

async fn disks(cluster: &mut Cluster, output: Output) -> Result<Exit, Failure> {
    let mut table = Table::new(DISKS);
    for id in cluster.brokers().await?.into_keys() {
        let broker = cluster.broker(id).await?;
        let version = broker.version_of::<DescribeLogDirsRequest>(DESCRIBE_LOG_DIRS_VERSION)?;
        let answer = broker.call(&DescribeLogDirsRequest::default().with_topics(None), version).await?;
        if answer.error_code != 0 {
            return Err(Failure::refused(format!("describe log directories of {id}"), answer.error_code, None));
        }
        for directory in &answer.results {
            let partitions: Vec<_> = directory.topics.iter().flat_map(|topic| &topic.partitions).collect();
            let known = |bytes: i64| if bytes < 0 { Cell::Nothing } else { Cell::Bytes(bytes) };
            let error = (directory.error_code != 0).then(|| crate::client::code::name(directory.error_code));
            table.row(vec![
                Cell::Number(id.into()),
                Cell::text(directory.log_dir.as_str()),
                Cell::Number(i64::try_from(partitions.len()).unwrap_or(i64::MAX)),
                Cell::Bytes(partitions.iter().map(|one| one.partition_size).sum()),
                known(directory.usable_bytes),
                known(directory.total_bytes),
                Cell::optional(error),
            ]);
        }
    }
    output.show(&table)?;
    Ok(Exit::Done)
}
