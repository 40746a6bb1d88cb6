//! JRN-1 to JRN-8 on a test disk, with logs that are reduced to a segment (JRN-9 and JRN-10 are in log_dir's tests).

mod crash;
mod fake_log;
mod rounds;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use self::fake_log::{FakeLog, Stored, path_of, topic};
use super::format::BLOCK;
use super::replay::{self, Replay};
use super::ring::{Place, Ring, RingFiles, Tail};
use super::*;
use crate::ids::{LeaderEpoch, Offset, PartitionIndex};
use crate::manifest::Manifest;
use crate::seam::lossy::{Fault, OpKind};
use crate::seam::{Disk, LossyDisk, ManualClock, OpenMode, Rng, SeededRng};

const RING: u64 = 16 * BLOCK as u64;
const LOGS: i32 = 3;

/// A journal with its logs on a test disk.
struct Rig {
    journal: Arc<Journal>,
    logs: Vec<Arc<FakeLog>>,
    /// What each log held when it was opened.
    found: Vec<Vec<Stored>>,
}

fn dir() -> &'static Path {
    Path::new("/d")
}

fn directory() -> TopicId {
    TopicId(Uuid::from_u128(0xd1))
}

fn new_disk() -> LossyDisk {
    let disk = LossyDisk::new(Arc::new(ManualClock::default()));
    disk.create_dir_all(dir()).unwrap();
    disk
}

fn manifest_or_none(disk: &LossyDisk) -> Result<Option<Manifest>, LogDirError> {
    Manifest::read(disk, dir())
}

fn io_error(error: LogDirError) -> io::Error {
    io::Error::other(error)
}

impl Rig {
    fn open(disk: &LossyDisk, seed: u64) -> io::Result<Self> {
        Self::open_with(disk, seed, RING)
    }

    fn open_with(disk: &LossyDisk, seed: u64, ring_bytes_max: u64) -> io::Result<Self> {
        let seams = Seams::test(disk.clone(), Arc::new(ManualClock::default()), seed);
        let mut files = RingFiles::open(disk, dir(), directory()).map_err(io_error)?;
        let before = manifest_or_none(disk).map_err(io_error)?;
        let before = before.filter(|manifest| !manifest.clean);
        let (mut replay, head) = match &before {
            Some(manifest) => replay::read(&files, manifest).map_err(io_error)?,
            None => (Replay::default(), Tail { round: 1, place: Place::START }),
        };
        if files.is_empty() {
            let first = files.make_next(disk, RING)?;
            files.push(first);
        }
        // As log_dir's start does it.
        replay.settle(&files).map_err(io_error)?;
        disk.sync_dir(dir())?;
        let fresh = Manifest {
            directory: directory(),
            session: seams.rng.next_u64(),
            clean: false,
            tail: head,
            logs: BTreeMap::new(),
        };
        let manifest = before.clone().unwrap_or(fresh);
        let journal = Journal::new(JournalStart {
            dir: dir().to_path_buf(),
            directory: directory(),
            session: manifest.session,
            batch_bytes_max: 1 << 20,
            ring_bytes_max,
            ring: Ring::resumed(files, replay.live, head),
            checkpointer: Checkpointer::new(manifest, before.is_some(), Duration::from_secs(3600), 0),
            seams,
        });
        let (mut logs, mut found, mut renewed) = (Vec::new(), Vec::new(), Vec::new());
        for partition in 0..LOGS {
            let key = LogKey { topic_id: topic(), partition: PartitionIndex(partition) };
            let line = before.as_ref().and_then(|manifest| manifest.logs.get(&key));
            let checkpoint = line.map(|line| &line.checkpoint);
            let batches = replay.batches.remove(&key).unwrap_or_default();
            let (log, stored, cut) = FakeLog::recover(disk, partition, checkpoint, &batches)?;
            assert!(checkpoint.is_none_or(|checkpoint| stored.len() as i64 >= checkpoint.recovery_point.0));
            if cut || before.is_none() {
                renewed.push(log.checkpoint()?);
            }
            let member: Arc<dyn JournalledLog> = log.clone();
            journal.add_log(&member);
            logs.push(log);
            found.push(stored);
        }
        let keys = logs.iter().map(|log: &Arc<FakeLog>| LogKey::of(&**log)).collect();
        journal.checkpointer.begin(&journal, &keys, renewed, std::iter::empty()).map_err(io_error)?;
        journal.start_threads()?;
        Ok(Self { journal, logs, found })
    }

