//! What the log gives back is what was submitted, up to a point that is never before the last acknowledgement; damage
//! below a sync is refused.

#![allow(clippy::disallowed_methods, reason = "tests wait as they like")]

use std::io::IoSlice;
use std::path::Path;
use std::sync::mpsc::sync_channel;

use barnabas_storage::seam::lossy::{Fault, OpKind};
use barnabas_storage::seam::{Disk as _, LossyDisk, ManualClock, OpenMode, SeededRng, SystemSpawn};
use barnabas_storage::{Timestamp, reserve};
use openraft::entry::RaftEntry as _;
use openraft::impls::leader_id_adv::LeaderId;
use openraft::vote::RaftVote as _;
use proptest::prelude::*;

use super::*;
use crate::consensus::type_config::{LogId, Proposal, RaftEntry, Vote};
use crate::metadata::Entry;
use crate::metadata::cluster::ClusterRecord;

/// Small, so that a few changes fill several segments.
const SEGMENT: u64 = 300;

fn disk() -> LossyDisk {
    LossyDisk::new(Arc::new(ManualClock::at(Timestamp(0))))
}

fn seams(disk: &LossyDisk) -> Seams {
    Seams {
        disk: Arc::new(disk.clone()),
        clock: Arc::new(ManualClock::at(Timestamp(0))),
        rng: Arc::new(SeededRng::new(7)),
        spawn: Arc::new(SystemSpawn),
    }
}

fn open(disk: &LossyDisk) -> Result<Wal, OpenError> {
    Wal::open(&seams(disk), "/".into(), SEGMENT)
}

fn state(wal: &Wal) -> LogState {
    wal.read(Clone::clone)
}

fn id(term: u64, index: u64) -> LogId {
    LogId { leader_id: LeaderId { term, node_id: 1 }, index }
}

fn entry(term: u64, index: u64, size: usize) -> RaftEntry {
    let records = vec![ClusterRecord { cluster_id: "x".repeat(size) }.into()];
    let entry = Entry { timestamp: Timestamp(0), records };
    RaftEntry::new(id(term, index), openraft::EntryPayload::Normal(Proposal(Arc::new(entry))))
}

/// One submission, in numbers that fit whatever is there.
#[derive(Clone, Debug)]
enum Step {
    Vote,
    Append(Vec<usize>),
    /// Drops this many entries from the end.
    Truncate(usize),
    Commit,
    /// Drops this share of the entries from the front.
    Purge(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Vote),
        4 => prop::collection::vec(0_usize..120, 1..4).prop_map(Step::Append),
        1 => (0_usize..3).prop_map(Step::Truncate),
        2 => Just(Step::Commit),
        1 => (1_usize..4).prop_map(Step::Purge),
    ]
}

/// The changes of a step, given what is there; empty when there is nothing to do. Terms rise with each step, so that
/// no two entries are the same.
fn changes(step: &Step, term: u64, state: &LogState) -> Vec<Change> {
    let entries = state.range(&..);
    let next = state.last().map_or(0, |last| last.index + 1);
    match step {
        Step::Vote => vec![Change::Vote(Vote::from_leader_id(LeaderId { term, node_id: 1 }, true))],
        Step::Append(sizes) => {
            (next..).zip(sizes).map(|(index, size)| Change::Append(entry(term, index, *size))).collect()
        }
        Step::Truncate(count) => {
            let keep = entries.len().saturating_sub(*count);
            let last = keep.checked_sub(1).map_or(state.head_before_entries(), |at| Some(entries[at].log_id()));
            vec![Change::TruncateAfter(last)]
        }
        Step::Commit => vec![Change::Commit(state.last())],
        Step::Purge(share) => {
            let upto = entries.get(entries.len() / share).or(entries.last());
            upto.map(|entry| Change::Purge(entry.log_id())).into_iter().collect()
        }
    }
}

/// What a run of steps left behind.
struct Ran {
    /// The state after each change, from the first on.
    states: Vec<LogState>,
    /// How many of those were acknowledged.
    acknowledged: usize,
}

/// Submits steps until one fails, each waited for when `sync` says so.
fn run(disk: &LossyDisk, steps: &[Step], sync: impl Fn(usize) -> bool) -> Ran {
    let Ok(wal) = open(disk) else { return Ran { states: Vec::new(), acknowledged: 0 } };
    let mut states = vec![state(&wal)];
    let mut acknowledged = 1;
    for (number, step) in steps.iter().enumerate() {
        let mut now = state(&wal);
        let changes = changes(step, number as u64 + 1, &now);
        for change in &changes {
            now.apply(change.clone()).expect("the change fits");
            states.push(now.clone());
        }
        let (done, waiting) = sync_channel(1);
        let done: Option<Done> = sync(number).then(|| {
            let done: Done = Box::new(move |outcome| done.send(outcome).expect("somebody waits"));
            done
        });
        let waits = done.is_some();
        wal.submit(changes, done).expect("the log takes it");
        if waits {
            match waiting.recv().expect("an answer comes") {
                Ok(()) => acknowledged = states.len(),
                Err(_) => break,
            }
        }
    }
    wal.close();
    Ran { states, acknowledged }
}

