//! Making the log durable: what the journal calls back, the checkpoint, the clean stop, a change of the mode.
//!
//! Order of a checkpoint (performance.md 4.4, LOG-7): data, sealed indexes and snapshots, epochs, the directory; only
//! then its positions are told, and only after that the journal frees what it holds for them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::snapshots::SNAPSHOT_LAG_BYTES;
use super::{Log, Tail};
use crate::error::LogDirError;
use crate::ids::{Offset, PartitionIndex, TopicId};
use crate::journal::{JournalledLog, LogCheckpoint};
use crate::options::{DurabilityMode, LogOptions};
use crate::producer_state::snapshot;

/// What a checkpoint took from the appender in one moment.
struct Captured {
    tail: Tail,
    snapshot: Option<Vec<u8>>,
    epochs_changed: bool,
}

impl JournalledLog for Log {
    fn topic_id(&self) -> TopicId {
        self.topic_id
    }

    fn partition(&self) -> PartitionIndex {
        self.partition
    }

    /// Only forward, and never above the log end: a call that a truncation has overtaken says nothing any more.
    fn mark_synced(&self, next_offset: Offset) {
        let bounded = next_offset.min(self.log_end_offset());
        if self.synced.fetch_max(bounded.0, Ordering::AcqRel) < bounded.0 {
            let observer = self.observer.read().clone();
            if let Some(observer) = observer {
                observer.synced(self.synced_offset());
            }
        }
    }

    fn sync_active_files(&self) -> io::Result<()> {
        let tail = self.end.tail();
        let base = Offset(self.file_synced_base.load(Ordering::Acquire));
        for segment in self.segments.read().from(base) {
            segment.data.sync()?;
        }
        self.sync_names()?;
        self.file_synced_base.fetch_max(tail.segment_base.0, Ordering::AcqRel);
        Ok(())
    }

    fn checkpoint(&self) -> io::Result<LogCheckpoint> {
        let mut stable = self.stable.lock();
        if self.damage.get().is_some() {
            return Ok(stable.clone());
        }
        let log_start = self.coming_log_start();
        let high_watermark = self.high_watermark();
        let captured = self.capture(false);
        let tail = (captured.tail.log_end, captured.tail.segment_base, captured.tail.position);
        let is_news = tail != (stable.recovery_point, stable.segment_base, stable.position);
        if is_news || captured.epochs_changed || captured.snapshot.is_some() {
            self.make_captured_stable(&stable, &captured)?;
        }
        stable.log_start = log_start;
        stable.high_watermark = high_watermark;
        stable.recovery_point = captured.tail.log_end;
        stable.segment_base = captured.tail.segment_base;
        stable.position = captured.tail.position;
        Ok(stable.clone())
    }

    fn is_dirty(&self) -> bool {
        let stable = self.stable.lock();
        self.damage.get().is_none()
            && (stable.recovery_point != self.log_end_offset()
                || stable.log_start != self.coming_log_start()
                || stable.high_watermark != self.high_watermark())
    }

    fn flush_interval(&self) -> Option<Duration> {
        match self.options().durability {
            DurabilityMode::Interval(interval) => Some(interval),
            DurabilityMode::Group | DurabilityMode::Os => None,
        }
    }

    fn flush(&self) -> io::Result<()> {
        let end = self.log_end_offset();
        if self.damage.get().is_none() && self.synced_offset() < end {
            self.sync_active_files()?;
            self.mark_synced(end);
        }
        Ok(())
    }

    fn fail(&self) {
        let observer = self.observer.read().clone();
        if let Some(observer) = observer {
            observer.offline();
        }
    }
}

impl Log {
    /// The clean stop: exact indexes with their final time entry, a snapshot at the log end, everything synced. Appends
    /// are refused afterwards, also when it fails; it may be tried again.
    pub(crate) fn close(&self) -> io::Result<LogCheckpoint> {
        let _appends = self.appends.lock();
        let mut stable = self.stable.lock();
        self.writer.lock().closed = true;
        if self.damage.get().is_some() {
            return Ok(stable.clone());
        }
        let captured = self.capture(true);
        let active = self.segments.read().active().cloned();
        if let Some(active) = active.filter(|active| active.is_growing()) {
            active.close_indexes()?;
        }
        self.make_captured_stable(&stable, &captured)?;
        self.close_checksums(captured.tail.log_end)?;
        *stable = LogCheckpoint {
            topic_id: self.topic_id,
            partition: self.partition,
            log_start: self.coming_log_start(),
            recovery_point: captured.tail.log_end,
            segment_base: captured.tail.segment_base,
            position: captured.tail.position,
            high_watermark: self.high_watermark(),
        };
        Ok(stable.clone())
    }

