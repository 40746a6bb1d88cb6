//! What a log remembers of each idempotent producer (KIP-98): its epoch and its last five batches.
//!
//! Must not know: files; see `producer_state/snapshot.rs`. Invariants LOG-4 (a sequence is appended once) and LOG-5 (the
//! state is a function of the batches below the log end).

use std::collections::{HashMap, VecDeque};

use crate::batch::BatchHeader;
use crate::error::AppendError;
use crate::ids::{Offset, ProducerEpoch, ProducerId, Timestamp};
use crate::seam::mutant;

pub(crate) mod snapshot;

/// Batches remembered per producer: as many as a client may have in flight.
const WINDOW: usize = 5;
/// Producers remembered per log. Beyond it the half that was silent longest is forgotten: their next sequence is
/// accepted whatever it is, as after an expiry.
const PRODUCERS_MAX: usize = 65_536;

/// One remembered batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeenBatch {
    /// Sequence of its last record; -1 when the batch had none (an end-of-transaction marker).
    pub(crate) last_sequence: i32,
    /// Offset of its last record.
    pub(crate) last_offset: Offset,
    /// Last offset minus first offset.
    pub(crate) offset_delta: i32,
    /// Its max timestamp.
    pub(crate) timestamp: Timestamp,
}

impl SeenBatch {
    fn of(header: &BatchHeader) -> Self {
        Self {
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset(),
            offset_delta: header.last_offset_delta(),
            timestamp: header.max_timestamp(),
        }
    }

    fn first_sequence(&self) -> i32 {
        self.last_sequence.wrapping_sub(self.offset_delta) & i32::MAX
    }

    /// Offset of its first record.
    pub(crate) fn base_offset(&self) -> Offset {
        Offset(self.last_offset.0 - i64::from(self.offset_delta))
    }
}

/// One producer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProducerEntry {
    epoch: ProducerEpoch,
    batches: VecDeque<SeenBatch>,
    last_timestamp: Timestamp,
    coordinator_epoch: i32,
    /// First offset of the open transaction; -1 for none. Kept for snapshots.
    transaction_start: Offset,
    /// The broker's time when it was last heard of. In memory only: after a start it begins anew.
    last_seen: Timestamp,
}

/// A producer as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveProducer {
    /// Its id.
    pub id: ProducerId,
    /// Its epoch.
    pub epoch: ProducerEpoch,
    /// Sequence of its last record; -1 when none is remembered.
    pub last_sequence: i32,
    /// Time of its last batch.
    pub last_timestamp: Timestamp,
    /// Which generation of the transaction coordinator ended its last transaction; -1 for none.
    pub coordinator_epoch: i32,
    /// First offset of its open transaction; -1 for none.
    pub transaction_start: Offset,
}

/// All producers of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProducerStates {
    producers: HashMap<ProducerId, ProducerEntry>,
}

impl ProducerStates {
    /// The last offset that any producer's batch has.
    pub(crate) fn last_offset(&self) -> Option<Offset> {
        self.producers.values().filter_map(|entry| entry.batches.back()).map(|seen| seen.last_offset).max()
    }

    /// Decides about a batch of an idempotent producer before it is written: `Some` for the retry of a batch that is
    /// there already.
    pub(crate) fn check(&self, header: &BatchHeader) -> Result<Option<SeenBatch>, AppendError> {
        let producer_id = header.producer_id();
        if mutant("sequences_unchecked") {
            return Ok(None);
        }
        let Some(entry) = self.producers.get(&producer_id) else { return Ok(None) };
        let (epoch, first, last) = (header.producer_epoch(), header.base_sequence(), header.last_sequence());
        if epoch < entry.epoch {
            return Err(AppendError::ProducerFenced { producer_id, got: epoch, current: entry.epoch });
        }
        if header.is_control() {
            return Ok(None);
        }
        let expected = if epoch == entry.epoch {
            let same = |seen: &&SeenBatch| seen.first_sequence() == first && seen.last_sequence == last;
            if let Some(seen) = entry.batches.iter().find(same) {
                return Ok(Some(*seen));
            }
            entry.batches.back().map_or(0, |seen| next_sequence(seen.last_sequence))
        } else {
            0
        };
        if first == expected || entry.epoch.0 < 0 {
            Ok(None)
        } else {
            Err(AppendError::OutOfOrderSequence { producer_id, got: first, expected })
        }
    }