    fn append(&self, log: usize, tail: &[u8]) -> io::Result<Stored> {
        self.logs[log].append(&self.journal, 0, tail, false)
    }

    fn append_and_wait(&self, log: usize, tail: &[u8]) -> i64 {
        let next = self.append(log, tail).unwrap().base + 1;
        assert!(self.logs[log].wait_synced(next));
        next
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        for log in &self.logs {
            log.open_gate();
        }
        self.journal.abandon();
    }
}

#[test]
fn jrn_2_replay_over_a_segment_that_has_part_of_it_changes_nothing() {
    let disk = new_disk();
    let rig = Rig::open(&disk, 1).unwrap();
    // Too few for a checkpoint.
    for _ in 0..3 {
        rig.append_and_wait(1, &[7; 900]);
    }
    drop(rig);
    let whole = Rig::open(&disk.kill(), 2).unwrap().found.clone();
    for cut in [0, 1, 950, 961, 1500, 2000] {
        let disk = disk.kill();
        disk.open(&path_of(1), OpenMode::ReadWrite).unwrap().set_len(cut).unwrap();
        assert_eq!(Rig::open(&disk, 3).unwrap().found, whole, "cut at {cut}");
    }
}

#[test]
fn jrn_3_what_was_truncated_does_not_come_back() {
    let disk = new_disk();
    let rig = Rig::open(&disk, 1).unwrap();
    // Too few for a checkpoint: the ring still has them.
    for _ in 0..3 {
        rig.append_and_wait(0, b"epoch 0");
    }
    rig.logs[0].truncate(&rig.journal, 1).unwrap();
    for seed in 0..8 {
        assert_eq!(Rig::open(&disk.fork(seed), 2).unwrap().found[0].len(), 1);
    }
    rig.logs[0].append(&rig.journal, 1, b"epoch 1", false).unwrap();
    assert!(rig.logs[0].wait_synced(2));
    drop(rig);
    for seed in 0..16 {
        let found = Rig::open(&disk.crash(seed), 2).unwrap().found[0].clone();
        let epochs: Vec<i32> = found.iter().map(|batch| batch.epoch).collect();
        assert_eq!(epochs, [0, 1]);
    }
}

#[test]
fn jrn_3_a_slow_checkpoint_does_not_undo_a_later_record() {
    let disk = new_disk();
    let rig = Rig::open(&disk, 1).unwrap();
    rig.append_and_wait(0, b"a");
    rig.append_and_wait(0, b"b");
    rig.logs[0].close_gate();
    std::thread::scope(|threads| {
        let slow = threads.spawn(|| Checkpointer::checkpoint_all(&rig.journal));
        // The gate is the sync: the checkpoint has its position by then, or takes it after the truncation. Both are
        // right.
        rig.logs[0].truncate(&rig.journal, 1).unwrap();
        rig.logs[0].open_gate();
        slow.join().unwrap().unwrap();
    });
    let manifest = manifest_or_none(&disk).unwrap().unwrap();
    let line = manifest.logs.values().find(|line| line.checkpoint.partition == PartitionIndex(0)).unwrap();
    assert_eq!(line.checkpoint.recovery_point, Offset(1));
}

