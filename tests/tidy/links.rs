//! Documents point at what exists.

use std::path::Path;

use crate::source::{files, nothing_in, root};

/// The targets of a document's links, without those on the web or within the page.
fn targets(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("](") {
        let rest = &text[at + 2..];
        let target = rest.split(')').next().unwrap_or_default();
        let target = target.split('#').next().unwrap_or_default();
        if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
            found.push(target);
        }
    }
    found
}

#[test]
fn every_link_of_a_document_leads_somewhere() {
    let mut findings = Vec::new();
    for document in files(&["md"]) {
        let beside = root().join(&document.path);
        for target in targets(&document.text) {
            if !beside.parent().unwrap().join(target).exists() {
                findings.push(format!("{}: {target} does not exist", document.path));
            }
        }
    }
    nothing_in(&findings);
}

/// Paths in backticks, as `broker/src/main.rs`: those with a slash that begin with a room and have no placeholder.
fn named_paths(text: &str) -> impl Iterator<Item = &str> {
    const ROOMS: [&str; 7] = ["broker/", "storage/", "raft/", "auth/", "config/", "tests/", "benches/"];
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|named| ROOMS.iter().any(|room| named.starts_with(room)) && !named.contains(['<', '{', '*', ' ']))
}

#[test]
fn every_path_that_a_document_names_exists() {
    let mut findings = Vec::new();
    for document in files(&["md"]) {
        for named in named_paths(&document.text) {
            if !root().join(Path::new(named)).exists() {
                findings.push(format!("{}: {named} does not exist", document.path));
            }
        }
    }
    nothing_in(&findings);
}

#[test]
fn links_and_paths_are_found_in_a_text() {
    let text = "[a](b/c.md#d) ![an image](e/f.png) [w](https://x.y) `broker/src/x.rs` `broker/src/api/<family>/<api>.rs` `cargo run`";
    assert_eq!(targets(text), ["b/c.md", "e/f.png"]);
    assert_eq!(named_paths(text).collect::<Vec<_>>(), ["broker/src/x.rs"]);
}
