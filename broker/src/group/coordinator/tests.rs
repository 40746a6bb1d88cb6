//! The coordinator over fake logs, on tokio's paused clock: time passes when everyone waits.
#![allow(clippy::disallowed_methods, reason = "tokio's clock, paused, is the clock of these tests")]

use std::collections::BTreeMap;
use std::time::Duration;

use barnabas_raft::PartitionImage;
use barnabas_storage::{AppendError, LeaderEpoch, Offset, ReadError, Timestamp, TopicId};
use bytes::Bytes;
use tokio::time::Instant;

use super::*;
use crate::group::classic::{CommitIdentity, Joined, Protocol, Protocols};
use crate::group::fake::FakeLog;
use crate::group::shard::NewOffset;
use crate::partition::CommitError;

/// The clock seam over tokio's clock.
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        Timestamp(i64::try_from(self.monotonic().as_millis()).unwrap())
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

const ME: BrokerId = BrokerId(1);

/// A coordinator that leads the only partition of `__consumer_offsets`.
fn coordinator(log: &Arc<FakeLog>) -> Arc<Groups> {
    let found = Arc::clone(log) as Arc<dyn GroupLog>;
    let find_log: FindLog = Box::new(move |_| Some(Arc::clone(&found)));
    let clock = Arc::new(TokioClock(Instant::now()));
    Arc::new(Groups::new(ME, GroupSettings::default(), clock, Tasks::new(), find_log))
}

fn offsets_topic(leader: BrokerId, epoch: i32) -> Arc<TopicImage> {
    let partition = PartitionImage {
        replicas: vec![leader],
        isr: vec![leader],
        leader: Some(leader),
        leader_epoch: LeaderEpoch(epoch),
        partition_epoch: epoch,
    };
    topic(CONSUMER_OFFSETS, vec![partition])
}

fn topic(name: &str, partitions: Vec<PartitionImage>) -> Arc<TopicImage> {
    Arc::new(TopicImage { name: Arc::from(name), id: TopicId::ZERO, partitions, configs: BTreeMap::new() })
}

fn publish(groups: &Groups, delta: &MetadataDelta) {
    groups.publish(delta, &Arc::new(MetadataImage::default()));
}

fn created(topic: Arc<TopicImage>) -> MetadataDelta {
    MetadataDelta { topics_created: vec![topic], ..MetadataDelta::default() }
}

/// A coordinator that has loaded.
async fn serving(log: &Arc<FakeLog>) -> Arc<Groups> {
    let groups = coordinator(log);
    publish(&groups, &created(offsets_topic(ME, 0)));
    while groups.fetch(&group(), OffsetWanted::All, false).await == Err(GroupError::LoadInProgress) {
        tokio::task::yield_now().await;
    }
    groups
}

fn group() -> GroupId {
    GroupId::from("g")
}

fn join_request(member: &str, new: &str) -> JoinRequest {
    JoinRequest {
        member_id: MemberId::from(member),
        new_member_id: MemberId::from(new),
        instance: None,
        client_id: Arc::from("c"),
        client_host: Arc::from("/h"),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: Arc::from("consumer"),
        protocols: Protocols::new(vec![Protocol { name: Arc::from("range"), metadata: Bytes::new() }]),
        requires_member_id: false,
        may_skip_assignment: false,
    }
}

fn sync_request(joined: &Joined, part: &str) -> SyncRequest {
    let part = |member: &crate::group::classic::JoinedMember| (member.id.clone(), Bytes::from(part.to_owned()));
    SyncRequest {
        member_id: joined.member_id.clone(),
        instance: None,
        generation: joined.generation,
        protocol_type: None,
        protocol: None,
        assignments: joined.members.iter().map(part).collect(),
    }
}

fn commit_request(generation: i32, offset: i64) -> CommitRequest {
    CommitRequest {
        identity: CommitIdentity { member_id: MemberId::unknown(), instance: None, generation },
        retention_ms: None,
        absent: GroupError::IllegalGeneration,
        offsets: vec![NewOffset {
            at: TopicPartition { topic: Arc::from("t"), partition: PartitionIndex(0) },
            topic_id: TopicId::ZERO,
            offset: Offset(offset),
            leader_epoch: LeaderEpoch::NONE,
            metadata: Arc::from(""),
        }],
    }
}

