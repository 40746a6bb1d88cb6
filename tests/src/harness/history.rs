//! What clients saw while brokers were killed, and the checks on it. The names of the anomalies are Jepsen's.
//!
//! A history is a text file of one event a line: the wall clock in nanoseconds, a word, and its fields.
//! `ok PARTITION OFFSET VALUE`, `info PARTITION VALUE`, `read PARTITION OFFSET VALUE`, `committed PARTITION OFFSET`. A value is
//! `PRODUCER-SEQUENCE`; a producer numbers its records from 0 and sends each of them once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

pub mod commits;
#[cfg(test)]
mod tests;
pub mod topics;

/// The most anomalies told one by one.
const TOLD: usize = 10;

/// One record of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Record {
    /// Its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: i64,
    /// Its value.
    pub value: String,
}

/// What a client saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A send was acknowledged.
    Acknowledged(Record),
    /// The fate of a send is not known to its client.
    Unknown(String),
    /// A consumer was given a record.
    Read(Record),
    /// A commit of this offset for this partition was acknowledged.
    Committed(u32, i64),
    /// What the checks do not need.
    Other,
}

/// The events of all clients with their times.
#[derive(Debug, Default)]
pub struct History {
    events: Vec<(u64, Event)>,
}

impl History {
    /// Adds the events of a file; a line that its killed writer left unfinished is passed over.
    pub fn add(&mut self, path: &Path) -> std::io::Result<()> {
        self.events.extend(whole_lines(&std::fs::read_to_string(path)?).filter_map(event));
        self.events.sort_by_key(|(time, _)| *time);
        Ok(())
    }

    /// How many sends were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.events.iter().filter(|(_, event)| matches!(event, Event::Acknowledged(_))).count()
    }

    /// How many acknowledged sends are not in the log.
    pub fn lost(&self, log: &[Record]) -> usize {
        let there: HashSet<&Record> = log.iter().collect();
        let acknowledged = self.events.iter().filter_map(|(_, event)| match event {
            Event::Acknowledged(record) => Some(record),
            _ => None,
        });
        acknowledged.filter(|record| !there.contains(record)).count()
    }

    /// How many records consumers were given.
    pub fn read(&self) -> usize {
        self.events.iter().filter(|(_, event)| matches!(event, Event::Read(_))).count()
    }

    /// How many different records consumers were given.
    pub fn read_once(&self) -> usize {
        let reads = self.events.iter().filter_map(|(_, event)| match event {
            Event::Read(record) => Some((record.partition, record.offset)),
            _ => None,
        });
        reads.collect::<HashSet<_>>().len()
    }

    /// How many sends have an unknown fate.
    pub fn unknown(&self) -> usize {
        self.events.iter().filter(|(_, event)| matches!(event, Event::Unknown(_))).count()
    }

    /// Checks what producers were told against the log as it was read at the end.
    pub fn check_sends(&self, log: &[Record]) -> Result<(), Anomalies> {
        let mut anomalies = Anomalies::default();
        let by_offset = by_offset(log, &mut anomalies);
        let mut sent = HashSet::new();
        for (_, event) in &self.events {
            match event {
                Event::Acknowledged(record) => {
                    sent.insert(record.value.as_str());
                    match by_offset.get(&(record.partition, record.offset)) {
                        None => anomalies.add("lost-write", record),
                        Some(value) if *value != record.value => anomalies.add("inconsistent-offsets", record),
                        Some(_) => {}
                    }
                }
                Event::Unknown(value) => {
                    sent.insert(value);
                }
                Event::Read(_) | Event::Committed(..) | Event::Other => {}
            }
        }
        for record in log.iter().filter(|record| !sent.contains(record.value.as_str())) {
            anomalies.add("phantom", record);
        }
        check_order(log, &mut anomalies);
        anomalies.into_result()
    }

    /// Checks what the members of one group read and committed against the log.
    pub fn check_group(&self, log: &[Record]) -> Result<(), Anomalies> {
        let mut anomalies = Anomalies::default();
        let by_offset = by_offset(log, &mut anomalies);
        let mut unseen: HashSet<(u32, i64)> = by_offset.keys().copied().collect();
        let mut committed: HashMap<u32, i64> = HashMap::new();
        for (_, event) in &self.events {
            match event {
                Event::Read(record) => {
                    unseen.remove(&(record.partition, record.offset));
                    if by_offset.get(&(record.partition, record.offset)) != Some(&record.value.as_str()) {
                        anomalies.add("inconsistent-offsets", record);
                    }
                    if committed.get(&record.partition).is_some_and(|offset| record.offset < *offset) {
                        anomalies.add("committed offset went back", record);
                    }
                }
                Event::Committed(partition, offset) => {
                    let last = committed.entry(*partition).or_insert(*offset);
                    *last = (*last).max(*offset);
                }
                Event::Acknowledged(_) | Event::Unknown(_) | Event::Other => {}
            }
        }
        for (partition, offset) in unseen {
            anomalies.note(format!("unseen: partition {partition} offset {offset}"));
        }
        anomalies.into_result()
    }
}

