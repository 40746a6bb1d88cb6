//! Who may come in, how long a first rebalance waits, when members go.

use super::*;
use crate::group::offsets::RetentionFrom;

fn after(commands: &[&str]) -> Script {
    let mut script = Script::new();
    for command in commands {
        script.run(command);
    }
    script
}

#[test]
fn a_first_rebalance_waits_longer_while_members_keep_coming() {
    play(
        "
        > join 1 new=a rebalance=7000
          set Session(MemberId(\"a\")) +300s
          set Join +3s
          PreparingRebalance generation 0
        > join 2 new=b rebalance=7000
          set Session(MemberId(\"b\")) +300s
          PreparingRebalance generation 0
        > timer join
          set Join +3s
          PreparingRebalance generation 0
        > join 3 new=c rebalance=7000
          set Session(MemberId(\"c\")) +300s
          PreparingRebalance generation 0
        > timer join
          set Join +1s
          PreparingRebalance generation 0
        > join 4 new=d rebalance=7000
          set Session(MemberId(\"d\")) +300s
          PreparingRebalance generation 0
        > timer join
          1 joined a generation=1 protocol=range leader=a members=a,b,c,d
          set Session(MemberId(\"a\")) +10s
          2 joined b generation=1 protocol=range leader=a
          set Session(MemberId(\"b\")) +10s
          3 joined c generation=1 protocol=range leader=a
          set Session(MemberId(\"c\")) +10s
          4 joined d generation=1 protocol=range leader=a
          set Session(MemberId(\"d\")) +10s
          set Sync +7s
          CompletingRebalance generation 1
        ",
    );
}

#[test]
fn pending_members_hold_up_the_join_phase_until_their_time_is_over() {
    after(&["join 1 new=a", "timer join", "sync 2 a 1", "stored ok"]).play(
        "
        > join 3 new=b v4
          set Session(MemberId(\"b\")) +10s
          3 join refused MemberIdRequired member=b
          Stable generation 1
        > join 4 member=a
          set Join +60s
          PreparingRebalance generation 1
        > timer session:b
          4 joined a generation=2 protocol=range leader=a members=a
          set Session(MemberId(\"a\")) +10s
          set Sync +60s
          CompletingRebalance generation 2
        ",
    );
}

#[test]
fn a_pending_member_that_leaves_frees_the_join_phase() {
    after(&["join 1 new=a", "timer join", "sync 2 a 1", "stored ok", "join 3 new=b v4", "join 4 member=a"]).play(
        "
        > leave 5 b
          4 joined a generation=2 protocol=range leader=a members=a
          set Session(MemberId(\"a\")) +10s
          set Sync +60s
          5 left ok
          CompletingRebalance generation 2
        ",
    );
}

#[test]
fn a_pending_member_may_not_turn_static() {
    after(&["join 1 new=a v4"]).play(
        "
        > join 2 member=a instance=i v5
          2 join refused UnknownMemberId member=a
          Empty generation 0
        ",
    );
}

#[test]
fn a_new_member_that_is_parked_too_long_is_told_to_start_again() {
    after(&["join 1 new=a rebalance=1000000", "timer join", "sync 2 a 1", "stored ok", "join 3 new=b"]).play(
        "
        > timer session:b
          3 join refused UnknownMemberId member=
          PreparingRebalance generation 1
        ",
    );
}

#[test]
fn a_parked_sync_keeps_its_member_alive_and_gives_it_a_new_session() {
    after(&["join 1 new=a", "join 2 new=b", "timer join", "timer join", "sync 3 b 1"]).play(
        "
        > timer session:b
          CompletingRebalance generation 1
        > sync 4 a 1 b=y
          store generation=1 [a= b=y]
          CompletingRebalance generation 1
        > stored ok
          4 synced ''
          set Session(MemberId(\"a\")) +10s
          3 synced 'y'
          set Session(MemberId(\"b\")) +10s
          Stable generation 1
        ",
    );
}

#[test]
fn a_member_that_leaves_while_it_is_parked_is_answered() {
    after(&["join 1 new=a", "join 2 new=b", "timer join", "timer join", "sync 3 b 1"]).play(
        "
        > leave 4 b
          3 sync refused UnknownMemberId
          set Join +60s
          4 left ok
          PreparingRebalance generation 1
        > join 5 new=c
          set Session(MemberId(\"c\")) +300s
          PreparingRebalance generation 1
        > leave 6 c
          5 join refused UnknownMemberId member=
          6 left ok
          PreparingRebalance generation 1
        ",
    );
}

#[test]
fn a_second_sync_of_a_member_takes_the_place_of_the_first() {
    after(&["join 1 new=a", "join 2 new=b", "timer join", "timer join", "sync 3 b 1"]).play(
        "
        > sync 4 b 1
          3 sync refused RebalanceInProgress
          CompletingRebalance generation 1
        ",
    );
}

#[test]
fn group_max_size_turns_away_whoever_comes_last() {
    after(&["size 2", "join 1 new=a", "join 2 new=b"]).play(
        "
        > join 3 new=c
          3 join refused GroupMaxSizeReached member=
          PreparingRebalance generation 0
        > timer join
          set Join +3s
          PreparingRebalance generation 0
        > timer join
          1 joined a generation=1 protocol=range leader=a members=a,b
          set Session(MemberId(\"a\")) +10s
          2 joined b generation=1 protocol=range leader=a
          set Session(MemberId(\"b\")) +10s
          set Sync +60s
          CompletingRebalance generation 1
        > join 4 new=c v4
          4 join refused GroupMaxSizeReached member=
          CompletingRebalance generation 1
        ",
    );
}

#[test]
fn a_lowered_group_max_size_shrinks_the_group_at_the_next_rebalance() {
    after(&["join 1 new=a", "join 2 new=b", "timer join", "timer join", "sync 3 a 1", "stored ok", "size 1"]).play(
        "
        > join 4 member=a
          set Join +60s
          PreparingRebalance generation 1
        > join 5 member=b
          5 join refused GroupMaxSizeReached member=
          PreparingRebalance generation 1
        > timer join
          4 joined a generation=2 protocol=range leader=a members=a
          set Session(MemberId(\"a\")) +10s
          set Sync +60s
          CompletingRebalance generation 2
        ",
    );
}

#[test]
fn pending_members_are_bounded() {
    let mut script = Script::new();
    for number in 0..PENDING_MEMBERS_MAX {
        script.run(&format!("join 1 new=p{number} v4"));
    }
    let lines = script.run("join 2 new=one-more v4");
    assert!(lines.contains(&"2 join refused GroupMaxSizeReached member=".to_owned()), "{lines:?}");
}

#[test]
fn retention_counts_from_the_state_that_kafka_counts_from() {
    let mut script = Script::new();
    assert_eq!(script.group.retention(), Some(RetentionFrom::Commit), "a simple group");
    let commands = ["join 1 new=a type=consumer protocols=range:\0\0\0\0\0\u{1}\0\u{1}t\0\0\0\0", "timer join"];
    for command in commands {
        script.run(command);
    }
    assert_eq!(script.group.retention(), None);
    for command in ["sync 2 a 1", "stored ok"] {
        script.run(command);
    }
    assert_eq!(script.group.retention(), Some(RetentionFrom::Commit));
    assert!(script.group.is_subscribed("t"));
    assert!(!script.group.is_subscribed("u"));
    for command in ["at 77", "leave 3 a", "stored ok"] {
        script.run(command);
    }
    assert_eq!(script.group.retention(), Some(RetentionFrom::Since(Timestamp(77_000))));
    assert!(!script.group.is_subscribed("t"));
}

#[test]
fn a_consumer_group_with_unreadable_metadata_keeps_its_offsets() {
    let script = after(&["join 1 new=a type=consumer protocols=range:x", "timer join", "sync 2 a 1", "stored ok"]);
    assert_eq!(script.group.retention(), None);
    assert!(script.group.is_subscribed("anything"));
}
