//! The power fails at any disk operation, also while the directory recovers.

use proptest::prelude::ProptestConfig;

use super::*;
use crate::seam::{Rng, SeededRng};

const LOGS: u128 = 3;

/// What each topic id was told.
#[derive(Clone, Default)]
struct Told {
    /// Values by offset, as appended.
    appended: BTreeMap<i64, Vec<u8>>,
    /// Everything below is acknowledged.
    acknowledged: i64,
    log_start: i64,
    created: bool,
    delete_asked: bool,
    deleted: bool,
}

/// A run of a broker's life until it ends or the disk fails.
struct Run {
    dir: Arc<LogDir>,
    told: BTreeMap<u128, Told>,
    next_topic: u128,
    rng: SeededRng,
}

impl Run {
    fn start(disk: &LossyDisk, seed: u64) -> Option<Self> {
        if LogDir::read_meta(&seams(disk, 0), root()).ok()?.is_none() {
            LogDir::format(&seams(disk, 0), root(), &meta()).ok()?;
        }
        let (dir, _) = open(disk, seed).ok()?;
        Some(Self { dir, told: BTreeMap::new(), next_topic: LOGS, rng: SeededRng::new(seed) })
    }

    fn random(&self, bound: u64) -> u64 {
        self.rng.next_u64() % bound
    }

    fn step(&mut self) -> Option<()> {
        let live: Vec<u128> =
            self.told.iter().filter(|(_, told)| told.created && !told.delete_asked).map(|(id, _)| *id).collect();
        if (live.len() as u128) < LOGS {
            return self.create();
        }
        let id = live[usize::try_from(self.random(live.len() as u64)).unwrap()];
        match self.random(24) {
            0 => self.dir.checkpoint().ok(),
            1 => self.delete(id),
            2 => self.delete_records(id),
            _ => self.append(id),
        }
    }

    fn create(&mut self) -> Option<()> {
        let id = self.next_topic;
        self.next_topic += 1;
        self.told.insert(id, Told::default());
        self.dir.create_log("t", topic(id), PartitionIndex(i32::try_from(id).unwrap()), log_options()).ok()?;
        self.told.get_mut(&id)?.created = true;
        Some(())
    }

    fn log(&self, id: u128) -> Arc<Log> {
        self.dir.log(topic(id), PartitionIndex(i32::try_from(id).unwrap())).expect("a live log")
    }

    fn append(&mut self, id: u128) -> Option<()> {
        let log = self.log(id);
        let length = usize::try_from(1 + self.random(8000)).unwrap();
        let value = vec![u8::try_from(self.random(256)).unwrap(); length];
        let offset = append(&log, &value).ok()?;
        let wait = self.random(2) == 0;
        let told = self.told.get_mut(&id)?;
        assert!(told.appended.insert(offset.0, value).is_none(), "offset {offset} given twice");
        if wait {
            if !Waiter::of(&log).wait(&log, offset) {
                return None;
            }
            told.acknowledged = offset.0 + 1;
            log.set_high_watermark(Offset(offset.0 + 1));
        }
        Some(())
    }

    fn delete_records(&mut self, id: u128) -> Option<()> {
        let log = self.log(id);
        let to = log.log_start_offset().0 + (log.high_watermark().0 - log.log_start_offset().0) / 2;
        let moved = log.delete_records(Offset(to)).ok()?;
        self.told.get_mut(&id)?.log_start = moved.0;
        Some(())
    }

    fn delete(&mut self, id: u128) -> Option<()> {
        self.told.get_mut(&id)?.delete_asked = true;
        self.dir.delete_log(topic(id), PartitionIndex(i32::try_from(id).unwrap())).ok()?;
        self.told.get_mut(&id)?.deleted = true;
        Some(())
    }
}

fn run(disk: &LossyDisk, seed: u64, steps: usize) -> BTreeMap<u128, Told> {
    let Some(mut run) = Run::start(disk, seed) else { return BTreeMap::new() };
    for _ in 0..steps {
        if run.step().is_none() {
            break;
        }
    }
    if run.random(4) == 0 {
        // An error is the crash; what was told stays told.
        let _ = run.dir.close();
    }
    run.told
}

