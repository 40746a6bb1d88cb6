//! The table of states and requests, one case a cell: what a member of a group in this state is told at once.

use super::*;

/// A group of `a` (leader) and `b` in this state, whose generation is 1 (2 where it is empty again). In
/// PreparingRebalance `b` is parked with ticket 9; in CompletingRebalance nobody is.
fn in_state(state: State) -> Script {
    let mut script = Script::new();
    let stable = ["join 1 new=a", "join 2 new=b", "timer join", "timer join", "sync 3 a 1 a=x b=y", "sync 4 b 1"];
    let more: &[&str] = match state {
        State::CompletingRebalance => &[],
        State::Stable => &["stored ok"],
        State::PreparingRebalance => &["stored ok", "join 9 member=b protocols=range:changed"],
        State::Empty => &["stored ok", "leave 5 a b", "stored ok"],
        State::Dead => &["stored ok", "retire"],
    };
    let commands = if state == State::CompletingRebalance { &stable[..4] } else { &stable[..] };
    for command in commands.iter().chain(more) {
        script.run(command);
    }
    assert_eq!(script.group.state, state);
    script
}

/// The lines that answer the request, without deadlines and the state.
fn told(state: State, command: &str) -> String {
    let mut script = in_state(state);
    let lines = script.run(command);
    let is_answer = |line: &&String| !line.starts_with("set ") && !line.contains(" generation ");
    lines.iter().filter(is_answer).cloned().collect::<Vec<_>>().join("; ")
}

const STATES: [State; 5] =
    [State::Empty, State::PreparingRebalance, State::CompletingRebalance, State::Stable, State::Dead];

/// One row of the table: the answers in the order of [`STATES`].
fn row(command: &str, expected: [&str; 5]) {
    for (state, expected) in STATES.into_iter().zip(expected) {
        let command = if state == State::Empty { command.replace("GEN", "2") } else { command.replace("GEN", "1") };
        assert_eq!(told(state, &command), expected, "{command} in {state:?}");
    }
}

#[test]
fn heartbeat_of_a_member() {
    row("heartbeat a GEN", ["UnknownMemberId", "RebalanceInProgress", "ok", "ok", "CoordinatorNotAvailable"]);
}

#[test]
fn heartbeat_of_another_generation() {
    let illegal = "IllegalGeneration";
    row("heartbeat a 7", ["UnknownMemberId", illegal, illegal, illegal, "CoordinatorNotAvailable"]);
}

#[test]
fn heartbeat_of_a_stranger() {
    let unknown = "UnknownMemberId";
    row("heartbeat stranger GEN", [unknown, unknown, unknown, unknown, "CoordinatorNotAvailable"]);
}

#[test]
fn heartbeat_resets_the_session_wherever_the_member_is_known() {
    for state in [State::PreparingRebalance, State::CompletingRebalance, State::Stable] {
        let lines = in_state(state).run("heartbeat a 1");
        assert!(lines.iter().any(|line| line.starts_with("set Session(MemberId(\"a\")) +10s")), "{state:?}");
    }
}

#[test]
fn sync_of_a_follower() {
    row(
        "sync 20 b GEN",
        [
            "20 sync refused UnknownMemberId",
            "20 sync refused RebalanceInProgress",
            "",
            "20 synced 'y'",
            "20 sync refused CoordinatorNotAvailable",
        ],
    );
}

#[test]
fn sync_of_the_leader() {
    row(
        "sync 20 a GEN a=p b=q",
        [
            "20 sync refused UnknownMemberId",
            "20 sync refused RebalanceInProgress",
            "store generation=1 [a=p b=q]",
            "20 synced 'x'",
            "20 sync refused CoordinatorNotAvailable",
        ],
    );
}

#[test]
fn sync_of_another_generation() {
    let illegal = "20 sync refused IllegalGeneration";
    let dead = "20 sync refused CoordinatorNotAvailable";
    row("sync 20 a 7", ["20 sync refused UnknownMemberId", illegal, illegal, illegal, dead]);
}

#[test]
fn sync_of_another_protocol() {
    let refused = "20 sync refused InconsistentProtocol";
    let dead = "20 sync refused CoordinatorNotAvailable";
    for other in ["protocol=sticky", "type=connect"] {
        let command = format!("sync 20 a GEN {other}");
        row(&command, ["20 sync refused UnknownMemberId", refused, refused, refused, dead]);
    }
    row(
        "sync 20 b GEN protocol=range type=test",
        ["20 sync refused UnknownMemberId", "20 sync refused RebalanceInProgress", "", "20 synced 'y'", dead],
    );
}

#[test]
fn join_of_a_follower_that_changed_nothing() {
    row(
        "join 20 member=b",
        [
            "20 join refused UnknownMemberId member=b",
            "9 join refused RebalanceInProgress member=b",
            "20 joined b generation=1 protocol=range leader=a",
            "20 joined b generation=1 protocol=range leader=a",
            "20 join refused CoordinatorNotAvailable member=b",
        ],
    );
    assert_eq!(in_state(State::Stable).run("join 20 member=b").last().unwrap(), "Stable generation 1");
}

