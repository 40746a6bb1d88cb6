use std::collections::BTreeSet;

use super::*;
use crate::setting::{Allowed, Change, Kind, State};

/// Defaults of ours where Kafka has none or another, for the reasons of `load.rs`.
const OTHER_DEFAULTS: [(&str, &str, &str); 6] = [
    ("process.roles", "<required>", "broker,controller"),
    ("node.id", "<required>", "1"),
    ("controller.listener.names", "<required>", "CONTROLLER"),
    ("broker.id", "-1", "null"),
    // GSSAPI is not built in unless asked for. Before a login nobody needs half a mebibyte.
    ("sasl.enabled.mechanisms", "GSSAPI", "SCRAM-SHA-256,SCRAM-SHA-512"),
    ("sasl.server.max.receive.size", "524288", "65536"),
];

fn kafkas_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "BOOLEAN",
        Kind::Short => "SHORT",
        Kind::Int => "INT",
        Kind::Long => "LONG",
        Kind::Double => "DOUBLE",
        Kind::Text => "STRING",
        Kind::Class => "CLASS",
        Kind::Password => "PASSWORD",
        Kind::List => "LIST",
    }
}

fn kafkas_range(allowed: Allowed) -> String {
    match allowed {
        Allowed::Any => String::new(),
        Allowed::Range { min, max: i64::MAX, also: None } => format!("[{min},...]"),
        Allowed::Range { min, max, also: None } => format!("[{min},...,{max}]"),
        Allowed::Range { min, max, also: Some(also) } => format!("[{min},...,{max}] or {also}"),
        Allowed::OneOf(words) => format!("[{}]", words.join(", ")),
        Allowed::OneOfAnyCase(words) => format!("(case insensitive) [{}]", words.join(", ")),
    }
}

fn kafkas_mode(change: Change) -> &'static str {
    match change {
        Change::Restart => "read-only",
        Change::PerBroker => "per-broker",
        Change::ClusterWide => "cluster-wide",
    }
}

fn all() -> impl Iterator<Item = &'static Setting> {
    BROKER.iter().flat_map(|(_, rows)| rows.iter())
}

#[test]
fn every_row_states_what_apache_kafka_states() {
    for line in include_str!("kafka-4.3.1.tsv").lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [scope, name, kind, default, range, mode] = columns[..] else { panic!("columns of {line}") };
        let row = if scope == "topic" { topic(name) } else { broker(name) }.unwrap_or_else(|| panic!("no row {name}"));
        let ours = OTHER_DEFAULTS.iter().find(|(other, kafkas, _)| *other == name && *kafkas == default);
        let default = ours.map_or(default, |(_, _, ours)| ours);
        assert_eq!(kafkas_word(row.kind), kind, "type of {name}");
        assert_eq!(row.default.unwrap_or("null"), default_as_text(row, default), "default of {name}");
        assert_eq!(kafkas_range(row.allowed), range, "range of {name}");
        assert_eq!(kafkas_mode(row.change), mode, "change of {name}");
    }
}

/// A row that falls back to another setting has no default of its own.
fn default_as_text<'a>(row: &Setting, default: &'a str) -> &'a str {
    if row.falls_back_to.is_some() && row.default.is_none() { "null" } else { default }
}

#[test]
fn names_are_unique() {
    let mut seen = BTreeSet::new();
    for row in all() {
        assert!(seen.insert(row.name), "{} stands twice", row.name);
    }
    let topics: BTreeSet<_> = TOPIC.iter().map(|row| row.name).collect();
    assert_eq!(topics.len(), TOPIC.len());
}

#[test]
fn every_default_satisfies_its_own_row() {
    for row in all().chain(TOPIC) {
        if let Some(default) = row.default {
            assert_eq!(row.check(default), Ok(()), "{}", row.name);
        }
    }
}

#[test]
fn every_row_is_documented_in_a_sentence() {
    for row in all().chain(TOPIC) {
        assert!(row.doc().ends_with('.') && row.doc().len() > 10, "{}", row.name);
    }
}

#[test]
fn every_fallback_exists_and_ends_in_a_default() {
    for row in all() {
        if let Some(other) = row.falls_back_to {
            let other = broker(other).unwrap();
            assert!(row.default.is_some() || other.default.is_some(), "{}", row.name);
            assert_eq!(row.kind, other.kind, "{}", row.name);
        }
    }
}

#[test]
fn keys_of_listeners_and_retired_families_find_their_rows() {
    assert_eq!(of_key("listener.name.internal.ssl.client.auth").unwrap().name, "ssl.client.auth");
    assert_eq!(of_key("listener.name.ext.scram-sha-256.sasl.jaas.config").unwrap().name, "sasl.jaas.config");
    assert_eq!(of_key("zookeeper.connect").unwrap().state, State::Retired);
    assert!(of_key("listener.name.x.nonsense").is_none() && of_key("zoo").is_none());
}
