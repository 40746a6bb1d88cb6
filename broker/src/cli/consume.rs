//! `barnabas consume`: records of a topic, without a group.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use barnabas_storage::batch::{Record, batches};
use serde_json::{Value, json};

use super::Failure;
use super::complete::names;
use super::connection::ConnectionArguments;
use super::exit::Exit;
use super::groups::seek::{Target, partitions, plan};
use super::interrupt::AtInterrupt;
use super::output::{Format, Output, print_bytes, rfc3339};
use super::progress::Progress;
use crate::client::offsets::LATEST;
use crate::client::{Cluster, code};
use crate::group::offsets::TopicPartition;

/// How long a fetch waits when there is nothing.
const WAIT_MS: i32 = 500;
/// How often a fetch is sent again when a leader moves.
const ATTEMPTS: u32 = 50;

/// What `consume` is told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  barnabas consume orders\n  barnabas consume orders --from earliest --exit\n  \
    barnabas consume orders:0 --from 2026-01-31T00:00Z -n 10 -o json\n  \
    barnabas consume orders --format '%p %o %k=%v\\n'")]
pub(super) struct Arguments {
    /// The topic, or some of its partitions as TOPIC:0,3.
    #[arg(add = names::topics())]
    topic: String,
    /// From where: earliest, latest, an offset, -N records before the end, or a time as 2026-01-31T10:00Z.
    #[arg(long, default_value = "latest", allow_hyphen_values = true)]
    from: Target,
    /// Ends after so many records.
    #[arg(short = 'n', long, value_name = "RECORDS")]
    max: Option<u64>,
    /// Ends where the topic ends now.
    #[arg(short = 'e', long)]
    exit: bool,
    /// How a record is written: %t topic, %p partition, %o offset, %T time in ms, %k key, %v value, %s value, \n, \t.
    #[arg(short = 'f', long = "format", id = "record_format", default_value = "%v\\n", hide_default_value = true)]
    record_format: String,
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(flatten)]
    output: Output,
}

pub(super) async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let mut cluster = arguments.connection.connect().await?;
    let wanted = partitions(&mut cluster, std::slice::from_ref(&arguments.topic), &BTreeMap::new()).await?;
    let from = plan(&mut cluster, &wanted, &BTreeMap::new(), arguments.from).await?;
    let mut end = None;
    if arguments.exit {
        let asked: Vec<_> = wanted.iter().map(|at| (at.clone(), LATEST)).collect();
        let ends = cluster.list_offsets(&asked).await?;
        end = Some(ends.into_iter().filter_map(|(at, found)| Some((at, found.ok()?.offset))).collect());
    }
    let as_json = matches!(arguments.output.format, Format::Json | Format::Yaml);
    let format = unescape(&arguments.record_format);
    let shown = |at: &TopicPartition, record: &Record| {
        if as_json { format!("{}\n", document(at, record)).into_bytes() } else { formatted(&format, at, record) }
    };
    let told = Told { from, end, max: arguments.max, idle_ms: None };
    // Who sees the records sees how far it is.
    let bound = told.bound().filter(|_| !std::io::stdout().is_terminal());
    let progress = bound.map(|of| Progress::bounded("consume", of, as_json, AtInterrupt::Ends));
    let mut seen = 0;
    let visit = |at: &TopicPartition, record: &Record| {
        seen += 1;
        progress.iter().for_each(|progress| progress.reach(seen));
        print_bytes(&shown(at, record))
    };
    follow(&mut cluster, told, visit).await?;
    Ok(Exit::Done)
}

/// What is read, and until when.
pub(super) struct Told {
    /// The next offset of each partition.
    pub(super) from: BTreeMap<TopicPartition, i64>,
    /// Where each ends; for ever when not given.
    pub(super) end: Option<BTreeMap<TopicPartition, i64>>,
    /// How many records.
    pub(super) max: Option<u64>,
    /// How long nothing may come.
    pub(super) idle_ms: Option<i64>,
}

impl Told {
    /// How many records it can be at most, where that is known: offsets without records among them are counted.
    fn bound(&self) -> Option<u64> {
        let of = |end: &BTreeMap<TopicPartition, i64>| {
            let left = |(at, from): (&TopicPartition, &i64)| end.get(at).map_or(0, |end| (end - from).max(0));
            u64::try_from(self.from.iter().map(left).sum::<i64>()).unwrap_or(0)
        };
        [self.end.as_ref().map(of), self.max].into_iter().flatten().min()
    }
}

