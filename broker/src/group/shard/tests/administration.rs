//! Groups as administrators see them, and what they delete.

use super::*;

#[test]
fn a_group_is_described_with_metadata_and_assignment_only_while_it_is_stable() {
    let mut bench = Bench::stable();
    let stable = bench.shard.describe(&group()).unwrap();
    assert_eq!((stable.state, &*stable.protocol_type, &*stable.protocol), (State::Stable, "consumer", "range"));
    assert_eq!(&*stable.members[0].client_host, "/h");
    assert_eq!((stable.members[0].metadata.is_empty(), &stable.members[0].assignment[..]), (false, &b"all"[..]));
    let _joining = bench.join("", "n");
    let rebalancing = bench.shard.describe(&group()).unwrap();
    assert_eq!((rebalancing.state, &*rebalancing.protocol), (State::PreparingRebalance, ""));
    assert!(rebalancing.members.iter().all(|one| one.metadata.is_empty() && one.assignment.is_empty()));
    assert_eq!(bench.shard.list().unwrap()[0].state, State::PreparingRebalance);
}

#[test]
fn a_group_that_only_keeps_offsets_has_no_type() {
    let mut bench = Bench::new();
    let _answer = bench.offsets("", -1, &[("t", 7)]);
    assert!(bench.shard.list().unwrap().is_empty());
    bench.commit();
    let listed = bench.shard.list().unwrap();
    assert_eq!((&*listed[0].protocol_type, listed[0].state), ("", State::Empty));
    assert_eq!(bench.shard.describe(&GroupId::from("other")), Err(GroupError::GroupIdNotFound));
}

#[test]
fn a_group_with_members_is_not_deleted() {
    let mut bench = Bench::stable();
    assert_eq!(bench.shard.delete(&group(), bench.now).err(), Some(GroupError::NonEmptyGroup));
    let none = GroupId::from("other");
    assert_eq!(bench.shard.delete(&none, bench.now).err(), Some(GroupError::GroupIdNotFound));
}

#[test]
fn a_deleted_group_is_gone_with_its_offsets_once_that_is_durable_and_after_a_reload() {
    let mut bench = Bench::new();
    let _answer = bench.offsets("", -1, &[("t", 7)]);
    bench.commit();
    let _under_way = bench.offsets("", -1, &[("u", 8)]);
    let mut gone = bench.shard.delete(&group(), bench.now).unwrap();
    assert_eq!(gone.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(bench.fetched("t"), Some(7));
    bench.commit();
    assert_eq!(gone.try_recv(), Ok(Ok(())));
    assert_eq!((bench.fetched("t"), bench.fetched("u")), (None, None));
    assert!(bench.shard.list().unwrap().is_empty());
    let again = bench.crash(bench.log.records().len());
    assert!(again.shard.list().unwrap().is_empty() && again.fetched("u").is_none());
}

#[test]
fn a_member_that_joins_while_its_group_is_being_deleted_keeps_it() {
    let mut bench = Bench::new();
    let _answer = bench.offsets("", -1, &[("t", 7)]);
    bench.commit();
    let mut gone = bench.shard.delete(&group(), bench.now).unwrap();
    let _joined = bench.join("", "m");
    bench.commit();
    assert_eq!(gone.try_recv(), Ok(Ok(())));
    assert_eq!(bench.shard.list().unwrap()[0].state, State::PreparingRebalance);
    assert_eq!(bench.fetched("t"), None);
}

#[test]
fn offsets_of_a_topic_that_is_read_stay_and_others_go() {
    let mut bench = Bench::stable();
    let _answer = bench.offsets("m", 1, &[("t", 7), ("left", 8)]);
    bench.commit();
    let wanted = vec![at("t"), at("left"), at("never")];
    let (told, settled) = bench.shard.delete_offsets_of(&group(), wanted, bench.now).unwrap();
    let told: Vec<_> = told.into_iter().map(|(_, told)| told).collect();
    assert_eq!(told, [Err(GroupError::GroupSubscribedToTopic), Ok(()), Ok(())]);
    bench.commit();
    assert_eq!(settled.unwrap().try_recv(), Ok(Ok(())));
    assert_eq!((bench.fetched("t"), bench.fetched("left")), (Some(7), None));
}

#[test]
fn deleting_offsets_that_are_not_there_writes_nothing() {
    let mut bench = Bench::new();
    let wanted = || vec![at("u")];
    let absent = bench.shard.delete_offsets_of(&group(), wanted(), bench.now).err();
    assert_eq!(absent, Some(GroupError::GroupIdNotFound));
    let _answer = bench.offsets("", -1, &[("t", 7)]);
    bench.commit();
    let before = bench.log.records().len();
    let (told, settled) = bench.shard.delete_offsets_of(&group(), wanted(), bench.now).unwrap();
    assert_eq!((told[0].1, settled.is_none()), (Ok(()), true));
    assert_eq!(bench.log.records().len(), before);
}
