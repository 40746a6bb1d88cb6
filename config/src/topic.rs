//! The effective settings of one topic: its own overrides over the broker's values and defaults.
//!
//! Where it differs from Apache Kafka: `durability.mode` says when an acknowledged batch is on disk; `flush.messages=1`
//! and an explicit `flush.ms` are read as `group` and `interval` when no mode is given.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::setting::{Kind, Setting, list};
use crate::table;

/// The effective settings of one topic.
#[derive(Clone, Debug)]
pub struct TopicConfig {
    values: BTreeMap<&'static str, String>,
}

/// Why a topic setting was refused: the message is Kafka's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTopicConfig(pub String);

/// The broker settings that speak for a topic setting, strongest first, each with its unit in the topic's unit. A topic
/// setting that is not here has one of the same name, or none.
const SYNONYMS: [(&str, &[(&str, i64)]); 23] = [
    ("cleanup.policy", &[("log.cleanup.policy", 1)]),
    ("delete.retention.ms", &[("log.cleaner.delete.retention.ms", 1)]),
    ("durability.interval.ms", &[("log.durability.interval.ms", 1)]),
    ("file.delete.delay.ms", &[("log.segment.delete.delay.ms", 1)]),
    ("flush.messages", &[("log.flush.interval.messages", 1)]),
    ("flush.ms", &[("log.flush.interval.ms", 1), ("log.flush.scheduler.interval.ms", 1)]),
    ("index.interval.bytes", &[("log.index.interval.bytes", 1)]),
    ("local.retention.bytes", &[("log.local.retention.bytes", 1)]),
    ("local.retention.ms", &[("log.local.retention.ms", 1)]),
    ("max.compaction.lag.ms", &[("log.cleaner.max.compaction.lag.ms", 1)]),
    ("max.message.bytes", &[("message.max.bytes", 1)]),
    ("message.timestamp.after.max.ms", &[("log.message.timestamp.after.max.ms", 1)]),
    ("message.timestamp.before.max.ms", &[("log.message.timestamp.before.max.ms", 1)]),
    ("message.timestamp.type", &[("log.message.timestamp.type", 1)]),
    ("min.cleanable.dirty.ratio", &[("log.cleaner.min.cleanable.ratio", 1)]),
    ("min.compaction.lag.ms", &[("log.cleaner.min.compaction.lag.ms", 1)]),
    ("preallocate", &[("log.preallocate", 1)]),
    ("retention.bytes", &[("log.retention.bytes", 1)]),
    (
        "retention.ms",
        &[("log.retention.ms", 1), ("log.retention.minutes", MINUTE_MS), ("log.retention.hours", HOUR_MS)],
    ),
    ("segment.bytes", &[("log.segment.bytes", 1)]),
    ("segment.index.bytes", &[("log.index.size.max.bytes", 1)]),
    ("segment.jitter.ms", &[("log.roll.jitter.ms", 1), ("log.roll.jitter.hours", HOUR_MS)]),
    ("segment.ms", &[("log.roll.ms", 1), ("log.roll.hours", HOUR_MS)]),
];

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

/// The broker settings behind a topic setting, strongest first, with the factor of their unit.
#[must_use]
pub fn broker_synonyms(name: &str) -> Vec<(&'static str, i64)> {
    if let Some((_, synonyms)) = SYNONYMS.iter().find(|(topic, _)| *topic == name) {
        return synonyms.to_vec();
    }
    table::broker(name).map(|setting| (setting.name, 1)).into_iter().collect()
}

