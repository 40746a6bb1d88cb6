//! Long commands tell how far they have come, are silent where that is asked for, and end in order at Ctrl-C.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use barnabas_tests::harness::wait;
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::commands::{json, run};
use crate::fixture::{Fixture, program};

/// A file of topics for `apply`.
fn topics(count: usize) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    let names: String = (0..count).map(|number| format!("- name: t{number}\n")).collect();
    write!(file, "topics:\n{names}").unwrap();
    file
}

fn lines(of: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(of).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

fn start(fixture: &Fixture, line: &str, stdout: Stdio) -> Child {
    let mut command = Command::new(program());
    command.args(line.split(' ')).args(["-b", &fixture.broker.bootstrap()]);
    command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap()
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_program_reads_a_line_of_json_for_each_step() {
    let fixture = Fixture::start(&[]);
    let file = topics(2);
    let path = file.path().to_str().unwrap();

    let plain = run(&fixture, &format!("topics apply {path} --dry-run"), "");
    assert!(plain.status.success() && plain.stderr.is_empty(), "{plain:?}");
    let quiet = run(&fixture, &format!("topics apply {path} --dry-run -o json --quiet"), "");
    assert!(quiet.status.success() && quiet.stderr.is_empty(), "{quiet:?}");

    let done = run(&fixture, &format!("topics apply {path} --yes -o json"), "");
    assert!(done.status.success(), "{done:?}");
    let told = lines(&done.stderr);
    let of = |work: &str| told.iter().filter(|line| line["progress"] == work).collect::<Vec<_>>();
    for work in ["check", "apply"] {
        let told = of(work);
        assert_eq!((&told[0]["done"], &told[0]["of"], &told[0]["next"]), (&0.into(), &2.into(), &"t0".into()));
        let last = told.last().unwrap();
        assert_eq!((&last["done"], &last["of"], &last["ended"]), (&2.into(), &2.into(), &true.into()));
    }

    let remark = run(&fixture, &format!("topics apply {path}"), "");
    assert!(String::from_utf8_lossy(&remark.stderr).starts_with("everything is as "), "{remark:?}");
    let silent = run(&fixture, &format!("--quiet topics apply {path}"), "");
    assert!(silent.status.success() && silent.stderr.is_empty(), "{silent:?}");
}

#[test]
fn what_is_read_to_its_end_tells_how_far_it_is() {
    let fixture = Fixture::start(&[]);
    assert!(run(&fixture, "topics create orders", "").status.success());
    assert!(run(&fixture, "produce orders", "one\ntwo\nthree\n").status.success());
    for (words, of) in [("--exit", 3), ("--exit --max 2", 2), ("--max 1", 1)] {
        let read = run(&fixture, &format!("consume orders --from earliest -o json {words}"), "");
        assert_eq!(lines(&read.stdout).len(), of, "{words}");
        let told = lines(&read.stderr);
        let last = told.last().unwrap();
        assert_eq!((&last["progress"], &last["done"], &last["of"]), (&"consume".into(), &of.into(), &of.into()));
    }
    let plain = run(&fixture, "consume orders --from earliest --exit", "");
    assert_eq!((plain.stdout.as_slice(), plain.stderr.as_slice()), (&b"one\ntwo\nthree\n"[..], &b""[..]));
}

#[test]
fn ctrl_c_lets_the_step_at_hand_end_and_the_same_again_does_the_rest() {
    let fixture = Fixture::start(&[]);
    let count = 300;
    let file = topics(count);
    let path = file.path().to_str().unwrap();
    let mut child = start(&fixture, &format!("topics apply {path} --yes -o json"), Stdio::null());
    let told = child.stderr.take().unwrap();
    // So that it waits for us long before its last step.
    rustix::pipe::fcntl_setpipe_size(&told, 4096).unwrap();
    let mut told = BufReader::with_capacity(64, told);
    let mut line = String::new();
    while !line.contains(r#""progress":"apply""#) {
        line.clear();
        assert!(told.read_line(&mut line).unwrap() > 0, "it has ended");
    }
    interrupt(&child);
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("Ctrl-C again ends it now") && rest.contains("the same again does the rest"), "{rest}");
    let made = json(&fixture, "topics list").as_array().unwrap().len();
    assert!(made < count, "{made}");
    assert_eq!(child.wait().unwrap().code(), Some(if made == 0 { 1 } else { 7 }), "{rest}");

    assert!(run(&fixture, &format!("topics apply {path} --yes"), "").status.success());
    assert_eq!(json(&fixture, "topics list").as_array().unwrap().len(), count);
}

#[test]
fn a_bench_that_is_ended_by_ctrl_c_has_figures_of_what_it_did() {
    let fixture = Fixture::start(&[]);
    let mut child = start(&fixture, "bench produce --records 1000000000 --connections 1 -o json", Stdio::piped());
    let written = wait::until("records to be written", Duration::from_secs(30), || {
        let places = run(&fixture, "topics offsets bench -o json", "").stdout;
        let places: Value = serde_json::from_slice(&places).ok()?;
        places.as_array()?.iter().any(|place| place["end"].as_i64() > Some(0)).then_some(())
    });
    written.unwrap();
    interrupt(&child);
    let mut figures = String::new();
    child.stdout.take().unwrap().read_to_string(&mut figures).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let figures: Value = serde_json::from_str(&figures).unwrap();
    assert!(figures["records"].as_u64() > Some(0), "{figures}");
}

#[test]
fn a_reader_of_stderr_that_has_gone_away_does_not_change_how_a_command_ends() {
    let fixture = Fixture::start(&[]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(program());
    command.args(["topics", "describe", "none", "-b", &fixture.broker.bootstrap()]).stderr(writer);
    assert_eq!(command.status().unwrap().code(), Some(3));
}
