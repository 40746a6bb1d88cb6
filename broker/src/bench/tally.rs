//! What a run did.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Histogram;

/// Of all runs of this process, for who watches one.
static RECORDS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// Records, and bytes of their batches, that all connections together have got done so far.
#[must_use]
pub fn so_far() -> (u64, u64) {
    (RECORDS.load(Ordering::Relaxed), BYTES.load(Ordering::Relaxed))
}

/// What one connection did.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) waits: Histogram,
}

impl Tally {
    /// Counts a request with its payload and the time of its answer.
    pub(super) fn count(&mut self, records: u64, bytes: u64, wait: Duration) {
        RECORDS.fetch_add(records, Ordering::Relaxed);
        BYTES.fetch_add(bytes, Ordering::Relaxed);
        self.requests += 1;
        self.records += records;
        self.bytes += bytes;
        self.waits.record(wait);
    }

    /// Adds what another connection did.
    pub(super) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.records += other.records;
        self.bytes += other.bytes;
        self.waits.add(&other.waits);
    }

    pub(super) fn done(self, elapsed: Duration) -> Done {
        Done { requests: self.requests, records: self.records, bytes: self.bytes, elapsed, waits: self.waits }
    }
}

/// What a run did.
#[derive(Clone, Debug)]
pub struct Done {
    /// Requests that were answered.
    pub requests: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of record batches in them.
    pub bytes: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Time of each request; for e2e, until a consumer has it.
    pub waits: Histogram,
}

impl Done {
    /// Millions of bytes of batches a second.
    #[must_use]
    pub fn megabytes_per_second(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.elapsed.as_secs_f64()
    }

    /// Requests a second.
    #[must_use]
    pub fn requests_per_second(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }

    /// Records a second.
    #[must_use]
    pub fn records_per_second(&self) -> f64 {
        self.records as f64 / self.elapsed.as_secs_f64()
    }
}
