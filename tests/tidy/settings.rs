//! A setting that is called honoured is read by somebody.

use barnabas_config::setting::{Setting, State};
use barnabas_config::{table, topic};

use crate::source::{Source, nothing_in, rust};

/// The constants of `config/src/key.rs`: identifier and setting.
fn keys(sources: &[Source]) -> Vec<(&str, &str)> {
    let file = sources.iter().find(|source| source.path == "config/src/key.rs").unwrap();
    file.text
        .lines()
        .filter_map(|line| {
            let (identifier, rest) = line.trim().strip_suffix("\";")?.split_once(": ")?;
            Some((identifier, rest.split_once(" = \"")?.1))
        })
        .collect()
}

/// Code of these rooms, without tests.
fn code_of<'a>(sources: &'a [Source], folders: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let of_folders = |source: &&Source| folders.iter().any(|folder| source.path.starts_with(folder));
    sources.iter().filter(of_folders).map(Source::bare)
}

fn honoured(rows: &'static [Setting]) -> impl Iterator<Item = &'static Setting> {
    rows.iter().filter(|setting| setting.state == State::Honoured)
}

#[test]
fn every_key_is_read() {
    let sources = rust();
    let readers = ["broker/src/", "config/src/checks.rs", "config/src/load.rs"];
    let findings: Vec<_> = keys(&sources)
        .into_iter()
        .filter(|(identifier, _)| {
            let used = format!("key::{identifier}");
            let is_used =
                |code: &str| code.match_indices(&used).any(|(at, _)| !code[at + used.len()..].starts_with('_'));
            !code_of(&sources, &readers).any(is_used)
        })
        .map(|(identifier, name)| {
            format!("nothing reads key::{identifier} ({name}): remove it, and honoured from its row")
        })
        .collect();
    nothing_in(&findings);
}

#[test]
fn every_honoured_topic_setting_is_read() {
    let sources = rust();
    let findings: Vec<_> = honoured(table::TOPIC)
        .filter(|setting| {
            let literal = format!("\"{}\"", setting.name);
            !code_of(
                &sources,
                &["broker/src/", "config/src/topic.rs", "raft/src/controller/", "raft/src/metadata/topics.rs"],
            )
            .any(|code| code.contains(&literal))
        })
        .map(|setting| format!("nothing reads the topic setting {}", setting.name))
        .collect();
    nothing_in(&findings);
}

#[test]
fn every_honoured_broker_setting_has_a_key_or_speaks_for_one_that_has() {
    let sources = rust();
    let keys = keys(&sources);
    let config =
        ["config/src/checks.rs", "config/src/topic.rs", "config/src/load.rs", "broker/src/tls/", "broker/src/server/"];
    let mut findings = Vec::new();
    for setting in table::BROKER.iter().flat_map(|(_, rows)| honoured(rows)) {
        let name = setting.name;
        let has_key = keys.iter().any(|(_, named)| *named == name);
        let of_topic = honoured(table::TOPIC)
            .any(|row| topic::broker_synonyms(row.name).iter().any(|(synonym, _)| *synonym == name));
        let is_fallback = keys.iter().any(|(_, named)| table::broker(named).unwrap().falls_back_to == Some(name));
        let literal = format!("\"{name}\"");
        if !(has_key || of_topic || is_fallback || code_of(&sources, &config).any(|code| code.contains(&literal))) {
            findings.push(format!("{name} is called honoured, and nothing reads it"));
        }
    }
    nothing_in(&findings);
}