#[test]
fn join_of_a_follower_with_other_metadata_rebalances() {
    let changed = "join 20 member=b protocols=range:other";
    row(
        changed,
        [
            "20 join refused UnknownMemberId member=b",
            "9 join refused RebalanceInProgress member=b",
            "",
            "",
            "20 join refused CoordinatorNotAvailable member=b",
        ],
    );
    for state in [State::CompletingRebalance, State::Stable] {
        assert_eq!(in_state(state).run(changed).last().unwrap(), "PreparingRebalance generation 1", "{state:?}");
    }
}

#[test]
fn join_of_the_leader_that_changed_nothing() {
    let both =
        "20 joined a generation=2 protocol=range leader=a members=a,b; 9 joined b generation=2 protocol=range leader=a";
    row(
        "join 20 member=a",
        [
            "20 join refused UnknownMemberId member=a",
            both,
            "20 joined a generation=1 protocol=range leader=a members=a,b",
            "",
            "20 join refused CoordinatorNotAvailable member=a",
        ],
    );
    let stable = in_state(State::Stable).run("join 20 member=a");
    assert_eq!(stable.last().unwrap(), "PreparingRebalance generation 1");
}

#[test]
fn join_of_a_new_member_parks_it() {
    row("join 20 new=c", ["", "", "", "", "20 join refused CoordinatorNotAvailable member="]);
    for state in &STATES[..4] {
        let last = in_state(*state).run("join 20 new=c").last().unwrap().clone();
        assert!(last.starts_with("PreparingRebalance"), "{state:?}: {last}");
    }
}

#[test]
fn first_join_of_version_4_asks_for_the_id() {
    let id = "20 join refused MemberIdRequired member=c";
    row("join 20 new=c v4", [id, id, id, id, "20 join refused CoordinatorNotAvailable member="]);
}

#[test]
fn join_of_a_stranger() {
    let unknown = "20 join refused UnknownMemberId member=stranger";
    let dead = "20 join refused CoordinatorNotAvailable member=stranger";
    row("join 20 member=stranger", [unknown, unknown, unknown, unknown, dead]);
}

#[test]
fn join_with_other_protocols_or_another_type() {
    let refused = "20 join refused InconsistentProtocol member=";
    let dead = "20 join refused CoordinatorNotAvailable member=";
    row("join 20 new=c protocols=sticky", ["", refused, refused, refused, dead]);
    row("join 20 new=c type=connect", ["", refused, refused, refused, dead]);
    row("join 20 new=c protocols=", [refused, refused, refused, refused, dead]);
}

#[test]
fn leave_of_a_member() {
    let b_joined = "9 joined b generation=2 protocol=range leader=b members=b; 20 left ok";
    row(
        "leave 20 a",
        ["20 left UnknownMemberId", b_joined, "20 left ok", "20 left ok", "20 leave refused CoordinatorNotAvailable"],
    );
    for state in [State::CompletingRebalance, State::Stable] {
        assert_eq!(in_state(state).run("leave 20 a").last().unwrap(), "PreparingRebalance generation 1", "{state:?}");
    }
}

#[test]
fn commit_of_a_member() {
    row("commit a GEN", ["UnknownMemberId", "ok", "RebalanceInProgress", "ok", "CoordinatorNotAvailable"]);
}

#[test]
fn commit_of_another_generation() {
    let illegal = "IllegalGeneration";
    row("commit a 7", ["UnknownMemberId", illegal, illegal, illegal, "CoordinatorNotAvailable"]);
}

#[test]
fn commit_without_membership() {
    let unknown = "UnknownMemberId";
    row("commit - -1", ["ok", unknown, unknown, unknown, "CoordinatorNotAvailable"]);
}

#[test]
fn commit_counts_as_a_heartbeat() {
    for state in [State::PreparingRebalance, State::Stable] {
        let lines = in_state(state).run("commit a 1");
        assert!(lines.iter().any(|line| line.starts_with("set Session(MemberId(\"a\"))")), "{state:?}");
    }
}

#[test]
fn end_of_a_session() {
    row("timer session:a", ["", "9 joined b generation=2 protocol=range leader=b members=b", "", "", ""]);
    for state in [State::CompletingRebalance, State::Stable] {
        let last = in_state(state).run("timer session:a").last().unwrap().clone();
        assert_eq!(last, "PreparingRebalance generation 1", "{state:?}");
    }
    // `b` is parked: it is alive.
    let parked = in_state(State::PreparingRebalance).run("timer session:b");
    assert_eq!(parked, ["PreparingRebalance generation 1"]);
}

#[test]
fn retire_answers_whoever_is_parked() {
    row("retire", ["", "9 join refused NotCoordinator member=b", "", "", ""]);
    let mut completing = in_state(State::CompletingRebalance);
    completing.run("sync 20 b 1");
    assert!(completing.run("retire").contains(&"20 sync refused NotCoordinator".to_owned()));
}
