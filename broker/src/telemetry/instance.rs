//! One client that pushes metrics: when it may ask and push, and what it has pushed. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::otlp::{Sample, escape};
use super::subscriptions::Subscriptions;
use super::{Identity, Shown, Terms};
use crate::limits::{CLIENT_FORGOTTEN_AFTER, CLIENT_TEXT_BYTES_MAX};

/// Memory of one value beside its texts.
const SERIES_BYTES: usize = 128;

/// Why a request is refused, in the order in which Kafka looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The client said before that this would be its last push.
    #[error("the client has said that it ends")]
    Ended,
    /// The interval is not over.
    #[error("the interval is not over")]
    TooEarly,
    /// The subscription has changed, or never was.
    #[error("the subscription is not known")]
    UnknownSubscription,
    /// No codec has this number.
    #[error("no codec has this number")]
    UnknownCodec,
    /// Above `telemetry.max.bytes`.
    #[error("there are more bytes than telemetry.max.bytes")]
    TooLarge,
}

/// One client.
pub(super) struct Instance {
    labels: String,
    version: u64,
    terms: Terms,
    asked: Option<Duration>,
    pushed: Option<Duration>,
    heard: Duration,
    has_ended: bool,
    /// By name and labels.
    series: BTreeMap<(String, String), f64>,
    bytes: usize,
}

impl Instance {
    pub(super) fn new(identity: &Identity<'_>, subscriptions: &Subscriptions) -> Self {
        Self {
            labels: labels(identity),
            version: subscriptions.version,
            terms: subscriptions.terms(identity),
            asked: None,
            pushed: None,
            heard: Duration::ZERO,
            has_ended: false,
            series: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// Of the subscriptions that its terms are by.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn heard(&mut self, now: Duration) {
        self.heard = now;
    }

    pub(super) fn last_heard(&self) -> Duration {
        self.heard
    }

    /// Three intervals without a word, and a minute at least, as in Kafka.
    pub(super) fn is_forgotten(&self, now: Duration) -> bool {
        now.saturating_sub(self.heard) > CLIENT_FORGOTTEN_AFTER.max(self.terms.interval * 3)
    }

    pub(super) fn ask(&mut self, now: Duration) -> Result<Terms, Refusal> {
        let last = self.asked.max(self.pushed);
        if last.is_some_and(|last| now.saturating_sub(last) < self.terms.interval) {
            return Err(Refusal::TooEarly);
        }
        self.asked = Some(now);
        Ok(self.terms.clone())
    }

    /// The first push after an answer may come at any time: clients put it off by chance.
    pub(super) fn admit(
        &mut self,
        now: Duration,
        subscription_id: i32,
        is_terminating: bool,
        wrong: Option<Refusal>,
    ) -> Result<(), Refusal> {
        let had_ended = std::mem::replace(&mut self.has_ended, is_terminating);
        if had_ended {
            return Err(Refusal::Ended);
        }
        let is_due = self.asked > self.pushed
            || self.pushed.is_none_or(|pushed| now.saturating_sub(pushed) >= self.terms.interval);
        if is_due {
            self.pushed = Some(now);
        } else if !is_terminating {
            return Err(Refusal::TooEarly);
        }
        if subscription_id != self.terms.subscription_id {
            return Err(Refusal::UnknownSubscription);
        }
        wrong.map_or(Ok(()), Err)
    }

    /// Takes values, as long as all of them take at most `room` bytes; how many are left out.
    pub(super) fn take(&mut self, samples: Vec<Sample>, room: usize) -> u64 {
        let mut left_out = 0;
        for sample in samples {
            let cost = SERIES_BYTES + sample.name.len() + sample.labels.len();
            let key = (sample.name, sample.labels);
            if let Some(value) = self.series.get_mut(&key) {
                *value = if sample.is_delta { *value + sample.value } else { sample.value };
            } else if self.series.len() < crate::limits::CLIENT_SERIES_MAX && self.bytes + cost <= room {
                self.bytes += cost;
                self.series.insert(key, sample.value);
            } else {
                left_out += 1;
            }
        }
        left_out
    }

    /// Memory of its values.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn series(&self) -> usize {
        self.series.len()
    }

    pub(super) fn shown(&self) -> Shown {
        let series = self.series.iter().map(|((name, labels), value)| (name.clone(), labels.clone(), *value));
        Shown { labels: self.labels.clone(), series: series.collect() }
    }
}

fn labels(identity: &Identity<'_>) -> String {
    let software = identity.software;
    let mut labels = String::new();
    for (name, value) in [
        ("client_instance_id", &*identity.instance_name()),
        ("client_id", identity.client_id),
        ("client_software_name", software.map_or("", |software| &*software.name)),
        ("client_software_version", software.map_or("", |software| &*software.version)),
        ("client_source_address", &*identity.peer.ip().to_string()),
        ("principal", identity.principal),
    ] {
        let separator = if labels.is_empty() { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = write!(labels, "{separator}{name}=\"{}\"", escape(value, CLIENT_TEXT_BYTES_MAX));
    }
    labels
}
