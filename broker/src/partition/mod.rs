//! Partitions this broker leads: appends, reads, high watermarks and who waits for them.

use std::sync::Arc;

use barnabas_raft::{MetadataDelta, MetadataImage, MetadataListener};
use barnabas_storage::{
    AppendError, AppendOrigin, Appended, LeaderEpoch, Log, Offset, PartitionIndex, Read, ReadError, TopicId,
};
use bytes::Bytes;

pub mod fetch_session;
pub mod producer_ids;

/// One partition that this broker leads.
pub struct Partition {
    _private: (),
}

/// Why an append that was made is not known to be committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The deadline passed; the data stays and may still be committed.
    #[error("not committed before the deadline")]
    TimedOut,
    /// The log directory went offline; the data may or may not survive.
    #[error("the log directory went offline")]
    Offline,
    /// The partition was deleted or this broker no longer leads it.
    #[error("no longer the leader")]
    NotLeader,
}

impl Partition {
    /// The topic's name.
    #[must_use]
    pub fn topic(&self) -> &Arc<str> {
        todo!()
    }
    /// The topic's id.
    #[must_use]
    pub fn topic_id(&self) -> TopicId {
        todo!()
    }
    /// The partition's index.
    #[must_use]
    pub fn index(&self) -> PartitionIndex {
        todo!()
    }
    /// The present leader epoch.
    #[must_use]
    pub fn leader_epoch(&self) -> LeaderEpoch {
        todo!()
    }
    /// The log behind it.
    #[must_use]
    pub fn log(&self) -> &Arc<Log> {
        todo!()
    }
    /// Validates and appends one batch; does not wait. Await [`Partition::committed`] for acks=all.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub fn append_as_leader(&self, _batch: &Bytes, _origin: AppendOrigin) -> Result<Appended, AppendError> {
        todo!()
    }
    /// Waits until the high watermark has passed `last_offset` (so: it is committed and, in `group`, synced).
    ///
    /// # Errors
    /// See [`CommitError`]. Cancellation-safe.
    pub async fn committed(&self, _last_offset: Offset, _timeout: std::time::Duration) -> Result<(), CommitError> {
        todo!()
    }
    /// Reads committed batches from `from`, below the high watermark.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read(&self, _from: Offset, _max_bytes: usize, _at_least_one: bool) -> Result<Read, ReadError> {
        todo!()
    }
    /// The first offset that consumers may not see yet.
    #[must_use]
    pub fn high_watermark(&self) -> Offset {
        todo!()
    }
    /// The first offset of an open transaction, else the high watermark.
    #[must_use]
    pub fn last_stable_offset(&self) -> Offset {
        self.high_watermark()
    }
}

/// Every partition this broker leads, by topic id and by name. Follows the metadata: a created topic's logs exist
/// before `publish` returns, a deleted topic's are gone.
pub struct Partitions {
    _private: (),
}

impl Partitions {
    /// The partition, by topic name.
    #[must_use]
    pub fn by_name(&self, _topic: &str, _partition: PartitionIndex) -> Option<Arc<Partition>> {
        todo!()
    }
    /// The partition, by topic id.
    #[must_use]
    pub fn by_id(&self, _topic: TopicId, _partition: PartitionIndex) -> Option<Arc<Partition>> {
        todo!()
    }
}

impl MetadataListener for Partitions {
    fn publish(&self, _delta: &MetadataDelta, _image: &Arc<MetadataImage>) {
        todo!()
    }
}
