//! Whole directories on a test disk: clean and unclean stops, a crash at any operation, what is refused.

mod aside;
mod crash;
mod misplaced;

use std::collections::BTreeMap;
use std::io::IoSlice;
use std::process::Command;

use bytes::Bytes;
use parking_lot::Condvar;
use uuid::Uuid;

use super::*;
use crate::batch::{BatchBuilder, batches};
use crate::error::{AppendError, ReadError};
use crate::ids::LeaderEpoch;
use crate::log::{AppendOrigin, LogObserver};
use crate::manifest::Manifest;
use crate::options::DurabilityMode;
use crate::seam::lossy::{Fault, OpKind};
use crate::seam::{LossyDisk, ManualClock, OpenMode, RealDisk, SystemClock};
use crate::{checkpoint_file, whole_file};

const START: Timestamp = Timestamp(1_700_000_000_000);

fn root() -> &'static Path {
    Path::new("/data")
}

fn new_disk() -> LossyDisk {
    LossyDisk::new(Arc::new(ManualClock::at(START)))
}

fn seams(disk: &LossyDisk, seed: u64) -> Seams {
    Seams::test(disk.clone(), Arc::new(ManualClock::at(START)), seed)
}

fn meta() -> MetaProperties {
    MetaProperties { cluster_id: "cluster".to_owned(), node_id: 1, directory_id: TopicId(Uuid::from_u128(0xd)) }
}

fn dir_options() -> LogDirOptions {
    LogDirOptions {
        journal_bytes_initial: 64 << 10,
        journal_bytes_max: 128 << 10,
        journal_batch_bytes_max: 6000,
        checkpoint_interval: Duration::from_secs(3600),
        free_bytes_min: 1000,
        ..LogDirOptions::default()
    }
}

fn log_options() -> LogOptions {
    LogOptions { segment_bytes: 16 << 10, index_interval_bytes: 1024, ..LogOptions::default() }
}

fn topic(number: u128) -> TopicId {
    TopicId(Uuid::from_u128(0x1000 + number))
}

fn open_with(
    disk: &LossyDisk,
    seed: u64,
    options: LogDirOptions,
) -> Result<(Arc<LogDir>, RecoveryReport), LogDirError> {
    LogDir::open(seams(disk, seed), root(), options, &|_, _, _| Belongs::Here(log_options()))
}

fn open(disk: &LossyDisk, seed: u64) -> Result<(Arc<LogDir>, RecoveryReport), LogDirError> {
    open_with(disk, seed, dir_options())
}

fn formatted() -> LossyDisk {
    let disk = new_disk();
    LogDir::format(&seams(&disk, 0), root(), &meta()).unwrap();
    disk
}

fn create(dir: &LogDir, number: u128) -> Arc<Log> {
    dir.create_log("t", topic(number), PartitionIndex(i32::try_from(number).unwrap()), log_options()).unwrap()
}

fn batch(value: &[u8]) -> Bytes {
    BatchBuilder::new().record(START, None, Some(value)).build()
}

fn append(log: &Log, value: &[u8]) -> Result<Offset, AppendError> {
    let origin = AppendOrigin::Client { zstd_allowed: true };
    log.append_as_leader(&batch(value), LeaderEpoch(0), origin).map(|appended| appended.last_offset)
}

/// Waits for syncs.
#[derive(Default)]
struct Waiter {
    state: Mutex<(i64, bool)>,
    moved: Condvar,
}

impl LogObserver for Waiter {
    fn synced(&self, synced: Offset) {
        let mut state = self.state.lock();
        state.0 = state.0.max(synced.0);
        self.moved.notify_all();
    }

    fn offline(&self) {
        self.state.lock().1 = true;
        self.moved.notify_all();
    }
}

impl Waiter {
    fn of(log: &Log) -> Arc<Self> {
        let waiter = Arc::new(Self::default());
        log.observe(waiter.clone());
        waiter
    }

    /// True when `offset` is synced; false when the directory went offline before.
    fn wait(&self, log: &Log, offset: Offset) -> bool {
        if log.synced_offset() > offset {
            return true;
        }
        let mut state = self.state.lock();
        self.moved.wait_while(&mut state, |(synced, offline)| *synced <= offset.0 && !*offline);
        state.0 > offset.0
    }
}