fn check(dir: &LogDir, told: &BTreeMap<u128, Told>, context: &str) {
    for (id, told) in told {
        let log = dir.log(topic(*id), PartitionIndex(i32::try_from(*id).unwrap()));
        if told.deleted {
            assert!(log.is_none(), "{context}: topic {id} came back");
        }
        let Some(log) = log else {
            assert!(!told.created || told.delete_asked, "{context}: topic {id} is gone");
            continue;
        };
        if told.delete_asked {
            // It may be there in whole, in part, or not: nobody was told.
            continue;
        }
        // Unread when the disk has crashed again.
        let Some(found) = try_contents(&log) else { return };
        assert!(log.log_start_offset().0 >= told.log_start, "{context}: topic {id}: the log start went back");
        assert!(log.log_end_offset().0 >= told.acknowledged, "{context}: topic {id}: lost its end");
        for (offset, value) in &found {
            let same = told.appended.get(offset).is_none_or(|appended| appended == value);
            assert!(same, "{context}: topic {id}: offset {offset} differs");
            // An append that failed may have been written: only one, behind all others.
            let last = told.appended.keys().next_back().map_or(0, |last| last + 1);
            assert!(*offset <= last, "{context}: topic {id}: offset {offset} from nowhere");
        }
        for offset in log.log_start_offset().0..told.acknowledged {
            assert!(
                found.contains_key(&offset),
                "{context}: topic {id}: offset {offset} of {} lost",
                told.acknowledged
            );
        }
    }
}

/// Crashes at operation `at`, then in recovery, and checks every state that a start accepts.
fn crash_and_check(at: u64, seed: u64, steps: usize) {
    let disk = new_disk();
    disk.crash_at(at);
    let told = run(&disk, seed, steps);
    let context = format!("seed {seed}, crash at operation {at}");
    let mut disk = disk.crash(seed ^ at);
    for again in 0..3 {
        let rng = SeededRng::new(seed ^ (at << 8) ^ again);
        disk.crash_at(1 + rng.next_u64() % 40);
        if let Ok((dir, _)) = open(&disk, rng.next_u64()) {
            check(&dir, &told, &context);
        }
        disk = disk.crash(rng.next_u64());
    }
    let Ok((dir, report)) = open(&disk, 77) else {
        let unformatted = LogDir::read_meta(&seams(&disk, 0), root()).unwrap().is_none();
        assert!(unformatted && told.is_empty(), "{context}: {}", error_of(open(&disk, 77)));
        return;
    };
    assert!(report.damaged.is_empty(), "{context}: {report:?}");
    check(&dir, &told, &context);
    for log in dir.logs() {
        // What nobody was told of may go until its file is synced, in the background.
        assert!(Waiter::of(&log).wait(&log, Offset(log.log_end_offset().0 - 1)), "{context}");
    }
    let first: Vec<_> =
        dir.logs().iter().map(|log| (log.topic_id(), contents(log))).collect::<BTreeMap<_, _>>().into_iter().collect();
    drop(dir);
    let (dir, _) = open(&disk.crash(at), 78).unwrap();
    let second: Vec<_> =
        dir.logs().iter().map(|log| (log.topic_id(), contents(log))).collect::<BTreeMap<_, _>>().into_iter().collect();
    assert_eq!(first, second, "{context}: the second recovery differs");
}

#[test]
fn a_crash_at_each_of_the_first_operations_after_format_loses_nothing() {
    for at in 1..=70 {
        crash_and_check(at, at, 12);
    }
}

#[test]
fn a_crash_at_any_operation_of_a_longer_life_loses_nothing() {
    // A quarter of PROPTEST_CASES: 64 unless it is set.
    for seed in 0..u64::from(ProptestConfig::default().cases / 4) {
        let at = 30 + SeededRng::new(seed).next_u64() % 500;
        crash_and_check(at, seed, 120);
    }
}