    /// Changes the settings. A switch to `group` syncs the file before it returns.
    ///
    /// # Errors
    /// When that sync fails; the directory is offline then.
    pub fn set_options(&self, options: LogOptions) -> Result<(), LogDirError> {
        let _appends = self.appends.lock();
        let to_group =
            options.durability == DurabilityMode::Group && self.options().durability != DurabilityMode::Group;
        if to_group {
            // What came before went past the journal: it must be on disk before the first synced answer above it.
            let end = self.log_end_offset();
            self.sync_active_files().map_err(|error| self.fatal("sync", &self.directory, &error))?;
            self.mark_synced(end);
        }
        *self.options.write() = Arc::new(options);
        Ok(())
    }

    fn coming_log_start(&self) -> Offset {
        self.log_start_offset().max(Offset(self.start_to_come.load(Ordering::Acquire)))
    }

    fn capture(&self, closing: bool) -> Captured {
        let mut writer = self.writer.lock();
        let tail = self.end.tail();
        let due = if closing { tail.log_end > Offset::ZERO } else { writer.since_snapshot >= SNAPSHOT_LAG_BYTES };
        let snapshot = due.then(|| snapshot::encode(&writer.producers));
        if due {
            writer.since_snapshot = 0;
        }
        Captured { tail, snapshot, epochs_changed: std::mem::take(&mut writer.epochs_changed) }
    }

    /// A full disk passes, and the next time has to try again what this one could not.
    fn make_captured_stable(&self, from: &LogCheckpoint, captured: &Captured) -> io::Result<()> {
        let Captured { tail, snapshot, epochs_changed } = captured;
        self.make_stable(from, *tail, snapshot.as_deref(), *epochs_changed).inspect_err(|_| {
            let mut writer = self.writer.lock();
            writer.epochs_changed |= epochs_changed;
            writer.since_snapshot += snapshot.as_ref().map_or(0, |_| SNAPSHOT_LAG_BYTES);
        })
    }

    /// Syncs everything between the last checkpoint and `tail`. The caller holds `stable`.
    fn make_stable(
        &self,
        from: &LogCheckpoint,
        tail: Tail,
        snapshot: Option<&[u8]>,
        epochs_changed: bool,
    ) -> io::Result<()> {
        let segments = self.segments.read().from(from.segment_base);
        // One that is sealed from here on got bytes that the sync below may not cover: the next checkpoint speaks for it.
        let sealed: Vec<_> = segments.iter().filter(|segment| !segment.is_growing()).cloned().collect();
        for segment in &segments {
            segment.data.sync()?;
            segment.sync_indexes()?;
        }
        self.sync_snapshots(&segments)?;
        self.write_checksums(&sealed)?;
        if epochs_changed {
            let epochs = self.epochs.read().clone();
            epochs.write(&**self.disk(), &self.directory)?;
        }
        if let Some(bytes) = snapshot {
            self.store_snapshot(bytes, tail.log_end, true)?;
            self.remove_snapshots(tail.log_end)?;
        }
        self.sync_names()?;
        self.file_synced_base.fetch_max(tail.segment_base.0, Ordering::AcqRel);
        Ok(())
    }

    /// A file was made in the directory.
    pub(super) fn name_made(&self) {
        self.names_made.fetch_add(1, Ordering::AcqRel);
    }

    /// Syncs the directory when files were made in it.
    pub(super) fn sync_names(&self) -> io::Result<()> {
        let mut synced = self.names_synced.lock();
        let made = self.names_made.load(Ordering::Acquire);
        if *synced < made {
            self.disk().sync_dir(&self.directory)?;
            *synced = made;
        }
        Ok(())
    }
}
