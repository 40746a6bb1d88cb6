//! OffsetCommit and OffsetFetch of one shard.

use std::sync::Arc;

use barnabas_storage::{LeaderEpoch, Offset, Timestamp, TopicId};
use tokio::sync::oneshot;

use super::Shard;
use super::write::Content;
use crate::group::classic::{CommitIdentity, Now};
use crate::group::error::GroupError;
use crate::group::ids::GroupId;
use crate::group::log::Record;
use crate::group::offsets::TopicPartition;
use crate::group::schema::{Key, OffsetCommitValue, SchemaError};

/// Which offsets of a group are wanted.
#[derive(Clone, Debug)]
pub enum OffsetWanted {
    /// All there are.
    All,
    /// Those of these partitions.
    Of(Vec<TopicPartition>),
}

/// One offset to be committed.
#[derive(Clone, Debug)]
pub struct NewOffset {
    /// Of which partition.
    pub at: TopicPartition,
    /// The topic's id.
    pub topic_id: TopicId,
    /// The next offset the group wants.
    pub offset: Offset,
    /// The leader epoch of the last consumed record.
    pub leader_epoch: LeaderEpoch,
    /// What the consumer wants to remember.
    pub metadata: Arc<str>,
}

/// An OffsetCommit.
#[derive(Clone, Debug)]
pub struct CommitRequest {
    /// Who commits.
    pub identity: CommitIdentity,
    /// How long the offsets are kept, when the request says so (up to v4).
    pub retention_ms: Option<i64>,
    /// What a member is told when the group does not exist.
    pub absent: GroupError,
    /// The offsets.
    pub offsets: Vec<NewOffset>,
}

/// Hears of the end of a commit.
pub type CommitAnswer = oneshot::Receiver<Result<(), GroupError>>;

impl Shard {
    /// Checks who commits, and appends the offsets; the receiver hears when they are committed. `None` when there was
    /// nothing to commit.
    ///
    /// # Errors
    /// What every partition of the request is told.
    pub fn commit(
        &mut self,
        id: &GroupId,
        request: CommitRequest,
        now: Now,
    ) -> Result<Option<CommitAnswer>, GroupError> {
        self.check_alive()?;
        if self.groups.contains_key(id) {
            let mut outcome = Ok(());
            self.turn(id, now, |group, turn| outcome = group.check_commit(&request.identity, turn));
            outcome?;
        } else if request.identity.generation >= 0 {
            return Err(request.absent);
        }
        if request.offsets.is_empty() {
            return Ok(None);
        }
        let expire = request.retention_ms.map(|retention| Timestamp(now.wall.0.saturating_add(retention)));
        let commits: Vec<_> = request.offsets.into_iter().map(|offset| offset.at(now.wall, expire)).collect();
        let records: Result<Vec<_>, SchemaError> = commits
            .iter()
            .map(|(at, value)| Ok(Record { key: Key::offset(id, at)?, value: Some(value.encode()?) }))
            .collect();
        let last = self.append(&records.map_err(|_| GroupError::Unstorable)?, now)?;
        let (reply, answer) = oneshot::channel();
        self.await_commit(last, Content::Offsets { group: id.clone(), commits, reply: Some(reply) }, now);
        Ok(Some(answer))
    }

    /// Committed offsets of a group; `None` for a partition without one. An unknown group has none, which is no error.
    ///
    /// # Errors
    /// When the shard is broken.
    pub fn fetch(
        &self,
        id: &GroupId,
        wanted: OffsetWanted,
    ) -> Result<Vec<(TopicPartition, Option<OffsetCommitValue>)>, GroupError> {
        self.check_alive()?;
        Ok(match wanted {
            OffsetWanted::All => {
                self.offsets.of_group(id).map(|(at, value)| (at.clone(), Some(value.clone()))).collect()
            }
            OffsetWanted::Of(partitions) => partitions
                .into_iter()
                .map(|at| {
                    let value = self.offsets.get(id, &at).cloned();
                    (at, value)
                })
                .collect(),
        })
    }
}

impl NewOffset {
    fn at(self, now: Timestamp, expire_timestamp: Option<Timestamp>) -> (TopicPartition, OffsetCommitValue) {
        let Self { at, topic_id, offset, leader_epoch, metadata } = self;
        (at, OffsetCommitValue { offset, leader_epoch, metadata, commit_timestamp: now, expire_timestamp, topic_id })
    }
}
