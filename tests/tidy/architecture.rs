//! ARCHITECTURE.md prints the ways through the house, hop by hop. Every hop is where it is said to be.
//!
//! A hop is a numbered line with a file and a function in backticks: "1. `file` `function`: what happens".

use std::collections::BTreeSet;

use crate::source::{nothing_in, root};

/// The ways that must be printed, by their headings.
const WAYS: [&str; 5] = [
    "### The way of a produce",
    "#### The way back of its acknowledgement",
    "### The way of a fetch",
    "### The way of a group join",
    "### The way of a topic creation",
];

/// Files that a produce may pass, from the socket to the disk.
const PRODUCE_FILES_MAX: usize = 8;

fn document() -> String {
    std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap()
}

/// The hops below one heading.
fn hops<'a>(text: &'a str, heading: &str) -> Vec<(&'a str, &'a str)> {
    let Some((_, after)) = text.split_once(heading) else { return Vec::new() };
    after.lines().skip(1).take_while(|line| !line.starts_with('#')).filter_map(hop).collect()
}

fn hop(line: &str) -> Option<(&str, &str)> {
    let (number, rest) = line.split_once(". `")?;
    if !number.chars().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (file, rest) = rest.split_once("` `")?;
    Some((file, rest.split_once('`')?.0))
}

#[test]
fn every_hop_of_every_way_is_where_it_is_said_to_be() {
    let text = document();
    let mut findings = Vec::new();
    for way in WAYS {
        let hops = hops(&text, way);
        if hops.len() < 3 {
            findings.push(format!("ARCHITECTURE.md does not print {way}"));
        }
        for (file, function) in hops {
            let source = std::fs::read_to_string(root().join(file)).unwrap_or_default();
            let named = function.rsplit("::").next().unwrap_or_default();
            if ![" ", "<", "("].iter().any(|after| source.contains(&format!("fn {named}{after}"))) {
                findings.push(format!("{way}: {file} has no function {named}"));
            }
        }
    }
    nothing_in(&findings);
}

#[test]
fn a_produce_passes_few_files() {
    let text = document();
    let files: BTreeSet<_> = hops(&text, WAYS[0]).into_iter().map(|(file, _)| file).collect();
    assert!(files.len() <= PRODUCE_FILES_MAX, "{files:?}");
}

#[test]
fn a_hop_is_a_numbered_line_with_a_file_and_a_function() {
    assert_eq!(hop("12. `a/b.rs` `x::y`: why"), Some(("a/b.rs", "x::y")));
    assert_eq!(hop("- `a/b.rs` `y`"), None);
    assert_eq!(hop("text. `a` `b`"), None);
}
