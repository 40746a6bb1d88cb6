//! ListOffsets: the special offsets, and the record at a time.
//!
//! Differs from Apache Kafka: a record at or above the bound is passed over, not found and then hidden; a compressed
//! batch that does not decompress within the bound answers with its first offset.

use std::sync::Arc;

use super::read::read_failed;
use super::{Log, Tail};
use crate::batch::{Batch, BatchHeader};
use crate::batch_scan::{BatchScan, Found};
use crate::error::ReadError;
use crate::ids::{LeaderEpoch, Offset, Timestamp};
use crate::segment::Segment;

/// A special or timestamp query of ListOffsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetQuery {
    /// -2: the log start offset.
    Earliest,
    /// -1: the bound (high watermark or last stable offset).
    Latest,
    /// -3: the record with the greatest timestamp.
    MaxTimestamp,
    /// -4: the first offset on local disk.
    EarliestLocal,
    /// -5: the last tiered offset: none here.
    LatestTiered,
    /// -6: the first offset that waits to be tiered: none here.
    EarliestPendingUpload,
    /// The first record at or after this time.
    At(Timestamp),
}

/// The answer to an [`OffsetQuery`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundOffset {
    /// The offset.
    pub offset: Offset,
    /// The record's timestamp, [`Timestamp::NONE`] for the specials that have none.
    pub timestamp: Timestamp,
    /// The leader epoch of that offset, [`LeaderEpoch::NONE`] when unknown.
    pub leader_epoch: LeaderEpoch,
}

impl Log {
    /// Answers a ListOffsets query. A record at or above `up_to` is not found. May read from disk: call it off the
    /// async workers for `At` and `MaxTimestamp`.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn find_offset(&self, query: OffsetQuery, up_to: Offset) -> Result<Option<FoundOffset>, ReadError> {
        let start = self.log_start_offset();
        let tail = self.check_readable(start)?;
        let up_to = up_to.min(tail.log_end);
        match query {
            OffsetQuery::Earliest | OffsetQuery::EarliestLocal => Ok(Some(self.special(start))),
            OffsetQuery::Latest => Ok(Some(self.special(up_to))),
            OffsetQuery::LatestTiered | OffsetQuery::EarliestPendingUpload => Ok(None),
            OffsetQuery::MaxTimestamp => self.find_max_timestamp(&tail, up_to),
            OffsetQuery::At(timestamp) => self.find_at(timestamp, &tail, start, up_to),
        }
    }

    fn special(&self, offset: Offset) -> FoundOffset {
        let leader_epoch = self.epochs.read().epoch_of(offset).unwrap_or(LeaderEpoch::NONE);
        FoundOffset { offset, timestamp: Timestamp::NONE, leader_epoch }
    }

    fn find_at(
        &self,
        target: Timestamp,
        tail: &Tail,
        start: Offset,
        up_to: Offset,
    ) -> Result<Option<FoundOffset>, ReadError> {
        for segment in self.segments_between(start, up_to)? {
            if segment.latest().map_err(ReadError::Io)?.timestamp < target {
                continue;
            }
            let older = segment.floor_by_time(target).map_err(ReadError::Io)?;
            let from = segment.floor_by_offset(older.max(start)).map_err(ReadError::Io)?;
            let file = segment.data.open().map_err(ReadError::Io)?;
            let mut scan = BatchScan::new(&**file, from, tail.end_of(&segment));
            while let Some(found) = scan.next_header().map_err(read_failed)? {
                if found.header.base_offset() >= up_to {
                    break;
                }
                if found.header.max_timestamp() < target || found.header.last_offset() < start {
                    continue;
                }
                let matches = |offset, timestamp| offset >= start && offset < up_to && timestamp >= target;
                if let Some(hit) = self.first_record(&segment, &found, matches)? {
                    return Ok(Some(hit));
                }
            }
        }
        Ok(None)
    }

    fn find_max_timestamp(&self, tail: &Tail, up_to: Offset) -> Result<Option<FoundOffset>, ReadError> {
        let start = self.log_start_offset();
        let mut best: Option<(Arc<Segment>, Found)> = None;
        for segment in self.segments_between(start, up_to)? {
            let beaten = |best: &(_, Found), latest| best.1.header.max_timestamp() >= latest;
            let latest = segment.latest().map_err(ReadError::Io)?;
            if best.as_ref().is_some_and(|best| beaten(best, latest.timestamp)) {
                continue;
            }
            // What an index entry or the segment's end says holds if that batch lies within the bounds; else walk.
            let from = if latest.offset < up_to && latest.offset >= start {
                latest.offset
            } else {
                segment
                    .latest_below(up_to)
                    .map_err(ReadError::Io)?
                    .map_or(segment.base, |entry| entry.offset)
                    .max(start)
            };
            let from = segment.floor_by_offset(from).map_err(ReadError::Io)?;
            let file = segment.data.open().map_err(ReadError::Io)?;
            let mut scan = BatchScan::new(&**file, from, tail.end_of(&segment));
            while let Some(found) = scan.next_header().map_err(read_failed)? {
                if found.header.next_offset() > up_to {
                    break;
                }
                let timestamp = found.header.max_timestamp();
                let inside = found.header.last_offset() >= start && timestamp.0 >= 0;
                if inside && !best.as_ref().is_some_and(|best| beaten(best, timestamp)) {
                    best = Some((Arc::clone(&segment), found));
                    if timestamp == latest.timestamp {
                        break;
                    }
                }
            }
        }
        let Some((segment, found)) = best else { return Ok(None) };
        let max = found.header.max_timestamp();
        self.first_record(&segment, &found, |offset, timestamp| offset >= start && timestamp == max)
    }

    /// The first record of a batch that `matches` its offset and timestamp.
    fn first_record(
        &self,
        segment: &Segment,
        found: &Found,
        matches: impl Fn(Offset, Timestamp) -> bool,
    ) -> Result<Option<FoundOffset>, ReadError> {
        let bytes = segment.data.read(found.position, found.size).map_err(ReadError::Io)?;
        let batch = Batch { header: found.header, bytes };
        let Ok(records) = batch.records() else { return Ok(Some(self.first_of(&found.header))) };
        for record in records {
            let Ok(record) = record else { return Ok(Some(self.first_of(&found.header))) };
            if matches(record.offset, record.timestamp) {
                let leader_epoch = found.header.leader_epoch();
                return Ok(Some(FoundOffset { offset: record.offset, timestamp: record.timestamp, leader_epoch }));
            }
        }
        Ok(None)
    }

    fn first_of(&self, header: &BatchHeader) -> FoundOffset {
        FoundOffset {
            offset: header.base_offset().max(self.log_start_offset()),
            timestamp: header.max_timestamp(),
            leader_epoch: header.leader_epoch(),
        }
    }

    /// The segments, with sound indexes, that may hold offsets from `start` up to `up_to`.
    fn segments_between(&self, start: Offset, up_to: Offset) -> Result<Vec<Arc<Segment>>, ReadError> {
        let mut between = {
            let segments = self.segments.read();
            segments.from(segments.floor(start).map_or(start, |segment| segment.base))
        };
        between.retain(|segment| segment.base < up_to);
        between.iter().try_for_each(|segment| self.check_indexes(segment))?;
        Ok(between)
    }
}
