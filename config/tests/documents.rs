//! SETTINGS.md and the example server.properties are written from the table. `UPDATE=1 cargo test -p barnabas-config`
//! writes them again; without it a difference fails.
#![allow(clippy::disallowed_methods, reason = "the test reads and writes the crate's own documents")]
#![allow(clippy::unwrap_used, reason = "a test that cannot read the crate must fail")]
use std::fmt::Write;
use std::path::{Path, PathBuf};

use barnabas_config::setting::{Allowed, Change, Setting, State};
use barnabas_config::{Config, ConfigSources, Source, table, topic};

const HEAD: &str = "# Settings\n\n\
Written from the table by a test of this crate: do not edit. Names, types, defaults and ranges are Apache Kafka 4.3's.\n\n\
**State**: *honoured* does what is said; *inert* is checked, kept and shown, but nothing reads it yet; *retired* is\n\
accepted with a warning. **Change**: *restart*, or in a running broker *per broker* or *cluster-wide*, as in Kafka.\n\
What is changed in a running broker and honoured takes effect at once; limits of connections, `ssl.*` and `sasl.*` for those that\n\
come later, a number of threads at the next start. Key and trust stores change for one listener, as `listener.name.NAME.ssl.keystore.location`.\n";

/// Settings that the example file sets; it shows the others as comments.
const EXAMPLE: [(&str, &str); 8] = [
    ("process.roles", "broker,controller"),
    ("node.id", "1"),
    ("listeners", "PLAINTEXT://127.0.0.1:9092"),
    ("log.dirs", "./barnabas-data"),
    ("offsets.topic.replication.factor", "1"),
    ("transaction.state.log.replication.factor", "1"),
    ("transaction.state.log.min.isr", "1"),
    ("num.partitions", "1"),
];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn matches_file(name: &str, expected: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path(name), expected).unwrap();
    }
    let found = std::fs::read_to_string(path(name)).unwrap_or_default();
    assert!(found == expected, "{name} differs from the table: run UPDATE=1 cargo test -p barnabas-config");
}

fn values(setting: &Setting) -> String {
    match setting.allowed {
        Allowed::Any => String::new(),
        Allowed::Range { min, max: i64::MAX, also: None } => format!("from {min}"),
        Allowed::Range { min, max, also } => {
            format!("{min} to {max}{}", also.map_or_else(String::new, |also| format!(", or {also}")))
        }
        Allowed::OneOf(words) | Allowed::OneOfAnyCase(words) => words.join(", "),
    }
}

fn row(setting: &Setting) -> String {
    let default = match (setting.default, setting.falls_back_to) {
        (Some(""), _) => "empty".to_owned(),
        (Some(default), _) => format!("`{default}`"),
        (None, Some(other)) => format!("that of {other}"),
        (None, None) => "none".to_owned(),
    };
    let change = match setting.change {
        _ if setting.at_start => "restart (Kafka: running)",
        Change::Restart => "restart",
        Change::PerBroker => "per broker",
        Change::ClusterWide => "cluster-wide",
    };
    let state = match setting.state {
        State::Honoured => "honoured",
        State::Inert => "inert",
        State::Retired => "retired",
    };
    let kind = format!("{:?}", setting.kind).to_lowercase();
    let values = values(setting);
    format!("| `{}` | {kind} | {default} | {values} | {change} | {state} | {} |\n", setting.name, setting.doc())
}

fn section(heading: &str, rows: &[Setting]) -> String {
    let body: String = rows.iter().map(row).collect();
    let head = "| name | type | default | values | change | state | what it is for |\n|---|---|---|---|---|---|---|\n";
    format!("\n## {heading}\n\n{head}{body}")
}

fn settings() -> String {
    let mut text = HEAD.to_owned();
    for (heading, rows) in table::BROKER {
        text.push_str(&section(heading, rows));
    }
    text.push_str(&section("Topics", table::TOPIC));
    text.push_str(&section("Groups' own", table::GROUP));
    text.push_str(&section("Subscriptions to clients' metrics", table::CLIENT_METRICS));
    text.push_str("\n## Broker settings behind the topics'\n\n");
    for setting in table::TOPIC {
        let synonyms: Vec<_> =
            topic::broker_synonyms(setting.name).iter().map(|(name, _)| format!("`{name}`")).collect();
        if !synonyms.is_empty() {
            writeln!(text, "- `{}`: {}", setting.name, synonyms.join(", then ")).unwrap();
        }
    }
    text
}

fn example() -> String {
    let mut text = "# An example for one node, written from the table of settings by a test of the config crate.\n\
                    # Lines with a # before the name show the default. SETTINGS.md has all settings.\n"
        .to_owned();
    for (heading, rows) in table::BROKER {
        let honoured: Vec<_> = rows.iter().filter(|setting| shown(setting)).collect();
        if !honoured.is_empty() {
            writeln!(text, "\n# ---- {heading}").unwrap();
        }
        for setting in honoured {
            writeln!(text, "\n# {}", setting.doc()).unwrap();
            match EXAMPLE.iter().find(|(name, _)| *name == setting.name) {
                Some((name, value)) => writeln!(text, "{name}={value}").unwrap(),
                None => writeln!(text, "#{}={}", setting.name, setting.default.unwrap_or_default()).unwrap(),
            }
        }
    }
    text
}

fn shown(setting: &Setting) -> bool {
    setting.state == State::Honoured || EXAMPLE.iter().any(|(name, _)| *name == setting.name)
}

#[test]
fn settings_md_is_the_table() {
    matches_file("SETTINGS.md", &settings());
}

#[test]
fn the_example_file_is_the_table_and_loads() {
    let text = example();
    matches_file("server.properties", &text);
    let read_file = |_: &Path| Ok(text.clone());
    let files = vec![path("server.properties")];
    let sources = ConfigSources { files, environment: Vec::new(), assignments: Vec::new(), read_file: &read_file };
    let (config, _) = Config::load(&sources).unwrap();
    for (name, value) in EXAMPLE {
        assert_eq!(config.text(name), Some(value));
        assert!(matches!(config.source(name), Source::File { .. }), "{name}");
    }
}

/// Files that a start takes as they are: nothing in them is unknown, wrong, or for more nodes than one.
#[test]
fn the_files_for_a_start_have_no_findings() {
    let of_a_machine = |path: &Path| path.starts_with("/etc/barnabas").then(|| "password=of admin".to_owned());
    let read_file = |path: &Path| of_a_machine(path).map_or_else(|| std::fs::read_to_string(path), Ok);
    let site = "../packaging/debian/site.properties";
    for names in [
        vec!["dev.properties"],
        vec!["single.properties"],
        vec!["single.properties", site],
        vec!["cluster.properties", "node.properties"],
    ] {
        let (name, files) = (names.join(" "), names.into_iter().map(path).collect());
        let sources = ConfigSources { files, environment: Vec::new(), assignments: Vec::new(), read_file: &read_file };
        let (config, warnings) = Config::load(&sources).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        let told: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert!(told.iter().all(|warning| warning.starts_with("accepted, but without effect")), "{name}: {told:?}");
        assert!(!config.listeners().is_empty(), "{name}");
    }
}
