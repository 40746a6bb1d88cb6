//! How long files and functions are. The limits are a ratchet: what exceeds them is listed, and may only shrink.

use crate::source::{Source, nothing_in, rust};

/// Lines of a file without its test module.
const FILE_SOFT: usize = 400;
const FILE_HARD: usize = 700;
/// Lines of a function, its signature and comments included.
const FUNCTION_SOFT: usize = 40;

/// Files above the soft limit, each with the reason and the length it may not exceed.
const LONG_FILES: [(&str, usize, &str); 0] = [];

/// Functions above the soft limit in the whole workspace. clippy holds each below 70.
const LONG_FUNCTIONS_MAX: usize = 33;

/// A file's lines and how many it may have: tests are only held to the hard limit.
fn lines(source: &Source) -> (usize, usize) {
    if source.bare().is_empty() {
        (source.text.lines().count(), FILE_HARD)
    } else {
        (source.bare().lines().count(), FILE_SOFT)
    }
}

#[test]
fn no_file_is_too_long() {
    let mut findings = Vec::new();
    for source in rust() {
        let (lines, most) = lines(&source);
        let listed = LONG_FILES.iter().find(|(path, ..)| *path == source.path);
        let most = listed.map_or(most, |(_, most, _)| *most);
        if lines > most || lines > FILE_HARD {
            findings.push(format!("{}: {lines} lines, {most} allowed: split it by noun", source.path));
        }
        if listed.is_some() && lines <= FILE_SOFT {
            findings.push(format!("{} is short enough again: take it off the list", source.path));
        }
    }
    for (path, _, reason) in LONG_FILES {
        assert!(!reason.is_empty(), "{path} needs a reason");
    }
    nothing_in(&findings);
}

/// Functions of a formatted file: a line with `fn`, up to the brace of its own indentation.
fn functions(text: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = &line[..line.len() - code.len()];
        let is_function = ["fn ", "pub fn ", "async fn ", "pub async fn ", "const fn ", "pub const fn "];
        let is_function = is_function.iter().any(|form| code.starts_with(form))
            || code.starts_with("pub(") && code.split_once(") ").is_some_and(|(_, rest)| rest.contains("fn "));
        if is_function && !line.ends_with(';') && !line.ends_with('}') {
            let end = format!("{indent}}}");
            if let Some(length) = lines[start..].iter().position(|line| **line == end) {
                found.push((code, length + 1));
            }
        }
    }
    found
}

#[test]
fn few_functions_are_long() {
    let sources = rust();
    let mut long: Vec<String> = Vec::new();
    for source in &sources {
        for (name, length) in functions(&source.text) {
            if length > FUNCTION_SOFT {
                long.push(format!("{length:>4} {} {name}", source.path));
            }
        }
    }
    long.sort();
    assert!(long.len() <= LONG_FUNCTIONS_MAX, "{} functions above {FUNCTION_SOFT}:\n{}", long.len(), long.join("\n"));
}

#[test]
fn functions_are_measured_from_signature_to_closing_brace() {
    let text = "impl X {\n    pub(crate) fn a(\n        x: u8,\n    ) -> u8 {\n        x\n    }\n    fn b() {}\n}\n";
    assert_eq!(functions(text), [("pub(crate) fn a(", 5)]);
}