/// Hands every record to `visit` until the end; how many there were, and where each partition stands.
pub(super) async fn follow(
    cluster: &mut Cluster,
    told: Told,
    mut visit: impl FnMut(&TopicPartition, &Record) -> Result<(), Failure>,
) -> Result<(u64, BTreeMap<TopicPartition, i64>), Failure> {
    let Told { from: mut next, end, max, idle_ms } = told;
    let (mut seen, mut idle, mut attempts) = (0, 0, 0);
    loop {
        if let Some(end) = &end {
            next.retain(|at, offset| end.get(at).is_some_and(|end| *offset < *end));
        }
        let is_over = max.is_some_and(|max| seen >= max) || idle_ms.is_some_and(|most| idle >= most);
        if next.is_empty() || is_over {
            return Ok((seen, next));
        }
        let before = seen;
        let mut by_leader: BTreeMap<i32, Vec<(TopicPartition, i64)>> = BTreeMap::new();
        for (at, leader) in cluster.leaders(next.keys()).await? {
            if let (Ok(leader), Some(offset)) = (leader, next.get(&at)) {
                by_leader.entry(leader).or_default().push((at, *offset));
            }
        }
        let wait = WAIT_MS / i32::try_from(by_leader.len().max(1)).unwrap_or(1);
        for (leader, wanted) in by_leader {
            for (at, outcome) in cluster.fetch(leader, &wanted, wait).await? {
                let refused = |code| Failure::refused(format!("read {}-{}", at.topic, at.partition), code, None);
                let records = match outcome {
                    Err(code) if code::passes(code) && attempts < ATTEMPTS => {
                        attempts += 1;
                        continue;
                    }
                    outcome => outcome.map_err(refused)?,
                };
                let Some(offset) = next.get_mut(&at) else { continue };
                seen = show(&at, records, offset, seen, max, &mut visit)?;
            }
        }
        idle = if seen == before { idle + i64::from(WAIT_MS) } else { 0 };
    }
}

/// Hands over the records of one answer from `offset` on, which moves with them; how many were seen in all.
fn show(
    at: &TopicPartition,
    records: bytes::Bytes,
    offset: &mut i64,
    mut seen: u64,
    max: Option<u64>,
    visit: &mut impl FnMut(&TopicPartition, &Record) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let has_room = |seen: u64| max.is_none_or(|max| seen < max);
    for batch in batches(records).map_while(Result::ok) {
        if batch.header.next_offset().0 <= *offset {
            continue;
        }
        if !batch.header.is_control() {
            for record in batch.records().map_err(|error| error.to_string())? {
                let record = record.map_err(|error| error.to_string())?;
                if record.offset.0 >= *offset && has_room(seen) {
                    visit(at, &record)?;
                    seen += 1;
                    *offset = record.offset.0 + 1;
                }
            }
        }
        if has_room(seen) {
            *offset = batch.header.next_offset().0;
        }
    }
    Ok(seen)
}

/// A record as JSON: bytes that are not UTF-8 are replaced.
fn document(at: &TopicPartition, record: &Record) -> Value {
    let text = |bytes: &Option<bytes::Bytes>| bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    json!({
        "topic": &*at.topic,
        "partition": at.partition.0,
        "offset": record.offset.0,
        "time": rfc3339(record.timestamp.0),
        "time_ms": record.timestamp.0,
        "key": text(&record.key),
        "value": text(&record.value),
    })
}

fn unescape(format: &str) -> String {
    format.replace("\\n", "\n").replace("\\t", "\t")
}

/// A record by a format; null is nothing.
fn formatted(format: &str, at: &TopicPartition, record: &Record) -> Vec<u8> {
    let mut text = Vec::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        match letters.next() {
            Some('t') => text.extend_from_slice(at.topic.as_bytes()),
            Some('p') => text.extend_from_slice(at.partition.to_string().as_bytes()),
            Some('o') => text.extend_from_slice(record.offset.0.to_string().as_bytes()),
            Some('T') => text.extend_from_slice(record.timestamp.0.to_string().as_bytes()),
            Some('k') => text.extend_from_slice(record.key.as_deref().unwrap_or_default()),
            Some('v' | 's') => text.extend_from_slice(record.value.as_deref().unwrap_or_default()),
            Some('%') => text.push(b'%'),
            Some(other) => text.extend_from_slice(format!("%{other}").as_bytes()),
            None => text.push(b'%'),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use barnabas_storage::{Offset, PartitionIndex, Timestamp};
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_record_is_written_by_its_format_or_as_json() {
        let at = TopicPartition { topic: "t".into(), partition: PartitionIndex(2) };
        let record = Record {
            offset: Offset(7),
            timestamp: Timestamp(0),
            key: Some(Bytes::from_static(b"k")),
            value: Some(Bytes::from_static(b"v")),
        };
        assert_eq!(formatted(&unescape("%t/%p/%o %T %k=%v%%%x\\n"), &at, &record), b"t/2/7 0 k=v%%x\n");
        assert_eq!(document(&at, &record)["time"], "1970-01-01T00:00:00Z");
    }
}