/// One operation fails (the disk is dying, or full), the broker goes on as far as it can, then the power fails.
#[test]
fn an_operation_that_fails_loses_nothing_that_was_acknowledged() {
    const KINDS: [OpKind; 7] = [
        OpKind::Open,
        OpKind::Write,
        OpKind::SetLen,
        OpKind::SyncData,
        OpKind::SyncDir,
        OpKind::Rename,
        OpKind::Remove,
    ];
    const FAULTS: [Fault; 4] = [Fault::Io, Fault::NoSpace, Fault::ShortWrite, Fault::ShortWriteNoSpace];
    for seed in 0..u64::from(ProptestConfig::default().cases / 4) {
        let rng = SeededRng::new(seed);
        let pick = |bound: usize| usize::try_from(rng.next_u64()).unwrap() % bound;
        let (kind, nth, fault) = (KINDS[pick(KINDS.len())], 1 + pick(60) as u64, FAULTS[pick(FAULTS.len())]);
        let disk = new_disk();
        disk.fail_nth(kind, nth, fault);
        let told = run(&disk, seed, 100);
        let context = format!("seed {seed}, {kind:?} number {nth} fails with {fault:?}");
        match open(&disk.crash(seed), 9) {
            Ok((dir, report)) => {
                assert!(damaged(&report, &told).is_empty(), "{context}: {report:?}");
                check(&dir, &told, &context);
            }
            Err(error) => assert!(told.is_empty(), "{context}: {error}"),
        }
    }
}

#[test]
fn a_killed_process_loses_nothing_that_was_appended() {
    for seed in 0..8 {
        let disk = new_disk();
        let told = run(&disk, seed, 100);
        let (dir, report) = open(&disk.kill(), 9).unwrap();
        assert!(report.damaged.is_empty());
        check(&dir, &told, &format!("seed {seed}, killed"));
    }
}

/// Its row never reached the journal, so no start can prove it from there; the first one that shows it has to make it durable
/// first, and to write down that it is.
#[test]
fn jrn_11_what_one_start_shows_the_next_one_shows_without_a_sync() {
    let disk = formatted();
    let (dir, _) = open(&disk, 1).unwrap();
    let log = create(&dir, 0);
    let waiter = Waiter::of(&log);
    // The first write is the segment's, the second the journal's.
    disk.fail_nth(OpKind::Write, 2, Fault::Io);
    append(&log, b"in its segment only").unwrap();
    assert!(!waiter.wait(&log, Offset(0)), "it was journalled");
    drop((dir, log));
    let disk = disk.kill();
    let (dir, _) = open(&disk, 2).unwrap();
    let log = dir.log(topic(0), PartitionIndex(0)).unwrap();
    assert!(Waiter::of(&log).wait(&log, Offset(0)), "shown, and perhaps read by somebody");
    drop((dir, log));
    let disk = disk.kill();
    disk.fail_nth(OpKind::SyncData, 1, Fault::Io);
    let (dir, _) = open(&disk, 3).unwrap();
    assert_eq!(dir.log(topic(0), PartitionIndex(0)).unwrap().synced_offset(), Offset(1));
}

/// What a start says is what later lives are held to: all that it calls synced counts as acknowledged. `None` when the
/// disk has crashed meanwhile.
fn take_up(dir: &LogDir, told: &BTreeMap<u128, Told>) -> Option<BTreeMap<u128, Told>> {
    let mut taken_up = BTreeMap::new();
    for (id, told) in told {
        let mut told = told.clone();
        let log = dir.log(topic(*id), PartitionIndex(i32::try_from(*id).unwrap()));
        if let Some(log) = log.filter(|_| told.created && !told.delete_asked) {
            told.acknowledged = told.acknowledged.max(log.synced_offset().0);
            told.appended = try_contents(&log)?;
            told.log_start = log.log_start_offset().0;
        } else if !told.deleted {
            continue;
        }
        taken_up.insert(*id, told);
    }
    Some(taken_up)
}

/// Damage counts, but for a log whose deletion was cut short.
fn damaged<'a>(report: &'a RecoveryReport, told: &BTreeMap<u128, Told>) -> Vec<&'a PathBuf> {
    let is_going = |path: &&PathBuf| {
        let mut going = told.iter().filter(|(_, told)| told.delete_asked);
        going.any(|(id, _)| path.ends_with(format!("t-{id}")))
    };
    report.damaged.iter().filter(|path| !is_going(path)).collect()
}

