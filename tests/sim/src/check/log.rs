//! What the log holds at the end: K1 one value an offset, K4 phantoms, K5 duplicates, K6 order of each producer.

use std::collections::{BTreeMap, HashMap};

use super::View;
use crate::client::payload::Value;
use crate::client::scan::SCANS_FROM;
use crate::history::{History, Outcome, Poll, Send};
use crate::plan::Plan;

/// One partition as it was scanned.
#[derive(Default)]
pub(super) struct Log {
    pub(super) start: i64,
    pub(super) bytes: u64,
    pub(super) records: BTreeMap<i64, Value>,
}

/// All partitions.
pub(super) struct Logs(BTreeMap<(usize, i32), Log>);

impl Logs {
    pub(super) fn of_scan(plan: &Plan, history: &History) -> Self {
        let mut logs = BTreeMap::new();
        for (topic, of) in plan.topics.iter().enumerate() {
            logs.extend((0..of.partitions).map(|partition| ((topic, partition), Log::default())));
        }
        for poll in history.polls.iter().filter(|poll| poll.consumer >= SCANS_FROM) {
            let log: &mut Log = logs.entry((poll.topic, poll.partition)).or_default();
            log.start = log.start.max(poll.log_start);
            log.bytes += poll.bytes;
            log.records.extend(poll.records.iter().copied());
        }
        Self(logs)
    }

    pub(super) fn of(&self, send: &Send) -> &Log {
        &self.0[&(send.topic, send.partition)]
    }
}

/// Finds the send that wrote a value.
struct Writers<'a>(HashMap<(usize, i32, u16), Vec<&'a Send>>);

impl<'a> Writers<'a> {
    fn of(history: &'a History) -> Self {
        let mut writers: HashMap<_, Vec<&Send>> = HashMap::new();
        for send in &history.sends {
            // Sequences of a producer rise along its sends.
            writers.entry((send.topic, send.partition, send.first.producer)).or_default().push(send);
        }
        Self(writers)
    }

    fn find(&self, topic: usize, partition: i32, value: Value) -> Option<&'a Send> {
        let sends = self.0.get(&(topic, partition, value.producer))?;
        let after = sends.partition_point(|send| send.first.sequence <= value.sequence);
        let send = sends.get(after.checked_sub(1)?)?;
        (value.sequence < send.first.sequence + send.count).then_some(*send)
    }
}

pub(super) fn check(view: &View<'_>, logs: &Logs, found: &mut Vec<String>) {
    let writers = Writers::of(view.history);
    one_value_an_offset(view, found);
    for poll in &view.history.polls {
        no_phantoms(&writers, poll, found);
    }
    for ((topic, partition), log) in &logs.0 {
        let place = format!("t{topic} p{partition}");
        no_duplicates(&writers, (*topic, *partition), log, found);
        in_order(&writers, (*topic, *partition), log, found);
        let plan = &view.plan.topics[*topic];
        match plan.retention_bytes {
            // A power cut may leave a later, empty file of a topic that is not synced, and none before it.
            None if log.start > 0 && !view.may_have_lost(*topic) => {
                found.push(format!("lost-start: {place} begins at {}, without retention", log.start))
            }
            Some(kept) if log.start > 0 && log.bytes < kept && !view.may_have_lost(*topic) => {
                found.push(format!("over-retention: {place} has {} bytes of the {kept} to be kept", log.bytes));
            }
            _ => {}
        }
    }
}

fn one_value_an_offset(view: &View<'_>, found: &mut Vec<String>) {
    let mut seen: HashMap<(usize, i32, i64), Value> = HashMap::new();
    for poll in view.history.polls.iter().filter(|poll| !view.may_have_lost(poll.topic)) {
        for (offset, value) in &poll.records {
            let first = seen.entry((poll.topic, poll.partition, *offset)).or_insert(*value);
            if first != value {
                let place = format!("t{} p{} offset {offset}", poll.topic, poll.partition);
                found.push(format!("inconsistent-offsets (K1): {place} was {first} and is {value}"));
            }
        }
    }
}

fn no_phantoms(writers: &Writers<'_>, poll: &Poll, found: &mut Vec<String>) {
    for (offset, value) in &poll.records {
        let place = format!("{value} at t{} p{} offset {offset}", poll.topic, poll.partition);
        match writers.find(poll.topic, poll.partition, *value) {
            None => found.push(format!("phantom (K4): nobody sent {place}")),
            Some(send) if send.invoked > poll.done => {
                found.push(format!("phantom (K4): {place} was read before it was sent"))
            }
            Some(send) if send.outcome == Outcome::Fail => {
                found.push(format!("refused-write (K4): {place} was refused"))
            }
            Some(_) => {}
        }
    }
}

fn no_duplicates(writers: &Writers<'_>, (topic, partition): (usize, i32), log: &Log, found: &mut Vec<String>) {
    let mut offsets: HashMap<Value, i64> = HashMap::new();
    for (offset, value) in &log.records {
        let Some(first) = offsets.insert(*value, *offset) else { continue };
        let send = writers.find(topic, partition, *value);
        if send.is_some_and(|send| send.idempotent || send.attempts < 2) {
            found.push(format!("duplicate (K5): {value} at t{topic} p{partition} offsets {first} and {offset}"));
        }
    }
}

/// Among acknowledged records of idempotent producers; what nobody was told of may come late, from an old connection.
fn in_order(writers: &Writers<'_>, (topic, partition): (usize, i32), log: &Log, found: &mut Vec<String>) {
    let mut last: HashMap<u16, u64> = HashMap::new();
    for (offset, value) in &log.records {
        let send = writers.find(topic, partition, *value);
        if !send.is_some_and(|send| send.idempotent && matches!(send.outcome, Outcome::Ok(_))) {
            continue;
        }
        let before = last.insert(value.producer, value.sequence);
        if before.is_some_and(|before| before > value.sequence) {
            let place = format!("t{topic} p{partition} offset {offset}");
            found.push(format!("reordered (K6): {value} at {place} follows sequence {}", before.unwrap_or(0)));
        }
    }
}
