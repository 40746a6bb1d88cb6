//! Offsets that expire, and those of deleted topics.

use super::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Lets the retention check come and its tombstones be committed.
fn check(bench: &mut Bench) {
    bench.pass(Duration::from_secs(600));
    bench.commit();
}

#[test]
fn a_simple_group_loses_its_offsets_by_commit_time_and_then_itself() {
    let mut bench = Bench::new();
    let _answer = bench.offsets("", -1, &[("t", 7)]);
    bench.commit();
    bench.pass(6 * DAY);
    assert_eq!(bench.fetched("t"), Some(7));
    let _answer = bench.offsets("", -1, &[("u", 8)]);
    bench.commit();
    bench.pass(DAY);
    bench.commit();
    assert_eq!((bench.fetched("t"), bench.fetched("u")), (None, Some(8)));
    bench.pass(7 * DAY);
    bench.commit();
    assert!(bench.shard.groups.is_empty());
    let records = bench.log.records();
    let tombstones: Vec<_> = records.iter().filter(|record| record.value.is_none()).collect();
    assert_eq!(Key::decode(&tombstones[0].key), Ok(Key::Offset(group(), at("t"))));
    assert_eq!(Key::decode(&tombstones[1].key), Ok(Key::Offset(group(), at("u"))));
    assert_eq!(Key::decode(&tombstones[2].key), Ok(Key::Group(group())));
    let again = bench.crash(records.len());
    assert!(again.shard.groups.is_empty());
}

#[test]
fn an_explicit_expiry_wins_over_the_retention() {
    let mut bench = Bench::new();
    let request = CommitRequest { retention_ms: Some(1000), ..commit_request("", -1, &[("t", 7)]) };
    let _answer = bench.shard.commit(&group(), request, bench.now);
    bench.commit();
    check(&mut bench);
    assert_eq!(bench.fetched("t"), None);
}

#[test]
fn a_stable_consumer_group_keeps_the_offsets_of_what_it_reads() {
    let mut bench = Bench::stable();
    let _answer = bench.offsets("m", 1, &[("t", 7), ("left", 8)]);
    bench.commit();
    // The member lives on; its deadline is not what is tested.
    for _ in 0..3 * 24 * 8 {
        assert_eq!(bench.heartbeat("m", 1), Ok(()));
        bench.shard.timers.set((group(), GroupTimer::Session(MemberId::from("m"))), Duration::MAX);
        bench.pass(Duration::from_secs(1200));
        bench.commit();
    }
    assert_eq!((bench.fetched("t"), bench.fetched("left")), (Some(7), None));
}

#[test]
fn an_empty_group_loses_its_offsets_a_retention_after_it_became_empty() {
    let mut bench = Bench::stable();
    let _answer = bench.offsets("m", 1, &[("t", 7)]);
    bench.commit();
    bench.pass(Duration::from_secs(10));
    bench.commit();
    assert_eq!(bench.shard.groups[&group()].state(), State::Empty);
    bench.pass(7 * DAY - Duration::from_secs(1));
    bench.commit();
    assert_eq!(bench.fetched("t"), Some(7));
    check(&mut bench);
    assert_eq!(bench.fetched("t"), None);
    assert!(bench.shard.groups.is_empty());
}

#[test]
fn a_commit_under_way_keeps_its_group_from_the_check() {
    let mut bench = Bench::new();
    let _answer = bench.offsets("", -1, &[("t", 7)]);
    bench.commit();
    bench.now.wall.0 += i64::try_from((8 * DAY).as_millis()).unwrap();
    let _newer = bench.offsets("", -1, &[("t", 8)]);
    bench.pass(Duration::from_secs(600));
    bench.commit();
    assert_eq!(bench.fetched("t"), Some(8));
}

#[test]
fn a_group_that_members_joined_is_not_removed_by_its_tombstone() {
    let mut bench = Bench::new();
    let _answer = bench.offsets("", -1, &[("t", 7)]);
    bench.commit();
    bench.pass(8 * DAY);
    assert!(bench.log.records().last().unwrap().value.is_none());
    let _joined = bench.join("", "m");
    bench.commit();
    bench.pass(Duration::from_secs(3));
    assert_eq!(bench.heartbeat("m", 1), Ok(()));
}

#[test]
fn a_deleted_topic_takes_its_offsets_along_even_those_being_written() {
    let mut bench = Bench::new();
    let _answer = bench.offsets("", -1, &[("t", 7), ("u", 9)]);
    bench.commit();
    let mut late = bench.offsets("", -1, &[("t", 8)]).unwrap().unwrap();
    bench.shard.delete_topics(&[deleted("t", 1)], bench.now);
    bench.commit();
    assert_eq!(late.try_recv(), Ok(Ok(())));
    assert_eq!((bench.fetched("t"), bench.fetched("u")), (None, Some(9)));
    let again = bench.crash(bench.log.records().len());
    assert_eq!((again.fetched("t"), again.fetched("u")), (None, Some(9)));
}

#[test]
fn a_deleted_topic_leaves_the_offsets_of_a_later_one_of_its_name() {
    let mut bench = Bench::new();
    let mut request = commit_request("", -1, &[("t", 7)]);
    request.offsets[0].topic_id = deleted("t", 2).id;
    let _answer = bench.shard.commit(&group(), request, bench.now).unwrap();
    bench.commit();
    bench.shard.delete_topics(&[deleted("t", 1), deleted("u", 2)], bench.now);
    bench.commit();
    assert_eq!(bench.fetched("t"), Some(7));
    let mut again = bench.crash(bench.log.records().len());
    again.shard.delete_topics(&[deleted("t", 2)], again.now);
    again.commit();
    assert_eq!(again.fetched("t"), None);
}

#[test]
fn many_tombstones_go_in_batches() {
    let mut bench = Bench::new();
    for index in 0..1200 {
        let mut request = commit_request("", -1, &[("t", 7)]);
        request.offsets[0].at.partition = PartitionIndex(index);
        let _answer = bench.shard.commit(&group(), request, bench.now);
    }
    bench.commit();
    bench.shard.delete_topics(&[deleted("t", 1)], bench.now);
    assert_eq!(bench.shard.writes.len(), 3);
    bench.commit();
    assert!(bench.shard.fetch(&group(), OffsetWanted::All).unwrap().is_empty());
}