/// Lives of a broker one after the other, each ended by a power cut or a kill at any operation, its start included.
#[test]
fn lives_that_end_in_a_crash_one_after_the_other_lose_nothing() {
    for seed in 0..u64::from(ProptestConfig::default().cases / 4) {
        let rng = SeededRng::new(seed ^ 0x11ee);
        let mut disk = formatted();
        let (mut told, mut next_topic) = (BTreeMap::<u128, Told>::new(), LOGS);
        for life in 0..8 {
            let context = format!("seed {seed}, life {life}");
            disk.crash_at(1 + rng.next_u64() % 400);
            if let Ok((dir, report)) = open(&disk, rng.next_u64()) {
                assert!(damaged(&report, &told).is_empty(), "{context}: {report:?}");
                check(&dir, &told, &context);
                if let Some(taken_up) = take_up(&dir, &told) {
                    let rng = SeededRng::new(rng.next_u64());
                    let mut run = Run { dir, told: taken_up, next_topic, rng };
                    while run.step().is_some() {}
                    (told, next_topic) = (run.told, run.next_topic);
                }
            }
            disk = if rng.next_u64().is_multiple_of(2) { disk.crash(rng.next_u64()) } else { disk.kill() };
        }
        let (dir, report) = open(&disk, 5).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert!(damaged(&report, &told).is_empty(), "seed {seed}: {report:?}");
        check(&dir, &told, &format!("seed {seed}, the end"));
    }
}

/// What the failed sync lost the page cache still shows, and as clean: the life after it must not build on that.
#[test]
fn a_failed_sync_a_restart_and_a_power_cut_lose_nothing_that_was_acknowledged() {
    for seed in 0..u64::from(ProptestConfig::default().cases) {
        let rng = SeededRng::new(seed ^ 0x51c);
        let disk = formatted();
        let kind = [OpKind::SyncData, OpKind::SyncDir, OpKind::Write][usize::try_from(rng.next_u64() % 3).unwrap()];
        disk.fail_nth(kind, 1 + rng.next_u64() % 60, Fault::Io);
        let told = run(&disk, seed, 100);
        let disk = disk.kill();
        let context = format!("seed {seed}");
        let (dir, report) = open(&disk, rng.next_u64()).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert!(damaged(&report, &told).is_empty(), "{context}: {report:?}");
        check(&dir, &told, &context);
        let told = take_up(&dir, &told).expect("the disk is well");
        let mut run = Run { dir, told, next_topic: 1000, rng: SeededRng::new(rng.next_u64()) };
        for _ in 0..rng.next_u64() % 10 {
            run.step().expect("the disk is well");
        }
        let Run { told, .. } = run;
        let (dir, report) = open(&disk.crash(seed), 5).unwrap_or_else(|error| panic!("{context}, at last: {error}"));
        assert!(damaged(&report, &told).is_empty(), "{context}, at last: {report:?}");
        check(&dir, &told, &format!("{context}, at last"));
    }
}

#[test]
fn a_log_start_that_was_seen_does_not_go_back_over_a_crash_at_any_operation() {
    for at in 0.. {
        let disk = formatted();
        let (dir, _) = open(&disk, 1).unwrap();
        let log = create(&dir, 0);
        for number in 0..50u8 {
            append(&log, &[number; 700]).unwrap();
        }
        log.set_high_watermark(Offset(50));
        dir.checkpoint().unwrap();
        let observed = Arc::clone(&log);
        let seen = Arc::new(Mutex::new(Offset::ZERO));
        let told = Arc::clone(&seen);
        // Somebody asks while it becomes durable.
        disk.after_next_sync(move || *told.lock() = observed.log_start_offset());
        disk.crash_at(disk.operations() + at);
        let answer = log.delete_records(Offset(30));
        let seen = (*seen.lock()).max(log.log_start_offset());
        drop((dir, log));
        let (dir, _) = open(&disk.crash(at), 2).unwrap();
        assert!(dir.log(topic(0), PartitionIndex(0)).unwrap().log_start_offset() >= seen, "operation {at}: saw {seen}");
        if answer.is_ok() {
            assert!(at > 2 && seen == Offset(30));
            break;
        }
    }
}
