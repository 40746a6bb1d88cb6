//! Static members (KIP-345, KIP-814).

use super::*;

/// Static `a1` (instance A, leader) and `b1` (instance B) in Stable, generation 1.
fn stable() -> Script {
    let mut script = Script::new();
    for command in [
        "join 1 new=a1 instance=A v5",
        "join 2 new=b1 instance=B v5",
        "timer join",
        "timer join",
        "sync 3 a1 1 a1=x b1=y",
        "stored ok",
        "sync 4 b1 1",
    ] {
        script.run(command);
    }
    script
}

#[test]
fn a_static_member_joins_at_once_and_is_known_by_its_instance() {
    play(
        "
        > join 1 new=a1 instance=A v5
          set Session(MemberId(\"a1\")) +300s
          set Join +3s
          PreparingRebalance generation 0
        ",
    );
}

#[test]
fn a_follower_that_comes_back_keeps_its_part_without_a_rebalance() {
    stable().play(
        "
        > join 5 new=b2 instance=B v9
          set Session(MemberId(\"b2\")) +10s
          store generation=1 [a1=x b2=y]
          Stable generation 1
        > stored ok
          5 joined b2 generation=1 protocol=range leader=a1
          set Session(MemberId(\"b2\")) +10s
          Stable generation 1
        > sync 6 b2 1 instance=B
          6 synced 'y'
          Stable generation 1
        ",
    );
}

#[test]
fn a_leader_that_comes_back_skips_the_assignment_from_version_9() {
    stable().play(
        "
        > join 5 new=a2 instance=A v9
          set Session(MemberId(\"a2\")) +10s
          store generation=1 [a2=x b1=y]
          Stable generation 1
        > stored ok
          5 joined a2 generation=1 protocol=range leader=a2 members=a2,b1 skip
          set Session(MemberId(\"a2\")) +10s
          Stable generation 1
        ",
    );
}

#[test]
fn a_leader_that_comes_back_before_version_9_is_told_its_old_id() {
    stable().play(
        "
        > join 5 new=a2 instance=A v5
          set Session(MemberId(\"a2\")) +10s
          store generation=1 [a2=x b1=y]
          Stable generation 1
        > stored ok
          5 joined a2 generation=1 protocol=range leader=a1
          set Session(MemberId(\"a2\")) +10s
          Stable generation 1
        ",
    );
}

#[test]
fn a_return_that_could_not_be_stored_is_undone() {
    stable().play(
        "
        > join 5 new=b2 instance=B session=30000 v9
          set Session(MemberId(\"b2\")) +10s
          store generation=1 [a1=x b2=y]
          Stable generation 1
        > stored NotCoordinator
          5 join refused NotCoordinator member=
          set Session(MemberId(\"b1\")) +10s
          Stable generation 1
        > heartbeat b1 1 instance=B
          ok
          set Session(MemberId(\"b1\")) +10s
          Stable generation 1
        > heartbeat b2 1
          UnknownMemberId
          Stable generation 1
        ",
    );
}

#[test]
fn a_return_that_changes_the_protocol_rebalances() {
    stable().play(
        "
        > join 5 new=b2 instance=B protocols=range,sticky v9
          set Session(MemberId(\"b2\")) +10s
          store generation=1 [a1=x b2=y]
          Stable generation 1
        ",
    );
    let mut both = Script::new();
    for command in ["join 1 new=a1 instance=A protocols=range,sticky", "timer join", "sync 3 a1 1", "stored ok"] {
        both.run(command);
    }
    both.play(
        "
        > join 5 new=a2 instance=A protocols=sticky,range v9
          set Session(MemberId(\"a2\")) +10s
          5 joined a2 generation=2 protocol=sticky leader=a2 members=a2
          set Session(MemberId(\"a2\")) +10s
          set Sync +60s
          CompletingRebalance generation 2
        ",
    );
}

#[test]
fn a_return_during_the_assignment_rebalances() {
    let mut script = Script::new();
    for command in ["join 1 new=a1 instance=A", "join 2 new=b1 instance=B", "timer join", "timer join", "sync 3 b1 1"] {
        script.run(command);
    }
    script.play(
        "
        > join 5 new=b2 instance=B v9
          3 sync refused FencedInstanceId
          set Session(MemberId(\"b2\")) +10s
          set Join +60s
          PreparingRebalance generation 1
        ",
    );
}

#[test]
fn a_return_while_the_old_self_is_parked_fences_it() {
    let mut script = stable();
    script.run("join 5 member=a1 instance=A");
    script.play(
        "
        > join 6 new=a2 instance=A v9
          5 join refused FencedInstanceId member=a1
          set Session(MemberId(\"a2\")) +10s
          PreparingRebalance generation 1
        ",
    );
}

#[test]
fn the_old_id_is_fenced_everywhere() {
    let mut script = stable();
    for command in ["join 5 new=b2 instance=B v9", "stored ok"] {
        script.run(command);
    }
    script.play(
        "
        > heartbeat b1 1 instance=B
          FencedInstanceId
          Stable generation 1
        > sync 6 b1 1 instance=B
          6 sync refused FencedInstanceId
          Stable generation 1
        > join 7 member=b1 instance=B
          7 join refused FencedInstanceId member=b1
          Stable generation 1
        > commit b1 1 instance=B
          FencedInstanceId
          Stable generation 1
        > leave 8 b1/B
          8 left FencedInstanceId
          Stable generation 1
        > heartbeat b2 1 instance=C
          UnknownMemberId
          Stable generation 1
        ",
    );
}

#[test]
fn administrators_remove_by_instance_alone() {
    stable().play(
        "
        > leave 5 /B /C
          set Join +60s
          5 left ok,UnknownMemberId
          PreparingRebalance generation 1
        ",
    );
}

#[test]
fn static_members_survive_a_join_phase_they_missed() {
    let mut script = stable();
    script.run("join 5 member=a1 instance=A");
    script.play(
        "
        > timer join
          5 joined a1 generation=2 protocol=range leader=a1 members=a1,b1
          set Session(MemberId(\"a1\")) +10s
          set Session(MemberId(\"b1\")) +10s
          set Sync +60s
          CompletingRebalance generation 2
        ",
    );
}

#[test]
fn a_join_phase_that_only_absent_static_members_are_left_of_goes_on() {
    let mut script = stable();
    script.run("join 5 new=c");
    script.run("leave 6 c");
    script.play(
        "
        > timer join
          set Join +60s
          PreparingRebalance generation 1
        > timer session:a1
          PreparingRebalance generation 1
        > timer session:b1
          store generation=2 []
          Empty generation 2
        ",
    );
}

#[test]
fn a_return_interrupted_by_a_rebalance_is_answered_by_it() {
    stable().play(
        "
        > join 5 new=b2 instance=B v9
          set Session(MemberId(\"b2\")) +10s
          store generation=1 [a1=x b2=y]
          Stable generation 1
        > join 6 member=a1 instance=A
          6 joined a1 generation=2 protocol=range leader=a1 members=a1,b2
          set Session(MemberId(\"a1\")) +10s
          5 joined b2 generation=2 protocol=range leader=a1
          set Session(MemberId(\"b2\")) +10s
          set Sync +60s
          CompletingRebalance generation 2
        > stored ok
          CompletingRebalance generation 2
        ",
    );
}

#[test]
fn a_return_whose_session_ended_while_it_was_stored_gets_a_new_one() {
    let mut script = stable();
    script.run("join 5 new=b2 instance=B v9");
    script.play(
        "
        > timer session:b2
          Stable generation 1
        > stored ok
          5 joined b2 generation=1 protocol=range leader=a1
          set Session(MemberId(\"b2\")) +10s
          Stable generation 1
        ",
    );
}