/// Every record's value, by offset.
fn contents(log: &Log) -> BTreeMap<i64, Vec<u8>> {
    try_contents(log).expect("the disk can be read")
}

/// The same on a disk that may crash under the reader.
fn try_contents(log: &Log) -> Option<BTreeMap<i64, Vec<u8>>> {
    let (mut at, end) = (log.log_start_offset(), log.log_end_offset());
    let mut values = BTreeMap::new();
    while at < end {
        let read = match log.read(at, 1 << 20, end, true) {
            Err(ReadError::Io(_) | ReadError::Offline(_)) => return None,
            read => read.unwrap(),
        };
        let bytes = read.slice.expect("a batch below the end").read().ok()?;
        for batch in batches(bytes) {
            for record in batch.unwrap().records().unwrap() {
                let record = record.unwrap();
                values.insert(record.offset.0, record.value.map(|value| value.to_vec()).unwrap_or_default());
            }
        }
        assert!(read.next_offset > at);
        at = read.next_offset;
    }
    Some(values)
}

fn exists(disk: &LossyDisk, name: &str) -> bool {
    disk.exists(&root().join(name))
}

fn error_of(result: Result<(Arc<LogDir>, RecoveryReport), LogDirError>) -> String {
    result.err().expect("the start is refused").to_string()
}

#[test]
fn an_unformatted_directory_is_refused_and_a_formatted_one_is_not_formatted_again() {
    let disk = new_disk();
    assert!(error_of(open(&disk, 1)).contains("not formatted"));
    LogDir::format(&seams(&disk, 0), root(), &meta()).unwrap();
    assert_eq!(LogDir::read_meta(&seams(&disk, 0), root()).unwrap(), Some(meta()));
    assert!(LogDir::format(&seams(&disk, 0), root(), &meta()).is_err());
    assert!(open(&disk, 1).unwrap().0.logs().is_empty());
}

#[test]
fn jrn_9_after_a_clean_stop_nothing_of_ours_is_needed() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    let log = create(&dir, 0);
    for number in 0..50u8 {
        append(&log, &[number; 700]).unwrap();
    }
    log.set_high_watermark(Offset(50));
    log.delete_records(Offset(7)).unwrap();
    let before = contents(&log);
    dir.close().unwrap();
    // A power cut right after: everything was synced.
    let disk = disk.crash(0);
    assert!(exists(&disk, ".kafka_cleanshutdown"));
    let checkpoint = |name: &str| checkpoint_file::read(&disk, &root().join(name)).unwrap();
    let key = ("t".to_owned(), PartitionIndex(0));
    assert_eq!(checkpoint(checkpoint_file::RECOVERY_POINT)[&key], Offset(50));
    assert_eq!(checkpoint(checkpoint_file::HIGH_WATERMARK)[&key], Offset(50));
    assert_eq!(checkpoint(checkpoint_file::LOG_START)[&key], Offset(7));
    for entry in disk.list(root()).unwrap() {
        if entry.name.starts_with("barnabas-") {
            disk.remove_file(&root().join(entry.name)).unwrap();
        }
    }
    let (dir, report) = open(&disk, 2).unwrap();
    assert!(report.clean);
    assert_eq!(report.batches_replayed, 0);
    let log = dir.log(topic(0), PartitionIndex(0)).unwrap();
    assert_eq!(contents(&log), before);
    assert_eq!((log.log_start_offset(), log.high_watermark()), (Offset(7), Offset(50)));
    assert!(!exists(&disk, ".kafka_cleanshutdown"));
}

#[test]
fn jrn_9_a_stop_that_is_cut_short_before_its_last_file_loses_nothing() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    let log = create(&dir, 0);
    for number in 0..50u8 {
        append(&log, &[number; 700]).unwrap();
    }
    log.set_high_watermark(Offset(50));
    log.delete_records(Offset(7)).unwrap();
    let before = contents(&log);
    dir.close().unwrap();
    disk.remove_file(&root().join(".kafka_cleanshutdown")).unwrap();
    let (dir, report) = open(&disk, 2).unwrap();
    assert!(!report.clean && report.damaged.is_empty());
    let log = dir.log(topic(0), PartitionIndex(0)).unwrap();
    assert_eq!(contents(&log), before);
    assert_eq!((log.log_start_offset(), log.high_watermark()), (Offset(7), Offset(50)));
}

