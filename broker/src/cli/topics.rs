//! `barnabas topics`: an ordinary Kafka client, so that it works against Apache Kafka too.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{CreateTopicsRequest, MetadataRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::Failure;
use crate::client::Client;

/// Versions that every broker since Apache Kafka 2.4 serves.
const METADATA_VERSION: i16 = 8;
const CREATE_TOPICS_VERSION: i16 = 4;
/// How long the broker may take to make a topic.
const CREATE_TIMEOUT_MS: i32 = 30_000;

/// What `topics` is told.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A broker, host:port.
    #[arg(short, long, global = true, default_value = "127.0.0.1:9092", env = "BOOTSTRAP_SERVERS")]
    bootstrap_server: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Lists topics with their number of partitions and replicas.
    List {
        /// Also those that only the broker's coordinators write to.
        #[arg(long)]
        internal: bool,
    },
    /// Makes a topic.
    Create {
        /// Its name.
        name: String,
        /// Number of partitions; the broker's num.partitions when not given.
        #[arg(long, default_value_t = -1)]
        partitions: i32,
        /// Number of replicas; the broker's default.replication.factor when not given.
        #[arg(long, default_value_t = -1)]
        replication_factor: i16,
    },
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let mut client = Client::connect(&arguments.bootstrap_server).await?;
    match arguments.command {
        Command::List { internal } => list(&mut client, internal).await,
        Command::Create { name, partitions, replication_factor } => {
            create(&mut client, &name, partitions, replication_factor).await
        }
    }
}

async fn list(client: &mut Client, internal: bool) -> Result<(), Failure> {
    let request = MetadataRequest::default().with_topics(None).with_allow_auto_topic_creation(false);
    let answer = client.call(&request, METADATA_VERSION).await?;
    let mut topics: Vec<_> = answer.topics.iter().filter(|topic| internal || !topic.is_internal).collect();
    topics.sort_by(|left, right| left.name.cmp(&right.name));
    println!("{:<48} {:>10} {:>8}", "TOPIC", "PARTITIONS", "REPLICAS");
    for topic in topics {
        println!("{:<48} {:>10} {:>8}", name_of(topic), topic.partitions.len(), replicas_of(topic));
    }
    Ok(())
}

fn name_of(topic: &MetadataResponseTopic) -> &str {
    topic.name.as_ref().map_or("", |name| name.as_str())
}

fn replicas_of(topic: &MetadataResponseTopic) -> usize {
    topic.partitions.first().map_or(0, |partition| partition.replica_nodes.len())
}

async fn create(client: &mut Client, name: &str, partitions: i32, replication_factor: i16) -> Result<(), Failure> {
    let topic = CreatableTopic::default()
        .with_name(TopicName(StrBytes::from_string(name.to_owned())))
        .with_num_partitions(partitions)
        .with_replication_factor(replication_factor);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(CREATE_TIMEOUT_MS);
    let answer = client.call(&request, CREATE_TOPICS_VERSION).await?;
    let topic = answer.topics.first().ok_or("the broker answered for no topic")?;
    match ResponseError::try_from_code(topic.error_code) {
        None => {
            println!("created topic {name}");
            Ok(())
        }
        Some(error) => {
            let message = topic.error_message.as_deref().unwrap_or_default();
            Err(format!("create topic {name}: {error} ({}). {message}", topic.error_code).into())
        }
    }
}
