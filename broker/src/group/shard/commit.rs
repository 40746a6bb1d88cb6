//! OffsetCommit and OffsetFetch of one shard.

use tokio::sync::oneshot;

use super::Shard;
use super::write::Content;
use crate::group::classic::{CommitIdentity, Now};
use crate::group::error::GroupError;
use crate::group::ids::GroupId;
use crate::group::log::Record;
use crate::group::offsets::TopicPartition;
use crate::group::schema::{Key, OffsetCommitValue};

/// Which offsets of a group are wanted.
#[derive(Clone, Debug)]
pub enum OffsetWanted {
    /// All there are.
    All,
    /// Those of these partitions.
    Of(Vec<TopicPartition>),
}

impl Shard {
    /// Checks who commits, and appends the offsets; the receiver hears when they are committed. `absent` is what a member
    /// of a group that does not exist is told.
    ///
    /// # Errors
    /// What every partition of the request is told.
    pub fn commit(
        &mut self,
        id: &GroupId,
        identity: &CommitIdentity,
        commits: Vec<(TopicPartition, OffsetCommitValue)>,
        absent: GroupError,
        now: Now,
    ) -> Result<Option<oneshot::Receiver<Result<(), GroupError>>>, GroupError> {
        self.check_alive()?;
        if self.groups.contains_key(id) {
            let mut outcome = Ok(());
            self.turn(id, now, |group, turn| outcome = group.check_commit(identity, turn));
            outcome?;
        } else if identity.generation >= 0 {
            return Err(absent);
        }
        if commits.is_empty() {
            return Ok(None);
        }
        let records: Result<Vec<_>, _> = commits
            .iter()
            .map(|(at, value)| Ok(Record { key: Key::offset(id, at)?, value: Some(value.encode()?) }))
            .collect();
        let records = records.map_err(|_: crate::group::schema::SchemaError| GroupError::Unstorable)?;
        let last = self.append(&records, now)?;
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
