//! Writes that are refused, late or lost.

use super::*;

#[test]
fn a_full_disk_refuses_a_commit_and_leaves_the_shard_alive() {
    let mut bench = Bench::stable();
    bench.log.refuse(|| AppendError::DiskFull);
    assert_eq!(bench.offsets("m", 1, &[("t", 7)]).unwrap_err(), GroupError::CoordinatorNotAvailable);
    assert_eq!(bench.fetched("t"), None);
    assert_eq!(bench.heartbeat("m", 1), Ok(()));
    assert!(!bench.shard.attention().broken);
}

#[test]
fn an_assignment_that_is_refused_rebalances_the_group() {
    let mut bench = Bench::new();
    let _joined = bench.join("", "m");
    bench.pass(Duration::from_secs(3));
    bench.log.refuse(|| AppendError::DiskFull);
    let mut synced = bench.sync("m", 1, &[("m", "all")]);
    assert_eq!(synced.try_recv().unwrap(), Err(GroupError::CoordinatorNotAvailable));
    assert_eq!(bench.heartbeat("m", 1), Err(GroupError::RebalanceInProgress));
}

#[test]
fn a_record_larger_than_a_segment_is_told_as_unstorable() {
    let mut bench = Bench::stable();
    bench.log.refuse(|| AppendError::LargerThanSegment { size: 2, limit: 1 });
    assert_eq!(bench.offsets("m", 1, &[("t", 7)]).unwrap_err(), GroupError::Unstorable);
    assert!(!bench.shard.attention().broken);
}

#[test]
fn a_commit_that_is_late_is_answered_with_an_error_and_counts_when_it_comes() {
    let mut bench = Bench::new();
    let mut answer = bench.offsets("", -1, &[("t", 7)]).unwrap().unwrap();
    let mut settled = bench.shard.settled().unwrap();
    bench.pass(Duration::from_secs(5));
    assert_eq!(answer.try_recv(), Ok(Err(GroupError::CoordinatorNotAvailable)));
    assert_eq!(settled.try_recv(), Ok(Err(GroupError::NotCoordinator)));
    assert_eq!(bench.fetched("t"), None);
    bench.commit();
    assert_eq!(bench.fetched("t"), Some(7));
}

#[test]
fn an_assignment_that_is_late_rebalances_and_is_not_told_when_it_comes() {
    let mut bench = Bench::new();
    let _joined = bench.join("", "m");
    bench.pass(Duration::from_secs(3));
    let mut synced = bench.sync("m", 1, &[("m", "all")]);
    bench.pass(Duration::from_secs(5));
    assert_eq!(synced.try_recv().unwrap(), Err(GroupError::CoordinatorNotAvailable));
    bench.commit();
    assert_eq!(bench.heartbeat("m", 1), Err(GroupError::RebalanceInProgress));
    let mut again = bench.join("m", "");
    assert_eq!(again.try_recv().unwrap().unwrap().generation, 2);
}

#[test]
fn a_log_that_failed_for_good_breaks_the_shard() {
    let mut bench = Bench::stable();
    let _parked = bench.join("m", "");
    bench.log.refuse(|| AppendError::Closed);
    let other = GroupId::from("other");
    let refused = bench.shard.commit(&other, commit_request("", -1, &[("t", 1)]), bench.now);
    assert_eq!(refused.unwrap_err(), GroupError::NotCoordinator);
    assert!(bench.shard.attention().broken);
    assert_eq!(bench.heartbeat("m", 1), Err(GroupError::NotCoordinator));
}

#[test]
fn retiring_answers_everyone_with_not_coordinator() {
    let mut bench = Bench::stable();
    let mut commit = bench.offsets("m", 1, &[("t", 7)]).unwrap().unwrap();
    let mut settled = bench.shard.settled().unwrap();
    let mut parked = bench.shard.join(&GroupId::from("other"), &join_request("", "n"), bench.now);
    bench.shard.retire(bench.now);
    assert_eq!(commit.try_recv(), Ok(Err(GroupError::NotCoordinator)));
    assert_eq!(settled.try_recv(), Ok(Err(GroupError::NotCoordinator)));
    assert_eq!(parked.try_recv().unwrap().unwrap_err().error, GroupError::NotCoordinator);
    assert_eq!(bench.join("", "p").try_recv().unwrap().unwrap_err().error, GroupError::NotCoordinator);
    assert_eq!(bench.shard.fetch(&group(), OffsetWanted::All).unwrap_err(), GroupError::NotCoordinator);
}

#[test]
fn an_assignment_being_written_when_the_shard_retires_is_told_not_coordinator() {
    let mut bench = Bench::new();
    let _joined = bench.join("", "m");
    bench.pass(Duration::from_secs(3));
    let mut synced = bench.sync("m", 1, &[("m", "all")]);
    bench.shard.retire(bench.now);
    assert_eq!(synced.try_recv().unwrap(), Err(GroupError::NotCoordinator));
}
