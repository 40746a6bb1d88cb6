//! What a shard needs of its partition of `__consumer_offsets`; a fake stands in for it in tests.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use barnabas_storage::advice::REPAIR_LOG;
use barnabas_storage::batch::{Batch, BatchBuilder, BatchError, batches};
use barnabas_storage::{AppendError, AppendOrigin, Offset, ReadError, Timestamp};
use bytes::Bytes;

use crate::partition::{CommitError, Partition};

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

/// The longest that one wait for a commit lasts; whoever waits looks again.
const COMMIT_WAIT: Duration = Duration::from_secs(3600);

/// How much of the log is read at once.
const REPLAY_BYTES: usize = 1 << 20;

/// A partition that this broker leads.
pub struct PartitionLog(pub Arc<Partition>);

impl GroupLog for PartitionLog {
    fn append(&self, records: &[Record], now: Timestamp) -> Result<Offset, AppendError> {
        let batch = records
            .iter()
            .fold(BatchBuilder::new(), |batch, record| batch.record(now, Some(&record.key), record.value.as_deref()));
        let appended = self.0.append_as_leader(&batch.build(), AppendOrigin::Coordinator)?;
        Ok(appended.last_offset)
    }

    fn committed(&self, last: Offset) -> Commit<'_> {
        Box::pin(async move {
            self.0.committed(last, COMMIT_WAIT).await?;
            Ok(Offset(self.0.high_watermark().0 - 1))
        })
    }

    fn replay(&self, visit: &mut dyn FnMut(Record)) -> Result<(), ReadError> {
        let log = self.0.log();
        let (mut next, end) = (log.log_start_offset(), log.log_end_offset());
        while next < end {
            let read = log.read(next, REPLAY_BYTES, end, true)?;
            let Some(slice) = read.slice else { return Ok(()) };
            for batch in batches(slice.read().map_err(ReadError::Io)?) {
                visit_batch(batch, next, visit)?;
            }
            next = read.next_offset;
        }
        Ok(())
    }
}

/// Hands over the records of one batch. Control batches hold no records of ours; a transaction's offsets wait for its
/// end, and none are written before transactions are served.
fn visit_batch(batch: Result<Batch, BatchError>, at: Offset, visit: &mut dyn FnMut(Record)) -> Result<(), ReadError> {
    let damaged = |error: BatchError| {
        tracing::error!(%error, offset = %at, "a batch of __consumer_offsets is damaged; {REPAIR_LOG}");
        ReadError::Damaged(at)
    };
    let batch = batch.map_err(damaged)?;
    if batch.header.is_control() || batch.header.is_transactional() {
        return Ok(());
    }
    for record in batch.records().map_err(damaged)? {
        let record = record.map_err(damaged)?;
        if let Some(key) = record.key {
            visit(Record { key, value: record.value });
        }
    }
    Ok(())
}
