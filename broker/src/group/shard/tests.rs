//! A shard over a fake log: what waits for which record, failed writes, reload, retention.

use std::sync::Arc;

use barnabas_storage::{AppendError, LeaderEpoch, Offset, PartitionIndex, Timestamp, TopicId};
use bytes::Bytes;
use tokio::sync::oneshot::error::TryRecvError;

use super::*;
use crate::group::classic::{CommitIdentity, JoinRequest, LeavingMember, Protocol, Protocols, State, SyncRequest};
use crate::group::fake::FakeLog;
use crate::group::ids::MemberId;
use crate::group::log::Record;
use crate::group::offsets::{DeletedTopic, TopicPartition};
use crate::group::schema::Key;

mod administration;
mod crash;
mod failures;
mod reload;
mod retention;

/// A shard, its log and the time.
struct Bench {
    log: Arc<FakeLog>,
    shard: Shard,
    now: Now,
}

const START: Now = Now { monotonic: Duration::from_secs(1000), wall: Timestamp(1_000_000) };

impl Bench {
    fn new() -> Self {
        Self::over(FakeLog::holding(), GroupSettings::default(), START)
    }

    fn over(log: Arc<FakeLog>, settings: GroupSettings, now: Now) -> Self {
        let shard = Shard::load(Arc::clone(&log) as Arc<dyn GroupLog>, Arc::new(settings), || now).unwrap();
        Self { log, shard, now }
    }

    /// The broker was killed: only the first `count` records survive.
    fn crash(&self, count: usize) -> Self {
        Self::over(self.log.cut(count), GroupSettings::default(), self.now)
    }

    fn pass(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.now.wall.0 += i64::try_from(time.as_millis()).unwrap();
        self.shard.tick(self.now);
    }

    /// Everything that is appended is committed.
    fn commit(&mut self) {
        self.shard.committed(self.log.last(), self.now);
    }

    fn join(&mut self, member: &str, new: &str) -> oneshot::Receiver<JoinAnswer> {
        self.shard.join(&group(), &join_request(member, new), self.now)
    }

    fn sync(&mut self, member: &str, generation: i32, parts: &[(&str, &str)]) -> oneshot::Receiver<SyncAnswer> {
        let part = |(member, part): &(&str, &str)| (MemberId::from(*member), Bytes::copy_from_slice(part.as_bytes()));
        let request = SyncRequest {
            member_id: MemberId::from(member),
            instance: None,
            generation,
            protocol_type: None,
            protocol: None,
            assignments: parts.iter().map(part).collect(),
        };
        self.shard.sync(&group(), &request, self.now)
    }

    fn heartbeat(&mut self, member: &str, generation: i32) -> Result<(), GroupError> {
        self.shard.heartbeat(&group(), &MemberId::from(member), None, generation, self.now)
    }

    /// `m` alone in Stable, generation 1, durable.
    fn stable() -> Self {
        let mut bench = Self::new();
        let mut joined = bench.join("", "m");
        bench.pass(Duration::from_secs(3));
        assert!(joined.try_recv().unwrap().is_ok());
        let mut synced = bench.sync("m", 1, &[("m", "all")]);
        assert_eq!(synced.try_recv(), Err(TryRecvError::Empty));
        bench.commit();
        assert_eq!(synced.try_recv().unwrap().unwrap().assignment, "all");
        bench
    }

    fn offsets(&mut self, member: &str, generation: i32, offsets: &[(&str, i64)]) -> Committing {
        let request = commit_request(member, generation, offsets);
        self.shard.commit(&group(), request, self.now)
    }

    fn fetched(&self, topic: &str) -> Option<i64> {
        let found = self.shard.fetch(&group(), OffsetWanted::Of(vec![at(topic)])).unwrap();
        found[0].1.as_ref().map(|value| value.offset.0)
    }
}

type Committing = Result<Option<CommitAnswer>, GroupError>;

fn group() -> GroupId {
    GroupId::from("g")
}

fn at(topic: &str) -> TopicPartition {
    TopicPartition { topic: Arc::from(topic), partition: PartitionIndex(0) }
}

/// A consumer of topic `t`.
fn join_request(member: &str, new: &str) -> JoinRequest {
    let metadata = Bytes::from_static(&[0, 0, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 0]);
    JoinRequest {
        member_id: MemberId::from(member),
        new_member_id: MemberId::from(new),
        instance: None,
        client_id: Arc::from("c"),
        client_host: Arc::from("/h"),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: Arc::from("consumer"),
        protocols: Protocols::new(vec![Protocol { name: Arc::from("range"), metadata }]),
        requires_member_id: false,
        may_skip_assignment: false,
    }
}