/// The state that a reopened log has must be one that was, not before the last acknowledgement.
fn check_reopened(disk: &LossyDisk, ran: &Ran) {
    let wal = open(disk).expect("a crash leaves no hole");
    let found = state(&wal);
    let kept = ran.states.iter().skip(ran.acknowledged.saturating_sub(1));
    assert!(ran.acknowledged == 0 || kept.clone().any(|state| *state == found), "{found:?} was never there");
    wal.close();
    let again = open(disk).expect("opens again");
    assert_eq!(state(&again), found);
    again.close();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_closed_log_gives_back_everything(steps in prop::collection::vec(step(), 0..40)) {
        let disk = disk();
        let ran = run(&disk, &steps, |_| false);
        let wal = open(&disk).expect("opens");
        prop_assert_eq!(Some(&state(&wal)), ran.states.last());
        wal.close();
    }

    #[test]
    fn a_crash_at_any_operation_keeps_what_was_acknowledged(
        steps in prop::collection::vec(step(), 1..16), sync_every in 1_usize..4, seed: u64,
    ) {
        let whole = disk();
        run(&whole, &steps, |number| number % sync_every == 0);
        for operation in 1..=whole.operations() {
            let disk = disk();
            disk.crash_at(operation);
            let ran = run(&disk, &steps, |number| number % sync_every == 0);
            check_reopened(&disk.crash(seed ^ operation), &ran);
        }
    }

    #[test]
    fn a_segment_of_hostile_bytes_is_refused_or_cut(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let disk = disk();
        write(&disk, 1, &bytes);
        if let Ok(wal) = open(&disk) {
            wal.close();
        }
    }
}

fn path(number: u64) -> std::path::PathBuf {
    Path::new("/").join(segment_name(number))
}

fn read(disk: &LossyDisk, number: u64) -> Vec<u8> {
    let file = disk.open(&path(number), OpenMode::Read).expect("the segment is there");
    let mut bytes = vec![0; usize::try_from(file.len().expect("a length")).expect("small")];
    file.read_exact_at(&mut bytes, 0).expect("readable");
    bytes
}

/// What a power cut leaves of a segment: no clean stop has told its end, and no mark was on the disk.
fn write(disk: &LossyDisk, number: u64, bytes: &[u8]) {
    ending::remove(disk, Path::new("/")).expect("removed");
    let _ = disk.remove_file(Path::new("/barnabas-metadata.synced"));
    let file = disk.open(&path(number), OpenMode::Create).expect("a file");
    file.set_len(0).expect("cut");
    file.write_all_at(&[IoSlice::new(bytes)], 0).expect("written");
}

fn segments(disk: &LossyDisk) -> Vec<u64> {
    let names = disk.list(Path::new("/")).expect("listed");
    let mut numbers: Vec<u64> = names.iter().filter_map(|entry| segment_number(&entry.name)).collect();
    numbers.sort_unstable();
    numbers
}

fn three_appends() -> Vec<Step> {
    vec![Step::Append(vec![10]), Step::Append(vec![20]), Step::Append(vec![30])]
}

#[test]
fn a_tail_cut_at_any_byte_gives_a_state_that_was() {
    let disk = disk();
    let ran = run(&disk, &three_appends(), |_| true);
    assert_eq!(segments(&disk), [1]);
    let whole = read(&disk, 1);
    for length in 0..whole.len() {
        write(&disk, 1, &whole[..length]);
        let wal = open(&disk).expect("a short file is a torn tail");
        assert!(length == 0 || ran.states.contains(&state(&wal)) || state(&wal).last().is_none());
        wal.close();
        let left = segments(&disk);
        assert_eq!(left, [1]);
    }
}