impl TopicConfig {
    /// Checks names and values as CreateTopics does.
    ///
    /// # Errors
    /// The first offending setting, with Kafka's message.
    pub fn validate(overrides: &BTreeMap<String, String>) -> Result<(), InvalidTopicConfig> {
        let known = |name: &str| table::topic(name).is_some_and(|setting| !setting.is_retired());
        if let Some(name) = overrides.keys().find(|name| !known(name)) {
            return Err(InvalidTopicConfig(format!("Unknown topic config name: {name}")));
        }
        for (setting, value) in overrides.iter().filter_map(|(name, value)| Some((table::topic(name)?, value))) {
            check(setting, value)?;
        }
        let lag = |name| overrides.get(name).and_then(|text| text.trim().parse::<i64>().ok());
        let (min, max) = (lag("min.compaction.lag.ms").unwrap_or(0), lag("max.compaction.lag.ms").unwrap_or(i64::MAX));
        if min > max {
            return Err(InvalidTopicConfig(format!(
                "conflict topic config setting min.compaction.lag.ms ({min}) > max.compaction.lag.ms ({max})"
            )));
        }
        if overrides.get("remote.storage.enable").is_some_and(|text| text.trim().eq_ignore_ascii_case("true")) {
            return Err(InvalidTopicConfig(
                "Tiered Storage functionality is disabled in the broker. \
                 Topic cannot be configured with remote log storage."
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Resolves overrides over the broker's synonyms and defaults. Overrides are taken as validated; a value that is
    /// not is ignored in favour of the default.
    #[must_use]
    pub fn resolve(broker: &Config, overrides: &BTreeMap<String, String>) -> Self {
        let own = |name: &str| {
            let text = overrides.get(name)?;
            table::topic(name)?.check(text).is_ok().then(|| text.trim().to_owned())
        };
        let mut values = BTreeMap::new();
        for setting in table::TOPIC {
            let name = setting.name;
            let text = own(name).or_else(|| given_to_broker(broker, name)).or(setting.default.map(str::to_owned));
            values.insert(name, text.unwrap_or_default());
        }
        let (mode, interval_ms) = durability(broker, overrides);
        values.insert("durability.mode", mode);
        values.extend(interval_ms.map(|interval_ms| ("durability.interval.ms", interval_ms)));
        Self { values }
    }

    /// A number setting by its topic name, e.g. `segment.bytes`. Panics only for a name that is no number setting of
    /// the table, which a test excludes.
    #[must_use]
    pub fn number(&self, name: &'static str) -> i64 {
        self.text(name).parse().expect("invariant: number settings hold checked numbers")
    }

    /// A text setting by its topic name, e.g. `cleanup.policy`.
    #[must_use]
    pub fn text(&self, name: &'static str) -> &str {
        self.values.get(name).expect("invariant: every topic setting of the table is resolved")
    }
}

fn check(setting: &Setting, value: &str) -> Result<(), InvalidTopicConfig> {
    let name = setting.name;
    let refuse = |shown: &str, reason: &str| {
        Err(InvalidTopicConfig(format!("Invalid value {shown} for configuration {name}: {reason}")))
    };
    if let Err(reason) = setting.check(value) {
        // Kafka has read the number before it looks at its range. Rust reads words, too, that are no number to Java.
        return match value.trim().parse::<f64>() {
            Ok(number) if setting.kind == Kind::Double && number.is_finite() => refuse(&format!("{number:?}"), &reason),
            _ => refuse(setting.offending(value), &reason),
        };
    }
    let replica = |element: &str| {
        element.split_once(':').is_some_and(|(partition, broker)| is_digits(partition) && is_digits(broker))
    };
    if name.ends_with(".replication.throttled.replicas") && value.trim() != "*" && !list(value).all(replica) {
        let shown = format!("[{}]", list(value).collect::<Vec<_>>().join(", "));
        let form = "[partitionId]:[brokerId],[partitionId]:[brokerId],...";
        let reason = format!("{name} must be the literal '*' or a list of replicas in the following format: {form}");
        return refuse(&shown, &reason);
    }
    Ok(())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The strongest broker value that was given, in the topic's unit.
fn given_to_broker(broker: &Config, name: &str) -> Option<String> {
    let (text, unit) =
        broker_synonyms(name).into_iter().find_map(|(synonym, unit)| Some((broker.given(synonym)?, unit)))?;
    let in_unit = |number: i64| if number < 0 { -1 } else { number.saturating_mul(unit) };
    Some(if unit == 1 { text.to_owned() } else { in_unit(text.parse().unwrap_or(0)).to_string() })
}

/// The mode, and the interval if it comes from one of Kafka's settings. The topic's own words come before the
/// broker's, and at either place a mode comes before Kafka's flush settings.
fn durability(broker: &Config, overrides: &BTreeMap<String, String>) -> (String, Option<String>) {
    let own = |name: &str| overrides.get(name).map(|text| text.trim());
    let of_topic = chosen(own("durability.mode"), own("flush.messages"), own("flush.ms"));
    let of_broker = || {
        let (messages, ms) = (broker.given("log.flush.interval.messages"), broker.given("log.flush.interval.ms"));
        chosen(broker.given("log.durability.mode"), messages, ms)
    };
    of_topic.or_else(of_broker).unwrap_or_else(|| ("group".to_owned(), None))
}

fn chosen(
    mode: Option<&str>,
    flush_messages: Option<&str>,
    flush_ms: Option<&str>,
) -> Option<(String, Option<String>)> {
    if let Some(mode) = mode {
        return Some((mode.to_owned(), None));
    }
    if flush_messages == Some("1") {
        return Some(("group".to_owned(), None));
    }
    flush_ms.map(|interval| ("interval".to_owned(), Some(interval.to_owned())))
}

#[cfg(test)]
mod tests;
