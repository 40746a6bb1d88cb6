//! What goes in and out of a partition, in the numbers of Kafka's BrokerTopicMetrics. They begin with the leadership, and are
//! added up for a topic when somebody asks.
//!
//! As in Kafka each look at a partition counts as a fetch, also one that finds nothing and waits; and what clients get wrong, or a
//! change of leader does, is no failure. A batch that an idempotent producer sends again counts once: there it counts twice.

use barnabas_storage::{AppendError, Appended, ReadError};

use crate::metrics::Gauge;

/// The numbers of one partition; all of them only rise.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Records that were appended.
    pub messages_in: Gauge,
    /// Their bytes, as they came.
    pub bytes_in: Gauge,
    /// Bytes of records that were found for fetches.
    pub bytes_out: Gauge,
    /// Batches that were to be appended.
    pub produces: Gauge,
    /// Those that failed, other than by size, damage on their way, or an offline disk.
    pub failed_produces: Gauge,
    /// Looks for records.
    pub fetches: Gauge,
    /// Those that failed by what is stored.
    pub failed_fetches: Gauge,
}

impl Traffic {
    pub(super) fn appended(&self, bytes: usize, outcome: &Result<Appended, AppendError>) {
        self.produces.add(1);
        match outcome {
            Ok(appended) if appended.duplicate => {}
            Ok(appended) => {
                let records = appended.last_offset.0 - appended.base_offset.0 + 1;
                self.messages_in.add(u64::try_from(records).unwrap_or(0));
                self.bytes_in.add(bytes as u64);
            }
            Err(error) if is_failure(error) => self.failed_produces.add(1),
            Err(_) => {}
        }
    }

    /// A look for records found some, nothing, or an error.
    pub fn fetched<T>(&self, outcome: &Result<T, ReadError>) {
        self.fetches.add(1);
        if let Err(ReadError::Damaged(_) | ReadError::Io(_)) = outcome {
            self.failed_fetches.add(1);
        }
    }
}

fn is_failure(error: &AppendError) -> bool {
    match error {
        AppendError::TooLarge { .. }
        | AppendError::LargerThanSegment { .. }
        | AppendError::Framing(_)
        | AppendError::Corrupt(_)
        | AppendError::StaleLeaderEpoch { .. }
        | AppendError::Offline(_)
        | AppendError::Closed => false,
        AppendError::InvalidRecord(_)
        | AppendError::MissingKey { .. }
        | AppendError::InvalidTimestamp { .. }
        | AppendError::UnsupportedCompression(_)
        | AppendError::OutOfOrderSequence { .. }
        | AppendError::ProducerFenced { .. }
        | AppendError::DiskFull
        | AppendError::Damaged(_)
        | AppendError::Io(_) => true,
    }
}
