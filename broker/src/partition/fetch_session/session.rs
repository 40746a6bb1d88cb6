//! One fetch session: its partitions in the order in which they are read, and what was told of each.
//!
//! Must not know: other sessions, slots, time.

use std::collections::{BTreeMap, HashMap};

use barnabas_storage::Offset;

use super::{PartitionKey, SessionError, SessionRequest, Told, Wanted};

pub(super) struct Session {
    /// What the next request must carry.
    epoch: i32,
    by_id: bool,
    /// In the order in which they are read: who was served goes to the end.
    pub(super) partitions: BTreeMap<u64, SessionPartition>,
    places: HashMap<PartitionKey, u64>,
    next_place: u64,
}

pub(super) struct SessionPartition {
    key: PartitionKey,
    wanted: Wanted,
    /// What the last answer said; -1 makes the next one say it again.
    high_watermark: Offset,
    log_start_offset: Offset,
}

pub(super) fn next_epoch(epoch: i32) -> i32 {
    epoch.checked_add(1).unwrap_or(1)
}

/// The epoch after a request, and the places and wishes of every partition.
pub(super) type Advanced = (i32, Vec<u64>, Vec<(PartitionKey, Wanted)>);

impl Session {
    /// Without partitions. Its first answer was the one to the request that made it.
    pub(super) fn new(by_id: bool) -> Self {
        Self { epoch: 1, by_id, partitions: BTreeMap::new(), places: HashMap::new(), next_place: 0 }
    }

    pub(super) fn advance(&mut self, request: SessionRequest) -> Result<Advanced, SessionError> {
        if request.epoch != self.epoch {
            return Err(SessionError::InvalidEpoch);
        }
        if request.by_id != self.by_id {
            return Err(SessionError::TopicIds);
        }
        for (key, wanted) in request.wanted {
            self.put(key, wanted);
        }
        for key in request.forgotten {
            if let Some(place) = self.places.remove(&key) {
                self.partitions.remove(&place);
            }
        }
        self.epoch = next_epoch(self.epoch);
        let places = self.partitions.keys().copied().collect();
        let wanted = self.partitions.values().map(|partition| (partition.key.clone(), partition.wanted)).collect();
        Ok((self.epoch, places, wanted))
    }

    /// Changes what is wanted of a partition, or takes it in at the end.
    pub(super) fn put(&mut self, key: PartitionKey, wanted: Wanted) {
        if let Some(known) = self.places.get(&key).and_then(|place| self.partitions.get_mut(place)) {
            known.wanted = wanted;
            return;
        }
        let (high_watermark, log_start_offset) = (Offset::NONE, Offset::NONE);
        let partition = SessionPartition { key: key.clone(), wanted, high_watermark, log_start_offset };
        self.places.insert(key, self.next_place);
        self.partitions.insert(self.next_place, partition);
        self.next_place += 1;
    }

    pub(super) fn remember(&mut self, key: &PartitionKey, told: &Told) {
        if let Some(partition) = self.places.get(key).and_then(|place| self.partitions.get_mut(place)) {
            partition.remember(told);
        }
    }

    pub(super) fn select(&mut self, epoch: i32, places: &[u64], told: &[Told]) -> Result<Vec<usize>, SessionError> {
        if epoch != self.epoch {
            return Err(SessionError::InvalidEpoch);
        }
        let mut included = Vec::new();
        for (position, (place, told)) in places.iter().zip(told).enumerate() {
            let Some(partition) = self.partitions.get_mut(place) else { continue };
            if partition.remember(told) {
                included.push(position);
            }
            if told.has_records {
                self.move_to_the_end(*place);
            }
        }
        Ok(included)
    }

    fn move_to_the_end(&mut self, place: u64) {
        let Some(partition) = self.partitions.remove(&place) else { return };
        self.places.insert(partition.key.clone(), self.next_place);
        self.partitions.insert(self.next_place, partition);
        self.next_place += 1;
    }
}

impl SessionPartition {
    /// Whether the answer has news of this partition.
    fn remember(&mut self, told: &Told) -> bool {
        let moved = self.high_watermark != told.high_watermark || self.log_start_offset != told.log_start_offset;
        self.high_watermark = if told.is_special { Offset::NONE } else { told.high_watermark };
        self.log_start_offset = told.log_start_offset;
        moved || told.has_records || told.is_special
    }
}
