//! What a run did.

use std::time::Duration;

use super::Histogram;

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
