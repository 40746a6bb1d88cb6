//! How far groups are behind, in records and in seconds, from the coordinator's own state and the logs of this broker.

use std::sync::Arc;

use barnabas_storage::Offset;
use barnabas_storage::batch::{BatchHeader, HEADER_LEN};

use crate::broker::Broker;
use crate::group::offsets::TopicPartition;
use crate::group::shard::WatchedGroup;

/// A group's place in one partition.
#[derive(Clone, Debug)]
pub(super) struct Lag {
    /// The partition.
    pub(super) at: TopicPartition,
    /// The next offset that the group wants.
    pub(super) committed: Offset,
    /// Records that it has not read; `None` when this broker does not lead the partition.
    pub(super) records: Option<i64>,
    /// Age of the batch that holds the first of them; 0 when all is read, `None` when it cannot be had.
    pub(super) seconds: Option<f64>,
}

/// A group and its places.
pub(super) struct GroupLag {
    pub(super) group: WatchedGroup,
    pub(super) lags: Vec<Lag>,
}

/// Every group that this broker coordinates. Reads headers from disk.
pub(super) fn of_groups(broker: &Broker) -> Vec<GroupLag> {
    let groups = broker.groups.watch().into_iter();
    groups
        .map(|group| {
            let lags = group.offsets.iter().map(|(at, committed)| lag(broker, at, *committed)).collect();
            GroupLag { group, lags }
        })
        .collect()
}

fn lag(broker: &Broker, at: &TopicPartition, committed: Offset) -> Lag {
    let partition = broker.partitions.by_name(&at.topic, at.partition);
    let end = partition.as_ref().map(|partition| partition.high_watermark());
    let records = end.map(|end| (end.0 - committed.0).max(0));
    let seconds = match records {
        None => None,
        Some(0) => Some(0.0),
        Some(_) => partition.and_then(|partition| {
            // A group that retention has overtaken wants the first record that is left.
            let first = committed.max(partition.log().log_start_offset());
            let slice = partition.read(first, HEADER_LEN, true).ok()?.0.slice?;
            let bytes = slice.read().ok()?;
            let written = BatchHeader::read(bytes.get(..HEADER_LEN)?)?.base_timestamp().0;
            let age = broker.seams.clock.now().0.saturating_sub(written);
            (written >= 0).then(|| age.max(0) as f64 / 1000.0)
        }),
    };
    Lag { at: TopicPartition { topic: Arc::clone(&at.topic), partition: at.partition }, committed, records, seconds }
}