/// The lines of a history but for one that its killed writer left unfinished.
fn whole_lines(text: &str) -> std::str::Lines<'_> {
    text.rfind('\n').map_or("", |end| &text[..end]).lines()
}

/// The records that a drain printed: `PARTITION OFFSET VALUE` a line.
pub fn drained(text: &str) -> Vec<Record> {
    text.lines().filter_map(|line| record(line.split(' '))).collect()
}

/// What should never be.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Anomalies {
    found: Vec<String>,
}

impl Anomalies {
    fn add(&mut self, name: &str, record: &Record) {
        let Record { partition, offset, value } = record;
        self.found.push(format!("{name}: partition {partition} offset {offset} value {value}"));
    }

    fn note(&mut self, what: String) {
        self.found.push(what);
    }

    fn into_result(mut self) -> Result<(), Self> {
        self.found.sort();
        if self.found.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl std::fmt::Display for Anomalies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} anomalies:", self.found.len())?;
        self.found.iter().take(TOLD).try_for_each(|anomaly| write!(f, "\n  {anomaly}"))
    }
}

impl std::error::Error for Anomalies {}

fn by_offset<'a>(log: &'a [Record], anomalies: &mut Anomalies) -> HashMap<(u32, i64), &'a str> {
    let mut by_offset = HashMap::with_capacity(log.len());
    for record in log {
        if by_offset.insert((record.partition, record.offset), record.value.as_str()).is_some() {
            anomalies.add("offset given twice", record);
        }
    }
    by_offset
}

/// Along a partition the sequences of one producer rise: none twice, none before an earlier one.
fn check_order(log: &[Record], anomalies: &mut Anomalies) {
    let mut ordered: Vec<&Record> = log.iter().collect();
    ordered.sort();
    let mut last: BTreeMap<(u32, &str), u64> = BTreeMap::new();
    let mut values = HashSet::new();
    for record in ordered {
        let Some((producer, sequence)) = producer_and_sequence(&record.value) else {
            anomalies.add("phantom", record);
            continue;
        };
        if !values.insert(record.value.as_str()) {
            anomalies.add("duplicate", record);
        } else if last.get(&(record.partition, producer)).is_some_and(|before| *before >= sequence) {
            anomalies.add("nonmonotonic-send", record);
        }
        last.insert((record.partition, producer), sequence);
    }
}

fn producer_and_sequence(value: &str) -> Option<(&str, u64)> {
    let (producer, sequence) = value.rsplit_once('-')?;
    Some((producer, sequence.parse().ok()?))
}

fn event(line: &str) -> Option<(u64, Event)> {
    let mut fields = line.split(' ');
    let time = fields.next()?.parse().ok()?;
    let event = match fields.next()? {
        "ok" => Event::Acknowledged(record(fields)?),
        "read" => Event::Read(record(fields)?),
        "info" => Event::Unknown(fields.nth(1)?.to_owned()),
        "committed" => Event::Committed(fields.next()?.parse().ok()?, fields.next()?.parse().ok()?),
        _ => Event::Other,
    };
    Some((time, event))
}

fn record<'a>(mut fields: impl Iterator<Item = &'a str>) -> Option<Record> {
    Some(Record {
        partition: fields.next()?.parse().ok()?,
        offset: fields.next()?.parse().ok()?,
        value: fields.next()?.to_owned(),
    })
}
