//! A shard that is read from its log again, after a crash.

use super::*;

#[test]
fn the_last_stable_generation_and_all_offsets_come_back() {
    let mut bench = Bench::stable();
    let _answer = bench.offsets("m", 1, &[("t", 7), ("u", 9)]);
    let mut again = bench.crash(3);
    assert_eq!((again.fetched("t"), again.fetched("u")), (Some(7), Some(9)));
    assert_eq!(again.heartbeat("m", 1), Ok(()));
    assert_eq!(again.sync("m", 1, &[]).try_recv().unwrap().unwrap().assignment, "all");
    assert!(again.offsets("m", 1, &[("t", 8)]).is_ok());
}

#[test]
fn a_rebalance_under_way_is_forgotten_and_the_members_go_on() {
    let mut bench = Bench::stable();
    let _joined = bench.join("", "n");
    assert_eq!(bench.heartbeat("m", 1), Err(GroupError::RebalanceInProgress));
    let mut again = bench.crash(1);
    assert_eq!(again.heartbeat("m", 1), Ok(()));
    assert_eq!(again.heartbeat("n", 2), Err(GroupError::UnknownMemberId));
}

#[test]
fn an_assignment_that_nobody_was_told_may_come_back() {
    let mut bench = Bench::stable();
    let _joined = bench.join("m", "");
    let mut synced = bench.sync("m", 2, &[("m", "other")]);
    assert_eq!(synced.try_recv(), Err(TryRecvError::Empty));
    let mut lost = bench.crash(1);
    assert_eq!(lost.heartbeat("m", 1), Ok(()));
    let mut kept = bench.crash(2);
    assert_eq!(kept.heartbeat("m", 1), Err(GroupError::IllegalGeneration));
    assert_eq!(kept.sync("m", 2, &[]).try_recv().unwrap().unwrap().assignment, "other");
}

#[test]
fn every_member_gets_a_whole_session_after_a_reload() {
    let bench = Bench::stable();
    let mut again = bench.crash(1);
    again.pass(Duration::from_secs(9));
    assert_eq!(again.shard.groups[&group()].state(), State::Stable);
    again.pass(Duration::from_secs(1));
    assert_eq!(again.shard.groups[&group()].state(), State::Empty);
    // The empty generation was written.
    assert_eq!(again.log.records().len(), 2);
}

#[test]
fn a_group_larger_than_a_lowered_limit_rebalances_after_a_reload() {
    let bench = Bench::stable();
    let settings = GroupSettings { max_size: 0, ..GroupSettings::default() };
    let again = Bench::over(bench.log.cut(1), settings, START);
    assert_eq!(again.shard.groups[&group()].state(), State::PreparingRebalance);
}

#[test]
fn tombstones_remove_offsets_and_groups() {
    let log = FakeLog::holding();
    let mut bench = Bench::over(Arc::clone(&log), GroupSettings::default(), START);
    let _answer = bench.offsets("", -1, &[("t", 7), ("u", 9)]);
    log.put(Record { key: Key::offset(&group(), &at("t")).unwrap(), value: None });
    let again = bench.crash(3);
    assert_eq!((again.fetched("t"), again.fetched("u")), (None, Some(9)));
    log.put(Record { key: Key::group(&group()).unwrap(), value: None });
    assert!(bench.crash(4).shard.groups.contains_key(&group()), "it still has an offset");
    log.put(Record { key: Key::offset(&group(), &at("u")).unwrap(), value: None });
    log.put(Record { key: Key::group(&group()).unwrap(), value: None });
    assert!(bench.crash(6).shard.groups.is_empty());
}

#[test]
fn a_record_that_cannot_be_read_is_passed_over() {
    let log = FakeLog::holding();
    let mut bench = Bench::over(Arc::clone(&log), GroupSettings::default(), START);
    for (key, value) in [(&[9, 9][..], &[0, 0][..]), (&[0, 1, 0], &[]), (&[0, 2, 0, 1, b'g'], &[0, 99]), (&[], &[])] {
        log.put(Record { key: Bytes::copy_from_slice(key), value: Some(Bytes::copy_from_slice(value)) });
    }
    let _answer = bench.offsets("", -1, &[("t", 7)]);
    assert_eq!(bench.crash(5).fetched("t"), Some(7));
}
