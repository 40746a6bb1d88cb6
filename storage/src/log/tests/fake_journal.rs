//! A journal that is durable at once, and remembers what a replay would give; and a log on a test disk.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::batch::BatchBuilder;
use crate::error::{AppendError, LogDirError};
use crate::ids::{LeaderEpoch, Offset, PartitionIndex, ProducerEpoch, ProducerId, Timestamp, TopicId};
use crate::journal::{EntryKind, EntryProof, JournalEntry, JournalSink, JournalledLog, LogCheckpoint, ReplayBatch};
use crate::log::{AppendOrigin, Appended, LastStop, Log, LogContext, LogRecovery};
use crate::options::LogOptions;
use crate::seam::{Disk, DiskFile, LossyDisk, ManualClock, OpenMode, Seams};

pub(super) const BATCH_BYTES_MAX: usize = 4096;
pub(super) const CLIENT: AppendOrigin = AppendOrigin::Client { zstd_allowed: true };
pub(super) const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// A file that only grows.
struct Ring(Arc<dyn DiskFile>);

impl Default for Ring {
    fn default() -> Self {
        let disk = LossyDisk::new(Arc::new(ManualClock::default()));
        Self(disk.open(Path::new("/ring"), OpenMode::Create).unwrap())
    }
}

#[derive(Default)]
pub(super) struct FakeJournal {
    pub(super) replay: Mutex<Vec<ReplayBatch>>,
    /// Where its entries lie. Never fails, and is never crashed.
    ring: Ring,
    pub(super) manifest: Mutex<Option<LogCheckpoint>>,
    pub(super) offline: AtomicBool,
    pub(super) full: AtomicBool,
}

impl FakeJournal {
    pub(super) fn checkpoint_now_of(&self, log: &Arc<Log>) {
        self.checkpoint_now(&**log).unwrap();
    }
}

impl JournalSink for FakeJournal {
    fn admit(&self) {}

    fn submit(&self, entry: JournalEntry) {
        match entry.kind {
            EntryKind::Batch { base_offset, next_offset, segment_base, position, header, tail, .. } => {
                let mut replay = self.replay.lock();
                let ring_position = self.ring.0.len().unwrap();
                self.ring.0.write_all_at(&[IoSlice::new(&header), IoSlice::new(&tail)], ring_position).unwrap();
                replay.push(ReplayBatch {
                    base_offset,
                    next_offset,
                    segment_base,
                    position,
                    length: header.len() + tail.len(),
                    proof: EntryProof { before: 0, whole: crc32c::crc32c_append(crc32c::crc32c(&header), &tail) },
                    ring_file: Arc::clone(&self.ring.0),
                    ring_position,
                });
                drop(replay);
                entry.log.mark_synced(next_offset);
            }
            EntryKind::SyncThrough { next_offset } => match entry.log.sync_active_files() {
                Ok(()) => entry.log.mark_synced(next_offset),
                Err(error) => self.fail("sync", Path::new(""), &error),
            },
        }
    }

    fn written_past(&self, _bytes: u64) {}

    fn settle(&self, _log: &dyn JournalledLog) {}

    fn is_offline(&self) -> bool {
        self.offline.load(Ordering::SeqCst)
    }

    fn batch_bytes_max(&self) -> usize {
        BATCH_BYTES_MAX
    }

    fn has_room(&self) -> bool {
        !self.full.load(Ordering::SeqCst)
    }

    fn fail(&self, _act: &'static str, _path: &Path, _error: &io::Error) {
        self.offline.store(true, Ordering::SeqCst);
    }

    fn checkpoint_now(&self, log: &dyn JournalledLog) -> Result<(), LogDirError> {
        let checkpoint =
            log.checkpoint().map_err(|source| LogDirError::Io { act: "checkpoint", path: PathBuf::new(), source })?;
        self.replay.lock().retain(|batch| batch.next_offset > checkpoint.recovery_point);
        *self.manifest.lock() = Some(checkpoint);
        Ok(())
    }

    fn record(&self, checkpoint: LogCheckpoint) -> Result<(), LogDirError> {
        self.replay.lock().clear();
        *self.manifest.lock() = Some(checkpoint);
        Ok(())
    }
}

/// A log on a test disk.
pub(super) struct Rig {
    pub(super) disk: LossyDisk,
    pub(super) clock: Arc<ManualClock>,
    pub(super) journal: Arc<FakeJournal>,
    pub(super) options: LogOptions,
    pub(super) log: Arc<Log>,
}

pub(super) fn directory() -> PathBuf {
    PathBuf::from("/data/t-0")
}

pub(super) fn topic_id() -> TopicId {
    TopicId(uuid::Uuid::from_u128(0x1234))
}

fn context(disk: &LossyDisk, clock: &Arc<ManualClock>, journal: &Arc<FakeJournal>) -> LogContext {
    LogContext {
        seams: Seams::test(disk.clone(), Arc::clone(clock) as _, 7),
        journal: Arc::clone(journal) as _,
        log_dir: PathBuf::from("/data"),
        others_ran: false,
        sync_failed: false,
    }
}

