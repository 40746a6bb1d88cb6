//! Words that do not belong into the repository, and calls that belong behind a seam.

use crate::source::{Source, files, nothing_in, rust};

/// Where the seams are, and what measures the machine itself: the crates that are ordinary programs, and the load client.
const OUTSIDE: [&str; 5] = ["storage/src/seam/", "broker/src/seam/", "broker/src/bench/", "tests/", "benches/"];

/// What only a seam may call.
const CALLS: [&str; 20] = [
    "Instant::now",
    "SystemTime::now",
    "thread::spawn",
    "thread::sleep",
    "tokio::spawn",
    "spawn_blocking",
    "rand::",
    "File::open",
    "File::create",
    "OpenOptions",
    "fs::read",
    "fs::write",
    "fs::create_dir",
    "fs::remove",
    "fs::rename",
    "fs::metadata",
    "TcpStream",
    "TcpListener",
    "env::var",
    "unbounded_channel",
];

/// The one file that reads the environment.
const ENVIRONMENT: &str = "broker/src/cli/environment.rs";

fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")).map(|(at, line)| (at + 1, line))
}

/// Whether the code has the call, and not as the end of a longer name.
fn calls(code: &str, call: &str) -> bool {
    let ends_a_name = |at: usize| code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
    code.match_indices(call).any(|(at, _)| !ends_a_name(at))
}

#[test]
fn a_call_is_found_but_not_in_a_longer_name() {
    assert!(
        calls("let file = File::create(path)", "File::create") && !calls("SegmentFile::create(path)", "File::create")
    );
}

#[test]
fn clocks_files_sockets_and_tasks_stay_behind_the_seams() {
    let mut findings = Vec::new();
    for source in rust().iter().filter(|source| !OUTSIDE.iter().any(|outside| source.path.starts_with(outside))) {
        for (line, code) in code_lines(source.bare()) {
            for call in CALLS.iter().filter(|call| calls(code, call)) {
                // What the kernel tells of this process is no file of ours.
                let is_own_account = code.contains("\"/proc/self/");
                let is_environment = *call == "env::var" && source.path == ENVIRONMENT;
                if !is_own_account && !is_environment {
                    findings.push(format!("{}:{line}: {call} belongs behind a seam", source.path));
                }
            }
        }
    }
    nothing_in(&findings);
}

#[test]
fn unsafe_code_is_in_one_file() {
    let mut findings = Vec::new();
    for source in rust().iter().filter(|source| source.room() != "tests" && source.path != "storage/src/mmap.rs") {
        for (line, code) in code_lines(&source.text) {
            if code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("unsafe impl") {
                findings.push(format!("{}:{line}: unsafe code belongs into storage/src/mmap.rs", source.path));
            }
        }
    }
    nothing_in(&findings);
}

/// This file and its neighbours spell out what they look for.
fn not_tidy(sources: Vec<Source>) -> Vec<Source> {
    sources.into_iter().filter(|source| !source.path.starts_with("tests/tidy/")).collect()
}

#[test]
fn nothing_is_left_to_do_in_comments() {
    let mut findings = Vec::new();
    for source in not_tidy(files(&["rs", "toml", "md", "py", "js", "go", "java"])) {
        for (line, text) in source.text.lines().enumerate() {
            for word in ["TODO", "FIXME", "XXX", "todo!(", "unimplemented!(", "#[ignore"] {
                if text.contains(word) {
                    findings.push(format!("{}:{}: {word}", source.path, line + 1));
                }
            }
        }
    }
    nothing_in(&findings);
}

#[test]
fn no_path_of_a_machine_is_written_down() {
    let mut findings = Vec::new();
    for source in not_tidy(files(&["rs", "toml", "md", "sh", "py", "js", "go", "java", "properties", "lock", "json"])) {
        for (line, text) in source.text.lines().enumerate() {
            for path in ["/home/", "/root/", "/Users/", "/work/", "C:\\Users"] {
                if text.contains(path) {
                    findings.push(format!("{}:{}: {path}", source.path, line + 1));
                }
            }
        }
    }
    nothing_in(&findings);
}

#[test]
fn every_rust_file_says_what_it_owns() {
    let mut findings = Vec::new();
    for source in rust().iter().filter(|source| source.path.contains("/src/") && !source.bare().is_empty()) {
        if !source.text.starts_with("//!") {
            findings.push(format!("{}: begins without //!", source.path));
        }
    }
    nothing_in(&findings);
}

#[test]
fn tests_are_named_as_facts() {
    let mut findings = Vec::new();
    for source in not_tidy(rust()) {
        let mut lines = source.text.lines();
        while let Some(line) = lines.next() {
            if line.trim() == "#[test]"
                && let Some(name) = lines.next()
                && name.contains("fn test_")
            {
                findings.push(format!("{}: {}: say what holds", source.path, name.trim()));
            }
        }
    }
    nothing_in(&findings);
}
