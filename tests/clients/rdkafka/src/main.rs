//! librdkafka by the rdkafka crate, with its default settings: produce with every codec, consume alone and compare, seek by
//! timestamp, consume in a group of two, commit, resume.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};

const RECORDS: usize = 500;
const GROUPED: usize = 400;
const MORE: usize = 40;
/// The first record's time, an hour ago: retention goes by the time of the records.
static BASE: LazyLock<i64> = LazyLock::new(|| {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    now.as_millis() as i64 - 3_600_000
});
const LIMIT: Duration = Duration::from_secs(60);

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    for codec in codecs {
        produce(codec).await?;
        consume_alone(codec)?;
    }
    seek_by_timestamp()?;
    create_grouped_topic().await?;
    let per_member = consume_in_group(2, 0, GROUPED).await?;
    consume_in_group(1, GROUPED, MORE).await?;
    let (_, version) = rdkafka::util::get_rdkafka_version();
    println!(
        r#"{{"client":"rdkafka","version":"{version}","codecs":{},"records":{},"members":"{per_member:?}","resumed":{MORE}}}"#,
        codecs.len(),
        codecs.len() * RECORDS
    );
    Ok(())
}

fn config() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", std::env::var("BOOTSTRAP").expect("BOOTSTRAP names the broker"));
    config
}

fn value(name: &str, i: usize) -> String {
    format!("{name} record {i} é {}", "x".repeat(i * 37 % 900))
}

async fn produce(codec: &str) -> Result<(), Failure> {
    let producer: FutureProducer = config().set("compression.codec", codec).create()?;
    let topic = format!("codec-{codec}");
    let mut acknowledgements = Vec::new();
    for i in 0..RECORDS {
        let (key, value, n) = (format!("k{i}"), value(codec, i), i.to_string());
        let headers = OwnedHeaders::new().insert(Header { key: "n", value: Some(&n) });
        let record =
            FutureRecord::to(&topic).key(&key).payload(&value).timestamp(*BASE + i as i64 * 1000).headers(headers);
        acknowledgements.push(producer.send_result(record).map_err(|(error, _)| error)?);
    }
    for (i, acknowledgement) in acknowledgements.into_iter().enumerate() {
        let delivery = acknowledgement.await?.map_err(|(error, _)| error)?;
        equal("offset acknowledged", i as i64, delivery.offset)?;
    }
    Ok(())
}

fn consume_alone(codec: &str) -> Result<(), Failure> {
    let topic = format!("codec-{codec}");
    let consumer = assigned(&topic, Offset::Beginning)?;
    for i in 0..RECORDS {
        let message = poll(&consumer, &format!("record {i} of {topic}"))?;
        equal("offset", i as i64, message.offset())?;
        equal("key", Some(format!("k{i}").as_bytes()), message.key())?;
        equal("value", Some(value(codec, i).as_bytes()), message.payload())?;
        equal("timestamp", Some(*BASE + i as i64 * 1000), message.timestamp().to_millis())?;
        let headers = message.headers().ok_or("a record lost its headers")?;
        equal("header", Some(i.to_string().as_bytes()), headers.get(0).value)?;
    }
    equal("watermarks", (0, RECORDS as i64), consumer.fetch_watermarks(&topic, 0, LIMIT)?)
}

fn seek_by_timestamp() -> Result<(), Failure> {
    let mut asked = TopicPartitionList::new();
    asked.add_partition_offset("codec-gzip", 0, Offset::Offset(*BASE + 249_500))?;
    let consumer = assigned("codec-gzip", Offset::Beginning)?;
    let found = consumer.offsets_for_times(asked, LIMIT)?;
    equal("offset for a timestamp", Offset::Offset(250), found.elements()[0].offset())?;
    consumer.assign(&found)?;
    for offset in 250..RECORDS as i64 {
        equal("offset after seek", offset, poll(&consumer, "a record after seek")?.offset())?;
    }
    Ok(())
}

async fn create_grouped_topic() -> Result<(), Failure> {
    let admin: AdminClient<DefaultClientContext> = config().create()?;
    let topic = NewTopic::new("grouped", 4, TopicReplication::Fixed(1));
    for outcome in admin.create_topics(&[topic], &AdminOptions::new()).await? {
        outcome.map_err(|(name, code)| format!("create {name}: {code}"))?;
    }
    Ok(())
}

async fn produce_grouped(from: usize, count: usize) -> Result<(), Failure> {
    let producer: FutureProducer = config().create()?;
    for i in from..from + count {
        let (key, value) = (i.to_string(), value("grouped", i));
        let record = FutureRecord::to("grouped").partition((i % 4) as i32).key(&key).payload(&value);
        producer.send_result(record).map_err(|(error, _)| error)?;
    }
    rdkafka::producer::Producer::flush(&producer, LIMIT)?;
    Ok(())
}

/// Waits until every member has its share of the four partitions, then produces and reads until the members together have
/// each record once; commits.
async fn consume_in_group(members: usize, from: usize, count: usize) -> Result<Vec<usize>, Failure> {
    let group: Vec<BaseConsumer> = (0..members)
        .map(|_| {
            let consumer: BaseConsumer = config()
                .set("group.id", "rdkafka")
                .set("auto.offset.reset", "earliest")
                .set("enable.auto.commit", "false")
                .create()?;
            consumer.subscribe(&["grouped"])?;
            Ok::<_, Failure>(consumer)
        })
        .collect::<Result<_, _>>()?;
    let start = Instant::now();
    let mut found = BTreeMap::new();
    let mut per_member = vec![0; members];
    let mut produced = false;
    while found.len() < count {
        if start.elapsed() > LIMIT {
            return Err(format!("waited too long for {count} records in the group, read {}", found.len()).into());
        }
        for (member, consumer) in group.iter().enumerate() {
            while let Some(message) = consumer.poll(Duration::from_millis(20)) {
                let message = message?;
                let i: usize = std::str::from_utf8(message.key().unwrap_or_default())?.parse()?;
                if i < from {
                    return Err(format!("record {i} was read again after its commit").into());
                }
                equal("value in group", Some(value("grouped", i).as_bytes()), message.payload())?;
                if found.insert(i, ()).is_some() {
                    return Err(format!("record {i} read twice").into());
                }
                per_member[member] += 1;
            }
        }
        let shared = group.iter().all(|member| member.assignment().is_ok_and(|own| own.count() == 4 / members));
        if shared && !produced {
            produce_grouped(from, count).await?;
            produced = true;
        }
    }
    for consumer in &group {
        consumer.commit_consumer_state(CommitMode::Sync)?;
    }
    if per_member.contains(&0) {
        return Err(format!("a member read nothing: {per_member:?}").into());
    }
    Ok(per_member)
}

fn assigned(topic: &str, offset: Offset) -> Result<BaseConsumer, Failure> {
    let consumer: BaseConsumer = config().set("group.id", "alone").create()?;
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_offset(topic, 0, offset)?;
    consumer.assign(&partitions)?;
    Ok(consumer)
}

fn poll<'a>(consumer: &'a BaseConsumer, what: &str) -> Result<BorrowedMessage<'a>, Failure> {
    Ok(consumer.poll(LIMIT).ok_or_else(|| format!("waited too long for {what}"))??)
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, expected: T, found: T) -> Result<(), Failure> {
    if expected == found { Ok(()) } else { Err(format!("{what}: expected {expected:?}, found {found:?}").into()) }
}
