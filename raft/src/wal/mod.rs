//! The write-ahead log of the metadata quorum: one ordered stream of votes, entries, truncations, purges and commits,
//! so that one sync covers everything before it and nothing overtakes. Format: raft/FORMAT.md.
//!
//! Must not know: what the records in an entry mean.

mod change;
mod ending;
mod frame;
mod mark;
mod queue;
mod recovery;
mod state;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use barnabas_storage::advice::REPORT_BUG;
use barnabas_storage::failed_sync::FailedSync;
use barnabas_storage::log_dir;
use barnabas_storage::seam::{Disk, Seams, Thread};
pub(crate) use change::{Change, Head};
use parking_lot::Mutex;
use queue::Queue;
use recovery::Recovered;
pub(crate) use state::LogState;
use writer::Writer;
pub(crate) use writer::{Done, Write};

use crate::error::OpenError;

/// A regular file in the log directory: Apache Kafka ignores those, while a directory of an unknown name stops it.
fn segment_name(number: u64) -> String {
    format!("barnabas-metadata-{number:020}.wal")
}

fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("barnabas-metadata-")?.strip_suffix(".wal")?;
    digits.parse().ok().filter(|number| segment_name(*number) == name)
}

/// What the segments of a directory say, without a change to them; `None` when there are none.
///
/// # Errors
/// As a start would fail.
pub(crate) fn inspect(disk: &dyn Disk, directory: &Path) -> Result<Option<LogState>, OpenError> {
    ending::check(disk, directory)?;
    recovery::inspect(disk, directory)
}

/// True when the file that a clean stop leaves is there, but says nothing.
pub(crate) fn has_damaged_end(disk: &dyn Disk, directory: &Path) -> bool {
    ending::is_damaged(disk, directory)
}

/// The error of a directory that has data, but no metadata.
pub(crate) fn gone(directory: &Path) -> OpenError {
    let reason = "the metadata log is gone, but there is data: without it no topic is known. Restore the                   barnabas-metadata files from a copy; if the order of log.dirs was changed, put the directory that has                   them first"
        .to_owned();
    OpenError::Damaged { file: directory.join(segment_name(1)), reason }
}

/// The open write-ahead log: what it holds, in memory, and the thread that writes it.
pub(crate) struct Wal {
    inner: Mutex<Inner>,
    queue: Arc<Queue>,
}

struct Inner {
    state: LogState,
    // `None` once closed.
    thread: Option<Thread>,
    retained_bytes: u64,
}

impl Wal {
    /// Opens the log of `directory`, or begins one under a fresh node id, and starts its thread.
    ///
    /// # Errors
    /// `Damaged` for a hole, `Io` when a file operation failed.
    pub(crate) fn open(seams: &Seams, directory: PathBuf, segment_bytes: u64) -> Result<Self, OpenError> {
        let disk = seams.disk.clone();
        ending::check(&*disk, &directory)?;
        let (state, writer) = match Self::recover(&*disk, &directory)? {
            Some(found) => {
                ending::remove(&*disk, &directory)?;
                let last_index = found.state.last().map_or(0, |last| last.index);
                let writer = Writer::resume(disk, directory, segment_bytes, found.file, found.number, found.length)
                    .with_sealed(found.sealed, last_index);
                (found.state, writer)
            }
            None if log_dir::has_served(&*disk, &directory) => return Err(gone(&directory)),
            None => {
                // Zero is left out: it reads like "none" in a log line.
                let node = seams.rng.next_u64().max(1);
                let head = Head { node, vote: None, committed: None, purged: None, last: None };
                let writer = Writer::create(disk, directory, segment_bytes, &head)?;
                (LogState::new(head), writer)
            }
        };
        let queue = Arc::new(Queue::default());
        let waiting = Arc::clone(&queue);
        let thread = seams.spawn.thread("metadata-log", Box::new(move || writer.run(&waiting)))?;
        let sizes = state.range(&..).into_iter().map(|entry| Change::Append(entry).encode().len() as u64);
        let retained_bytes = sizes.sum();
        let inner = Inner { state, thread: Some(thread), retained_bytes };
        Ok(Self { inner: Mutex::new(inner), queue })
    }

    /// Reads the segments, on the disk again where a sync of them has failed.
    fn recover(disk: &dyn Disk, directory: &Path) -> Result<Option<Recovered>, OpenError> {
        let failed_sync = FailedSync::of_metadata(disk, directory);
        let was_noted = failed_sync.is_noted();
        let recovered = (if was_noted { recovery::write_again(disk, directory) } else { Ok(()) })
            .and_then(|()| recovery::recover(disk, directory))
            .inspect_err(|error| {
                if let OpenError::Io(_) = error {
                    failed_sync.note();
                }
            })?;
        if was_noted {
            failed_sync.forget()?;
        }
        Ok(recovered)
    }

    /// Looks at what the log holds.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&LogState) -> T) -> T {
        look(&self.inner.lock().state)
    }

    /// Bytes of the entries that no snapshot has made superfluous yet.
    pub(crate) fn retained_bytes(&self) -> u64 {
        self.inner.lock().retained_bytes
    }

    /// Makes changes, in order, visible to `read` when it returns. They are durable when `done` is told so; without
    /// `done`, once a later write is.
    ///
    /// # Errors
    /// `BrokenPipe` once closed, `InvalidInput` for entries that do not follow the last one.
    pub(crate) fn submit(&self, changes: Vec<Change>, done: Option<Done>) -> io::Result<()> {
        let mut inner = self.inner.lock();
        let closed = || io::Error::new(io::ErrorKind::BrokenPipe, "the metadata log is closed");
        if inner.thread.is_none() {
            return Err(closed());
        }
        let head = inner.state.head();
        let (mut frames, mut last_index, mut purged) = (Vec::with_capacity(changes.len()), None, None);
        for change in changes {
            let payload = change.encode();
            if let Some(id) = change.appended() {
                inner.retained_bytes += payload.len() as u64;
                last_index = Some(id.index);
            }
            if let Change::Purge(upto) = &change {
                inner.retained_bytes = 0;
                purged = Some(upto.index);
            }
            frames.push((change.kind(), payload));
            let refused = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
            inner.state.apply(change).map_err(refused)?;
        }
        // Sent under the lock: the order of the queue is the order of the changes.
        let taken = self.queue.push(Write { frames, head, last_index, purged, done });
        if taken { Ok(()) } else { Err(closed()) }
    }

    /// Takes nothing more, syncs what was taken, and ends the thread.
    pub(crate) fn close(&self) {
        let thread = self.inner.lock().thread.take();
        self.queue.close();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the metadata log panicked; {REPORT_BUG}");
        }
    }
}

impl Drop for Wal {
    fn drop(&mut self) {
        self.queue.close();
    }
}
