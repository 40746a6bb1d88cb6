//! openraft's log storage over our write-ahead log.

use std::fmt::Debug;
use std::io;
use std::ops::RangeBounds;
use std::sync::Arc;

use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::{LogState, OptionalSend, RaftLogReader};
use tokio::sync::oneshot;

use super::type_config::{LogId, RaftEntry, TypeConfig, Vote};
use crate::wal::{Change, Wal};

/// The log store and its reader are the same handle.
#[derive(Clone)]
pub(crate) struct LogStore {
    wal: Arc<Wal>,
}

impl LogStore {
    pub(crate) fn new(wal: Arc<Wal>) -> Self {
        Self { wal }
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<R>(&mut self, range: R) -> Result<Vec<RaftEntry>, io::Error>
    where
        R: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        Ok(self.wal.read(|state| state.range(&range)))
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.wal.read(crate::wal::LogState::vote))
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        Ok(self.wal.read(|state| LogState { last_purged_log_id: state.purged(), last_log_id: state.last() }))
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        let (durable, waiting) = oneshot::channel();
        let done = Box::new(move |outcome| {
            // Nobody waits any more when raft was shut down meanwhile.
            let _ = durable.send(outcome);
        });
        self.wal.submit(vec![Change::Vote(*vote)], Some(done))?;
        waiting.await.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the metadata log is closed"))?
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        // A hint for the next start: it may be lost, so that it asks for no sync of its own.
        self.wal.submit(vec![Change::Commit(committed)], None)
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        Ok(self.wal.read(crate::wal::LogState::committed))
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = RaftEntry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let changes = entries.into_iter().map(Change::Append).collect();
        self.wal.submit(changes, Some(Box::new(move |outcome| callback.io_completed(outcome))))
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> Result<(), io::Error> {
        // The stream is ordered: what is appended after it cannot be durable before it.
        self.wal.submit(vec![Change::TruncateAfter(last)], None)
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), io::Error> {
        self.wal.submit(vec![Change::Purge(upto)], None)
    }
}
