//! Commits offsets of a group, ever higher ones, and looks at what is committed.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use kafka_protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::{FindCoordinatorRequest, GroupId, OffsetCommitRequest, OffsetFetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::connection::Connection;
use super::{Phase, Shared, count_down, pause};
use crate::dice::Dice;
use crate::history::{Commit, NEVER};
use crate::trace::trace;

const FIND_COORDINATOR: i16 = 4;
const OFFSET_COMMIT: i16 = 8;
const OFFSET_FETCH: i16 = 8;
const UNKNOWN_SERVER_ERROR: i16 = -1;

struct Committer {
    shared: Rc<Shared>,
    number: usize,
    topic: usize,
    dice: Dice,
    connection: Option<Connection>,
    /// The last offset that was sent, of each partition.
    offsets: Vec<i64>,
    committed_since_heal: bool,
    looked_since_heal: bool,
}

/// Runs until the load is over and one more commit was seen.
pub(crate) async fn run(shared: Rc<Shared>, number: usize) -> turmoil::Result {
    shared.reached(Phase::Work).await;
    let partitions = usize::try_from(shared.topic(0).partitions)?;
    let mut committer = Committer {
        dice: shared.dice(&format!("committer-{number}")),
        shared: Rc::clone(&shared),
        number,
        topic: 0,
        connection: None,
        offsets: vec![0; partitions],
        committed_since_heal: false,
        looked_since_heal: false,
    };
    while !(committer.committed_since_heal && committer.looked_since_heal) {
        if committer.round().await.is_err() {
            committer.connection = None;
        }
        let wait = committer.dice.within(20..=400);
        pause(Duration::from_millis(wait)).await;
    }
    count_down(&shared.readers);
    Ok(())
}

impl Committer {
    fn group(&self) -> GroupId {
        GroupId(StrBytes::from_string(format!("group-{}", self.number)))
    }

    fn topic_name(&self) -> TopicName {
        TopicName(StrBytes::from_string(self.shared.topic(self.topic).name.clone()))
    }

    async fn round(&mut self) -> io::Result<()> {
        if self.connection.is_none() {
            let mut connection = Connection::open().await?;
            let request =
                FindCoordinatorRequest::default().with_key_type(0).with_coordinator_keys(vec![self.group().0]);
            let answer = connection.call(&request, FIND_COORDINATOR).await?;
            if answer.coordinators.first().is_none_or(|coordinator| coordinator.error_code != 0) {
                return Err(io::Error::other("no coordinator"));
            }
            self.connection = Some(connection);
        }
        if self.dice.one_in(3) { self.look().await } else { self.commit().await }
    }

    async fn commit(&mut self) -> io::Result<()> {
        let at = usize::try_from(self.dice.within(0..=self.offsets.len() as u64 - 1)).unwrap_or(0);
        let partition = i32::try_from(at).unwrap_or(0);
        self.offsets[at] += 1 + i64::from(self.dice.one_in(3));
        let offset = self.offsets[at];
        let commit = OffsetCommitRequestPartition::default()
            .with_partition_index(partition)
            .with_committed_offset(offset)
            .with_committed_leader_epoch(-1)
            .with_committed_metadata(Some(StrBytes::from_static_str("")));
        let topic = OffsetCommitRequestTopic::default().with_name(self.topic_name()).with_partitions(vec![commit]);
        let request = OffsetCommitRequest::default()
            .with_group_id(self.group())
            .with_generation_id_or_member_epoch(-1)
            .with_topics(vec![topic]);
        let (group, topic) = (self.number, self.topic);
        let index = {
            let mut history = self.shared.history.borrow_mut();
            let invoked = history.tick();
            history.commits.push(Commit { group, topic, partition, offset, invoked, done: NEVER, ok: false });
            history.commits.len() - 1
        };
        let answer = self.call(&request, OFFSET_COMMIT).await?;
        let code = answer.topics.first().and_then(|topic| topic.partitions.first()).map(|one| one.error_code);
        trace!("commit g{group} t{topic} p{partition} {offset}: {code:?}");
        let mut history = self.shared.history.borrow_mut();
        let done = history.tick();
        history.commits[index].done = done;
        match code {
            Some(0) => {
                history.commits[index].ok = true;
                self.committed_since_heal |= self.shared.phase.get() >= Phase::Heal;
                Ok(())
            }
            Some(UNKNOWN_SERVER_ERROR) => {
                history.outrage("a commit was answered UNKNOWN_SERVER_ERROR".to_owned());
                Err(io::Error::other("refused"))
            }
            _ => Err(io::Error::other("refused")),
        }
    }

    async fn look(&mut self) -> io::Result<()> {
        let partitions = (0..self.offsets.len()).filter_map(|at| i32::try_from(at).ok()).collect();
        let topic = OffsetFetchRequestTopics::default().with_name(self.topic_name()).with_partition_indexes(partitions);
        let group = OffsetFetchRequestGroup::default().with_group_id(self.group()).with_topics(Some(vec![topic]));
        let request = OffsetFetchRequest::default().with_groups(vec![group]).with_require_stable(false);
        let invoked = self.shared.history.borrow_mut().tick();
        let answer = self.call(&request, OFFSET_FETCH).await?;
        let group = answer.groups.into_iter().next().ok_or_else(|| io::Error::other("no group"))?;
        if group.error_code != 0 {
            return Err(io::Error::other(format!("OffsetFetch: {}", group.error_code)));
        }
        let mut history = self.shared.history.borrow_mut();
        let done = history.tick();
        let (number, topic) = (self.number, self.topic);
        for partition in group.topics.into_iter().flat_map(|topic| topic.partitions) {
            if partition.error_code != 0 {
                return Err(io::Error::other("refused"));
            }
            let (index, offset) = (partition.partition_index, partition.committed_offset);
            trace!("committed g{number} t{topic} p{index} {offset}");
            let seen = Commit { group: number, topic, partition: index, offset, invoked, done, ok: true };
            history.committed.push(seen);
        }
        self.looked_since_heal |= self.committed_since_heal;
        Ok(())
    }

    async fn call<R: kafka_protocol::protocol::Request>(
        &mut self,
        request: &R,
        version: i16,
    ) -> io::Result<R::Response> {
        self.connection.as_mut().ok_or(io::ErrorKind::NotConnected)?.call(request, version).await
    }
}
