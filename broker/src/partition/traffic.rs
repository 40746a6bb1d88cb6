//! What goes in and out of a partition, in the numbers of Kafka's BrokerTopicMetrics. They begin with the leadership, and are
//! added up, for a topic and for all, when somebody asks.
//!
//! As in Kafka each look at a partition counts as a fetch, also one that finds nothing and waits; and what clients get wrong, or a
//! change of leader does, is no failure. A batch that an idempotent producer sends again counts once: there it counts twice.

use std::sync::Arc;

use barnabas_storage::{AppendError, Appended, ReadError};
use parking_lot::Mutex;

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

/// One of the numbers.
pub type Number = fn(&Traffic) -> &Gauge;

impl Traffic {
    const NUMBERS: [Number; 7] = [
        |traffic| &traffic.messages_in,
        |traffic| &traffic.bytes_in,
        |traffic| &traffic.bytes_out,
        |traffic| &traffic.produces,
        |traffic| &traffic.failed_produces,
        |traffic| &traffic.fetches,
        |traffic| &traffic.failed_fetches,
    ];

    fn add(&self, other: &Self) {
        Self::NUMBERS.iter().for_each(|number| number(self).add(number(other).value()));
    }

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

/// The traffic of every partition that this broker leads or has led, so that a sum does not fall when a topic is deleted:
/// `rate()` takes a counter that falls for one that began anew.
///
/// Invariants:
/// 1. Who is gone is added to what those had who went before, once nobody can add to it any more.
/// 2. At most twice as many are kept as there were partitions when it was last looked who is gone.
#[derive(Default)]
pub(super) struct AllTraffic(Mutex<Everybody>);

#[derive(Default)]
struct Everybody {
    present: Vec<Arc<Traffic>>,
    gone: Traffic,
    fold_at: usize,
}

/// Fewer than these are not worth a look.
const FOLD_MIN: usize = 64;

impl AllTraffic {
    /// That of a partition that is led from now on.
    pub(super) fn begin(&self) -> Arc<Traffic> {
        let mut everybody = self.0.lock();
        if everybody.present.len() >= everybody.fold_at.max(FOLD_MIN) {
            everybody.fold();
        }
        let traffic = Arc::default();
        everybody.present.push(Arc::clone(&traffic));
        traffic
    }

    /// A number of all of them.
    pub(super) fn sum(&self, number: Number) -> u64 {
        let everybody = self.0.lock();
        let present: u64 = everybody.present.iter().map(|traffic| number(traffic).value()).sum();
        number(&everybody.gone).value() + present
    }
}

impl Everybody {
    fn fold(&mut self) {
        let gone = &self.gone;
        self.present.retain_mut(|traffic| match Arc::get_mut(traffic) {
            Some(alone) => {
                gone.add(alone);
                false
            }
            None => true,
        });
        self.fold_at = 2 * self.present.len();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_keeps_what_deleted_topics_had_and_no_room_for_them() {
        let all = AllTraffic::default();
        let stays = all.begin();
        for _ in 0..1000 {
            let goes = all.begin();
            for number in Traffic::NUMBERS {
                number(&goes).add(2);
                number(&stays).add(1);
            }
        }
        for number in Traffic::NUMBERS {
            assert_eq!(all.sum(number), 3000);
        }
        assert!(all.0.lock().present.len() <= FOLD_MIN);
    }
}
