//! Commands that look again and again: they survive a broker that goes and comes, and end when all is well where that is asked for.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::commands::{done, run, run_alone};
use crate::fixture::{Fixture, program};

fn start(fixture: &Fixture, line: &str) -> (Child, BufReader<ChildStderr>) {
    let mut command = Command::new(program());
    command.args(line.split(' ')).args(["-b", &fixture.broker.bootstrap()]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let told = BufReader::new(child.stderr.take().unwrap());
    (child, told)
}

/// The next line, which must have this in it.
fn told(from: &mut impl BufRead, part: &str) {
    let mut line = String::new();
    while !line.contains(part) {
        line.clear();
        assert!(from.read_line(&mut line).unwrap() > 0, "it ended without {part}");
    }
}

#[test]
fn a_script_waits_for_a_broker_that_does_not_run_yet() {
    let mut fixture = Fixture::start(&[]);
    fixture.broker.stop().unwrap();
    let line = "cluster health --exit-when-healthy --watch=0.1 --within 120";
    let (mut child, mut stderr) = start(&fixture, line);
    told(&mut stderr, "; looks again in 0.1 s");
    fixture.broker.restart().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_script_waits_until_all_is_well_and_no_longer_than_it_says() {
    let fixture = Fixture::start(&[]);
    done(&fixture, "topics create unwell --config min.insync.replicas=2", "");
    for command in ["topics health", "cluster health"] {
        let ended = run(&fixture, &format!("{command} --exit-when-healthy --watch=0.1 --within 0.5"), "");
        assert_eq!(ended.status.code(), Some(8), "{ended:?}");
        assert!(String::from_utf8_lossy(&ended.stderr).contains("not healthy within 0.5 s"), "{ended:?}");

        let line = format!("{command} --exit-when-healthy --watch=0.1 --within 120");
        let (mut child, _stderr) = start(&fixture, &line);
        told(&mut BufReader::new(child.stdout.take().unwrap()), "unwell");
        done(&fixture, "configs set topic/unwell min.insync.replicas=1", "");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{command}");
        done(&fixture, "configs set topic/unwell min.insync.replicas=2", "");
    }
    let nobody = run_alone("cluster health --exit-when-healthy --watch=0.1 --within 0.3 -b 127.0.0.1:1");
    assert_eq!(nobody.status.code(), Some(6), "{nobody:?}");
    assert_eq!(run_alone("cluster health --within 1 -b 127.0.0.1:1").status.code(), Some(2));
}

#[test]
fn what_is_watched_goes_on_when_the_broker_is_back() {
    let mut fixture = Fixture::start(&[]);
    done(&fixture, "topics create orders", "");
    done(&fixture, "groups seek billing --topic orders --to earliest --execute", "");
    let (mut child, mut stderr) = start(&fixture, "groups lag --watch=0.1");
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    told(&mut stdout, "billing");
    fixture.broker.stop().unwrap();
    told(&mut stderr, "; looks again in 0.1 s");
    fixture.broker.restart().unwrap();
    // What was shown before the stop is read first; what then comes was asked of the new one.
    done(&fixture, "groups seek shipping --topic orders --to earliest --execute", "");
    told(&mut stdout, "shipping");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_wrong_command_line_is_not_tried_again() {
    let ended = run_alone("groups list --watch --command-property nonsense -b 127.0.0.1:1");
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
}
