//! Appending one batch: validate, decide about the producer's sequence, roll, write, hand to the journal.
//!
//! Nothing is changed before the bytes are in the file, and everything after that cannot fail: a refused batch leaves no
//! trace (LOG-2).

use std::io::{self, IoSlice};
use std::sync::Arc;

use bytes::Bytes;

use super::{Log, Tail, Writer};
use crate::batch::{BatchHeader, HEADER_LEN};
use crate::batch_scan::Found;
use crate::error::AppendError;
use crate::ids::{LeaderEpoch, Offset, Timestamp};
use crate::journal::{EntryKind, JournalEntry, JournalledLog};
use crate::options::{DurabilityMode, LogOptions, TimestampType};
use crate::producer_state::{EndMarker, SeenBatch};
use crate::segment::{DATA, Segment, SegmentShape, file_path};
use crate::segment_file::SegmentFile;
use crate::validate::validate;

/// Who appends: decides which checks apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendOrigin {
    /// A produce request. zstd is allowed from Produce v7.
    Client {
        /// Whether the request's version may carry zstd.
        zstd_allowed: bool,
    },
    /// A coordinator of this broker: control batches allowed, no size limit but the segment's.
    Coordinator,
}

/// What an append did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Offset of the batch's first record.
    pub base_offset: Offset,
    /// Offset of its last record.
    pub last_offset: Offset,
    /// The broker's time when the topic uses `LogAppendTime`, else [`Timestamp::NONE`].
    pub log_append_time: Timestamp,
    /// The log start offset after the append.
    pub log_start_offset: Offset,
    /// True when the batch was already there: an idempotent producer's retry. The offsets are the first append's.
    pub duplicate: bool,
}

