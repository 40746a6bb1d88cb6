//! Recovery of one log (LOG-8): replay by position, verify what is above the synced point, cut a torn tail, fence
//! damage below it, rebuild indexes, epochs and producers.
//!
//! After a kill nothing is synced that the journal holds: it goes on holding it, and the next checkpoint syncs, as it would
//! have done without the kill. Two kinds of logs are synced and get a new line in the manifest at once: one that was cut,
//! because what the journal has above the cut must never be replayed (JRN-3); and one in `group` mode with batches that the
//! journal does not hold. They may have been acknowledged, because large ones skip it; and whoever was not told sees them from
//! now on, so that the next start must know them for durable (JRN-11).
//!
//! Tail and interior are told apart by the synced point alone: below it every byte was known to be on disk, so a bad
//! batch there is corruption and nothing is cut; above it pages may have reached the disk in any order, so the first bad
//! batch ends the log even when good ones follow.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::leftovers::{Leftovers, keep_copy};
use super::{LastStop, Log, LogRecovery, Tail};
use crate::advice::REPAIR_LOG;
use crate::batch::BatchError;
use crate::batch_scan::{BatchScan, ScanError};
use crate::error::LogDirError;
use crate::ids::Offset;
use crate::journal::{LogCheckpoint, ReplayBatch};
use crate::leader_epoch::LeaderEpochs;
use crate::options::DurabilityMode;
use crate::segment::{DATA, Segment, file_path};
use crate::segment_file::SegmentFile;

mod again;
mod replay;
mod verify;

use self::replay::Proven;
use self::verify::Behind;

/// One run over one log.
pub(super) struct Recovery<'a> {
    log: &'a Log,
    clean: bool,
    checkpoint: Option<&'a LogCheckpoint>,
    report: LogRecovery,
    /// What the journal holds of it, and the segments have: no need to look at it twice.
    proven: Proven,
    epochs: LeaderEpochs,
    /// Offset that the next batch has to have; `None` while it is not known.
    expected: Option<Offset>,
    /// Segments that were written or verified, and have to be synced.
    touched: Vec<Arc<Segment>>,
}

impl<'a> Recovery<'a> {
    pub(super) fn new(log: &'a Log, last_stop: LastStop, checkpoint: Option<&'a LogCheckpoint>) -> Self {
        Self {
            log,
            clean: last_stop == LastStop::Clean,
            checkpoint,
            report: LogRecovery { renewed: last_stop != LastStop::Killed, ..LogRecovery::default() },
            proven: Proven::nothing(),
            epochs: LeaderEpochs::default(),
            expected: None,
            touched: Vec::new(),
        }
    }

    pub(super) fn run(mut self, replay: &[ReplayBatch]) -> Result<LogRecovery, LogDirError> {
        let log = self.log;
        let failed = |source| LogDirError::Io { act: "recover", path: log.directory.clone(), source };
        match self.recover(replay) {
            Ok(()) if self.report.damaged => self.sync_replayed().map(|()| self.report).map_err(failed),
            Ok(()) => Ok(self.report),
            Err(ScanError::Io(source)) => Err(failed(source)),
            Err(ScanError::Damaged { near, reason: BatchError::Magic(magic), .. }) => Err(LogDirError::Malformed {
                file: log.directory.clone(),
                reason: format!("message format {magic} near offset {near}: let Apache Kafka rewrite the topic first"),
            }),
            Err(ScanError::Damaged { near, .. }) => {
                self.fence(near);
                self.sync_replayed().map(|()| self.report).map_err(failed)
            }
        }
    }

