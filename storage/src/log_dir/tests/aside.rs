//! Logs of deleted topics that are kept: out of sight, and back as they were, whatever happens in between.

use super::*;
use crate::ids::{ProducerEpoch, ProducerId};
use crate::verify::{Finding, Severity, verify};

const PARTITION: PartitionIndex = PartitionIndex(0);

/// What the metadata says of the topics of one name.
#[derive(Clone, Default)]
struct Metadata {
    there: Option<u128>,
    kept: Vec<u128>,
}

impl Metadata {
    fn belongs(&self, name: &str, id: TopicId) -> Belongs {
        let named = name == "t";
        match self.there {
            Some(number) if topic(number) == id && named => Belongs::Here(log_options()),
            Some(number) if topic(number) == id => Belongs::Elsewhere("t".to_owned()),
            _ if self.kept.iter().any(|number| topic(*number) == id) => {
                Belongs::Kept { topic: "t".to_owned(), options: log_options() }
            }
            there => Belongs::Nowhere(there.filter(|_| named).map(topic)),
        }
    }

    fn open(&self, disk: &LossyDisk, seed: u64) -> Result<(Arc<LogDir>, RecoveryReport), LogDirError> {
        let this = self.clone();
        LogDir::open(seams(disk, seed), root(), dir_options(), &move |name, id, _| this.belongs(name, id))
    }
}

/// A directory with a full log in it, and with so much journal that no checkpoint takes a fault which is not for it.
fn quiet() -> (LossyDisk, Arc<LogDir>, Arc<Log>) {
    let disk = formatted();
    let options = LogDirOptions { journal_bytes_initial: 4 << 20, journal_bytes_max: 4 << 20, ..dir_options() };
    let (dir, _) = open_with(&disk, 1, options).unwrap();
    let log = make(&dir, 1).unwrap();
    assert!(fill(&log));
    (disk, dir, log)
}

fn of(there: Option<u128>, kept: &[u128]) -> Metadata {
    Metadata { there, kept: kept.to_vec() }
}

fn make(dir: &LogDir, number: u128) -> Result<Arc<Log>, LogDirError> {
    dir.create_log("t", topic(number), PARTITION, log_options())
}

fn restore(dir: &LogDir, number: u128) -> Result<Option<Arc<Log>>, LogDirError> {
    dir.restore_log("t", topic(number), PARTITION, log_options())
}

/// The log, where it is back already or comes back now.
fn found(dir: &LogDir, number: u128) -> Option<Arc<Log>> {
    dir.log(topic(number), PARTITION).or_else(|| restore(dir, number).unwrap())
}

/// One record of an idempotent producer; false when the disk failed before it was synced.
fn produce(log: &Log, sequence: i32) -> bool {
    let value = format!("{sequence} {}", "x".repeat(3000));
    let batch = BatchBuilder::new().producer(ProducerId(7), ProducerEpoch(0), sequence);
    let batch = batch.record(START, None, Some(value.as_bytes())).build();
    let appended = log.append_as_leader(&batch, LeaderEpoch(0), AppendOrigin::Client { zstd_allowed: true });
    let Ok(appended) = appended else { return false };
    assert!(!appended.duplicate);
    let synced = Waiter::of(log).wait(log, appended.last_offset);
    if synced {
        log.set_high_watermark(Offset(appended.last_offset.0 + 1));
    }
    synced
}

/// Ten records, the first three of them deleted.
fn fill(log: &Log) -> bool {
    (0..10).all(|sequence| produce(log, sequence)) && log.delete_records(Offset(3)).is_ok()
}

fn is_whole(log: &Log) -> bool {
    let expected: Vec<i64> = (3..10).collect();
    let is_remembered = log.active_producers().iter().any(|producer| producer.last_sequence == 9);
    log.log_start_offset() == Offset(3) && contents(log).into_keys().eq(expected) && is_remembered
}

fn aside(disk: &LossyDisk) -> Vec<String> {
    let names = disk.list(root()).unwrap().into_iter().map(|entry| entry.name);
    names.filter(|name| name.ends_with("-stray") || name.ends_with("-delete")).collect()
}