impl Log {
    /// Validates one batch, gives it offsets, writes it to the active segment and hands it to the journal. Returns
    /// before the sync: the batch is durable when `synced_offset()` passes `last_offset`. The bytes are not changed
    /// nor copied: base offset, leader epoch (and for LogAppendTime timestamp and CRC) go into a patched header.
    /// Blocks while the journal's queue is full.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub fn append_as_leader(
        &self,
        batch: &Bytes,
        leader_epoch: LeaderEpoch,
        origin: AppendOrigin,
    ) -> Result<Appended, AppendError> {
        self.check_appendable()?;
        let options = self.options();
        let now = self.now();
        let mut header = validate(batch, origin, &options, now)?;
        if options.durability == DurabilityMode::Group {
            self.context.journal.admit();
        }
        let _appends = self.appends.lock();
        let mut writer = self.writer.lock();
        if writer.closed {
            return Err(AppendError::Closed);
        }
        if let Some(current) = self.latest_epoch().filter(|current| *current > leader_epoch) {
            return Err(AppendError::StaleLeaderEpoch { got: leader_epoch, current });
        }
        let tail = self.end.tail();
        header.set_base_offset(tail.log_end);
        header.set_leader_epoch(leader_epoch);
        if header.producer_id().0 >= 0
            && let Some(seen) = writer.producers.check(&header)?
        {
            return Ok(self.duplicate(&seen, &options));
        }
        self.write(&mut writer, &header, batch.slice(HEADER_LEN..), now)?;
        Ok(Appended {
            base_offset: header.base_offset(),
            last_offset: header.last_offset(),
            log_append_time: if header.is_log_append_time() { header.max_timestamp() } else { Timestamp::NONE },
            log_start_offset: self.log_start_offset(),
            duplicate: false,
        })
    }

    fn check_appendable(&self) -> Result<(), AppendError> {
        if self.context.journal.is_offline() {
            return Err(AppendError::Offline(self.context.log_dir.clone()));
        }
        if let Some(offset) = self.damage.get() {
            return Err(AppendError::Damaged(*offset));
        }
        if self.deleted.load(std::sync::atomic::Ordering::Acquire) {
            return Err(AppendError::Closed);
        }
        if !self.context.journal.has_room() {
            return Err(AppendError::DiskFull);
        }
        Ok(())
    }

    fn duplicate(&self, seen: &SeenBatch, options: &LogOptions) -> Appended {
        let by_broker = options.timestamp_type == TimestampType::LogAppendTime;
        Appended {
            base_offset: seen.base_offset(),
            last_offset: seen.last_offset,
            log_append_time: if by_broker { seen.timestamp } else { Timestamp::NONE },
            log_start_offset: self.log_start_offset(),
            duplicate: true,
        }
    }

    fn write(
        &self,
        writer: &mut Writer,
        header: &BatchHeader,
        records: Bytes,
        now: Timestamp,
    ) -> Result<(), AppendError> {
        let options = self.options();
        let size = HEADER_LEN + records.len();
        let segment = self.segment_for(writer, header, size, &options, now)?;
        let written = segment.data.append(&[IoSlice::new(header.as_bytes()), IoSlice::new(&records)]);
        let position = written.map_err(|error| self.write_failed(&segment, error))?;
        segment.index(&Found { header: *header, position, size }, options.index_interval_bytes);
        let marker = if header.is_control() { EndMarker::read(&records) } else { None };
        writer.producers.apply(header, marker, now);
        writer.since_snapshot += size as u64;
        if self.latest_epoch() != Some(header.leader_epoch()) {
            writer.epochs_changed |= self.epochs.write().assign(header.leader_epoch(), header.base_offset());
        }
        self.end.advance(header.next_offset(), size as u64);
        if options.durability == DurabilityMode::Group {
            self.submit(header, records, &segment, position);
        } else {
            self.context.journal.written_past(size as u64);
        }
        Ok(())
    }

    /// Under the append lock: entries of one log reach the journal in offset order.
    fn submit(&self, header: &BatchHeader, tail: Bytes, segment: &Segment, position: u64) {
        let journal = &self.context.journal;
        let size = HEADER_LEN + tail.len();
        let kind = if size > journal.batch_bytes_max() {
            journal.written_past(size as u64);
            EntryKind::SyncThrough { next_offset: header.next_offset() }
        } else {
            EntryKind::Batch {
                leader_epoch: header.leader_epoch(),
                base_offset: header.base_offset(),
                next_offset: header.next_offset(),
                segment_base: segment.base,
                position,
                header: *header.as_bytes(),
                tail,
            }
        };
        let log: Arc<dyn JournalledLog> = self.me.upgrade().expect("invariant: a log that is appended to is alive");
        journal.submit(JournalEntry { log, kind });
    }

    /// The segment that takes the batch: the active one, or a new one.
    fn segment_for(
        &self,
        writer: &mut Writer,
        header: &BatchHeader,
        size: usize,
        options: &LogOptions,
        now: Timestamp,
    ) -> Result<Arc<Segment>, AppendError> {
        let active = self.segments.read().active().cloned();
        if let Some(active) = active.filter(|active| active.is_growing()) {
            let shape = SegmentShape::of(options);
            let wait_ms = options.segment_ms.saturating_sub(writer.roll_jitter_ms);
            let old = active.len() > 0 && active.age_ms(header.max_timestamp(), now) > wait_ms;
            if !old && !active.is_full(shape, size, header.last_offset()) {
                return Ok(active);
            }
        }
        let base = header.base_offset();
        self.roll(writer, base).map_err(|error| self.made_failed(error))
    }

    /// Seals the active segment and begins a new one at `base`. Nothing is synced here: the journal can make the file
    /// again, and a checkpoint syncs directory, indexes and snapshot before anything relies on them.
    pub(super) fn roll(&self, writer: &mut Writer, base: Offset) -> io::Result<Arc<Segment>> {
        let options = self.options();
        let active = self.segments.read().active().cloned();
        if let Some(active) = active {
            active.seal()?;
            if writer.since_snapshot > 0 {
                self.write_snapshot(&writer.producers, base, false)?;
                writer.since_snapshot = 0;
            }
        }
        let path = file_path(&self.directory, base, DATA);
        let data = SegmentFile::create(self.disk(), path, u64::from(options.segment_bytes))?;
        self.name_made();
        let segment = Arc::new(Segment::growing(self.disk(), &self.directory, data, base, self.now()));
        writer.roll_jitter_ms = self.draw_jitter(&options);
        self.segments.write().insert(Arc::clone(&segment));
        self.end.set(Tail { log_end: self.end.tail().log_end, segment_base: base, position: 0 });
        Ok(segment)
    }

    pub(super) fn draw_jitter(&self, options: &LogOptions) -> i64 {
        let bound = options.segment_jitter_ms.clamp(0, options.segment_ms.max(0));
        let Ok(bound) = u64::try_from(bound) else { return 0 };
        if bound == 0 { 0 } else { i64::try_from(self.context.seams.rng.next_u64() % bound).unwrap_or(0) }
    }

    fn made_failed(&self, error: io::Error) -> AppendError {
        if error.kind() == io::ErrorKind::StorageFull {
            return AppendError::DiskFull;
        }
        self.context.journal.fail("begin a segment in", &self.directory, &error);
        AppendError::Io(error)
    }

    /// The file was cut back to the last whole batch. A full disk is a state that passes; everything else is final.
    fn write_failed(&self, segment: &Segment, error: io::Error) -> AppendError {
        if error.kind() == io::ErrorKind::StorageFull {
            return AppendError::DiskFull;
        }
        self.context.journal.fail("write to", segment.data.path(), &error);
        AppendError::Io(error)
    }
}

impl SegmentShape {
    fn of(options: &LogOptions) -> Self {
        Self { segment_bytes: options.segment_bytes, index_bytes: options.segment_index_bytes }
    }
}
