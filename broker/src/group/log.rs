//! What a shard needs of its partition of `__consumer_offsets`; a fake stands in for it in tests.

use std::future::Future;
use std::pin::Pin;

use barnabas_storage::{AppendError, Offset, ReadError, Timestamp};
use bytes::Bytes;

use crate::partition::CommitError;

/// A record of `__consumer_offsets`; no value is a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its key.
    pub key: Bytes,
    /// Its value.
    pub value: Option<Bytes>,
}

/// The end of a wait for a commit.
pub type Commit<'a> = Pin<Box<dyn Future<Output = Result<Offset, CommitError>> + Send + 'a>>;

/// One partition of `__consumer_offsets`.
pub trait GroupLog: Send + Sync {
    /// Appends the records as one batch; does not wait. The offset of the last one.
    ///
    /// # Errors
    /// See [`AppendError`].
    fn append(&self, records: &[Record], now: Timestamp) -> Result<Offset, AppendError>;

    /// Waits until the record at this offset is committed; the last offset that is. Cancellation-safe.
    fn committed(&self, last: Offset) -> Commit<'_>;

    /// Hands every record from the log's start to its end to `visit`. Blocks.
    ///
    /// # Errors
    /// See [`ReadError`].
    fn replay(&self, visit: &mut dyn FnMut(Record)) -> Result<(), ReadError>;
}