#[test]
fn damage_below_a_sync_is_refused_and_damage_of_the_last_write_is_cut() {
    let disk = disk();
    let ran = run(&disk, &three_appends(), |_| true);
    let whole = read(&disk, 1);
    // The last frame was written when everything before it was synced.
    let last = whole.len() - frame::HEADER - changes_len(ran.states.last().expect("states"));
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        write(&disk, 1, &damaged);
        match open(&disk) {
            Ok(wal) => {
                assert!(at >= last, "damage at {at}, below {last}, went unnoticed");
                assert_eq!(state(&wal), ran.states[ran.states.len() - 2]);
                wal.close();
            }
            Err(OpenError::Damaged { reason, .. }) => {
                assert!(at < last, "damage at {at} of the last write was not cut");
                assert!(reason.contains("restore the file"), "{reason}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_log_that_is_cut_or_damaged_after_a_kill_is_refused() {
    let disk = disk();
    run(&disk, &three_appends(), |_| true);
    let disk = disk.kill();
    let _ = disk.remove_file(Path::new("/barnabas-metadata.end"));
    let whole = read(&disk, 1);
    let mark = barnabas_mark(&disk);
    for length in 0..whole.len() {
        write(&disk, 1, &whole[..length]);
        put(&disk, &mark);
        assert!(matches!(open(&disk), Err(OpenError::Damaged { .. })), "cut at {length}");
        assert!(inspect(&disk, Path::new("/")).is_err(), "cut at {length}");
        let mut damaged = whole.clone();
        damaged[length] ^= 0x40;
        write(&disk, 1, &damaged);
        put(&disk, &mark);
        assert!(matches!(open(&disk), Err(OpenError::Damaged { .. })), "damaged at {length}");
    }
    write(&disk, 1, &[&whole[..], b"never synced"].concat());
    put(&disk, &mark);
    open(&disk).expect("a torn tail behind the mark is cut").close();
}

fn barnabas_mark(disk: &LossyDisk) -> Vec<u8> {
    let file = disk.open(Path::new("/barnabas-metadata.synced"), OpenMode::Read).expect("a mark");
    let mut bytes = vec![0; usize::try_from(file.len().expect("its length")).expect("small")];
    file.read_exact_at(&mut bytes, 0).expect("read");
    bytes
}

fn put(disk: &LossyDisk, mark: &[u8]) {
    let file = disk.open(Path::new("/barnabas-metadata.synced"), OpenMode::Create).expect("a file");
    file.write_all_at(&[IoSlice::new(mark)], 0).expect("written");
}

#[test]
fn after_a_clean_stop_a_tail_that_is_cut_or_damaged_is_refused() {
    let disk = disk();
    run(&disk, &three_appends(), |_| true);
    let whole = read(&disk, 1);
    for length in 0..whole.len() {
        let file = disk.open(&path(1), OpenMode::ReadWrite).expect("a file");
        file.set_len(length as u64).expect("cut");
        assert!(matches!(open(&disk), Err(OpenError::Damaged { .. })), "cut at {length}");
        assert!(inspect(&disk, Path::new("/")).is_err());
        file.write_all_at(&[IoSlice::new(&whole)], 0).expect("written");
    }
    open(&disk).expect("whole again").close();
}

fn changes_len(state: &LogState) -> usize {
    let entries = state.range(&..);
    Change::Append(entries.last().expect("an entry").clone()).encode().len()
}

#[test]
fn damage_of_a_segment_that_others_follow_is_refused() {
    let disk = disk();
    let steps: Vec<Step> = (0..12).map(|_| Step::Append(vec![60])).collect();
    run(&disk, &steps, |_| true);
    let numbers = segments(&disk);
    assert!(numbers.len() > 3, "{numbers:?}");
    let whole = read(&disk, 2);
    for damaged in [whole[..whole.len() - 1].to_vec(), Vec::new(), [whole.clone(), vec![0]].concat()] {
        write(&disk, 2, &damaged);
        assert!(matches!(open(&disk), Err(OpenError::Damaged { .. })));
    }
    write(&disk, 2, &whole);
    open(&disk).expect("whole again").close();
    disk.remove_file(&path(2)).expect("removed");
    assert!(matches!(open(&disk), Err(OpenError::Damaged { .. })));
}

#[test]
fn purged_segments_are_removed_and_their_vote_survives() {
    let disk = disk();
    let mut steps = vec![Step::Vote];
    steps.extend((0..12).map(|_| Step::Append(vec![60])));
    steps.push(Step::Purge(1));
    let ran = run(&disk, &steps, |_| true);
    assert!(segments(&disk).first().is_some_and(|first| *first > 2), "{:?}", segments(&disk));
    let wal = open(&disk).expect("opens");
    assert_eq!(Some(&state(&wal)), ran.states.last());
    assert!(state(&wal).vote().is_some());
    wal.close();
}

#[test]
fn an_old_frame_behind_a_cut_tail_does_not_come_back() {
    let disk = disk();
    run(&disk, &three_appends(), |_| false);
    // None of the appends was known to be synced by a later one: the middle one is lost, the last one kept.
    let mut torn = read(&disk, 1);
    let starts = frame_starts(&torn);
    torn[starts[2]..starts[3]].fill(0);
    write(&disk, 1, &torn);
    let wal = open(&disk).expect("a torn tail");
    let next = state(&wal).last().map_or(0, |last| last.index + 1);
    wal.submit(vec![Change::Append(entry(9, next, 20))], None).expect("taken");
    let expected = state(&wal);
    wal.close();
    let wal = open(&disk).expect("opens");
    assert_eq!(state(&wal), expected);
    wal.close();
}

fn frame_starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = vec![0];
    while let Some((_, next)) = frame::at(bytes, 1, *starts.last().expect("a start")) {
        starts.push(next);
    }
    starts
}

#[test]
fn a_failed_sync_is_final() {
    let disk = disk();
    let wal = open(&disk).expect("opens");
    let submit = |index| {
        let (done, waiting) = sync_channel(1);
        let done: Done = Box::new(move |outcome| done.send(outcome).expect("somebody waits"));
        wal.submit(vec![Change::Append(entry(1, index, 1))], Some(done)).expect("taken");
        waiting.recv().expect("an answer")
    };
    submit(0).expect("the disk works");
    disk.fail_nth(OpKind::SyncData, 1, Fault::Io);
    assert!(submit(1).is_err());
    assert!(submit(2).is_err(), "the disk works again, but nothing may rely on it");
    wal.close();
    let wal = open(&disk.crash(1)).expect("opens");
    assert!(state(&wal).last().is_some_and(|last| last.index <= 1));
    wal.close();
}

/// What the failed sync lost the page cache still shows, and as clean: the next process must not build on that.
#[test]
fn a_failed_sync_a_restart_and_a_power_cut_lose_nothing_that_was_acknowledged() {
    for seed in 0..100 {
        let disk = disk();
        disk.fail_nth(OpKind::SyncData, 1 + seed % 20, Fault::Io);
        let steps: Vec<Step> = (0..20).map(|number| Step::Append(vec![number * 7])).collect();
        run(&disk, &steps, |number| number % 3 == 0);
        let disk = disk.kill();
        let shown = state(&open(&disk).expect("opens"));
        let disk = disk.kill();
        let ran = run(&disk, &[Step::Append(vec![1])], |_| true);
        assert_eq!(ran.states.first(), Some(&shown), "seed {seed}");
        let wal = open(&disk.crash(seed)).expect("opens");
        assert_eq!(Some(&state(&wal)), ran.states.last(), "seed {seed}");
        wal.close();
    }
}

#[test]
fn a_full_disk_takes_metadata_into_the_reserved_room() {
    let disk = disk();
    let wal = open(&disk).expect("opens");
    reserve::hold(&disk, Path::new("/")).expect("room");
    // The third one begins a segment.
    for index in 0..3 {
        disk.fail_nth(OpKind::Write, 1, Fault::ShortWriteNoSpace);
        let (done, waiting) = sync_channel(1);
        let done: Done = Box::new(move |outcome| done.send(outcome).expect("somebody waits"));
        wal.submit(vec![Change::Append(entry(1, index, 150))], Some(done)).expect("taken");
        waiting.recv().expect("an answer").expect("there is reserved room");
        reserve::hold(&disk, Path::new("/")).expect("room again");
    }
    let expected = state(&wal);
    wal.close();
    let wal = open(&disk.crash(1)).expect("opens");
    assert_eq!(state(&wal), expected);
    wal.close();
}

#[test]
fn a_closed_log_takes_nothing() {
    let disk = disk();
    let wal = open(&disk).expect("opens");
    wal.close();
    let refused = wal.submit(vec![Change::Append(entry(1, 0, 1))], None);
    assert_eq!(refused.map_err(|error| error.kind()), Err(io::ErrorKind::BrokenPipe));
}

#[test]
fn the_node_id_is_the_formatted_logs_own() {
    let disk = disk();
    let wal = open(&disk).expect("opens");
    let node = state(&wal).node();
    wal.close();
    let wal = open(&disk).expect("opens");
    assert_eq!(state(&wal).node(), node);
    wal.close();
}

#[test]
fn segment_names_come_back_and_others_are_left_alone() {
    assert_eq!(segment_number(&segment_name(7)), Some(7));
    for other in ["barnabas-metadata-7.wal", "barnabas-metadata.snapshot", "00000000000000000000.log"] {
        assert_eq!(segment_number(other), None, "{other}");
    }
}