fn deleted(name: &str, id: u128) -> DeletedTopic {
    DeletedTopic { name: Arc::from(name), id: TopicId(uuid::Uuid::from_u128(id)) }
}

fn commit_request(member: &str, generation: i32, offsets: &[(&str, i64)]) -> CommitRequest {
    let offset = |(topic, offset): &(&str, i64)| NewOffset {
        at: at(topic),
        topic_id: TopicId::ZERO,
        offset: Offset(*offset),
        leader_epoch: LeaderEpoch(5),
        metadata: Arc::from("note"),
    };
    CommitRequest {
        identity: CommitIdentity { member_id: MemberId::from(member), instance: None, generation },
        retention_ms: None,
        absent: GroupError::GroupIdNotFound,
        offsets: offsets.iter().map(offset).collect(),
    }
}

#[test]
fn an_offset_is_answered_and_fetched_only_once_it_is_committed() {
    let mut bench = Bench::new();
    let mut answer = bench.offsets("", -1, &[("t", 7)]).unwrap().unwrap();
    assert_eq!(answer.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(bench.fetched("t"), None);
    bench.commit();
    assert_eq!(answer.try_recv(), Ok(Ok(())));
    assert_eq!(bench.fetched("t"), Some(7));
    let all = bench.shard.fetch(&group(), OffsetWanted::All).unwrap();
    let value = all[0].1.clone().unwrap();
    assert_eq!((&*value.metadata, value.leader_epoch, value.commit_timestamp), ("note", LeaderEpoch(5), START.wall));
}

#[test]
fn a_fetch_of_stable_offsets_waits_for_the_commits_before_it() {
    let mut bench = Bench::new();
    assert!(bench.shard.settled().is_none());
    let _answer = bench.offsets("", -1, &[("t", 7)]);
    let mut settled = bench.shard.settled().unwrap();
    let _later = bench.offsets("", -1, &[("t", 8)]);
    bench.shard.committed(Offset(0), bench.now);
    assert_eq!(settled.try_recv(), Ok(Ok(())));
    assert_eq!(bench.fetched("t"), Some(7));
}

#[test]
fn a_group_that_is_not_known_has_no_offsets_and_no_members() {
    let mut bench = Bench::new();
    assert!(bench.shard.fetch(&group(), OffsetWanted::All).unwrap().is_empty());
    assert_eq!(bench.fetched("t"), None);
    assert_eq!(bench.offsets("m", 3, &[("t", 1)]).unwrap_err(), GroupError::GroupIdNotFound);
    assert_eq!(bench.heartbeat("m", 1), Err(GroupError::UnknownMemberId));
    assert_eq!(bench.sync("m", 1, &[]).try_recv().unwrap(), Err(GroupError::UnknownMemberId));
    assert_eq!(bench.join("m", "n").try_recv().unwrap().unwrap_err().error, GroupError::UnknownMemberId);
    let leaving = LeavingMember { member_id: MemberId::from("m"), instance: None };
    let left = bench.shard.leave(&group(), &[leaving], bench.now).try_recv().unwrap().unwrap();
    assert_eq!(left[0].result, Err(GroupError::UnknownMemberId));
    assert!(bench.log.records().is_empty());
}

#[test]
fn a_client_that_goes_away_leaves_its_member_until_its_session_ends() {
    let mut bench = Bench::new();
    drop(bench.join("", "m"));
    bench.pass(Duration::from_secs(3));
    assert_eq!(bench.heartbeat("m", 1), Ok(()));
    bench.pass(Duration::from_secs(10));
    assert_eq!(bench.heartbeat("m", 1), Err(GroupError::UnknownMemberId));
    assert!(bench.shard.parked.is_empty());
}

#[test]
fn attention_names_the_next_commit_and_the_next_deadline() {
    let mut bench = Bench::new();
    let idle = bench.shard.attention();
    assert_eq!((idle.commit, idle.due), (None, START.monotonic + Duration::from_secs(600)));
    let _joined = bench.join("", "m");
    assert_eq!(bench.shard.attention().due, START.monotonic + Duration::from_secs(3));
    let other = GroupId::from("other");
    let _answer = bench.shard.commit(&other, commit_request("", -1, &[("t", 1)]), bench.now);
    bench.pass(Duration::from_secs(3));
    let busy = bench.shard.attention();
    assert_eq!((busy.commit, busy.due), (Some(Offset(0)), START.monotonic + Duration::from_secs(5)));
}