#[test]
fn jrn_4_a_checkpoint_frees_the_ring_only_after_its_manifest() {
    let disk = new_disk();
    let rig = Rig::open(&disk, 1).unwrap();
    rig.append_and_wait(0, &[1; 5000]);
    let tail = rig.journal.ring.lock().tail();
    disk.fail_nth(OpKind::Write, 1, Fault::NoSpace);
    Checkpointer::checkpoint_all(&rig.journal).unwrap_err();
    assert_eq!(rig.journal.ring.lock().tail(), tail);
    assert!(!rig.journal.is_offline(), "a full disk is not final");
    Checkpointer::checkpoint_all(&rig.journal).unwrap();
    assert_eq!(rig.journal.ring.lock().live_bytes(), 0);
    assert_eq!(manifest_or_none(&disk).unwrap().unwrap().tail, rig.journal.end());
}

#[test]
fn jrn_4_a_checkpoint_that_was_overtaken_does_not_move_the_tail_back() {
    let disk = new_disk();
    let rig = Rig::open(&disk, 1).unwrap();
    let early = rig.journal.end();
    rig.append_and_wait(0, b"a");
    Checkpointer::checkpoint_all(&rig.journal).unwrap();
    let late = manifest_or_none(&disk).unwrap().unwrap().tail;
    rig.append_and_wait(0, b"b");
    Checkpointer::checkpoint_to(&rig.journal, early).unwrap();
    assert_eq!(manifest_or_none(&disk).unwrap().unwrap().tail, late);
}

#[test]
fn jrn_5_a_journalled_batch_waits_for_one_that_skipped_the_journal() {
    let disk = new_disk();
    let rig = Rig::open(&disk, 1).unwrap();
    let log = &rig.logs[0];
    rig.append_and_wait(0, b"journalled");
    log.close_gate();
    log.append(&rig.journal, 0, &[1; 9000], true).unwrap();
    rig.append(0, b"journalled behind it").unwrap();
    // Another log is not held up; its round comes after the one of the batch above.
    rig.append_and_wait(1, b"another log");
    assert_eq!(log.synced(), 1);
    log.open_gate();
    assert!(log.wait_synced(3));
    assert_eq!(log.marks(), [1, 3]);
}

#[test]
fn jrn_7_a_full_ring_holds_appenders_back_and_drops_nothing() {
    let disk = new_disk();
    let rig = Rig::open(&disk, 1).unwrap();
    for log in &rig.logs {
        log.close_gate();
    }
    let batches = 2 * RING / 4096;
    let mut next = 0;
    for _ in 0..batches {
        next = rig.append(0, &[3; 4000]).unwrap().base + 1;
    }
    assert!(rig.logs[0].wait_synced(1));
    assert!(rig.logs[0].synced() < next, "the ring is smaller than what was appended");
    for log in &rig.logs {
        log.open_gate();
    }
    assert!(rig.logs[0].wait_synced(next));
    drop(rig);
    assert_eq!(Rig::open(&disk.crash(3), 2).unwrap().found[0].len() as i64, next);
}

#[test]
fn jrn_7_the_ring_grows_up_to_its_bound_and_replays_across_its_files() {
    let disk = new_disk();
    let rig = Rig::open_with(&disk, 1, 4 * RING).unwrap();
    let mut next = 0;
    while rig.journal.ring.lock().capacity() < 3 * RING {
        next = rig.append_and_wait(0, &[3; 4000]);
    }
    for _ in 0..200 {
        next = rig.append_and_wait(0, &[4; 4000]);
    }
    let crashed = disk.crash(5);
    drop(rig);
    let files = RingFiles::open(&crashed, dir(), directory()).unwrap();
    assert!(files.capacity() <= 4 * RING);
    assert_eq!(Rig::open(&crashed, 2).unwrap().found[0].len() as i64, next);
}

#[test]
fn jrn_7_a_queue_above_its_bound_blocks_until_a_round_takes_from_it() {
    let queue = Queue::default();
    let disk = new_disk();
    let (log, ..) = FakeLog::recover(&disk, 0, None, &[]).unwrap();
    let row = EntryRow {
        topic_id: topic(),
        partition: PartitionIndex(0),
        leader_epoch: LeaderEpoch(0),
        base_offset: Offset(0),
        next_offset: Offset(1),
        segment_base: Offset(0),
        position: 0,
        length: 0,
    };
    let tail = bytes::Bytes::from(vec![0; queue::QUEUE_BYTES_MAX]);
    queue.push(Queued { log, row, header: [0; 61], tail });
    let mut round = Vec::new();
    std::thread::scope(|threads| {
        threads.spawn(|| queue.admit());
        assert!(queue.take(&mut round, 4096), "one entry is taken even when it is longer than a round");
    });
    assert_eq!(round.len(), 1);
}