#[test]
fn a_second_clean_start_and_stop_change_nothing() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    let log = create(&dir, 0);
    let waiter = Waiter::of(&log);
    let last = append(&log, b"value").unwrap();
    assert!(waiter.wait(&log, last));
    dir.close().unwrap();
    dir.close().unwrap();
    assert!(matches!(append(&log, b"late"), Err(AppendError::Closed)));
    for seed in 2..5 {
        let (dir, report) = open(&disk, seed).unwrap();
        assert!(report.clean);
        assert_eq!(contents(&dir.log(topic(0), PartitionIndex(0)).unwrap()).len(), 1);
        dir.close().unwrap();
    }
}

#[test]
fn jrn_9_a_ring_without_its_manifest_or_a_manifest_without_its_ring_is_refused() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    let log = create(&dir, 0);
    let waiter = Waiter::of(&log);
    let last = append(&log, b"value").unwrap();
    assert!(waiter.wait(&log, last));
    drop((dir, log));
    let without = disk.kill();
    without.remove_file(&Manifest::path(root())).unwrap();
    assert!(error_of(open(&without, 2)).contains("a journal is there"));
    let without = disk.kill();
    without.remove_file(&root().join("barnabas-journal-000")).unwrap();
    assert!(error_of(open(&without, 2)).contains("the journal that it speaks of is gone"));
}

#[test]
fn jrn_9_a_directory_on_which_another_broker_ran_after_a_crash_is_refused() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    create(&dir, 0);
    drop(dir);
    let marker = disk.open(&root().join(".kafka_cleanshutdown"), OpenMode::Create).unwrap();
    marker.write_all_at(&[IoSlice::new(b"{}")], 0).unwrap();
    assert!(error_of(open(&disk, 2)).contains("another broker ran"));
}

#[test]
fn jrn_10_a_ring_of_another_directory_is_refused() {
    let (ours, theirs) = (formatted(), new_disk());
    let other = MetaProperties { directory_id: TopicId(Uuid::from_u128(0xbad)), ..meta() };
    LogDir::format(&seams(&theirs, 0), root(), &other).unwrap();
    drop(open(&ours, 1).unwrap());
    drop(open(&theirs, 1).unwrap());
    for name in ["barnabas-journal-000", "barnabas-manifest"] {
        let copy = ours.kill();
        let bytes = whole_file::read(&theirs, &root().join(name)).unwrap().unwrap();
        whole_file::replace(&copy, &root().join(name), &bytes).unwrap();
        let error = error_of(open(&copy, 2));
        assert!(error.contains("belongs to directory"), "{error}");
    }
}

#[test]
fn jrn_3_a_deleted_log_does_not_come_back_under_the_same_id() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    let log = create(&dir, 0);
    let waiter = Waiter::of(&log);
    for _ in 0..3 {
        let last = append(&log, b"old").unwrap();
        assert!(waiter.wait(&log, last));
    }
    dir.delete_log(topic(0), PartitionIndex(0)).unwrap();
    dir.delete_log(topic(0), PartitionIndex(0)).unwrap();
    assert!(matches!(append(&log, b"late"), Err(AppendError::Closed)));
    let log = create(&dir, 0);
    let waiter = Waiter::of(&log);
    let last = append(&log, b"new").unwrap();
    assert_eq!(last, Offset(0));
    assert!(waiter.wait(&log, last));
    for seed in 0..8 {
        let (dir, _) = open(&disk.crash(seed), 2).unwrap();
        let log = dir.log(topic(0), PartitionIndex(0)).unwrap();
        assert_eq!(contents(&log), BTreeMap::from([(0, b"new".to_vec())]));
    }
}