    fn recover(&mut self, replay: &[ReplayBatch]) -> Result<(), ScanError> {
        let log = self.log;
        let leftovers = Leftovers::tidy(log).map_err(ScanError::Io)?;
        if log.context.sync_failed {
            self.write_again().map_err(ScanError::Io)?;
        }
        if !self.clean {
            self.replay(replay).map_err(ScanError::Io)?;
        }
        self.load_segments(&leftovers).map_err(ScanError::Io)?;
        let log_start = self.checkpoint.map_or(Offset::ZERO, |checkpoint| checkpoint.log_start);
        self.remove_below(log_start).map_err(ScanError::Io)?;
        let segments = log.segments.read().all();
        log.log_start.store(log_start.0, Ordering::Release);
        if let Some(damage) = self.missing_below_synced_point(&segments) {
            // What is gone stays part of the log: a reader of it must not be led past it.
            self.fence(damage);
            return Ok(());
        }
        let first_base = segments.first().map_or(log_start, |segment| segment.base);
        log.log_start.store(log_start.max(first_base).0, Ordering::Release);
        self.load_epochs(&segments)?;
        // A segment that was just begun may be gone with its name: nothing was in it.
        self.expected =
            self.checkpoint.filter(|from| from.position == 0 && !self.clean).map(|from| from.recovery_point);
        let verify_from = self.verify_from(&segments);
        if self.checkpoint.is_some() && !log.context.others_ran {
            // The checkpoint was told after their checksums were written.
            segments[..verify_from].iter().for_each(|segment| segment.settled.store(true, Ordering::Release));
        }
        self.index_sealed(&segments[..verify_from], &leftovers)?;
        if let Some(damage) = self.verify(&segments[verify_from..])? {
            self.fence(damage);
            return Ok(());
        }
        self.finish()
    }

    fn load_segments(&self, leftovers: &Leftovers) -> io::Result<()> {
        let log = self.log;
        let map_len = u64::from(log.options().segment_bytes);
        let mut bases = leftovers.segment_bases.clone();
        for entry in log.disk().list(&log.directory)? {
            bases.extend(super::snapshots::offset_of(&entry.name, DATA));
        }
        bases.sort_unstable();
        bases.dedup();
        let mut segments = log.segments.write();
        for base in bases {
            let path = file_path(&log.directory, base, DATA);
            let len = log.disk().open(&path, crate::seam::OpenMode::Read)?.len()?;
            let data = SegmentFile::existing(log.disk(), path, len, map_len);
            segments.insert(Arc::new(Segment::sealed(log.disk(), &log.directory, data, base, log.now())));
        }
        Ok(())
    }

    /// Segments that retention had let go, but whose names a crash has brought back in part: what they hold has gaps.
    fn remove_below(&self, log_start: Offset) -> io::Result<()> {
        let log = self.log;
        let segments = log.segments.read().all();
        for pair in segments.windows(2).take_while(|pair| pair[1].base <= log_start) {
            log.segments.write().remove(pair[0].base);
            log.remove_files(&pair[0])?;
        }
        Ok(())
    }

    /// The files that a checkpoint has proven must be there, and as long as it says.
    fn missing_below_synced_point(&self, segments: &[Arc<Segment>]) -> Option<Offset> {
        let checkpoint = self.checkpoint?;
        if checkpoint.recovery_point <= checkpoint.log_start {
            return None;
        }
        let first = segments.first().map(|segment| segment.base);
        if first.is_none_or(|first| first > checkpoint.log_start) {
            return Some(checkpoint.log_start);
        }
        if self.clean && self.log.context.others_ran {
            // Kafka's files say nothing of positions.
            return None;
        }
        let holds = |segment: &&Arc<Segment>| segment.base == checkpoint.segment_base;
        let len = segments.iter().find(holds).map_or(0, |segment| segment.len());
        let reaches = len >= checkpoint.position;
        (!reaches).then_some(checkpoint.segment_base.max(checkpoint.log_start))
    }

    fn load_epochs(&mut self, segments: &[Arc<Segment>]) -> Result<(), ScanError> {
        let log = self.log;
        let known_below = match self.checkpoint {
            Some(_) if self.clean => Offset(i64::MAX),
            Some(checkpoint) => checkpoint.recovery_point,
            None if self.clean => Offset(i64::MAX),
            // Everything is read again.
            None => return Ok(()),
        };
        if let Some(epochs) = LeaderEpochs::read(&**log.disk(), &log.directory).map_err(ScanError::Io)? {
            self.epochs = epochs;
            self.epochs.truncate_end(known_below);
            return Ok(());
        }
        for segment in segments.iter().filter(|segment| segment.base < known_below) {
            let mut scan = BatchScan::new(&**segment.data.open().map_err(ScanError::Io)?, 0, segment.len());
            while let Ok(Some(found)) = scan.next_header() {
                if found.header.base_offset() >= known_below {
                    break;
                }
                self.epochs.assign(found.header.leader_epoch(), found.header.base_offset());
            }
        }
        log.writer.lock().epochs_changed = true;
        Ok(())
    }

