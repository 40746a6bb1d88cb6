//! The journal of a log directory: a ring of preallocated files through which the batches of all its logs become
//! durable together. JOURNAL.md has the format, the states and the invariants JRN-1 to JRN-10.
//!
//! Must not know: what a batch holds beyond its place in a segment.

mod sink;

pub(crate) use sink::{EntryKind, JournalEntry, JournalSink, JournalledLog, LogCheckpoint, ReplayBatch};
