//! Whole generations: from the first join to stable, and on.

use super::*;

#[test]
fn one_member_goes_from_empty_to_stable() {
    play(
        "
        > join 1 new=m1 v4
          set Session(MemberId(\"m1\")) +10s
          1 join refused MemberIdRequired member=m1
          Empty generation 0
        > join 2 member=m1 v4
          set Session(MemberId(\"m1\")) +300s
          set Join +3s
          PreparingRebalance generation 0
        > at 3
        > timer join
          2 joined m1 generation=1 protocol=range leader=m1 members=m1
          set Session(MemberId(\"m1\")) +10s
          set Sync +60s
          CompletingRebalance generation 1
        > sync 3 m1 1 m1=all
          store generation=1 [m1=all]
          CompletingRebalance generation 1
        > stored ok
          3 synced 'all'
          set Session(MemberId(\"m1\")) +10s
          Stable generation 1
        ",
    );
}

#[test]
fn versions_before_4_join_at_once() {
    play(
        "
        > join 1 new=m1
          set Session(MemberId(\"m1\")) +300s
          set Join +3s
          PreparingRebalance generation 0
        ",
    );
}

/// Two members in Stable, generation 1; `a` leads. Deadlines left out.
fn two_stable() -> Script {
    let mut script = Script::new();
    for command in
        ["join 1 new=a", "join 2 new=b", "timer join", "timer join", "sync 3 b 1", "sync 4 a 1 a=x b=y", "stored ok"]
    {
        script.run(command);
    }
    assert_eq!((script.group.state, script.group.generation), (State::Stable, 1));
    script
}

#[test]
fn nobody_hears_of_an_assignment_before_it_is_durable() {
    let mut script = Script::new();
    for command in ["join 1 new=a", "join 2 new=b", "timer join", "timer join"] {
        script.run(command);
    }
    script.play(
        "
        > sync 3 b 1
          CompletingRebalance generation 1
        > sync 4 a 1 a=x b=y stranger=z
          store generation=1 [a=x b=y]
          CompletingRebalance generation 1
        > stored ok
          4 synced 'x'
          set Session(MemberId(\"a\")) +10s
          3 synced 'y'
          set Session(MemberId(\"b\")) +10s
          Stable generation 1
        > sync 5 b 1
          5 synced 'y'
          Stable generation 1
        ",
    );
}

#[test]
fn an_assignment_that_could_not_be_stored_is_told_and_rebalances() {
    let mut script = Script::new();
    for command in ["join 1 new=a", "join 2 new=b", "timer join", "timer join", "sync 3 b 1"] {
        script.run(command);
    }
    script.play(
        "
        > sync 4 a 1 a=x b=y
          store generation=1 [a=x b=y]
          CompletingRebalance generation 1
        > stored NotCoordinator
          4 sync refused NotCoordinator
          set Session(MemberId(\"a\")) +10s
          3 sync refused NotCoordinator
          set Session(MemberId(\"b\")) +10s
          set Join +60s
          PreparingRebalance generation 1
        ",
    );
}

#[test]
fn an_assignment_stored_after_a_new_rebalance_began_is_ignored() {
    let mut script = Script::new();
    for command in ["join 1 new=a", "join 2 new=b", "timer join", "timer join", "sync 3 a 1 a=x b=y"] {
        script.run(command);
    }
    script.play(
        "
        > join 4 new=c
          set Session(MemberId(\"c\")) +300s
          3 sync refused RebalanceInProgress
          set Session(MemberId(\"a\")) +10s
          set Join +60s
          PreparingRebalance generation 1
        > stored ok
          PreparingRebalance generation 1
        > join 5 member=a
          PreparingRebalance generation 1
        > join 6 member=b
          5 joined a generation=2 protocol=range leader=a members=a,b,c
          set Session(MemberId(\"a\")) +10s
          6 joined b generation=2 protocol=range leader=a
          set Session(MemberId(\"b\")) +10s
          4 joined c generation=2 protocol=range leader=a
          set Session(MemberId(\"c\")) +10s
          set Sync +60s
          CompletingRebalance generation 2
        ",
    );
}

#[test]
fn a_member_the_leader_forgot_gets_nothing() {
    let mut script = Script::new();
    for command in ["join 1 new=a", "join 2 new=b", "timer join", "timer join", "sync 3 b 1", "sync 4 a 1 a=x"] {
        script.run(command);
    }
    script.play(
        "
        > stored ok
          4 synced 'x'
          set Session(MemberId(\"a\")) +10s
          3 synced ''
          set Session(MemberId(\"b\")) +10s
          Stable generation 1
        ",
    );
}

#[test]
fn a_leader_that_joins_again_makes_a_new_generation() {
    two_stable().play(
        "
        > join 5 member=a
          set Join +60s
          PreparingRebalance generation 1
        > heartbeat b 1
          RebalanceInProgress
          set Session(MemberId(\"b\")) +10s
          PreparingRebalance generation 1
        > join 6 member=b
          5 joined a generation=2 protocol=range leader=a members=a,b
          set Session(MemberId(\"a\")) +10s
          6 joined b generation=2 protocol=range leader=a
          set Session(MemberId(\"b\")) +10s
          set Sync +60s
          CompletingRebalance generation 2
        ",
    );
}

#[test]
fn members_that_do_not_come_back_in_time_are_dropped_and_another_leads() {
    two_stable().play(
        "
        > join 5 member=b protocols=range:new
          set Join +60s
          PreparingRebalance generation 1
        > at 60
        > timer join
          5 joined b generation=2 protocol=range leader=b members=b
          set Session(MemberId(\"b\")) +10s
          set Sync +60s
          CompletingRebalance generation 2
        > heartbeat a 1
          UnknownMemberId
          CompletingRebalance generation 2
        ",
    );
}

#[test]
fn members_that_do_not_sync_in_time_are_dropped() {
    let mut script = Script::new();
    for command in ["join 1 new=a", "join 2 new=b", "timer join", "timer join", "sync 3 a 1 a=x b=y", "stored ok"] {
        script.run(command);
    }
    script.play(
        "
        > timer sync
          set Join +60s
          PreparingRebalance generation 1
        > join 4 member=a
          4 joined a generation=2 protocol=range leader=a members=a
          set Session(MemberId(\"a\")) +10s
          set Sync +60s
          CompletingRebalance generation 2
        ",
    );
}

#[test]
fn the_last_member_to_leave_empties_the_group_and_the_answer_waits_for_the_record() {
    two_stable().play(
        "
        > leave 5 b
          set Join +60s
          5 left ok
          PreparingRebalance generation 1
        > leave 6 a
          store generation=2 []
          Empty generation 2
        > stored ok
          6 left ok
          Empty generation 2
        ",
    );
}

#[test]
fn the_protocol_with_most_votes_among_common_ones_is_chosen() {
    let mut script = Script::new();
    for command in [
        "join 1 new=a protocols=only-a,sticky,range",
        "join 2 new=b protocols=range,sticky",
        "join 3 new=c protocols=range,sticky,only-c",
        "timer join",
        "timer join",
    ] {
        script.run(command);
    }
    assert_eq!(script.group.protocol.as_deref(), Some("range"));
    let mut tie = Script::new();
    for command in
        ["join 1 new=z protocols=range,sticky", "join 2 new=b protocols=sticky,range", "timer join", "timer join"]
    {
        tie.run(command);
    }
    assert_eq!(tie.group.protocol.as_deref(), Some("range"), "the leader's preference");
}