    /// Index of the first segment that has to be looked at.
    fn verify_from(&self, segments: &[Arc<Segment>]) -> usize {
        match self.checkpoint {
            _ if self.clean => segments.len().saturating_sub(1),
            Some(checkpoint) => segments.partition_point(|segment| segment.base < checkpoint.segment_base),
            None => 0,
        }
    }

    /// Rebuilds the index files that are missing of segments which are otherwise trusted.
    fn index_sealed(&mut self, segments: &[Arc<Segment>], leftovers: &Leftovers) -> Result<(), ScanError> {
        for segment in segments.iter().filter(|segment| !leftovers.indexed_bases.contains(&segment.base)) {
            self.log.grow_again(segment, 0)?;
            segment.seal().map_err(ScanError::Io)?;
            // The checkpoint does not look below its own position again.
            segment.sync_indexes().map_err(ScanError::Io)?;
            self.log.write_checksums(std::slice::from_ref(segment)).map_err(ScanError::Io)?;
            self.log.name_made();
        }
        Ok(())
    }

    /// Ends the log at `position` of the first of these segments; the others go.
    fn cut_from(&mut self, segments: &[Arc<Segment>], position: u64, behind: Behind) -> Result<(), ScanError> {
        let log = self.log;
        let is_kept = self.checkpoint.is_none() || behind == Behind::Foreign;
        self.report.renewed = true;
        for (index, segment) in segments.iter().enumerate() {
            let from = if index == 0 { position } else { 0 };
            self.report.bytes_cut += segment.len() - from;
            if is_kept {
                let file = segment.data.open().map_err(ScanError::Io)?;
                keep_copy(log, segment.base, &**file, from).map_err(ScanError::Io)?;
            }
            let stays = index == 0 && (position > 0 || Some(segment.base) == self.expected);
            if stays {
                segment.data.cut(position).map_err(ScanError::Io)?;
            } else {
                log.segments.write().remove(segment.base);
                log.remove_files(segment).map_err(ScanError::Io)?;
                self.touched.retain(|touched| touched.base != segment.base);
            }
        }
        tracing::warn!(
            dir = %log.directory.display(),
            end = self.end().0,
            bytes = self.report.bytes_cut,
            "a torn tail was cut; nothing need be done after a crash: what may be more than that is in a .corrupt file beside it"
        );
        Ok(())
    }

    /// Where the log ends as far as it has been looked at.
    fn end(&self) -> Offset {
        let log = self.log;
        let last_base = log.segments.read().active().map_or(log.log_start_offset(), |segment| segment.base);
        self.expected.unwrap_or(last_base).max(last_base)
    }

    /// Sets the log's state, and syncs what was touched.
    fn finish(&mut self) -> Result<(), ScanError> {
        let log = self.log;
        let end = self.end();
        self.epochs.truncate_end(end);
        *log.epochs.write() = self.epochs.clone();
        log.writer.lock().roll_jitter_ms = log.draw_jitter(&log.options());
        if end < log.log_start_offset() {
            log.log_start.store(end.0, Ordering::Release);
        }
        let active = self.active(end)?;
        let tail = match &active {
            Some(active) => Tail { log_end: end, segment_base: active.base, position: active.len() },
            None => Tail { log_end: end, segment_base: end, position: 0 },
        };
        log.end.set(tail);
        if self.report.renewed {
            log.remove_snapshots(end).map_err(ScanError::Io)?;
        } else {
            // An older one may be the only durable one: the next checkpoint removes it.
            log.remove_snapshots_above(end).map_err(ScanError::Io)?;
        }
        log.restore_producers(&mut log.writer.lock(), end, self.clean)?;
        self.make_durable(&tail).map_err(ScanError::Io)
    }