/// Deleted, another made under its name and deleted, brought back: with a stop of this kind in between.
fn kept_and_back(stop: impl Fn(LossyDisk, Arc<LogDir>) -> LossyDisk) {
    let disk = formatted();
    let (dir, _) = of(Some(1), &[]).open(&disk, 1).unwrap();
    assert!(fill(&make(&dir, 1).unwrap()));
    dir.keep_log(topic(1), PARTITION).unwrap();
    dir.keep_log(topic(1), PARTITION).unwrap();
    assert!(dir.logs().is_empty() && dir.is_kept(topic(1), PARTITION));
    assert!(produce(&make(&dir, 2).unwrap(), 0));

    let disk = stop(disk, dir);
    let (dir, report) = of(Some(2), &[1]).open(&disk, 2).unwrap();
    assert!(report.damaged.is_empty(), "{report:?}");
    assert_eq!(contents(&dir.log(topic(2), PARTITION).unwrap()).len(), 1);
    assert!(dir.log(topic(1), PARTITION).is_none() && dir.kept_bytes() > 7 * 3000);
    assert!(matches!(restore(&dir, 1), Err(LogDirError::Malformed { .. })), "another one has the name");
    dir.keep_log(topic(2), PARTITION).unwrap();

    let disk = stop(disk, dir);
    let findings = verify(&disk, root()).unwrap();
    let in_kept = |finding: &&Finding| finding.path.to_string_lossy().contains("-stray");
    let notes = findings.iter().filter(in_kept).filter(|finding| finding.severity == Severity::Note).count();
    assert_eq!((notes, findings.iter().filter(in_kept).count()), (2, 2), "both are named and whole: {findings:?}");
    assert!(findings.iter().all(|finding| finding.severity != Severity::Damage), "{findings:?}");
    let (dir, _) = of(None, &[1, 2]).open(&disk, 3).unwrap();
    assert!(dir.logs().is_empty());
    let log = restore(&dir, 1).unwrap().unwrap();
    assert!(is_whole(&log));
    assert!(produce(&log, 10), "its producer goes on");
    assert!(!dir.is_kept(topic(1), PARTITION) && restore(&dir, 3).unwrap().is_none());

    let disk = stop(disk, dir);
    let (dir, report) = of(Some(1), &[]).open(&disk, 4).unwrap();
    assert!(report.damaged.is_empty(), "{report:?}");
    assert_eq!(contents(&dir.log(topic(1), PARTITION).unwrap()).len(), 8);
    assert_eq!(aside(&disk), [""; 0], "what is kept no longer is gone at the start");
}

#[test]
fn a_kept_log_comes_back_as_it_was_after_clean_stops() {
    kept_and_back(|disk, dir| {
        dir.close().unwrap();
        disk
    });
}

#[test]
fn a_kept_log_comes_back_as_it_was_after_kills_and_power_cuts() {
    kept_and_back(|disk, dir| {
        drop(dir);
        disk.kill()
    });
    kept_and_back(|disk, dir| {
        drop(dir);
        disk.crash(11)
    });
}

#[test]
fn a_kept_log_whose_time_is_over_goes_with_the_next_upkeep() {
    let disk = formatted();
    let (dir, _) = of(Some(1), &[]).open(&disk, 1).unwrap();
    assert!(fill(&make(&dir, 1).unwrap()));
    dir.keep_log(topic(1), PARTITION).unwrap();
    dir.run_due(Timestamp(i64::MAX));
    assert_eq!(aside(&disk).len(), 1, "only the metadata lets it go");
    dir.delete_log(topic(1), PARTITION).unwrap();
    assert!(restore(&dir, 1).unwrap().is_none() && dir.kept_bytes() == 0);
    dir.run_due(START);
    assert_eq!(aside(&disk), [""; 0]);
    dir.close().unwrap();
    let manifest = Manifest::read(&disk, root()).unwrap().unwrap();
    assert!(manifest.logs.is_empty(), "{manifest:?}");
}

#[test]
fn a_deletion_that_was_cut_short_is_taken_up_by_the_next_start() {
    for kill in [true, false] {
        let disk = formatted();
        let (dir, _) = of(Some(1), &[]).open(&disk, 1).unwrap();
        assert!(fill(&make(&dir, 1).unwrap()));
        drop(dir);
        // The metadata had it, the directory had not heard of it.
        let disk = if kill { disk.kill() } else { disk.crash(3) };
        let (dir, _) = of(None, &[1]).open(&disk, 2).unwrap();
        assert!(dir.logs().is_empty() && !exists(&disk, "t-0"));
        drop(dir);
        let disk = disk.kill();
        // Nor of its undoing.
        let (dir, _) = of(Some(1), &[]).open(&disk, 3).unwrap();
        assert!(is_whole(&dir.log(topic(1), PARTITION).unwrap()));
    }
}

