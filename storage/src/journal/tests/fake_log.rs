//! A log reduced to what the journal needs: one segment file, batches that say who they are, a checkpoint.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex, RwLock};
use uuid::Uuid;

use super::super::{EntryKind, Journal, JournalEntry, JournalSink, JournalledLog, LogCheckpoint, ReplayBatch};
use crate::ids::{LeaderEpoch, Offset, PartitionIndex, TopicId};
use crate::seam::{Disk, DiskFile, LossyDisk, OpenMode};

const HEADER: usize = 61;

pub(super) struct FakeLog {
    pub(super) partition: PartitionIndex,
    file: Arc<dyn DiskFile>,
    disk: LossyDisk,
    /// Appends share it; a truncation holds them off with it.
    admission: RwLock<()>,
    appending: Mutex<Appending>,
    progress: Mutex<Progress>,
    moved: Condvar,
    /// Closed: syncs of the files wait.
    gate: Mutex<bool>,
    opened: Condvar,
}

struct Appending {
    end: i64,
    position: u64,
    checkpointed: i64,
}

#[derive(Default)]
struct Progress {
    synced: i64,
    marks: Vec<i64>,
    failed: bool,
}

/// One batch that the log holds after a recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) base: i64,
    pub(super) epoch: i32,
    pub(super) tail: Vec<u8>,
}

pub(super) fn topic() -> TopicId {
    TopicId(Uuid::from_u128(0xfa))
}

pub(super) fn path_of(partition: i32) -> PathBuf {
    Path::new("/d").join(format!("fake-{partition}.segment"))
}

fn header(base: i64, epoch: i32, tail: &[u8]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&base.to_be_bytes());
    header[8..12].copy_from_slice(&i32::try_from(tail.len()).unwrap().to_be_bytes());
    header[12..16].copy_from_slice(&epoch.to_be_bytes());
    let crc = crc32c::crc32c_append(crc32c::crc32c(&header[..16]), tail);
    header[17..21].copy_from_slice(&crc.to_be_bytes());
    header
}

/// Such a tail has to be synced before it counts as that.
fn is_beyond_journal(end: i64, replay: &[ReplayBatch], checkpoint: Option<&LogCheckpoint>) -> bool {
    let journalled = replay.last().map(|batch| batch.next_offset).max(checkpoint.map(|line| line.recovery_point));
    journalled.is_none_or(|journalled| journalled.0 < end)
}

/// The batch at a position, if it is whole.
fn parse(bytes: &[u8]) -> Option<(Stored, usize)> {
    let head = bytes.get(..HEADER)?;
    let base = i64::from_be_bytes(head[..8].try_into().unwrap());
    let length = usize::try_from(i32::from_be_bytes(head[8..12].try_into().unwrap())).ok()?;
    let epoch = i32::from_be_bytes(head[12..16].try_into().unwrap());
    let tail = bytes.get(HEADER..HEADER + length)?;
    (head == header(base, epoch, tail)).then(|| (Stored { base, epoch, tail: tail.to_vec() }, HEADER + length))
}

impl FakeLog {
    /// Writes the replay again, drops the torn tail, and returns what the log holds, and whether a tail was dropped.
    pub(super) fn recover(
        disk: &LossyDisk,
        partition: i32,
        checkpoint: Option<&LogCheckpoint>,
        replay: &[ReplayBatch],
    ) -> io::Result<(Arc<Self>, Vec<Stored>, bool)> {
        let file = disk.open(&path_of(partition), OpenMode::Create)?;
        for batch in replay {
            assert!(checkpoint.is_none_or(|checkpoint| batch.next_offset > checkpoint.recovery_point));
            file.write_all_at(&[IoSlice::new(&batch.read()?)], batch.position)?;
        }
        let mut bytes = vec![0; usize::try_from(file.len()?).unwrap()];
        file.read_exact_at(&mut bytes, 0)?;
        let (mut stored, mut position) = (Vec::new(), 0);
        while let Some((batch, length)) = parse(&bytes[position..])
            && batch.base == i64::try_from(stored.len()).unwrap()
        {
            stored.push(batch);
            position += length;
        }
        let cut = position < bytes.len();
        file.set_len(position as u64)?;
        let end = i64::try_from(stored.len()).unwrap();
        if is_beyond_journal(end, replay, checkpoint) {
            file.sync_data()?;
            disk.sync_dir(Path::new("/d"))?;
        }
        let log = Self {
            partition: PartitionIndex(partition),
            file,
            disk: disk.clone(),
            admission: RwLock::new(()),
            appending: Mutex::new(Appending { end, position: position as u64, checkpointed: -1 }),
            progress: Mutex::new(Progress { synced: end, ..Progress::default() }),
            moved: Condvar::new(),
            gate: Mutex::new(false),
            opened: Condvar::new(),
        };
        Ok((Arc::new(log), stored, cut))
    }

