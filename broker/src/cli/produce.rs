//! `barnabas produce`: a record for each line of stdin.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, IsTerminal, Read};

use barnabas_storage::PartitionIndex;
use barnabas_storage::batch::BatchBuilder;
use barnabas_storage::seam::Seams;

use super::Failure;
use super::complete::names;
use super::connection::ConnectionArguments;
use super::exit::Exit;
use super::interrupt::AtInterrupt;
use super::progress::Progress;
use super::remark::remark;
use crate::client::partitioner::partition_of;
use crate::client::{Cluster, code};
use crate::group::offsets::TopicPartition;

/// A batch leaves when it has so many bytes, or when stdin has no more for now.
const BATCH_BYTES: usize = 256 << 10;
/// How often a batch is sent when its leader moves.
const ATTEMPTS: u32 = 50;

/// What `produce` is told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  echo hello | barnabas produce greetings\n  \
    barnabas produce orders --key-separator : < orders.txt")]
pub(super) struct Arguments {
    /// The topic; it must exist.
    #[arg(add = names::topics())]
    topic: String,
    /// The partition; by key, or in turn, when not given.
    #[arg(short, long)]
    partition: Option<i32>,
    /// The key of every record.
    #[arg(short, long, conflicts_with = "key_separator")]
    key: Option<String>,
    /// What stands between key and value in a line.
    #[arg(long, value_name = "TEXT")]
    key_separator: Option<String>,
    /// 1 or all: whose word is waited for.
    #[arg(long, default_value = "all", allow_hyphen_values = true, value_parser = acks)]
    acks: i16,
    #[command(flatten)]
    connection: ConnectionArguments,
}

fn acks(text: &str) -> Result<i16, String> {
    match text {
        "all" | "-1" => Ok(-1),
        "1" => Ok(1),
        _ => Err("acks is 1 or all".to_owned()),
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let mut cluster = arguments.connection.connect().await?;
    let lines = Lines { separator: arguments.key_separator, key: arguments.key };
    let told = Told { topic: arguments.topic, partition: arguments.partition, acks: arguments.acks };
    let stdin = std::io::stdin().lock();
    // Who types sees what was typed.
    let progress = (!stdin.is_terminal()).then(|| Progress::endless("produce", false, AtInterrupt::Ends));
    let written = write(&mut cluster, &told, &lines, stdin, |written| {
        progress.iter().for_each(|progress| progress.reach(written));
    });
    let written = written.await?;
    drop(progress);
    remark(format_args!("wrote {written} records to {}", told.topic));
    Ok(Exit::Done)
}

/// How lines become records.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Between key and value.
    pub(super) separator: Option<String>,
    /// The key of every record.
    pub(super) key: Option<String>,
}

impl Lines {
    /// A line's key and value.
    ///
    /// # Errors
    /// It has no separator.
    fn split<'a>(&'a self, line: &'a [u8]) -> Result<(Option<&'a [u8]>, &'a [u8]), Failure> {
        let Some(separator) = &self.separator else { return Ok((self.key.as_ref().map(String::as_bytes), line)) };
        let separator = separator.as_bytes();
        let at = line.windows(separator.len().max(1)).position(|window| window == separator);
        let no_key = || Failure::usage(format!("No key separator found in '{}'", String::from_utf8_lossy(line)));
        let at = at.ok_or_else(no_key)?;
        Ok((Some(&line[..at]), &line[at + separator.len()..]))
    }
}

/// Where records go.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) topic: String,
    pub(super) partition: Option<i32>,
    pub(super) acks: i16,
}

/// Writes every line; how many there were, which `observe` is told each time that all so far are written.
pub(super) async fn write(
    cluster: &mut Cluster,
    told: &Told,
    lines: &Lines,
    from: impl Read,
    mut observe: impl FnMut(u64),
) -> Result<u64, Failure> {
    let mut from = BufReader::with_capacity(BATCH_BYTES, from);
    let partitions = partitions(cluster, told).await?;
    let clock = Seams::system().clock;
    let mut batches: BTreeMap<i32, BatchBuilder> = BTreeMap::new();
    let (mut written, mut turn) = (0, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        let is_end = from.read_until(b'\n', &mut line)? == 0;
        let mut is_full = false;
        if !is_end {
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            let (key, value) = lines.split(text)?;
            let chosen = key.map_or(turn % partitions.len(), |key| partition_of(key, partitions.len()));
            let partition = told.partition.or_else(|| partitions.get(chosen).copied()).unwrap_or(0);
            let batch = batches.remove(&partition).unwrap_or_default().record(clock.now(), key, Some(value));
            is_full = batch.size() >= BATCH_BYTES;
            batches.insert(partition, batch);
            written += 1;
        }
        // What stdin holds already goes into the same batch; a person's line leaves at once.
        if is_end || is_full || !from.buffer().contains(&b'\n') {
            turn += 1;
            for (partition, batch) in std::mem::take(&mut batches) {
                send(cluster, told, partition, batch).await?;
            }
            observe(written);
        }
        if is_end {
            return Ok(written);
        }
    }
}

async fn partitions(cluster: &mut Cluster, told: &Told) -> Result<Vec<i32>, Failure> {
    let topics = cluster.topics(Some(&[&told.topic])).await?;
    let topic = topics.first().ok_or("the broker answered for no topic")?;
    if topic.error_code != 0 {
        let failure = Failure::refused(format!("write to topic {}", told.topic), topic.error_code, None);
        return Err(failure.next(format!("barnabas topics create {}", told.topic)));
    }
    Ok(topic.partitions.iter().map(|one| one.index).collect())
}

async fn send(cluster: &mut Cluster, told: &Told, partition: i32, batch: BatchBuilder) -> Result<(), Failure> {
    let at = TopicPartition { topic: told.topic.as_str().into(), partition: PartitionIndex(partition) };
    let bytes = batch.build();
    for attempt in 0.. {
        let leader = cluster.leaders([&at]).await?.remove(&at).unwrap_or(Err(3));
        let outcome = match leader {
            Ok(leader) => cluster.produce(&at, leader, told.acks, bytes.clone()).await?,
            Err(code) => Err((code, None)),
        };
        let Err((code, message)) = outcome else { return Ok(()) };
        if !code::passes(code) || attempt >= ATTEMPTS {
            return Err(Failure::refused(format!("write to {}-{partition}", told.topic), code, message.as_deref()));
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_at_its_first_separator() {
        let lines = Lines { separator: Some("::".to_owned()), key: None };
        assert_eq!(lines.split(b"k::v::w").unwrap(), (Some(&b"k"[..]), &b"v::w"[..]));
        assert!(lines.split(b"kv").is_err());
        let keyed = Lines { separator: None, key: Some("k".to_owned()) };
        assert_eq!(keyed.split(b"v").unwrap(), (Some(&b"k"[..]), &b"v"[..]));
    }
}
