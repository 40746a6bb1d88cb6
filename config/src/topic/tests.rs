use std::path::Path;

use super::*;
use crate::ConfigSources;

fn overrides(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn broker(assignments: &[&str]) -> Config {
    let read_file = |_: &Path| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    let assignments = assignments.iter().map(|one| (*one).to_owned()).collect();
    let sources = ConfigSources { files: vec![], environment: vec![], assignments, read_file: &read_file };
    Config::load(&sources).unwrap().0
}

fn number(assignments: &[&str], pairs: &[(&str, &str)], name: &'static str) -> i64 {
    TopicConfig::resolve(&broker(assignments), &overrides(pairs)).number(name)
}

fn refusal(name: &str, value: &str) -> String {
    TopicConfig::validate(&overrides(&[(name, value)])).unwrap_err().0
}

#[test]
fn refusals_are_worded_as_kafka_words_them() {
    assert_eq!(refusal("retention", "1"), "Unknown topic config name: retention");
    assert_eq!(
        refusal("retention.ms", "week"),
        "Invalid value week for configuration retention.ms: Not a number of type LONG"
    );
    assert_eq!(
        refusal("segment.bytes", "1"),
        "Invalid value 1 for configuration segment.bytes: Value must be at least 1048576"
    );
    assert_eq!(
        refusal("cleanup.policy", "shred"),
        "Invalid value shred for configuration cleanup.policy: String must be one of: compact, delete"
    );
    assert_eq!(
        refusal("preallocate", "yes"),
        "Invalid value yes for configuration preallocate: Expected value to be either true or false"
    );
}

#[test]
fn lags_that_contradict_each_other_are_refused() {
    let pairs = overrides(&[("min.compaction.lag.ms", "10"), ("max.compaction.lag.ms", "5")]);
    assert!(TopicConfig::validate(&pairs).unwrap_err().0.starts_with("conflict topic config setting"));
}

#[test]
fn valid_overrides_pass() {
    let pairs = [("cleanup.policy", "compact, delete"), ("retention.ms", "-1"), ("durability.mode", "os")];
    assert_eq!(TopicConfig::validate(&overrides(&pairs)), Ok(()));
}

#[test]
fn milliseconds_beat_minutes_beat_hours() {
    assert_eq!(number(&[], &[], "retention.ms"), 604_800_000);
    assert_eq!(number(&["log.retention.hours=1"], &[], "retention.ms"), HOUR_MS);
    assert_eq!(number(&["log.retention.hours=1", "log.retention.minutes=2"], &[], "retention.ms"), 2 * MINUTE_MS);
    let all = ["log.retention.hours=1", "log.retention.minutes=2", "log.retention.ms=3"];
    assert_eq!(number(&all, &[], "retention.ms"), 3);
    assert_eq!(number(&all, &[("retention.ms", "4")], "retention.ms"), 4);
    assert_eq!(number(&["log.retention.hours=-1"], &[], "retention.ms"), -1);
    assert_eq!(number(&["log.roll.hours=2"], &[], "segment.ms"), 2 * HOUR_MS);
    assert_eq!(number(&["log.roll.hours=2", "log.roll.ms=5"], &[], "segment.ms"), 5);
}

#[test]
fn broker_settings_of_the_same_or_another_name_are_taken() {
    assert_eq!(number(&["message.max.bytes=77"], &[], "max.message.bytes"), 77);
    assert_eq!(number(&["log.segment.bytes=2097152"], &[], "segment.bytes"), 2_097_152);
    assert_eq!(number(&["min.insync.replicas=2"], &[], "min.insync.replicas"), 2);
}

#[test]
fn an_override_that_was_never_valid_gives_way() {
    assert_eq!(number(&["message.max.bytes=77"], &[("max.message.bytes", "many")], "max.message.bytes"), 77);
}

#[test]
fn durability_follows_the_nearest_word() {
    let mode = |assignments: &[&str], pairs: &[(&str, &str)]| {
        let config = TopicConfig::resolve(&broker(assignments), &overrides(pairs));
        (config.text("durability.mode").to_owned(), config.number("durability.interval.ms"))
    };
    let is = |mode: &str, interval: i64| (mode.to_owned(), interval);
    assert_eq!(mode(&[], &[]), is("group", 1000));
    assert_eq!(mode(&["log.durability.mode=os"], &[]), is("os", 1000));
    assert_eq!(mode(&["log.durability.mode=os"], &[("flush.messages", "1")]), is("group", 1000));
    assert_eq!(mode(&["log.flush.interval.messages=1"], &[("flush.ms", "50")]), is("interval", 50));
    assert_eq!(mode(&["log.flush.interval.ms=40"], &[]), is("interval", 40));
    assert_eq!(mode(&["log.flush.interval.ms=40", "log.durability.mode=group"], &[]), is("group", 1000));
    assert_eq!(mode(&["log.durability.interval.ms=9"], &[("durability.mode", "interval")]), is("interval", 9));
    assert_eq!(mode(&[], &[("durability.mode", "os"), ("flush.messages", "1")]), is("os", 1000));
}

#[test]
fn every_synonym_is_a_broker_setting_and_its_topic_setting_exists() {
    for (topic, synonyms) in SYNONYMS {
        assert!(table::topic(topic).is_some(), "{topic}");
        for (name, _) in synonyms {
            assert!(table::broker(name).is_some(), "{name}");
        }
    }
}

#[test]
fn every_number_setting_reads_as_a_number() {
    use crate::setting::Kind;
    let config = TopicConfig::resolve(&Config::dev(), &BTreeMap::new());
    for setting in table::TOPIC {
        if matches!(setting.kind, Kind::Short | Kind::Int | Kind::Long) {
            let _ = config.number(setting.name);
        }
    }
}