    /// Appends a batch of one record. With `skip`, past the ring.
    pub(super) fn append(
        self: &Arc<Self>,
        journal: &Journal,
        epoch: i32,
        tail: &[u8],
        skip: bool,
    ) -> io::Result<Stored> {
        journal.admit();
        let _admission = self.admission.read();
        let mut appending = self.appending.lock();
        let (base, position) = (appending.end, appending.position);
        let header = header(base, epoch, tail);
        let written = self.file.write_all_at(&[IoSlice::new(&header), IoSlice::new(tail)], position);
        written.inspect_err(|error| journal.fail("write", &path_of(self.partition.0), error))?;
        appending.end += 1;
        appending.position += (HEADER + tail.len()) as u64;
        let next_offset = Offset(base + 1);
        let kind = if skip {
            EntryKind::SyncThrough { next_offset }
        } else {
            EntryKind::Batch {
                leader_epoch: LeaderEpoch(epoch),
                base_offset: Offset(base),
                next_offset,
                segment_base: Offset(0),
                position,
                header,
                tail: Bytes::copy_from_slice(tail),
            }
        };
        journal.submit(JournalEntry { log: self.clone(), kind });
        Ok(Stored { base, epoch, tail: tail.to_vec() })
    }

    /// Cuts the log, in the order that the journal asks for.
    pub(super) fn truncate(&self, journal: &Journal, to: i64) -> io::Result<()> {
        let _no_appends = self.admission.write();
        journal.settle(self);
        let mut appending = self.appending.lock();
        let mut bytes = vec![0; usize::try_from(appending.position).unwrap()];
        self.file.read_exact_at(&mut bytes, 0)?;
        let mut position = 0;
        for _ in 0..to {
            position += parse(&bytes[position..]).unwrap().1;
        }
        self.file.sync_data()?;
        self.disk.sync_dir(Path::new("/d"))?;
        journal.record(self.checkpoint_at(to, position as u64)).map_err(io::Error::other)?;
        self.file.set_len(position as u64)?;
        self.file.sync_data()?;
        *appending = Appending { end: to, position: position as u64, checkpointed: to };
        let mut progress = self.progress.lock();
        progress.synced = to;
        progress.marks.clear();
        Ok(())
    }

    fn checkpoint_at(&self, recovery_point: i64, position: u64) -> LogCheckpoint {
        LogCheckpoint {
            topic_id: topic(),
            partition: self.partition,
            log_start: Offset(0),
            recovery_point: Offset(recovery_point),
            segment_base: Offset(0),
            position,
            high_watermark: Offset(0),
        }
    }

    /// True when everything below `offset` is synced; false when the directory went offline before.
    pub(super) fn wait_synced(&self, offset: i64) -> bool {
        let mut progress = self.progress.lock();
        self.moved.wait_while(&mut progress, |progress| progress.synced < offset && !progress.failed);
        progress.synced >= offset
    }

    pub(super) fn synced(&self) -> i64 {
        self.progress.lock().synced
    }

    pub(super) fn marks(&self) -> Vec<i64> {
        self.progress.lock().marks.clone()
    }

    pub(super) fn has_failed(&self) -> bool {
        self.progress.lock().failed
    }

    pub(super) fn close_gate(&self) {
        *self.gate.lock() = true;
    }

    pub(super) fn open_gate(&self) {
        *self.gate.lock() = false;
        self.opened.notify_all();
    }

    fn pass_gate(&self) {
        let mut closed = self.gate.lock();
        self.opened.wait_while(&mut closed, |closed| *closed);
    }
}

impl JournalledLog for FakeLog {
    fn topic_id(&self) -> TopicId {
        topic()
    }

    fn partition(&self) -> PartitionIndex {
        self.partition
    }

    fn mark_synced(&self, next_offset: Offset) {
        let mut progress = self.progress.lock();
        if next_offset.0 > progress.synced {
            progress.synced = next_offset.0;
            progress.marks.push(next_offset.0);
        }
        self.moved.notify_all();
    }

    fn sync_active_files(&self) -> io::Result<()> {
        self.pass_gate();
        self.file.sync_data()?;
        self.disk.sync_dir(Path::new("/d"))
    }

    fn checkpoint(&self) -> io::Result<LogCheckpoint> {
        let (end, position) = {
            let appending = self.appending.lock();
            (appending.end, appending.position)
        };
        self.sync_active_files()?;
        let mut appending = self.appending.lock();
        appending.checkpointed = appending.checkpointed.max(end);
        Ok(self.checkpoint_at(end, position))
    }

    fn is_dirty(&self) -> bool {
        let appending = self.appending.lock();
        appending.checkpointed < appending.end
    }

    fn flush_interval(&self) -> Option<Duration> {
        None
    }

    fn flush(&self) -> io::Result<()> {
        self.sync_active_files()
    }

    fn fail(&self) {
        self.progress.lock().failed = true;
        self.moved.notify_all();
    }
}