/// Made, deleted, another made and deleted for good, brought back. What the metadata said last, and whether the log was
/// full then: the metadata speaks before the directory acts.
fn live(disk: &LossyDisk) -> (Metadata, bool) {
    let mut said = of(Some(1), &[]);
    let mut full = false;
    let mut act = || -> Option<()> {
        let (dir, _) = said.open(disk, 1).ok()?;
        let log = make(&dir, 1).ok()?;
        full = fill(&log);
        if !full {
            return None;
        }
        said = of(None, &[1]);
        dir.keep_log(topic(1), PARTITION).ok()?;
        said = of(Some(2), &[1]);
        let log = make(&dir, 2).ok()?;
        produce(&log, 0).then_some(())?;
        said = of(None, &[1]);
        dir.delete_log(topic(2), PARTITION).ok()?;
        said = of(Some(1), &[]);
        restore(&dir, 1).ok()??;
        Some(())
    };
    let _ = act();
    (said, full)
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing_of_a_kept_log() {
    let whole = formatted();
    let before = whole.operations();
    assert!(live(&whole).1);
    for at in 1..=whole.operations() - before {
        let disk = formatted();
        disk.crash_at(before + at);
        let (said, full) = live(&disk);
        let disk = disk.crash(at);
        // A power cut in the recovery, too.
        disk.crash_at(1 + at % 30);
        drop(said.open(&disk, at));
        let disk = disk.crash(at + 1);
        // The other one is deleted, so that its name is free.
        let said = Metadata { there: said.there.filter(|number| *number == 1), ..said };
        let (dir, report) = said.open(&disk, at).unwrap();
        assert!(report.damaged.is_empty(), "operation {at}: {report:?}");
        assert!(!full || found(&dir, 1).is_some_and(|log| is_whole(&log)), "operation {at}");
    }
}

#[test]
fn a_log_that_a_full_disk_does_not_let_be_kept_is_deleted_all_the_same() {
    let (disk, dir, log) = quiet();
    disk.fail_nth(OpKind::Write, 1, Fault::NoSpace);
    assert!(matches!(dir.keep_log(topic(1), PARTITION), Err(LogDirError::Io { .. })));
    assert!(!dir.is_offline() && !produce(&log, 10), "it takes nothing more");
    dir.delete_log(topic(1), PARTITION).unwrap();
    dir.run_due(Timestamp(START.0 + 60_000));
    assert_eq!(aside(&disk), [""; 0]);
    assert!(dir.logs().is_empty() && !dir.is_kept(topic(1), PARTITION));
}

#[test]
fn a_full_disk_at_any_write_of_a_keep_loses_nothing() {
    let (disk, dir, _) = quiet();
    let before = disk.operations_of(OpKind::Write);
    dir.keep_log(topic(1), PARTITION).unwrap();
    let writes = disk.operations_of(OpKind::Write) - before;
    assert!(writes > 3, "there is something to fail: {writes}");
    for nth in 1..=writes {
        for is_cut in [false, true] {
            let (disk, dir, _) = quiet();
            disk.fail_nth(OpKind::Write, nth, Fault::NoSpace);
            assert!(matches!(dir.keep_log(topic(1), PARTITION), Err(LogDirError::Io { .. })), "write {nth}");
            assert!(!dir.is_offline() && dir.is_kept(topic(1), PARTITION), "write {nth}");
            // What others write meanwhile frees the ring up to where this one is durable.
            let other = dir.create_log("other", topic(9), PARTITION, log_options()).unwrap();
            assert!(produce(&other, 0));
            dir.checkpoint().unwrap();
            let (disk, dir) = if is_cut {
                drop(dir);
                let disk = disk.crash(nth);
                let belongs = |name: &str, id| match id == topic(9) {
                    true => Belongs::Here(log_options()),
                    false => of(None, &[1]).belongs(name, id),
                };
                let opened =
                    LogDir::open(seams(&disk, 2), root(), dir_options(), &move |name, id, _| belongs(name, id));
                (disk, opened.unwrap().0)
            } else {
                (disk, dir)
            };
            let log = restore(&dir, 1).unwrap().unwrap();
            assert!(is_whole(&log) && produce(&log, 10), "write {nth}, cut {is_cut}");
            assert!(exists(&disk, "t-0/leader-epoch-checkpoint"), "write {nth}, cut {is_cut}");
            assert!(!dir.is_kept(topic(1), PARTITION) && aside(&disk).is_empty());
        }
    }
}

#[test]
fn a_directory_that_is_offline_is_not_asked_for_a_log_that_it_does_not_keep() {
    let (disk, dir, log) = quiet();
    disk.fail_nth(OpKind::SyncData, 1, Fault::Io);
    assert!(!produce(&log, 10) && dir.is_offline());
    assert!(restore(&dir, 2).unwrap().is_none(), "another directory may have it");
    assert!(dir.keep_log(topic(1), PARTITION).is_err());
}

/// As [`a_log_that_a_full_disk_does_not_let_be_kept_is_deleted_all_the_same`], for what could be closed but not moved.
#[test]
fn a_kept_log_that_could_not_be_moved_comes_back_where_it_is() {
    let (twin, dir, _) = quiet();
    let before = twin.operations_of(OpKind::Rename);
    dir.keep_log(topic(1), PARTITION).unwrap();
    let renames = twin.operations_of(OpKind::Rename) - before;

    let (disk, dir, _) = quiet();
    // The last one; and there is no reserved room that could help it.
    disk.fail_nth(OpKind::Rename, renames, Fault::NoSpace);
    assert!(matches!(dir.keep_log(topic(1), PARTITION), Err(LogDirError::Io { .. })));
    assert!(!dir.is_offline() && dir.is_kept(topic(1), PARTITION) && dir.logs().is_empty());
    assert!(is_whole(&restore(&dir, 1).unwrap().unwrap()));
}
