//! Cutting the log's end: for a replica whose leader knows less.
//!
//! Order (journal invariant 3): the target is durable as the recovery point before a byte is cut, so that nothing
//! journalled above it comes back; the cut is durable before the first append after it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Log, Tail, Writer};
use crate::batch_scan::{BatchScan, ScanError};
use crate::error::LogDirError;
use crate::ids::Offset;
use crate::journal::LogCheckpoint;
use crate::segment::{Segment, UNINDEXED_BYTES_MAX};

/// Where the log will end.
struct Target {
    end: Offset,
    /// The segment that holds it, and the position; `None` when nothing stays.
    at: Option<(Arc<Segment>, u64)>,
}

impl Log {
    /// Cuts the log so that `to` is its end, or the start of the batch that covers it. Synced before it returns. Slices
    /// above `to` that were handed out before are not valid any more.
    ///
    /// # Errors
    /// See [`LogDirError`].
    pub fn truncate_to(&self, to: Offset) -> Result<(), LogDirError> {
        let _appends = self.appends.lock();
        if self.damage.get().is_some() || to >= self.log_end_offset() {
            return Ok(());
        }
        self.context.journal.settle(self);
        if self.context.journal.is_offline() {
            return Err(self.offline());
        }
        let mut stable = self.stable.lock();
        let mut writer = self.writer.lock();
        let failed = |error: ScanError| match error {
            ScanError::Io(error) => self.fatal("truncate", &self.directory, &error),
            ScanError::Damaged { near, reason, .. } => LogDirError::Malformed {
                file: self.directory.clone(),
                reason: format!("no whole batch after offset {near}: {reason}"),
            },
        };
        let target = self.target(to).map_err(failed)?;
        self.sync_below(&mut writer, &stable, &target).map_err(|error| failed(ScanError::Io(error)))?;
        let high_watermark = self.high_watermark().min(target.end);
        let checkpoint = LogCheckpoint {
            topic_id: self.topic_id,
            partition: self.partition,
            log_start: self.log_start_offset().min(target.end),
            recovery_point: target.end,
            segment_base: target.at.as_ref().map_or(target.end, |(segment, _)| segment.base),
            position: target.at.as_ref().map_or(0, |(_, position)| *position),
            high_watermark,
        };
        self.context.journal.record(checkpoint.clone())?;
        *stable = checkpoint;
        self.cut(&mut writer, &target).map_err(failed)
    }

    fn target(&self, to: Offset) -> Result<Target, ScanError> {
        let tail = self.end.tail();
        let Some(segment) = self.segments.read().floor(to) else { return Ok(Target { end: to, at: None }) };
        let found = segment.find(to, tail.end_of(&segment))?;
        let (end, position) = match found {
            Some(found) => (found.header.base_offset().min(to), found.position),
            None => (to, tail.end_of(&segment)),
        };
        Ok(Target { end, at: Some((segment, position)) })
    }

    /// What stays has to be durable before a checkpoint says so: sealed indexes, snapshots and epochs included.
    fn sync_below(&self, writer: &mut Writer, stable: &LogCheckpoint, target: &Target) -> io::Result<()> {
        let mut segments = self.segments.read().from(stable.segment_base);
        segments.retain(|segment| segment.base <= target.end);
        for segment in &segments {
            segment.data.sync()?;
            if !segment.is_growing() {
                segment.sync_indexes()?;
            }
        }
        self.sync_snapshots(&segments)?;
        self.write_checksums(&segments)?;
        if std::mem::take(&mut writer.epochs_changed) {
            let epochs = self.epochs.read().clone();
            epochs.write(&**self.disk(), &self.directory)?;
        }
        self.sync_names()
    }

    fn cut(&self, writer: &mut Writer, target: &Target) -> Result<(), ScanError> {
        let kept = target.at.as_ref().map_or(Offset(-1), |(segment, _)| segment.base);
        let doomed = self.segments.read().from(Offset(kept.0.saturating_add(1)));
        for segment in doomed {
            self.segments.write().remove(segment.base);
            self.doom_files(&segment).map_err(ScanError::Io)?;
        }
        match &target.at {
            Some((segment, position)) => {
                // Before anything else can stand at these places.
                self.drop_checksums(segment).map_err(ScanError::Io)?;
                segment.data.cut(*position).map_err(ScanError::Io)?;
                segment.data.sync().map_err(ScanError::Io)?;
                self.grow_again(segment, position.saturating_sub(UNINDEXED_BYTES_MAX))?;
            }
            None => {
                self.roll(writer, target.end).map_err(ScanError::Io)?;
            }
        }
        let base = target.at.as_ref().map_or(target.end, |(segment, _)| segment.base);
        let position = target.at.as_ref().map_or(0, |(_, position)| *position);
        self.end.set(Tail { log_end: target.end, segment_base: base, position });
        self.log_start.fetch_min(target.end.0, Ordering::AcqRel);
        self.start_to_come.fetch_min(target.end.0, Ordering::AcqRel);
        self.synced.store(target.end.0, Ordering::Release);
        self.high_watermark.fetch_min(target.end.0, Ordering::AcqRel);
        self.file_synced_base.fetch_min(base.0, Ordering::AcqRel);
        self.name_made();
        if self.epochs.write().truncate_end(target.end) {
            let epochs = self.epochs.read().clone();
            epochs.write(&**self.disk(), &self.directory).map_err(ScanError::Io)?;
        }
        self.remove_snapshots(target.end).map_err(ScanError::Io)?;
        self.restore_producers(writer, target.end, false)?;
        self.sync_names().map_err(ScanError::Io)
    }

    /// Makes a segment the one that is appended to, with the index entries of batches below `trusted` as the files have
    /// them and the others made again.
    pub(super) fn grow_again(&self, segment: &Segment, trusted: u64) -> Result<(), ScanError> {
        let resume = segment.reopen(trusted).map_err(ScanError::Io)?;
        let interval = self.options().index_interval_bytes;
        let mut scan = BatchScan::new(&**segment.data.open().map_err(ScanError::Io)?, resume, segment.len());
        while let Some(found) = scan.next_header()? {
            segment.index(&found, interval);
        }
        Ok(())
    }
}
