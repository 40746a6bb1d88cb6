//! What moves the log start: retention by size and time, and DeleteRecords (LOG-10).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Log;
use super::snapshots::SNAPSHOT_LAG_BYTES;
use crate::error::{LogDirError, ReadError};
use crate::ids::{Offset, Timestamp};
use crate::options::LogOptions;
use crate::seam::mutant;
use crate::segment::Segment;

impl Log {
    /// Raises the log start offset (DeleteRecords); `to` must not lie above the high watermark. Returns the new log
    /// start offset. Durable before it returns.
    ///
    /// # Errors
    /// `OutOfRange` for an offset above the high watermark.
    pub fn delete_records(&self, to: Offset) -> Result<Offset, ReadError> {
        let start = self.log_start_offset();
        self.check_readable(start)?;
        let high_watermark = self.high_watermark();
        if to > high_watermark {
            return Err(ReadError::OutOfRange { asked: to, start, end: high_watermark });
        }
        if to <= start {
            return Ok(start);
        }
        self.raise_log_start(to).map_err(|_| ReadError::Offline(self.context.log_dir.clone()))?;
        Ok(self.log_start_offset())
    }

    /// Deletes what retention lets go, as of `now`; returns how many segments went. Blocks.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub fn apply_retention(&self, now: Timestamp) -> Result<usize, LogDirError> {
        if self.context.journal.is_offline() {
            return Err(self.offline());
        }
        if self.damage.get().is_some() || self.deleted.load(Ordering::Acquire) {
            return Ok(0);
        }
        let segments = self.segments.read().all();
        let count = self.deletable(&segments, now)?;
        let Some(last) = count.checked_sub(1) else { return Ok(0) };
        let end = match segments.get(count) {
            Some(next) => next.base,
            None => match self.roll_for_retention(&segments[last])? {
                Some(base) => base,
                None => return Ok(0),
            },
        };
        self.raise_log_start(end)?;
        let _stable = self.stable.lock();
        for segment in &segments[..count] {
            if self.segments.write().remove(segment.base).is_some() {
                let doomed = self.doom_files(segment);
                doomed.map_err(|error| self.fatal("rename a deleted segment in", &self.directory, &error))?;
            }
        }
        Ok(count)
    }

    /// How many of the oldest segments may go: up to the first that has to stay.
    fn deletable(&self, segments: &[Arc<Segment>], now: Timestamp) -> Result<usize, LogDirError> {
        let options = self.options();
        let (log_start, high_watermark) = (self.log_start_offset(), self.high_watermark());
        let mut left: u64 = segments.iter().map(|segment| segment.len()).sum();
        for (index, segment) in segments.iter().enumerate() {
            let end = segments.get(index + 1).map_or_else(|| self.log_end_offset(), |next| next.base);
            let goes = end <= log_start || exceeds_size(&options, left, segment) || {
                let checked = self.check_indexes(segment).map_err(std::io::Error::other);
                let latest = checked.and_then(|()| latest_time(segment)).map_err(|source| LogDirError::Io {
                    act: "read the time index of",
                    path: segment.data.path().to_path_buf(),
                    source,
                })?;
                let age = now.0.saturating_sub(latest.0);
                options.cleanup_policy.delete && options.retention_ms.is_some_and(|limit| age > limit)
            };
            if !goes || end > high_watermark || segment.len() == 0 {
                let more = usize::from(mutant("retention_takes_one_more") && index + 1 < segments.len());
                return Ok(index + more);
            }
            left -= segment.len();
        }
        Ok(segments.len())
    }

    /// The active segment goes too: an empty one takes its place, so that the log end is not forgotten. `None` when
    /// something was appended meanwhile.
    fn roll_for_retention(&self, active: &Arc<Segment>) -> Result<Option<Offset>, LogDirError> {
        let _appends = self.appends.lock();
        let mut writer = self.writer.lock();
        let tail = self.end.tail();
        if writer.closed || tail.segment_base != active.base || tail.log_end > self.high_watermark() {
            return Ok(None);
        }
        let rolled = self.roll(&mut writer, tail.log_end);
        rolled.map_err(|error| self.fatal("begin a segment in", &self.directory, &error))?;
        Ok(Some(tail.log_end))
    }

    /// Moves the log start: first durably, and only then for those who ask, who would see it go back over a crash.
    fn raise_log_start(&self, to: Offset) -> Result<(), LogDirError> {
        self.start_to_come.fetch_max(to.0, Ordering::AcqRel);
        let mut writer = self.writer.lock();
        writer.epochs_changed |= self.epochs.write().truncate_start(to);
        if writer.since_snapshot > 0 {
            // What producers did below the new start is told by a snapshot only: the checkpoint writes one.
            writer.since_snapshot = SNAPSHOT_LAG_BYTES;
        }
        drop(writer);
        self.context.journal.checkpoint_now(self)?;
        self.log_start.fetch_max(to.0, Ordering::AcqRel);
        Ok(())
    }
}

fn exceeds_size(options: &LogOptions, left: u64, segment: &Segment) -> bool {
    let limit = options.retention_bytes.filter(|_| options.cleanup_policy.delete);
    limit.is_some_and(|limit| left.saturating_sub(segment.len()) >= limit)
}

/// The greatest timestamp, or the time of the last write for a segment without any.
fn latest_time(segment: &Segment) -> std::io::Result<Timestamp> {
    let latest = segment.latest()?.timestamp;
    if latest.0 >= 0 { Ok(latest) } else { segment.data.open()?.modified_ms().map(Timestamp) }
}
