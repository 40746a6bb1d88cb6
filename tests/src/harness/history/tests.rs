//! The checker's own exam: each anomaly is found, and a good history passes.

use super::{Event, History, Record, drained, event};

fn history(lines: &[&str]) -> History {
    let events = lines.iter().filter_map(|line| event(&format!("0 {line}"))).collect();
    History { events }
}

fn log(lines: &[&str]) -> Vec<Record> {
    drained(&lines.join("\n"))
}

fn sends_fault(events: &[&str], records: &[&str]) -> String {
    history(events).check_sends(&log(records)).expect_err("an anomaly").to_string()
}

fn group_fault(events: &[&str], records: &[&str]) -> String {
    history(events).check_group(&log(records)).expect_err("an anomaly").to_string()
}

#[test]
fn good_history_passes() {
    let sends = ["ok 0 0 a-0", "ok 0 1 a-2", "ok 1 0 a-1", "info 0 b-0"];
    assert_eq!(history(&sends).check_sends(&log(&["0 0 a-0", "0 1 a-2", "1 0 a-1", "0 2 b-0"])), Ok(()));
    let reads = ["read 0 0 a-0", "committed 0 1", "read 0 1 a-2"];
    assert_eq!(history(&reads).check_group(&log(&["0 0 a-0", "0 1 a-2"])), Ok(()));
}

#[test]
fn acknowledged_record_that_is_not_there_is_found() {
    assert!(sends_fault(&["ok 0 0 a-0", "ok 0 1 a-1"], &["0 0 a-0"]).contains("lost-write: partition 0 offset 1"));
}

#[test]
fn other_value_at_an_acknowledged_offset_is_found() {
    assert!(sends_fault(&["ok 0 0 a-0", "info 0 a-1"], &["0 0 a-1"]).contains("inconsistent-offsets"));
}

#[test]
fn record_stored_twice_is_found() {
    assert!(sends_fault(&["ok 0 0 a-0"], &["0 0 a-0", "0 1 a-0"]).contains("duplicate: partition 0 offset 1"));
}

#[test]
fn records_in_another_order_are_found() {
    assert!(sends_fault(&["ok 0 0 a-1", "ok 0 1 a-0"], &["0 0 a-1", "0 1 a-0"]).contains("nonmonotonic-send"));
}

#[test]
fn record_that_nobody_sent_is_found() {
    assert!(sends_fault(&["ok 0 0 a-0"], &["0 0 a-0", "0 1 a-7"]).contains("phantom"));
}

#[test]
fn read_below_a_commit_is_found() {
    let fault = group_fault(&["read 0 0 a-0", "committed 0 1", "read 0 0 a-0"], &["0 0 a-0"]);
    assert!(fault.contains("committed offset went back"));
}

#[test]
fn record_that_no_member_read_is_found() {
    assert!(group_fault(&["read 0 0 a-0"], &["0 0 a-0", "0 1 a-1"]).contains("unseen: partition 0 offset 1"));
}

#[test]
fn unfinished_last_line_is_passed_over() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "1 ok 0 0 a-0\n2 ok 0 1 a").expect("written");
    let mut history = History::default();
    history.add(file.path()).expect("read");
    let only = Record { partition: 0, offset: 0, value: "a-0".to_owned() };
    assert_eq!(history.events, [(1, Event::Acknowledged(only))]);
}
