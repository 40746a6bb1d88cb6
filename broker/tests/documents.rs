//! APIS.md is written from the table of APIs and the heads of their files. `UPDATE=1 cargo test -p barnabas-broker` writes
//! it again; without it a difference fails.
#![allow(clippy::disallowed_methods, reason = "the test reads the crate's files and writes its document")]
#![allow(clippy::unwrap_used, reason = "a test that cannot read the crate must fail")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use barnabas_broker::api::{Need, Row, RunsOn, Versions, table};

const HEAD: &str = "# APIs\n\n\
Written from the table of APIs and the heads of their files by a test of this crate: do not edit. What is not here is not\n\
served, and not advertised.\n";

fn crate_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The head of the file of one API: the `//!` lines, without their marks.
fn head(key: i16) -> String {
    let marker = format!("(key {key})");
    for family in std::fs::read_dir(crate_path("src/api")).unwrap() {
        let Ok(files) = std::fs::read_dir(family.unwrap().path()) else { continue };
        for file in files {
            let path = file.unwrap().path();
            let text = if path.is_file() { std::fs::read_to_string(path).unwrap() } else { String::new() };
            if text.lines().next().is_some_and(|first| first.contains(&marker)) {
                let head = text.lines().map_while(|line| line.strip_prefix("//!"));
                return head.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n");
            }
        }
    }
    panic!("no file of src/api begins with {marker}")
}

/// The text without the API's name, which is the heading.
fn body(head: &str) -> String {
    let (_, rest) = head.split_once("): ").unwrap();
    let (first, rest) = rest.split_at(1);
    first.to_uppercase() + rest
}

fn range(versions: Versions) -> String {
    format!("{} to {}", versions.min, versions.max)
}

fn needs(needs: &[Need]) -> String {
    let words: Vec<_> = needs.iter().map(|need| format!("{:?} on {:?}", need.operation, need.resource)).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

fn place(runs_on: RunsOn) -> &'static str {
    match runs_on {
        RunsOn::AnyBroker => "any broker",
        RunsOn::PartitionLeader => "the partition's leader",
        RunsOn::Coordinator => "the coordinator",
        RunsOn::Controller => "the controller",
    }
}

fn overview(row: &Row) -> String {
    let (served, advertised) = (range(row.versions), range(row.advertised));
    format!(
        "| {} | {} | {served} | {advertised} | {} | {} |\n",
        row.key,
        row.name,
        place(row.runs_on),
        needs(row.needs)
    )
}

#[test]
fn apis_md_is_the_table() {
    let mut text = HEAD.to_owned();
    text.push_str("\n| key | API | served | advertised | answered by | permissions |\n|---|---|---|---|---|---|\n");
    text.extend(table().iter().map(overview));
    for row in table() {
        write!(text, "\n## {}\n\n{}\n", row.name, body(&head(row.key))).unwrap();
    }
    let path = crate_path("APIS.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "APIS.md differs from the table: run UPDATE=1 cargo test -p barnabas-broker");
}