    /// The segment that the next batch goes to. A log that once had records keeps one, so that its end is not forgotten.
    fn active(&self, end: Offset) -> Result<Option<Arc<Segment>>, ScanError> {
        let log = self.log;
        let last = log.segments.read().active().cloned();
        match last {
            Some(last) => {
                if !last.is_growing() {
                    log.grow_again(&last, 0)?;
                }
                Ok(Some(last))
            }
            None if end > Offset::ZERO => log.roll(&mut log.writer.lock(), end).map(Some).map_err(ScanError::Io),
            None => Ok(None),
        }
    }

    /// Syncs what has to be, and sets the offsets that say so.
    fn make_durable(&mut self, tail: &Tail) -> io::Result<()> {
        let log = self.log;
        let file_epochs = LeaderEpochs::read(&**log.disk(), &log.directory)?.unwrap_or_default();
        let epochs_changed = !self.clean && file_epochs != *log.epochs.read();
        let group = log.options().durability == DurabilityMode::Group;
        self.report.renewed |= group && self.proven.reaches < tail.log_end;
        if self.report.renewed {
            if !self.clean {
                self.sync_touched()?;
                log.write_checksums(&self.touched)?;
                if epochs_changed {
                    let epochs = log.epochs.read().clone();
                    epochs.write(&**log.disk(), &log.directory)?;
                }
            }
            log.sync_names()?;
        } else {
            log.writer.lock().epochs_changed |= epochs_changed;
            log.name_made();
        }
        let synced = if self.report.renewed {
            log.file_synced_base.store(tail.segment_base.0, Ordering::Release);
            tail.log_end
        } else {
            let base = self.checkpoint.map_or(Offset::ZERO, |checkpoint| checkpoint.segment_base);
            log.file_synced_base.store(base.0, Ordering::Release);
            self.proven.reaches.min(tail.log_end)
        };
        log.synced.store(synced.0, Ordering::Release);
        let told = self.checkpoint.map_or(Offset::ZERO, |checkpoint| checkpoint.high_watermark);
        log.high_watermark.store(told.min(tail.log_end).max(log.log_start_offset()).0, Ordering::Release);
        self.set_stable(tail);
        Ok(())
    }

    /// Of a fenced log, which no checkpoint looks at: the journal will forget what was written.
    fn sync_replayed(&self) -> io::Result<()> {
        if self.report.batches_rewritten > 0 {
            let base = self.checkpoint.map_or(Offset::ZERO, |checkpoint| checkpoint.segment_base);
            for segment in self.log.segments.read().from(base) {
                segment.data.sync()?;
            }
        }
        self.log.sync_names()
    }

    fn sync_touched(&self) -> io::Result<()> {
        self.log.name_made();
        for segment in &self.touched {
            segment.data.sync()?;
            segment.sync_indexes()?;
        }
        Ok(())
    }

    /// What the next checkpoint begins from: all of it, or where the last one was.
    fn set_stable(&self, tail: &Tail) {
        let log = self.log;
        let mut stable = log.stable.lock();
        match self.checkpoint {
            Some(checkpoint) if !self.report.renewed => *stable = checkpoint.clone(),
            Some(_) | None => {
                stable.log_start = log.log_start_offset();
                stable.recovery_point = tail.log_end;
                stable.segment_base = tail.segment_base;
                stable.position = tail.position;
                stable.high_watermark = log.high_watermark();
            }
        }
    }

    /// Damage below the synced point: nothing is cut and nothing is appended; reads end before it.
    fn fence(&mut self, offset: Offset) {
        let log = self.log;
        let _ = log.damage.set(offset);
        self.report.damaged = true;
        self.report.renewed = true;
        let dir = log.directory.display();
        tracing::error!(%dir, offset = offset.0, "stored data is damaged: the log is fenced; {REPAIR_LOG}");
        let end = self.checkpoint.map_or(offset, |checkpoint| checkpoint.recovery_point).max(self.end());
        let base = log.segments.read().active().map_or(end, |segment| segment.base);
        let position = log.segments.read().active().map_or(0, |segment| segment.len());
        log.end.set(Tail { log_end: end, segment_base: base, position });
        *log.epochs.write() = self.epochs.clone();
        log.synced.store(end.0, Ordering::Release);
        log.writer.lock().closed = true;
        if let Some(checkpoint) = self.checkpoint {
            log.high_watermark.store(checkpoint.high_watermark.0, Ordering::Release);
            *log.stable.lock() = checkpoint.clone();
        }
    }
}
