//! What producers were told against the log: K2 lost writes, K3 unseen by consumers, K7 real-time order.

use std::collections::{BTreeMap, HashSet};

use super::View;
use super::log::Logs;
use crate::client::scan::SCANS_FROM;
use crate::history::{Outcome, Send};

pub(super) fn check(view: &View<'_>, logs: &Logs, found: &mut Vec<String>) {
    let binding: Vec<&Send> =
        view.history.sends.iter().filter(|send| matches!(send.outcome, Outcome::Ok(_)) && view.binds(send)).collect();
    for send in &binding {
        nothing_lost(send, logs, found);
    }
    all_seen(view, &binding, found);
    real_time_order(&binding, found);
}

fn place(send: &Send) -> String {
    format!("{} x{} at t{} p{}", send.first, send.count, send.topic, send.partition)
}

fn nothing_lost(send: &Send, logs: &Logs, found: &mut Vec<String>) {
    let Outcome::Ok(Some(base)) = send.outcome else { return };
    let log = logs.of(send);
    let mut offset = base;
    for sequence in send.first.sequence..send.first.sequence + send.count {
        match log.records.get(&offset) {
            None if offset >= log.start => {
                found.push(format!("lost-write (K2): {} offset {offset} is not there", place(send)));
                return;
            }
            Some(value) if value.producer != send.first.producer || value.sequence != sequence => {
                found.push(format!("inconsistent-offsets (K1): {} offset {offset} is {value}", place(send)));
                return;
            }
            _ => offset += 1,
        }
    }
}

/// Every acknowledged record was read by some consumer, where nothing is retained away before.
fn all_seen(view: &View<'_>, binding: &[&Send], found: &mut Vec<String>) {
    let watched: HashSet<usize> = view.plan.consumers.iter().map(|consumer| consumer.topic).collect();
    let mut seen = HashSet::new();
    for poll in view.history.polls.iter().filter(|poll| poll.consumer < SCANS_FROM) {
        seen.extend(poll.records.iter().map(|(_, value)| (poll.topic, poll.partition, *value)));
    }
    for send in binding {
        let kept = view.plan.topics[send.topic].retention_bytes.is_none() && !view.may_have_lost(send.topic);
        if kept && watched.contains(&send.topic) && !seen.contains(&(send.topic, send.partition, send.first)) {
            found.push(format!("unseen (K3): {}", place(send)));
        }
    }
}

/// What is sent after another send was acknowledged gets a higher offset.
fn real_time_order(binding: &[&Send], found: &mut Vec<String>) {
    let mut partitions: BTreeMap<(usize, i32), Vec<(&Send, i64)>> = BTreeMap::new();
    for send in binding {
        if let Outcome::Ok(Some(base)) = send.outcome {
            partitions.entry((send.topic, send.partition)).or_default().push((send, base));
        }
    }
    for sends in partitions.values_mut() {
        let mut by_done = sends.clone();
        by_done.sort_by_key(|(send, _)| send.done);
        sends.sort_by_key(|(send, _)| send.invoked);
        let (mut acknowledged, mut highest) = (by_done.iter().peekable(), -1);
        for (send, base) in sends.iter() {
            while let Some((earlier, at)) = acknowledged.next_if(|(earlier, _)| earlier.done < send.invoked) {
                highest = highest.max(at + i64::try_from(earlier.count).unwrap_or(0) - 1);
            }
            if *base <= highest {
                found.push(format!("nonmonotonic-send (K7): {} got {base}, {highest} was given before", place(send)));
            }
        }
    }
}
