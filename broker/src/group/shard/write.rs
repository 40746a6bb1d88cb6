//! Writes of one shard: from the append to the commit, the deadline or the failure.

use std::time::Duration;

use barnabas_storage::advice::LOOK_AT_DISK;
use barnabas_storage::seam::mutant;
use barnabas_storage::{AppendError, Offset};
use tokio::sync::oneshot;

use super::Shard;
use crate::group::classic::{ClassicGroup, Now, Purpose, Store};
use crate::group::error::GroupError;
use crate::group::ids::GroupId;
use crate::group::log::Record;
use crate::group::offsets::TopicPartition;
use crate::group::schema::{Key, OffsetCommitValue};

/// Records that are appended and not yet committed.
pub(super) struct Write {
    last: Offset,
    /// When the answer no longer waits; `None` once it has been given.
    deadline: Option<Duration>,
    pub(super) content: Content,
    /// Fetches that must see everything up to here.
    followers: Vec<oneshot::Sender<Result<(), GroupError>>>,
}

/// What a write holds, and who waits for it.
pub(super) enum Content {
    /// A group's metadata. The purpose is gone once the group has been told of a failure.
    Group(GroupId, Option<Purpose>),
    /// Committed offsets.
    Offsets {
        group: GroupId,
        commits: Vec<(TopicPartition, OffsetCommitValue)>,
        reply: Option<oneshot::Sender<Result<(), GroupError>>>,
    },
    /// Offsets that expired or whose topic is gone.
    OffsetTombstones(Vec<(GroupId, TopicPartition)>),
    /// A group that is gone, at this generation.
    GroupTombstone(GroupId, i32),
}

impl Write {
    pub(super) fn last(&self) -> Offset {
        self.last
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.deadline
    }
}

impl Shard {
    /// Writes a group's metadata.
    pub(super) fn store(&mut self, id: &GroupId, store: Store, now: Now) {
        let Store { value, purpose } = store;
        let record = Key::group(id).and_then(|key| Ok(Record { key, value: Some(value.encode()?) }));
        let appended = match record {
            Ok(record) => self.append(&[record], now),
            Err(_) => Err(GroupError::Unstorable),
        };
        match appended {
            Ok(last) => self.await_commit(last, Content::Group(id.clone(), Some(purpose)), now),
            Err(error) => self.turn(id, now, |group, turn| group.stored(purpose, Err(error), turn)),
        }
    }

    /// Appends one batch. A log that refuses for good breaks the shard.
    pub(super) fn append(&mut self, records: &[Record], now: Now) -> Result<Offset, GroupError> {
        self.check_alive()?;
        self.log.append(records, now.wall).map_err(|error| {
            tracing::warn!(%error, "a record of __consumer_offsets was not appended: clients try again; {LOOK_AT_DISK}");
            self.broken |= is_final(&error);
            GroupError::from_append(&error)
        })
    }

    pub(super) fn await_commit(&mut self, last: Offset, mut content: Content, now: Now) {
        if mutant("commit_answered_early")
            && let Content::Offsets { reply, .. } = &mut content
        {
            let _ = reply.take().map(|reply| reply.send(Ok(())));
        }
        let deadline = Some(now.monotonic + self.settings.commit_timeout);
        self.writes.push_back(Write { last, deadline, content, followers: Vec::new() });
    }

    /// Everything up to this offset is committed.
    pub fn committed(&mut self, last: Offset, now: Now) {
        while self.writes.front().is_some_and(|write| write.last <= last) {
            let Some(write) = self.writes.pop_front() else { return };
            self.apply(write.content, now);
            for follower in write.followers {
                let _ = follower.send(Ok(()));
            }
        }
    }

    fn apply(&mut self, content: Content, now: Now) {
        match content {
            Content::Group(id, Some(purpose)) => {
                self.turn(&id, now, |group, turn| group.stored(purpose, Ok(()), turn));
            }
            Content::Group(_, None) => {}
            Content::Offsets { group, commits, reply } => {
                self.groups.entry(group.clone()).or_insert_with(|| ClassicGroup::new(group.clone(), now));
                for (at, value) in commits {
                    self.offsets.put(&group, at, value);
                }
                if let Some(reply) = reply {
                    let _ = reply.send(Ok(()));
                }
            }
            Content::OffsetTombstones(gone) => {
                for (group, at) in gone {
                    self.offsets.remove(&group, &at);
                }
            }
            Content::GroupTombstone(id, generation) => {
                let unchanged = |group: &ClassicGroup| group.is_idle() && group.generation() == generation;
                if self.groups.get(&id).is_some_and(unchanged) && !self.offsets.has_any(&id) {
                    self.groups.remove(&id);
                }
            }
        }
    }

    /// Answers those whose record was not committed in time.
    pub(super) fn expire_writes(&mut self, now: Now) {
        let mut purposes = Vec::new();
        for write in &mut self.writes {
            if write.deadline.is_none_or(|deadline| deadline > now.monotonic) {
                continue;
            }
            write.deadline = None;
            for follower in write.followers.drain(..) {
                let _ = follower.send(Err(GroupError::NotCoordinator));
            }
            match &mut write.content {
                Content::Group(id, purpose) => purposes.extend(purpose.take().map(|purpose| (id.clone(), purpose))),
                Content::Offsets { reply, .. } => {
                    if let Some(reply) = reply.take() {
                        let _ = reply.send(Err(GroupError::CoordinatorNotAvailable));
                    }
                }
                Content::OffsetTombstones(_) | Content::GroupTombstone(..) => {}
            }
        }
        for (id, purpose) in purposes {
            let error = GroupError::CoordinatorNotAvailable;
            self.turn(&id, now, |group, turn| group.stored(purpose, Err(error), turn));
        }
    }

    /// Answers whoever waits for a write that will not be committed.
    pub(super) fn fail_write(&mut self, write: Write, error: GroupError, now: Now) {
        for follower in write.followers {
            let _ = follower.send(Err(error));
        }
        match write.content {
            Content::Group(id, Some(purpose)) => {
                self.turn(&id, now, |group, turn| group.stored(purpose, Err(error), turn));
            }
            Content::Offsets { reply: Some(reply), .. } => {
                let _ = reply.send(Err(error));
            }
            Content::Group(_, None)
            | Content::Offsets { reply: None, .. }
            | Content::OffsetTombstones(_)
            | Content::GroupTombstone(..) => {}
        }
    }

    /// Hears when everything that is appended now is committed; `None` when it is.
    pub fn settled(&mut self) -> Option<oneshot::Receiver<Result<(), GroupError>>> {
        let write = self.writes.back_mut()?;
        let (follower, settled) = oneshot::channel();
        write.followers.push(follower);
        Some(settled)
    }
}

/// Whether the log will refuse everything from now on.
fn is_final(error: &AppendError) -> bool {
    match error {
        AppendError::Offline(_)
        | AppendError::Damaged(_)
        | AppendError::Closed
        | AppendError::Io(_)
        | AppendError::StaleLeaderEpoch { .. } => true,
        AppendError::DiskFull
        | AppendError::TooLarge { .. }
        | AppendError::LargerThanSegment { .. }
        | AppendError::Framing(_)
        | AppendError::Corrupt(_)
        | AppendError::InvalidRecord(_)
        | AppendError::MissingKey { .. }
        | AppendError::InvalidTimestamp { .. }
        | AppendError::UnsupportedCompression(_)
        | AppendError::OutOfOrderSequence { .. }
        | AppendError::ProducerFenced { .. } => false,
    }
}
