//! The admin client of the rdkafka crate: every call that it offers, with its answer looked at.

use std::time::{Duration, Instant};

use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};

const TOPIC: &str = "rdkafka-admin";
const GROUP: &str = "rdkafka-admin-group";
const RECORDS: i64 = 100;
const LIMIT: Duration = Duration::from_secs(60);
/// Every call of `AdminClient` and of the client in it: this file has to make each.
const CALLS: [&str; 12] = [
    "create_topics",
    "delete_topics",
    "delete_groups",
    "create_partitions",
    "delete_records",
    "describe_configs",
    "alter_configs",
    "inner",
    "fetch_metadata",
    "fetch_watermarks",
    "fetch_group_list",
    "fetch_cluster_id",
];

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Admin = AdminClient<DefaultClientContext>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let admin: Admin = config().create()?;
    topics(&admin).await?;
    cluster(&admin)?;
    configs(&admin).await?;
    records(&admin).await?;
    groups(&admin).await?;
    let deleted = admin.delete_topics(&[TOPIC, "absent"], &AdminOptions::new()).await?;
    let absent = Err(("absent".to_owned(), RDKafkaErrorCode::UnknownTopicOrPartition));
    equal("deleted", vec![Ok(TOPIC.to_owned()), absent], deleted)?;
    let source = include_str!("rdkafka-admin.rs");
    if let Some(missing) = CALLS.iter().find(|name| !source.contains(&format!(".{name}("))) {
        return Err(format!("{missing} is not called").into());
    }
    let (_, version) = rdkafka::util::get_rdkafka_version();
    println!(r#"{{"client":"rdkafka","version":"{version}","calls":{},"without":0}}"#, CALLS.len());
    Ok(())
}

fn config() -> ClientConfig {
    let set = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is set"));
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", set("BOOTSTRAP")).set("security.protocol", "SASL_PLAINTEXT");
    config.set("sasl.mechanism", "PLAIN");
    config.set("sasl.username", set("SASL_USER")).set("sasl.password", set("SASL_PASSWORD"));
    config
}

async fn topics(admin: &Admin) -> Result<(), Failure> {
    let topic = || NewTopic::new(TOPIC, 2, TopicReplication::Fixed(1)).set("retention.ms", "86400000");
    let options = AdminOptions::new().operation_timeout(Some(LIMIT)).request_timeout(Some(LIMIT));
    let validated = admin.create_topics(&[topic()], &AdminOptions::new().validate_only(true)).await?;
    equal("validated", vec![Ok(TOPIC.to_owned())], validated)?;
    equal("made", vec![Ok(TOPIC.to_owned())], admin.create_topics(&[topic()], &options).await?)?;
    let twice = Err((TOPIC.to_owned(), RDKafkaErrorCode::TopicAlreadyExists));
    equal("made twice", vec![twice], admin.create_topics(&[topic()], &options).await?)?;
    let more = admin.create_partitions(&[NewPartitions::new(TOPIC, 3)], &options).await?;
    equal("more partitions", vec![Ok(TOPIC.to_owned())], more)?;
    let fewer = admin.create_partitions(&[NewPartitions::new(TOPIC, 1)], &options).await?;
    equal("fewer partitions", vec![Err((TOPIC.to_owned(), RDKafkaErrorCode::InvalidPartitions))], fewer)
}

fn cluster(admin: &Admin) -> Result<(), Failure> {
    let client = admin.inner();
    let begun = Instant::now();
    // librdkafka caches metadata: the partitions may come with a later answer.
    let metadata = loop {
        let metadata = client.fetch_metadata(Some(TOPIC), LIMIT)?;
        if metadata.topics()[0].partitions().len() == 3 || begun.elapsed() > LIMIT {
            break metadata;
        }
    };
    equal("partitions", 3, metadata.topics()[0].partitions().len())?;
    let broker = &metadata.brokers()[0];
    equal("broker", std::env::var("BOOTSTRAP")?, format!("{}:{}", broker.host(), broker.port()))?;
    equal("leader", broker.id(), metadata.topics()[0].partitions()[0].leader())?;
    equal("length of the cluster id", Some(22), client.fetch_cluster_id(LIMIT).map(|id| id.len()))
}