impl Rig {
    pub(super) fn new(options: LogOptions) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let disk = LossyDisk::new(Arc::clone(&clock) as _);
        disk.create_dir_all(Path::new("/data")).unwrap();
        let journal = Arc::new(FakeJournal::default());
        let context = context(&disk, &clock, &journal);
        let log = Log::create(&context, &directory(), "t", topic_id(), PartitionIndex(0), options.clone()).unwrap();
        disk.sync_dir(Path::new("/data")).unwrap();
        Self { disk, clock, journal, options, log }
    }

    pub(super) fn small() -> Self {
        Self::new(LogOptions { segment_bytes: 2000, index_interval_bytes: 200, ..LogOptions::default() })
    }

    pub(super) fn context(&self) -> LogContext {
        context(&self.disk, &self.clock, &self.journal)
    }

    /// Opens the log again on `disk`; the journal's memory and manifest survive, as the real one's do.
    pub(super) fn reopen_on(&mut self, disk: LossyDisk, clean: bool) -> LogRecovery {
        self.try_reopen_on(disk, clean).unwrap()
    }

    pub(super) fn try_reopen_on(&mut self, disk: LossyDisk, clean: bool) -> Result<LogRecovery, LogDirError> {
        let journal = Arc::new(FakeJournal::default());
        let (manifest, replay) = (self.journal.manifest.lock().clone(), self.journal.replay.lock().clone());
        // The real manifest knows every log from its creation on.
        let manifest = manifest.or_else(|| Some(fresh_checkpoint()));
        let context = context(&disk, &self.clock, &journal);
        let (log, recovery) = Log::open(
            &context,
            &directory(),
            "t",
            topic_id(),
            PartitionIndex(0),
            self.options.clone(),
            if clean { LastStop::Clean } else { LastStop::Killed },
            manifest.as_ref(),
            &replay,
        )?;
        // The real journal goes on holding what it held, and comes to the same end.
        *journal.manifest.lock() = Some(JournalledLog::checkpoint(&*log).unwrap());
        log.mark_synced(log.log_end_offset());
        (self.disk, self.journal, self.log) = (disk, journal, log);
        Ok(recovery)
    }

    pub(super) fn close_and_reopen(&mut self) -> LogRecovery {
        let checkpoint = self.log.close().unwrap();
        self.journal.replay.lock().clear();
        *self.journal.manifest.lock() = Some(checkpoint);
        self.reopen_on(self.disk.clone(), true)
    }

    pub(super) fn append(&self, batch: &Bytes) -> Result<Appended, AppendError> {
        let epoch = self.log.latest_epoch().unwrap_or(LeaderEpoch(0));
        let appended = self.log.append_as_leader(batch, epoch, CLIENT);
        self.log.set_high_watermark(self.log.synced_offset());
        appended
    }

    /// Base offsets of the segments.
    pub(super) fn segments(&self) -> Vec<i64> {
        let mut bases: Vec<i64> = self.files(".log").iter().map(|name| name[..20].parse().unwrap()).collect();
        bases.sort_unstable();
        bases
    }

    /// Names of the files with this suffix, sorted.
    pub(super) fn files(&self, suffix: &str) -> Vec<String> {
        let entries = self.disk.list(&directory()).unwrap().into_iter().map(|entry| entry.name);
        let mut names: Vec<String> = entries.filter(|name| name.ends_with(suffix)).collect();
        names.sort();
        names
    }

    /// The values of all records from the log start on.
    pub(super) fn values(&self) -> Vec<(i64, Bytes)> {
        self.values_from(self.log.log_start_offset())
    }

    pub(super) fn values_from(&self, start: Offset) -> Vec<(i64, Bytes)> {
        let mut values = Vec::new();
        let mut from = start;
        loop {
            let read = self.log.read(from, 700, Offset(i64::MAX), true).unwrap();
            let Some(slice) = read.slice else { return values };
            for batch in crate::batch::batches(slice.read().unwrap()) {
                for record in batch.unwrap().records().unwrap() {
                    let record = record.unwrap();
                    if record.offset >= start {
                        values.push((record.offset.0, record.value.unwrap()));
                    }
                }
            }
            assert!(read.next_offset > from);
            from = read.next_offset;
        }
    }
}

pub(super) fn fresh_checkpoint() -> LogCheckpoint {
    LogCheckpoint {
        topic_id: topic_id(),
        partition: PartitionIndex(0),
        log_start: Offset(0),
        recovery_point: Offset(0),
        segment_base: Offset(0),
        position: 0,
        high_watermark: Offset(0),
    }
}

/// A batch of these values, stamped from `timestamp` on in steps of one.
pub(super) fn batch_at<V: AsRef<[u8]>>(timestamp: i64, values: &[V]) -> Bytes {
    let mut builder = BatchBuilder::new();
    for (value, timestamp) in values.iter().zip(timestamp..) {
        builder = builder.record(Timestamp(timestamp), None, Some(value.as_ref()));
    }
    builder.build()
}

pub(super) fn batch<V: AsRef<[u8]>>(values: &[V]) -> Bytes {
    batch_at(NOW.0, values)
}

pub(super) fn idempotent(id: i64, epoch: i16, sequence: i32, values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new().producer(ProducerId(id), ProducerEpoch(epoch), sequence);
    for value in values {
        builder = builder.record(NOW, None, Some(value.as_bytes()));
    }
    builder.build()
}