    /// Takes in a batch that is in the log now, with its final offsets. `now` is the broker's time.
    pub(crate) fn apply(&mut self, header: &BatchHeader, control: Option<EndMarker>, now: Timestamp) {
        let producer_id = header.producer_id();
        if producer_id.0 < 0 {
            return;
        }
        if self.producers.len() >= PRODUCERS_MAX && !self.producers.contains_key(&producer_id) {
            self.forget_half();
        }
        let epoch = header.producer_epoch();
        let entry = self.producers.entry(producer_id).or_insert_with(|| ProducerEntry::new(epoch));
        if entry.epoch != epoch {
            entry.epoch = epoch;
            entry.batches.clear();
        }
        entry.last_timestamp = header.max_timestamp();
        entry.last_seen = now;
        if header.is_control() {
            entry.transaction_start = Offset::NONE;
            entry.coordinator_epoch = control.map_or(entry.coordinator_epoch, |marker| marker.coordinator_epoch);
            return;
        }
        if header.is_transactional() && entry.transaction_start == Offset::NONE {
            entry.transaction_start = header.base_offset();
        }
        if entry.batches.len() == WINDOW || mutant("window_of_one") {
            entry.batches.pop_front();
        }
        entry.batches.push_back(SeenBatch::of(header));
    }

    /// Every producer, ordered by id.
    pub(crate) fn active(&self) -> Vec<ActiveProducer> {
        let shown = self.producers.iter().map(|(id, entry)| ActiveProducer {
            id: *id,
            epoch: entry.epoch,
            last_sequence: entry.batches.back().map_or(-1, |seen| seen.last_sequence),
            last_timestamp: entry.last_timestamp,
            coordinator_epoch: entry.coordinator_epoch,
            transaction_start: entry.transaction_start,
        });
        let mut shown: Vec<ActiveProducer> = shown.collect();
        shown.sort_unstable_by_key(|producer| producer.id.0);
        shown
    }

    /// Forgets producers without an open transaction that were silent for `expiration_ms`.
    pub(crate) fn expire(&mut self, now: Timestamp, expiration_ms: i64) {
        self.producers.retain(|_, entry| {
            entry.transaction_start != Offset::NONE || now.0.saturating_sub(entry.last_seen.0) < expiration_ms
        });
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.producers.len()
    }

    fn forget_half(&mut self) {
        let mut seen: Vec<Timestamp> = self.producers.values().map(|entry| entry.last_seen).collect();
        let middle = seen.len() / 2;
        let (_, median, _) = seen.select_nth_unstable(middle);
        let median = *median;
        let mut surplus = middle;
        self.producers.retain(|_, entry| {
            let goes = surplus > 0 && entry.last_seen <= median;
            surplus -= usize::from(goes);
            !goes
        });
        tracing::warn!(
            kept = self.producers.len(),
            "too many idempotent producers: the longest silent are forgotten; see which clients make new ones all the time"
        );
    }
}

impl ProducerEntry {
    fn new(epoch: ProducerEpoch) -> Self {
        Self {
            epoch,
            batches: VecDeque::new(),
            last_timestamp: Timestamp::NONE,
            coordinator_epoch: -1,
            transaction_start: Offset::NONE,
            last_seen: Timestamp::NONE,
        }
    }
}

/// What an end-of-transaction marker says beyond its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndMarker {
    /// Which generation of the coordinator wrote it.
    pub(crate) coordinator_epoch: i32,
}

impl EndMarker {
    /// Reads the one record of a control batch; `None` when it is another kind of control batch.
    pub(crate) fn read(records: &[u8]) -> Option<Self> {
        let record = crate::record::take_record(&mut &records[..]).ok()?;
        let (_version, rest) = record.key?.split_first_chunk::<2>()?;
        let kind = i16::from_be_bytes(*rest.first_chunk()?);
        let (_version, value) = record.value?.split_first_chunk::<2>()?;
        let coordinator_epoch = i32::from_be_bytes(*value.first_chunk()?);
        matches!(kind, 0 | 1).then_some(Self { coordinator_epoch })
    }
}

fn next_sequence(last: i32) -> i32 {
    last.wrapping_add(1) & i32::MAX
}

#[cfg(test)]
mod tests;