async fn configs(admin: &Admin) -> Result<(), Failure> {
    let topic = ResourceSpecifier::Topic(TOPIC);
    let retention = async |what: &str, expected: &str| -> Result<(), Failure> {
        let begun = Instant::now();
        // Kafka's own broker shows a change of metadata a little after it was answered.
        loop {
            let described = admin.describe_configs([&topic], &AdminOptions::new()).await?.remove(0)?;
            equal("resource", &OwnedResourceSpecifier::Topic(TOPIC.to_owned()), &described.specifier)?;
            let found = described.get("retention.ms").and_then(|entry| entry.value.clone());
            if found.as_deref() == Some(expected) || begun.elapsed() > LIMIT {
                return equal(what, Some(expected), found.as_deref());
            }
        }
    };
    retention("a setting", "86400000").await?;
    let change = |value| AlterConfig::new(ResourceSpecifier::Topic(TOPIC)).set("retention.ms", value);
    let validated = admin.alter_configs([&change("1")], &AdminOptions::new().validate_only(true)).await?;
    equal("validated", vec![Ok(OwnedResourceSpecifier::Topic(TOPIC.to_owned()))], validated)?;
    retention("not changed by a validation", "86400000").await?;
    admin.alter_configs([&change("7200000")], &AdminOptions::new()).await?.remove(0).map_err(|(_, code)| code)?;
    retention("changed", "7200000").await?;
    // The crate does not read what became of each resource: an alteration that was refused looks like one that was made.
    admin.alter_configs([&change("long")], &AdminOptions::new()).await?.remove(0).map_err(|(_, code)| code)?;
    retention("not changed to what is no number", "7200000").await?;
    let metadata = admin.inner().fetch_metadata(None, LIMIT)?;
    let node = metadata.brokers()[0].id();
    let options = AdminOptions::new().broker_id(node);
    let broker = admin.describe_configs([&ResourceSpecifier::Broker(node)], &options).await?.remove(0)?;
    let entry = broker.get("node.id").ok_or("no node.id")?;
    equal("a setting of the broker", (Some(node.to_string()), true), (entry.value.clone(), entry.is_read_only))
}

async fn records(admin: &Admin) -> Result<(), Failure> {
    let producer: FutureProducer = config().create()?;
    for i in 0..RECORDS {
        let value = format!("v{i}");
        let record = FutureRecord::<(), _>::to(TOPIC).partition(0).payload(&value);
        producer.send(record, LIMIT).await.map_err(|(error, _)| error)?;
    }
    equal("offsets", (0, RECORDS), admin.inner().fetch_watermarks(TOPIC, 0, LIMIT)?)?;
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(TOPIC, 0, Offset::Offset(10))?;
    let deleted = admin.delete_records(&offsets, &AdminOptions::new()).await?;
    equal("deleted up to", Offset::Offset(10), deleted.elements()[0].offset())?;
    equal("offsets after that", (10, RECORDS), admin.inner().fetch_watermarks(TOPIC, 0, LIMIT)?)
}

async fn groups(admin: &Admin) -> Result<(), Failure> {
    let member: BaseConsumer = config().set("group.id", GROUP).set("auto.offset.reset", "earliest").create()?;
    member.subscribe(&[TOPIC])?;
    let begun = Instant::now();
    let read = loop {
        if let Some(read) = member.poll(Duration::from_millis(100)) {
            break read?;
        }
        if begun.elapsed() > LIMIT {
            return Err("no record in the group".into());
        }
    };
    member.commit_message(&read, CommitMode::Sync)?;
    let listed = admin.inner().fetch_group_list(Some(GROUP), LIMIT)?;
    let group = &listed.groups()[0];
    let shown = (group.name(), group.state(), group.protocol_type(), group.members().len());
    equal("group", (GROUP, "Stable", "consumer", 1), shown)?;
    let refused = admin.delete_groups(&[GROUP], &AdminOptions::new()).await?;
    equal("deleted with a member", vec![Err((GROUP.to_owned(), RDKafkaErrorCode::NonEmptyGroup))], refused)?;
    drop(read);
    drop(member);
    let deleted = admin.delete_groups(&[GROUP], &AdminOptions::new()).await?;
    equal("deleted", vec![Ok(GROUP.to_owned())], deleted)
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, expected: T, found: T) -> Result<(), Failure> {
    if expected == found { Ok(()) } else { Err(format!("{what}: expected {expected:?}, found {found:?}").into()) }
}
