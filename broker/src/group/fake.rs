//! A partition of `__consumer_offsets` in memory, for tests: commits when it is told to, fails when it is told to.

use std::collections::VecDeque;
use std::sync::Arc;

use barnabas_storage::{AppendError, Offset, ReadError, Timestamp};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::log::{Commit, GroupLog, Record};
use crate::partition::CommitError;

/// How far a fake log has committed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Committed {
    /// Up to this offset, exclusive.
    Below(i64),
    /// Everything, at once.
    AtOnce,
    /// The log failed.
    Failed(CommitError),
}

/// A log in memory.
pub(super) struct FakeLog {
    records: Mutex<Vec<Record>>,
    refusal: Mutex<Option<fn() -> AppendError>>,
    /// Each fails one attempt to read.
    read_errors: Mutex<VecDeque<ReadError>>,
    committed: watch::Sender<Committed>,
}

impl FakeLog {
    /// Commits nothing until told.
    pub(super) fn holding() -> Arc<Self> {
        Self::with(Committed::Below(0))
    }

    /// Commits at once.
    pub(super) fn committing() -> Arc<Self> {
        Self::with(Committed::AtOnce)
    }

    fn with(committed: Committed) -> Arc<Self> {
        let committed = watch::channel(committed).0;
        let read_errors = Mutex::default();
        Arc::new(Self { records: Mutex::default(), refusal: Mutex::default(), read_errors, committed })
    }

    /// A log with the first `count` records, as after a crash.
    pub(super) fn cut(&self, count: usize) -> Arc<Self> {
        let cut = Self::holding();
        *cut.records.lock() = self.records.lock().iter().take(count).cloned().collect();
        cut
    }

    /// What was appended.
    pub(super) fn records(&self) -> Vec<Record> {
        self.records.lock().clone()
    }

    /// The offset of the last record.
    pub(super) fn last(&self) -> Offset {
        Offset(i64::try_from(self.records.lock().len()).unwrap() - 1)
    }

    /// Appends a record as another broker would have left it.
    pub(super) fn put(&self, record: Record) {
        self.records.lock().push(record);
    }

    /// Refuses appends from now on.
    pub(super) fn refuse(&self, refusal: fn() -> AppendError) {
        *self.refusal.lock() = Some(refusal);
    }

    /// Fails as many attempts to read from now on.
    pub(super) fn fail_reads(&self, errors: impl IntoIterator<Item = ReadError>) {
        self.read_errors.lock().extend(errors);
    }

    /// Errors of reading that nobody met so far.
    pub(super) fn read_errors(&self) -> usize {
        self.read_errors.lock().len()
    }

    /// Commits everything that is appended.
    pub(super) fn commit(&self) {
        self.committed.send_replace(Committed::Below(self.last().0 + 1));
    }

    /// Fails whoever waits for a commit.
    pub(super) fn fail(&self, error: CommitError) {
        self.committed.send_replace(Committed::Failed(error));
    }
}

impl GroupLog for FakeLog {
    fn append(&self, records: &[Record], _now: Timestamp) -> Result<Offset, AppendError> {
        if let Some(refusal) = &*self.refusal.lock() {
            return Err(refusal());
        }
        self.records.lock().extend(records.iter().cloned());
        Ok(self.last())
    }

    fn committed(&self, last: Offset) -> Commit<'_> {
        let mut committed = self.committed.subscribe();
        Box::pin(async move {
            let settled = |state: &Committed| !matches!(state, Committed::Below(end) if *end <= last.0);
            let state = committed.wait_for(settled).await.expect("the log is there").clone();
            match state {
                Committed::Below(end) => Ok(Offset(end - 1)),
                Committed::AtOnce => Ok(self.last()),
                Committed::Failed(error) => Err(error),
            }
        })
    }

    fn replay(&self, visit: &mut dyn FnMut(Record)) -> Result<(), ReadError> {
        // As on a disk: the records before the broken spot are read.
        self.records().into_iter().for_each(visit);
        self.read_errors.lock().pop_front().map_or(Ok(()), Err)
    }
}