#[test]
fn a_deleted_logs_files_go_after_the_delay_or_at_the_next_start() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    for number in 0..2 {
        append(&create(&dir, number), b"value").unwrap();
        dir.delete_log(topic(number), PartitionIndex(i32::try_from(number).unwrap())).unwrap();
    }
    let deleted =
        |disk: &LossyDisk| disk.list(root()).unwrap().iter().filter(|entry| entry.name.ends_with("-delete")).count();
    dir.run_due(START);
    assert_eq!(deleted(&disk), 2);
    let restarted = disk.fork(0);
    assert!(open(&restarted, 2).unwrap().0.logs().is_empty());
    assert_eq!(deleted(&restarted), 0);
    dir.run_due(Timestamp(START.0 + 60_000));
    assert_eq!(deleted(&disk), 0);
}

#[test]
fn unknown_topics_are_moved_aside_with_their_journalled_batches_and_foreign_directories_stay() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    let log = create(&dir, 0);
    let waiter = Waiter::of(&log);
    let last = append(&log, b"value").unwrap();
    assert!(waiter.wait(&log, last));
    drop((dir, log));
    let disk = disk.crash(0);
    for name in ["lost+found", "__cluster_metadata-0"] {
        disk.create_dir(&root().join(name)).unwrap();
    }
    let (dir, _) = LogDir::open(seams(&disk, 2), root(), dir_options(), &|_, _, _| Belongs::Nowhere(None)).unwrap();
    assert!(dir.logs().is_empty());
    assert!(exists(&disk, "lost+found") && exists(&disk, "__cluster_metadata-0") && !exists(&disk, "t-0"));
    let listed = disk.list(root()).unwrap();
    let stray = listed.iter().find(|entry| entry.name.ends_with("-stray")).unwrap();
    assert!(stray.name.starts_with("t-0."), "{}", stray.name);
    let segment = root().join(&stray.name).join("00000000000000000000.log");
    assert_eq!(whole_file::read(&disk, &segment).unwrap().unwrap().len(), batch(b"value").len());
}

#[test]
fn jrn_6_a_switch_to_group_syncs_what_came_before() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    let os = LogOptions { durability: DurabilityMode::Os, ..log_options() };
    let log = dir.create_log("t", topic(0), PartitionIndex(0), os).unwrap();
    for _ in 0..20 {
        append(&log, &[1; 1000]).unwrap();
    }
    log.set_options(log_options()).unwrap();
    let waiter = Waiter::of(&log);
    let last = append(&log, b"synced").unwrap();
    assert!(waiter.wait(&log, last));
    for seed in 0..16 {
        let (dir, _) = open(&disk.crash(seed), 2).unwrap();
        assert_eq!(contents(&dir.log(topic(0), PartitionIndex(0)).unwrap()).len(), 21);
    }
}

#[test]
fn an_interval_log_is_synced_when_its_time_comes() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    let options = LogOptions { durability: DurabilityMode::Interval(Duration::from_millis(100)), ..log_options() };
    let log = dir.create_log("t", topic(0), PartitionIndex(0), options).unwrap();
    let waiter = Waiter::of(&log);
    let last = append(&log, b"value").unwrap();
    assert!(waiter.wait(&log, last));
    let (dir, _) = open(&disk.crash(0), 2).unwrap();
    assert_eq!(contents(&dir.log(topic(0), PartitionIndex(0)).unwrap()).len(), 1);
}

#[test]
fn jrn_8_a_failed_sync_is_final_and_a_full_disk_is_not() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    let log = create(&dir, 0);
    let waiter = Waiter::of(&log);
    disk.fail_nth(OpKind::Write, 1, Fault::ShortWriteNoSpace);
    assert!(matches!(append(&log, b"refused"), Err(AppendError::DiskFull)));
    assert!(!dir.is_offline());
    let first = append(&log, b"first").unwrap();
    assert_eq!(first, Offset(0));
    assert!(waiter.wait(&log, first));
    disk.fail_nth(OpKind::SyncData, 1, Fault::Io);
    let second = append(&log, b"second").unwrap();
    assert!(!waiter.wait(&log, second));
    assert!(dir.is_offline());
    assert!(matches!(append(&log, b"third"), Err(AppendError::Offline(_))));
    assert!(matches!(dir.create_log("u", topic(9), PartitionIndex(9), log_options()), Err(LogDirError::Offline(_))));
    assert!(dir.close().is_err());
    assert!(!exists(&disk, ".kafka_cleanshutdown"));
    let (dir, _) = open(&disk.crash(1), 2).unwrap();
    let found = contents(&dir.log(topic(0), PartitionIndex(0)).unwrap());
    assert_eq!(found.get(&0).map(Vec::as_slice), Some(&b"first"[..]));
}

