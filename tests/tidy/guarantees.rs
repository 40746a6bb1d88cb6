//! GUARANTEES.md promises nothing without a test: every numbered entry names some, and each of them is there.
//!
//! An entry is a row "| G1.1 | promise | mode | fault | tests |". A test is `room::name` for a function of that room's
//! crate, or `gate name` for a lane.

use crate::source::{Source, files, nothing_in, root, rust};

/// Durability modes that a row may speak of.
const MODES: [&str; 5] = ["group", "interval", "os", "any", "-"];

/// One row of the ledger.
#[derive(Debug, PartialEq, Eq)]
struct Entry<'a> {
    topic: u32,
    number: u32,
    promise: &'a str,
    mode: &'a str,
    fault: &'a str,
    tests: Vec<&'a str>,
}

/// The row of one line; `None` for any other line, an error for a row of the ledger that is not whole.
fn entry(line: &str) -> Option<Result<Entry<'_>, String>> {
    let cells: Vec<&str> = line.strip_prefix("| G")?.split(" | ").collect();
    let (topic, number) = cells.first()?.split_once('.')?;
    let numbers = topic.parse().and_then(|topic| number.parse().map(|number| (topic, number)));
    let [_, promise, mode, fault, tests] = cells[..] else { return Some(Err(format!("not five cells: {line}"))) };
    let Ok((topic, number)) = numbers else { return Some(Err(format!("not a number: {line}"))) };
    let tests = tests.trim_end_matches([' ', '|']).split('`').skip(1).step_by(2).collect();
    Some(Ok(Entry { topic, number, promise, mode, fault, tests }))
}

/// The test functions of a file.
fn tests_of(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if is_test && !line.starts_with("#[") && !line.starts_with("//") {
            let name = line.trim_start_matches("async ").strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            found.extend(name);
            is_test = false;
        }
    }
    found
}

/// The lanes of the gate, by the file of their rows.
fn lanes_of(text: &str) -> Vec<&str> {
    let rows = text.lines().map(str::trim);
    let named = rows.filter_map(|row| row.strip_prefix("name: \"").or_else(|| row.strip_prefix("client(\"")));
    named.filter_map(|rest| rest.split('"').next()).collect()
}

/// Why a test id leads nowhere.
fn lost(id: &str, sources: &[Source], lanes: &[&str]) -> Option<String> {
    if let Some(lane) = id.strip_prefix("gate ") {
        return (!lanes.contains(&lane)).then(|| format!("the gate has no lane {lane}"));
    }
    let Some((room, name)) = id.split_once("::") else { return Some(format!("`{id}` is no test's name")) };
    let mut of_room = sources.iter().filter(|source| source.room() == room);
    let is_there = of_room.any(|source| tests_of(&source.text).contains(&name));
    (!is_there).then(|| format!("{room} has no test {name}"))
}

#[test]
fn every_guarantee_names_tests_that_exist() {
    let documents = files(&["md"]);
    let ledger = documents.iter().find(|document| document.path == "GUARANTEES.md").unwrap();
    let sources = rust();
    let lanes = std::fs::read_to_string(root().join("tests/src/gate/lanes/mod.rs")).unwrap();
    let lanes = lanes_of(&lanes);
    let mut findings = Vec::new();
    let mut last = (0, 0);
    for entry in ledger.text.lines().filter_map(entry) {
        let Entry { topic, number, promise, mode, fault, tests } = match entry {
            Ok(entry) => entry,
            Err(why) => {
                findings.push(why);
                continue;
            }
        };
        let id = format!("G{topic}.{number}");
        if (topic, number) != (last.0, last.1 + 1) && !(topic > last.0 && number == 1) {
            findings.push(format!("{id} does not follow G{}.{}", last.0, last.1));
        }
        last = (topic, number);
        if !mode.split(", ").all(|mode| MODES.contains(&mode)) || promise.is_empty() || fault.is_empty() {
            findings.push(format!("{id} lacks its promise, mode ({}) or fault", MODES.join(", ")));
        }
        if tests.is_empty() {
            findings.push(format!("{id} names no test"));
        }
        findings.extend(tests.iter().filter_map(|test| Some(format!("{id}: {}", lost(test, &sources, &lanes)?))));
    }
    assert!(last.0 > 1, "GUARANTEES.md has no rows");
    nothing_in(&findings);
}

#[test]
fn a_row_is_read_and_a_missing_test_is_noticed() {
    let row = "| G2.1 | kept | group, os | kill -9 | `storage::a_fact`, `gate crash` |";
    let read = entry(row).unwrap().unwrap();
    assert_eq!((read.topic, read.number, read.mode, read.fault), (2, 1, "group, os", "kill -9"));
    assert_eq!(read.tests, ["storage::a_fact", "gate crash"]);
    assert!(entry("| G2.2 | three cells | group |").unwrap().is_err());
    assert!(entry("| lane | N |").is_none());
    let source = |text: &str| Source { path: "storage/src/x.rs".to_owned(), text: text.to_owned() };
    let sources = [source("#[test]\n// why\n#[cfg(unix)]\nfn a_fact() {}\nfn no_test() {}\n")];
    let lanes = lanes_of("name: \"crash\",\n client(\"kcat\", 1)");
    assert_eq!(lanes, ["crash", "kcat"]);
    for there in ["storage::a_fact", "gate crash", "gate kcat"] {
        assert_eq!(lost(there, &sources, &lanes), None);
    }
    for missing in ["storage::no_test", "raft::a_fact", "gate power", "a_fact"] {
        assert!(lost(missing, &sources, &lanes).is_some(), "{missing}");
    }
}
