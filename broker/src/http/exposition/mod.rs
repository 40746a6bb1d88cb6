//! `/metrics`: Prometheus' text format, under the names that the JMX exporter and kafka_exporter gave them.

mod cluster;
mod groups;
mod log_dirs;
mod partitions;
mod process;
mod quorum;
mod requests;
mod text;
mod topics;

use std::time::Duration;

use self::text::Exposition;
use super::lag::of_groups;
use crate::broker::Broker;
use crate::metrics::{AllTimes, Looks};

/// What counters showed at one look, that rates and quantiles of the last minutes are made of.
#[derive(Clone, Debug, Default)]
struct Seen {
    request_times: AllTimes,
    /// Time that the async workers were busy, all together.
    busy: Duration,
    metadata_end: u64,
    commits: u64,
    commit_time: Duration,
}

/// Earlier looks of whoever reads `/metrics`.
#[derive(Default)]
pub(super) struct Earlier(Looks<Seen>);

/// A look, the earlier one that it is compared to, and how much time lies between.
struct Look {
    now: Seen,
    before: Seen,
    between: Duration,
}

impl Look {
    fn at(broker: &Broker, earlier: &Earlier) -> Self {
        let (time, quorum) = (broker.tasks.monotonic(), broker.controller.quorum_status());
        let now = Seen {
            request_times: broker.metrics.request_times.all(),
            busy: broker.tasks.busy(),
            metadata_end: quorum.log_end,
            commits: quorum.commits,
            commit_time: quorum.commit_time,
        };
        // The first one is compared to the start, but that the metadata was there before.
        let start = || (Duration::ZERO, Seen { metadata_end: now.metadata_end, ..Seen::default() });
        let (at, before) = earlier.0.look(time, &now).unwrap_or_else(start);
        Self { now, before, between: time.saturating_sub(at) }
    }

    /// How much of a second's worth of something came in each second.
    fn per_second(&self, amount: f64) -> f64 {
        if self.between.is_zero() { 0.0 } else { amount / self.between.as_secs_f64() }
    }
}

/// All of it. Reads headers of batches from disk.
pub(super) fn text(broker: &Broker, earlier: &Earlier) -> String {
    let mut text = Exposition::default();
    let look = Look::at(broker, earlier);
    cluster::put(broker, &mut text);
    log_dirs::put(broker, &mut text);
    partitions::put(broker, &mut text);
    topics::put(broker, &mut text);
    requests::put(broker, &look, &mut text);
    quorum::put(broker, &look, &mut text);
    groups::put(&of_groups(broker), &mut text);
    process::put(&mut text);
    for (name, value) in broker.metrics.snapshot() {
        text.single(&format!("barnabas_{name}"), "See broker/src/metrics/mod.rs.", value);
    }
    text.into_text()
}
