//! What consumers were told: K8 watermarks never go back and cover what was acknowledged, K9 no record is skipped.

use std::collections::BTreeMap;

use super::View;
use crate::history::{Moment, Outcome, Poll};

pub(super) fn check(view: &View<'_>, found: &mut Vec<String>) {
    let mut partitions: BTreeMap<(usize, i32), Vec<&Poll>> = BTreeMap::new();
    for poll in &view.history.polls {
        without_gaps(poll, found);
        if !view.may_have_lost(poll.topic) {
            partitions.entry((poll.topic, poll.partition)).or_default().push(poll);
        }
    }
    for ((topic, partition), polls) in &partitions {
        let facts = facts(view, *topic, *partition, polls);
        watermarks(polls, &facts, found);
    }
}

fn place(poll: &Poll) -> String {
    format!("t{} p{}, consumer {}", poll.topic, poll.partition, poll.consumer)
}

fn without_gaps(poll: &Poll, found: &mut Vec<String>) {
    for ((offset, _), due) in poll.records.iter().zip(poll.from..) {
        if *offset != due {
            found.push(format!("poll-skip (K9): {} got offset {offset} where {due} was due", place(poll)));
            return;
        }
    }
    if poll.records.last().is_some_and(|(last, _)| *last >= poll.high_watermark) {
        let high_watermark = poll.high_watermark;
        found.push(format!("uncommitted-read (K8): {} read beyond high watermark {high_watermark}", place(poll)));
    }
}

/// What is known from a moment on: the high watermark and the log start are at least this.
struct Fact {
    since: Moment,
    high_watermark: i64,
    log_start: i64,
}

fn facts(view: &View<'_>, topic: usize, partition: i32, polls: &[&Poll]) -> Vec<Fact> {
    let of_poll =
        |poll: &&Poll| Fact { since: poll.done, high_watermark: poll.high_watermark, log_start: poll.log_start };
    let mut facts: Vec<Fact> = polls.iter().map(of_poll).collect();
    for send in view.history.sends.iter().filter(|send| (send.topic, send.partition) == (topic, partition)) {
        if let Outcome::Ok(Some(base)) = send.outcome
            && send.acks == -1
            && view.binds(send)
        {
            let end = base + i64::try_from(send.count).unwrap_or(0);
            facts.push(Fact { since: send.done, high_watermark: end, log_start: 0 });
        }
    }
    facts.sort_by_key(|fact| fact.since);
    facts
}

fn watermarks(polls: &[&Poll], facts: &[Fact], found: &mut Vec<String>) {
    let mut polls = polls.to_vec();
    polls.sort_by_key(|poll| poll.invoked);
    let (mut facts, mut high_watermark, mut log_start) = (facts.iter().peekable(), 0, 0);
    for poll in polls {
        while let Some(fact) = facts.next_if(|fact| fact.since < poll.invoked) {
            high_watermark = high_watermark.max(fact.high_watermark);
            log_start = log_start.max(fact.log_start);
        }
        if poll.high_watermark < high_watermark {
            let seen = poll.high_watermark;
            found.push(format!("stale-watermark (K8): {} saw {seen}, {high_watermark} was known", place(poll)));
        }
        if poll.log_start < log_start {
            let seen = poll.log_start;
            found.push(format!(
                "log-start-back: {} saw a log that starts at {seen}, {log_start} was known",
                place(poll)
            ));
        }
    }
}