#[tokio::test(start_paused = true)]
async fn two_members_join_sync_and_are_dropped_when_they_fall_silent() {
    let groups = serving(&FakeLog::committing()).await;
    let id = group();
    let (a, b) = tokio::join!(groups.join(&id, join_request("", "a")), groups.join(&id, join_request("", "b")));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!((a.generation, b.generation, a.members.len(), b.members.len()), (1, 1, 2, 0));
    let (a_part, b_part) =
        tokio::join!(groups.sync(&id, sync_request(&a, "p")), groups.sync(&id, sync_request(&b, "")));
    assert_eq!((a_part.unwrap().assignment, b_part.unwrap().assignment), (Bytes::from("p"), Bytes::from("p")));
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(groups.heartbeat(&id, &a.member_id, None, 1), Ok(()));
    tokio::time::sleep(Duration::from_secs(6)).await;
    // `b` has been silent for 12 s.
    assert_eq!(groups.heartbeat(&id, &a.member_id, None, 1), Err(GroupError::RebalanceInProgress));
    let again = groups.join(&id, join_request("a", "")).await.unwrap();
    assert_eq!((again.generation, again.members.len()), (2, 1));
    assert_eq!(groups.heartbeat(&id, &b.member_id, None, 1), Err(GroupError::UnknownMemberId));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_answered_before_the_log_has_committed() {
    let log = FakeLog::holding();
    let groups = serving(&log).await;
    let id = group();
    let commit = groups.commit(&id, commit_request(-1, 7));
    tokio::pin!(commit);
    assert!(tokio::time::timeout(Duration::from_secs(4), &mut commit).await.is_err());
    log.commit();
    assert_eq!(commit.await, Ok(()));
    assert_eq!(groups.fetch(&id, OffsetWanted::All, true).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_does_not_commit_in_time_is_an_error_of_the_coordinator() {
    let groups = serving(&FakeLog::holding()).await;
    let started = Instant::now();
    assert_eq!(groups.commit(&group(), commit_request(-1, 7)).await, Err(GroupError::CoordinatorNotAvailable));
    assert_eq!(started.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_fails_takes_its_groups_down() {
    let log = FakeLog::holding();
    let groups = serving(&log).await;
    let (id, other) = (group(), GroupId::from("h"));
    let failing = async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        log.fail(CommitError::Offline);
    };
    let parked = groups.join(&other, join_request("", "a"));
    let (commit, parked, ()) = tokio::join!(groups.commit(&id, commit_request(-1, 7)), parked, failing);
    assert_eq!(commit, Err(GroupError::NotCoordinator));
    assert_eq!(parked.unwrap_err().error, GroupError::NotCoordinator);
    assert_eq!(groups.heartbeat(&id, &MemberId::from("a"), None, 1), Err(GroupError::NotCoordinator));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_refuses_for_good_takes_its_groups_down() {
    let log = FakeLog::committing();
    let groups = serving(&log).await;
    let other = GroupId::from("h");
    let parked = groups.join(&other, join_request("", "a"));
    tokio::pin!(parked);
    assert!(tokio::time::timeout(Duration::from_millis(1), &mut parked).await.is_err());
    log.refuse(|| AppendError::Closed);
    assert_eq!(groups.commit(&group(), commit_request(-1, 7)).await, Err(GroupError::NotCoordinator));
    assert_eq!(parked.await.unwrap_err().error, GroupError::NotCoordinator);
}

#[tokio::test(start_paused = true)]
async fn while_loading_only_heartbeats_are_answered() {
    let groups = coordinator(&FakeLog::committing());
    let (id, member) = (group(), MemberId::from("m"));
    assert_eq!(groups.heartbeat(&id, &member, None, 1), Err(GroupError::NotCoordinator));
    publish(&groups, &created(offsets_topic(ME, 0)));
    assert_eq!(groups.heartbeat(&id, &member, None, 1), Ok(()));
    let loading = GroupError::LoadInProgress;
    assert_eq!(groups.join(&id, join_request("", "a")).await.unwrap_err().error, loading);
    assert_eq!(groups.commit(&id, commit_request(-1, 7)).await, Err(loading));
    assert_eq!(groups.leave(&id, &[]).await, Err(loading));
}

#[tokio::test(start_paused = true)]
async fn a_partition_led_elsewhere_is_not_coordinated() {
    let groups = serving(&FakeLog::committing()).await;
    let id = group();
    let parked = groups.join(&id, join_request("", "a"));
    tokio::pin!(parked);
    assert!(tokio::time::timeout(Duration::from_millis(1), &mut parked).await.is_err());
    let moved = offsets_topic(BrokerId(2), 1);
    publish(&groups, &MetadataDelta { topics_changed: vec![moved], ..MetadataDelta::default() });
    assert_eq!(parked.await.unwrap_err().error, GroupError::NotCoordinator);
    assert_eq!(groups.commit(&group(), commit_request(-1, 7)).await, Err(GroupError::NotCoordinator));
}

#[tokio::test(start_paused = true)]
async fn a_new_leader_epoch_loads_the_groups_again() {
    let log = FakeLog::committing();
    let groups = serving(&log).await;
    assert_eq!(groups.commit(&group(), commit_request(-1, 7)).await, Ok(()));
    let again = offsets_topic(ME, 1);
    publish(&groups, &MetadataDelta { topics_changed: vec![again], ..MetadataDelta::default() });
    let id = group();
    let fetch = || groups.fetch(&id, OffsetWanted::All, true);
    assert_eq!(fetch().await, Err(GroupError::LoadInProgress));
    while fetch().await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(fetch().await.unwrap().len(), 1);
}

/// An error of a disk that may not come again.
fn read_error() -> ReadError {
    ReadError::Io(std::io::Error::other("the disk"))
}

#[tokio::test(start_paused = true)]
async fn read_errors_while_groups_are_loaded_delay_them_and_lose_nothing() {
    let log = FakeLog::committing();
    assert_eq!(serving(&log).await.commit(&group(), commit_request(-1, 7)).await, Ok(()));
    let moved = ReadError::OutOfRange { asked: Offset(0), start: Offset(1), end: Offset(1) };
    log.fail_reads([read_error(), moved, read_error()]);
    let started = Instant::now();
    let again = coordinator(&log);
    publish(&again, &created(offsets_topic(ME, 0)));
    let loading = |groups: &Groups| groups.heartbeat(&group(), &MemberId::from("m"), None, 1) == Ok(());
    while loading(&again) {
        assert_eq!(again.commit(&group(), commit_request(-1, 8)).await, Err(GroupError::LoadInProgress));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(log.read_errors(), 0);
    assert!(started.elapsed() >= Duration::from_millis(100 + 200 + 400), "{:?}", started.elapsed());
    let offsets = again.fetch(&group(), OffsetWanted::All, true).await.unwrap();
    assert_eq!(offsets.iter().map(|(_, value)| value.as_ref().unwrap().offset).collect::<Vec<_>>(), [Offset(7)]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_to_read_groups_again_ends_with_the_leadership_and_with_the_broker() {
    let log = FakeLog::committing();
    log.fail_reads(std::iter::repeat_with(read_error).take(100));
    let groups = coordinator(&log);
    publish(&groups, &created(offsets_topic(ME, 0)));
    tokio::time::sleep(Duration::from_secs(60)).await;
    let unread = log.read_errors();
    assert!((80..98).contains(&unread), "{unread} of 100 after a minute: pauses grow, and not without end");
    publish(
        &groups,
        &MetadataDelta { topics_changed: vec![offsets_topic(BrokerId(2), 1)], ..MetadataDelta::default() },
    );
    let refused = groups.commit(&group(), commit_request(-1, 7)).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((refused, log.read_errors()), (Err(GroupError::NotCoordinator), unread));
    publish(&groups, &MetadataDelta { topics_changed: vec![offsets_topic(ME, 2)], ..MetadataDelta::default() });
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(log.read_errors() < unread);
    assert_eq!(groups.tasks.stop(Duration::from_secs(1)).await, 0);
}

#[tokio::test(start_paused = true)]
async fn damage_is_not_read_again() {
    let log = FakeLog::committing();
    log.fail_reads([ReadError::Damaged(Offset(0))]);
    let groups = coordinator(&log);
    publish(&groups, &created(offsets_topic(ME, 0)));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(groups.commit(&group(), commit_request(-1, 7)).await, Err(GroupError::NotCoordinator));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_topic_loses_its_offsets_also_while_loading() {
    let log = FakeLog::committing();
    let groups = serving(&log).await;
    assert_eq!(groups.commit(&group(), commit_request(-1, 7)).await, Ok(()));
    let again = coordinator(&log);
    publish(&again, &created(offsets_topic(ME, 0)));
    let deleted = || MetadataDelta { topics_deleted: vec![topic("t", Vec::new())], ..MetadataDelta::default() };
    for groups in [&groups, &again] {
        publish(groups, &deleted());
        while !matches!(groups.fetch(&group(), OffsetWanted::All, true).await, Ok(offsets) if offsets.is_empty()) {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_kafka_refuses_before_it_asks_the_group() {
    let groups = serving(&FakeLog::committing()).await;
    let nameless = GroupId::from("");
    assert_eq!(groups.join(&nameless, join_request("", "a")).await.unwrap_err().error, GroupError::InvalidGroupId);
    assert_eq!(groups.leave(&nameless, &[]).await, Err(GroupError::InvalidGroupId));
    assert_eq!(groups.heartbeat(&nameless, &MemberId::from("m"), None, 1), Err(GroupError::InvalidGroupId));
    // Offsets may be kept under the empty name.
    assert_eq!(groups.commit(&nameless, commit_request(-1, 7)).await, Ok(()));
    for session_timeout_ms in [0, 5999, 1_800_001] {
        let request = JoinRequest { session_timeout_ms, ..join_request("", "a") };
        let refused = groups.join(&group(), request).await.unwrap_err();
        assert_eq!(refused.error, GroupError::InvalidSessionTimeout);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stopping_broker_answers_whoever_is_parked() {
    let log = FakeLog::committing();
    let groups = serving(&log).await;
    let id = group();
    let parked = groups.join(&id, join_request("", "a"));
    let (parked, left) = tokio::join!(parked, groups.tasks.stop(Duration::from_secs(60)));
    assert_eq!(parked.unwrap_err().error, GroupError::NotCoordinator);
    assert_eq!(left, 0);
}

#[tokio::test(start_paused = true)]
async fn a_stopping_broker_answers_what_is_being_written_first() {
    let log = FakeLog::holding();
    let groups = serving(&log).await;
    let committing = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        log.commit();
    };
    let (id, stop) = (group(), groups.tasks.stop(Duration::from_secs(60)));
    let (commit, left, ()) = tokio::join!(groups.commit(&id, commit_request(-1, 7)), stop, committing);
    assert_eq!((commit, left), (Ok(()), 0));
}
