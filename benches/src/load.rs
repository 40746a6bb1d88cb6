//! The loads of produce: every combination that is measured, by name.

use std::time::Duration;

use barnabas_broker::bench::{Bootstrap, Limit, produce};

/// A load that is slower than this is cut short: its figures are rates.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(6);

/// A load of produce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) record_bytes: usize,
    pub(crate) batch_kib: usize,
    pub(crate) partitions: i32,
    pub(crate) connections: usize,
    pub(crate) acks: i16,
}

/// The part of a load that warms a broker up before it counts, and the batches that every partition gets for it at least:
/// the first batch of a partition makes files.
const WARM_UP_PART: u64 = 10;
const WARM_UP_BATCHES: u64 = 2;
/// Warming up thousands of partitions takes its time where each makes a file.
const WARM_UP_TIME_MAX: Duration = Duration::from_secs(60);

/// What warms a broker up for `load`.
pub(crate) fn warm_up(load: &produce::Options) -> produce::Options {
    let partitions = load.topics.len() as u64 * u64::from(load.partitions.unwrap_or(1).unsigned_abs());
    let round = partitions * load.batch_bytes as u64 * WARM_UP_BATCHES;
    let part = load.limit.bytes.unwrap_or(0) / WARM_UP_PART;
    let limit = Limit { time: Some(WARM_UP_TIME_MAX), bytes: Some(part.max(round)), records: None };
    produce::Options { limit, ..load.clone() }
}

/// The loads of the table: one thing varied at a time.
pub(crate) const CHOSEN: [Load; 9] = [
    load(1024, 16, 16, 4, -1),
    load(1024, 16, 16, 4, 1),
    load(1024, 16, 1000, 4, -1),
    load(100, 16, 1, 1, -1),
    load(100, 16, 16, 4, -1),
    load(1024, 512, 16, 4, -1),
    load(1024, 512, 16, 4, 1),
    load(1024, 512, 1, 1, -1),
    load(100, 512, 16, 4, -1),
];

const fn load(record_bytes: usize, batch_kib: usize, partitions: i32, connections: usize, acks: i16) -> Load {
    Load { record_bytes, batch_kib, partitions, connections, acks }
}

/// Every combination of record, batch, partitions and acks.
pub(crate) fn matrix() -> Vec<Load> {
    let mut all = Vec::new();
    for batch_kib in [16, 512] {
        for record_bytes in [100, 1024] {
            for (partitions, connections) in [(1, 1), (16, 4), (1000, 4)] {
                all.extend([-1, 1].map(|acks| load(record_bytes, batch_kib, partitions, connections, acks)));
            }
        }
    }
    all
}

impl Load {
    /// Its word for `--only`.
    pub(crate) fn word(&self) -> String {
        let acks = if self.acks == 1 { "-acks1" } else { "" };
        format!("produce-{}-{}k-p{}{acks}", self.record_bytes, self.batch_kib, self.partitions)
    }

    /// Its row in the table.
    pub(crate) fn name(&self) -> String {
        let record = if self.record_bytes == 1024 { "1 KiB".to_owned() } else { format!("{} B", self.record_bytes) };
        let partitions = counted(self.partitions.unsigned_abs().into(), "partition");
        let connections = counted(self.connections as u64, "connection");
        let acks = if self.acks == 1 { ", acks 1" } else { "" };
        format!("produce {record}, {} KiB batches, {partitions}, {connections}{acks}, MB/s", self.batch_kib)
    }

    /// A topic of its own.
    pub(crate) fn topic(&self) -> String {
        self.word().replacen("produce", "load", 1)
    }

    /// How the load client is told.
    pub(crate) fn options(&self, bootstrap: &Bootstrap, megabytes: u64) -> produce::Options {
        produce::Options {
            bootstrap: bootstrap.clone(),
            topics: vec![self.topic()],
            partitions: Some(self.partitions),
            replication_factor: 1,
            connections: self.connections,
            in_flight: 5,
            record_bytes: self.record_bytes,
            batch_bytes: self.batch_kib << 10,
            acks: self.acks,
            limit: Limit { bytes: Some(megabytes * 1_000_000), time: Some(TIME_MAX), records: None },
            records_per_second: None,
        }
    }
}

fn counted(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        1000.. => format!("{},{:03} {noun}s", count / 1000, count % 1000),
        _ => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_load_has_a_name_and_a_word_of_its_own() {
        let all = matrix();
        let words: HashSet<_> = all.iter().map(Load::word).collect();
        let names: HashSet<_> = all.iter().map(Load::name).collect();
        assert_eq!((all.len(), words.len(), names.len()), (24, 24, 24));
    }

    #[test]
    fn a_warm_up_goes_round_all_partitions() {
        let many = warm_up(&load(1024, 16, 1000, 4, -1).options(&"b:1".into(), 10));
        assert_eq!(many.limit.bytes, Some(2000 * 16_384));
        let few = warm_up(&load(1024, 16, 1, 1, -1).options(&"b:1".into(), 10));
        assert_eq!(few.limit.bytes, Some(1_000_000));
    }

    #[test]
    fn names_are_those_of_the_first_table() {
        assert_eq!(CHOSEN[0].name(), "produce 1 KiB, 16 KiB batches, 16 partitions, 4 connections, MB/s");
        assert_eq!(CHOSEN[3].name(), "produce 100 B, 16 KiB batches, 1 partition, 1 connection, MB/s");
        assert_eq!(CHOSEN[2].name(), "produce 1 KiB, 16 KiB batches, 1,000 partitions, 4 connections, MB/s");
    }
}