#[test]
fn jrn_8_nothing_is_acknowledged_after_a_failed_sync() {
    for (kind, fault) in
        [(OpKind::SyncData, Fault::Io), (OpKind::Write, Fault::ShortWrite), (OpKind::SyncData, Fault::NoSpace)]
    {
        let disk = new_disk();
        let rig = Rig::open(&disk, 1).unwrap();
        rig.append_and_wait(0, b"before");
        // For a write: the segment's is the first, the ring's the second.
        disk.fail_nth(kind, if kind == OpKind::Write { 2 } else { 1 }, fault);
        rig.append(0, b"in the round that fails").unwrap();
        assert!(!rig.logs[0].wait_synced(2));
        assert!(rig.journal.is_offline());
        rig.append(1, b"later").unwrap();
        rig.journal.settle(&*rig.logs[1]);
        assert_eq!((rig.logs[0].synced(), rig.logs[1].synced()), (1, 0));
        assert!(rig.logs.iter().all(|log| log.has_failed()));
        assert!(Checkpointer::checkpoint_all(&rig.journal).is_err());
        drop(rig);
        assert!(!Rig::open(&disk.crash(1), 2).unwrap().found[0].is_empty());
    }
}

#[test]
fn jrn_8_a_failed_sync_of_a_log_file_is_final_too() {
    let disk = new_disk();
    let rig = Rig::open(&disk, 1).unwrap();
    disk.fail_nth(OpKind::SyncData, 1, Fault::Io);
    rig.logs[2].append(&rig.journal, 0, &[1; 9000], true).unwrap();
    assert!(!rig.logs[2].wait_synced(1));
    assert!(rig.journal.is_offline());
}

/// The round of a batch behind one that skipped the journal was synced, and the directory went offline before the log was
/// told of it.
#[test]
fn jrn_8_what_was_journalled_behind_a_failed_file_sync_is_never_told() {
    let disk = new_disk();
    let rig = Rig::open(&disk, 1).unwrap();
    let log = &rig.logs[0];
    log.close_gate();
    log.append(&rig.journal, 0, &[1; 9000], true).unwrap();
    rig.journal.fail("test", dir(), &io::Error::other("test"));
    assert!(!rig.journal.file_syncs.may_mark(&**log, Offset(2)));
    log.open_gate();
}

#[test]
fn threads_end_when_the_directory_is_offline_and_the_ring_is_full() {
    let disk = new_disk();
    let rig = Rig::open(&disk, 1).unwrap();
    rig.logs[0].close_gate();
    for _ in 0..40 {
        rig.append(0, &[3; 4000]).unwrap();
    }
    rig.journal.fail("test", dir(), &io::Error::other("test"));
    rig.journal.admit();
    rig.journal.settle(&*rig.logs[0]);
}

#[test]
fn a_ring_of_another_format_or_directory_is_refused() {
    let disk = new_disk();
    drop(Rig::open(&disk, 1).unwrap());
    let other = TopicId(Uuid::from_u128(0xbad));
    let error = RingFiles::open(&disk, dir(), other).err().unwrap().to_string();
    assert!(error.contains("belongs to directory"), "{error}");
    let file = disk.open(&dir().join("barnabas-journal-000"), OpenMode::ReadWrite).unwrap();
    file.write_all_at(&[io::IoSlice::new(&[0, 0, 0, 2])], 8).unwrap();
    let error = RingFiles::open(&disk, dir(), directory()).err().unwrap().to_string();
    assert!(error.contains("format version 2"), "{error}");
}
