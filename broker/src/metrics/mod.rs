//! Counters and gauges by name: every bound has one, so that it can be seen how near it is.

mod by_listener;
mod looks;
mod request_errors;
mod request_times;

use std::sync::atomic::{AtomicU64, Ordering};

pub use by_listener::{ByListener, Entered};
pub use looks::Looks;
pub use request_errors::RequestErrors;
pub use request_times::{AllTimes, RequestTime, RequestTimes, Stage, Times};

/// A number that rises and falls, or only rises.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Adds.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// Takes away what was added before.
    pub fn sub(&self, amount: u64) {
        self.0.fetch_sub(amount, Ordering::Relaxed);
    }

    /// Adds one and gives the new value.
    pub fn increment(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Puts a count in the place of the value.
    pub fn set(&self, count: usize) {
        self.0.store(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The present value.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// More than Kafka has keys.
const API_KEYS: usize = 128;

/// Adds one as long as it is held.
pub struct Counted<'a>(&'a Gauge);

impl<'a> Counted<'a> {
    /// One more.
    #[must_use]
    pub fn of(gauge: &'a Gauge) -> Self {
        gauge.add(1);
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.sub(1);
    }
}

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Every metric of the broker.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $($(#[$doc])* pub $name: Gauge,)*
            /// How long requests took whose answers have left.
            pub request_times: RequestTimes,
            /// Errors that answers told of.
            pub request_errors: RequestErrors,
            /// Connections that are open, by listener.
            pub connections_by_listener: ByListener,
        }

        impl Metrics {
            /// Names and present values.
            #[must_use]
            pub fn snapshot(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.value()),)*]
            }
        }
    };
}

metrics! {
    /// Connections that are open.
    connections,
    /// Connections that were accepted.
    connections_accepted,
    /// Connections refused because of `max.connections` or `max.connections.per.ip`.
    connections_refused,
    /// Connections closed because of what the peer sent.
    connections_closed_malformed,
    /// Connections closed because a frame was not completed or an answer not read in time.
    connections_closed_slow,
    /// Connections closed after `connections.max.idle.ms`.
    connections_closed_idle,
    /// Logins that were made.
    logins,
    /// Logins that failed.
    logins_failed,
    /// Delegation tokens that there are.
    delegation_tokens,
    /// Tokens of OAUTHBEARER that were refused.
    bearers_refused,
    /// Exchanges of GSSAPI that failed.
    tickets_refused,
    /// Keys of issuers that are kept.
    issuer_keys,
    /// Times that keys of an issuer were read.
    issuer_keys_read,
    /// Times that keys of an issuer could not be read.
    issuer_keys_failed,
    /// TLS handshakes under way.
    tls_handshakes,
    /// TLS handshakes that failed, by the peer's certificate, by version or suite, or because it does not speak TLS.
    tls_handshakes_failed,
    /// TLS handshakes that were not completed in time, or were too many at once.
    tls_handshakes_refused,
    /// When the first of the listeners' certificates expires, seconds since 1970; 0 without TLS.
    certificate_expiry_seconds,
    /// Requests that were run.
    requests,
    /// Requests that are here whole and wait to be begun.
    requests_queued,
    /// Bytes of the request budget in use.
    request_budget_bytes,
    /// Requests that had to wait for the request budget.
    request_budget_waits,
    /// Bytes of large requests between their arrival and the disk.
    backlog_bytes,
    /// Large requests that had to wait for others to reach the disk.
    backlog_waits,
    /// Times that a connection with large requests or answers waited for its turn at a worker.
    turn_waits,
    /// Answers that are owed on all connections.
    answers_pending,
    /// Bytes of answers that wait for their peer to read.
    answer_bytes_pending,
    /// Bytes in memory of answers that were not sent yet, beyond what each connection may have.
    unsent_bytes,
    /// Requests that had to wait until others had taken their answers.
    unsent_waits,
    /// Requests whose clients had more than their quota.
    throttles,
    /// Clients whose rates are remembered because they have a quota.
    quota_sensors,
    /// Async tasks that run.
    tasks,
    /// Fetch sessions that are kept.
    fetch_sessions,
    /// Fetch sessions that gave their slot to another.
    fetch_sessions_evicted,
    /// Fetches that asked for a session and found no slot.
    fetch_sessions_refused,
    /// Events that were given to the audit's file or topic.
    audit_events,
    /// Events of the audit that wait to be written.
    audit_queue_events,
    /// Refusals that were alike and are told together.
    audit_events_folded,
    /// Events that the audit has lost: its queue was full, too many refusals differed, or a write failed.
    audit_events_lost,
    /// Clients that were told what to push of their metrics.
    client_instances,
    /// Values that they have pushed.
    client_series,
    /// Bytes of memory of these.
    client_series_bytes,
    /// Values that were left out: one client pushed too many, or all together.
    client_series_left_out,
    /// Pushes that were taken.
    client_pushes,
    /// Pushes, and questions what to push, that were refused.
    client_pushes_refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_names_every_metric() {
        let metrics = Metrics::default();
        metrics.connections.add(3);
        metrics.connections.sub(1);
        assert!(metrics.snapshot().contains(&("connections", 2)));
        assert_eq!(metrics.snapshot().len(), 45);
    }
}