#[test]
fn jrn_7_clients_are_refused_below_the_free_space_mark_and_admitted_again() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    let log = create(&dir, 0);
    disk.set_free_bytes(999);
    dir.run_due(START);
    assert!(matches!(append(&log, b"value"), Err(AppendError::DiskFull)));
    disk.set_free_bytes(1000);
    dir.run_due(START);
    append(&log, b"value").unwrap();
}

#[test]
fn a_small_disk_is_refused_below_a_share_of_it() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    let log = create(&dir, 0);
    disk.set_total_bytes(1600);
    disk.set_free_bytes(100);
    dir.run_due(START);
    append(&log, b"value").unwrap();
    disk.set_free_bytes(99);
    dir.run_due(START);
    assert!(matches!(append(&log, b"value"), Err(AppendError::DiskFull)));
}

#[test]
fn a_full_disk_keeps_no_deleted_log_for_its_delay_and_gives_a_checkpoint_the_reserved_room() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    dir.run_due(START);
    assert!(exists(&disk, "barnabas-reserve"));
    append(&create(&dir, 0), b"value").unwrap();
    append(&create(&dir, 1), b"value").unwrap();
    dir.delete_log(topic(0), PartitionIndex(0)).unwrap();
    let doomed = || disk.list(root()).unwrap().iter().any(|entry| entry.name.ends_with("-delete"));
    dir.run_due(START);
    assert!(doomed());
    disk.set_free_bytes(0);
    dir.run_due(START);
    assert!(!doomed());
    dir.delete_log(topic(1), PartitionIndex(1)).unwrap();
    // The manifest is all that is written now.
    disk.fail_nth(OpKind::Write, 1, Fault::NoSpace);
    dir.checkpoint().unwrap();
    assert!(!exists(&disk, "barnabas-reserve"));
    assert!(!dir.is_offline());
}

#[test]
fn a_creation_that_was_cut_short_is_removed() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    drop(dir);
    disk.create_dir(&root().join("t-0")).unwrap();
    assert!(open(&disk, 2).unwrap().0.logs().is_empty());
    assert!(!exists(&disk, "t-0"));
}

const LOCK_CHILD: &str = "BARNABAS_TEST_LOCK_CHILD";
const CHILD_FOUND_LOCKED: i32 = 42;

#[test]
fn the_lock_refuses_a_second_process_and_a_second_opening() {
    let real = Seams { disk: Arc::new(RealDisk), clock: Arc::new(SystemClock), ..Seams::system() };
    if let Some(path) = std::env::var_os(LOCK_CHILD) {
        let opened = LogDir::open(real, Path::new(&path), dir_options(), &|_, _, _| Belongs::Nowhere(None));
        std::process::exit(if matches!(opened, Err(LogDirError::Locked(_))) { CHILD_FOUND_LOCKED } else { 1 });
    }
    let temp = tempfile::tempdir().unwrap();
    LogDir::format(&real, temp.path(), &meta()).unwrap();
    let open = || LogDir::open(real.clone(), temp.path(), dir_options(), &|_, _, _| Belongs::Nowhere(None));
    let (dir, _) = open().unwrap();
    assert!(matches!(open(), Err(LogDirError::Locked(_))));
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "log_dir::tests::the_lock_refuses_a_second_process_and_a_second_opening"])
        .env(LOCK_CHILD, temp.path())
        .status()
        .unwrap();
    assert_eq!(child.code(), Some(CHILD_FOUND_LOCKED));
    dir.close().unwrap();
    open().unwrap();
}
