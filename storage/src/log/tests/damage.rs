//! Torn tails and damage: never a panic, never a batch lost before the first damage, nothing cut below the synced point.

use std::io::IoSlice;
use std::sync::Arc;

use proptest::prelude::*;

use super::fake_journal::*;
use crate::error::{AppendError, ReadError};
use crate::ids::{LeaderEpoch, Offset};
use crate::journal::JournalledLog as _;
use crate::log::{LastStop, Log};
use crate::options::{DurabilityMode, LogOptions};
use crate::seam::lossy::{Fault, OpKind};
use crate::seam::{Disk as _, OpenMode};

const BATCHES: i64 = 12;

fn os_rig(segment_bytes: u32) -> Rig {
    let options = LogOptions {
        segment_bytes,
        index_interval_bytes: 100,
        durability: DurabilityMode::Os,
        ..LogOptions::default()
    };
    let rig = Rig::new(options);
    for n in 0..BATCHES {
        rig.append(&batch(&[format!("value {n}")])).unwrap();
    }
    rig
}

#[derive(Clone, Debug)]
enum Harm {
    Cut(usize),
    Flip(usize, u8),
    Zero(usize, usize),
    Append(Vec<u8>),
    Splice(usize),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        any::<usize>().prop_map(Harm::Cut),
        (any::<usize>(), 1u8..).prop_map(|(at, flip)| Harm::Flip(at, flip)),
        (any::<usize>(), 1usize..200).prop_map(|(at, len)| Harm::Zero(at, len)),
        prop::collection::vec(any::<u8>(), 1..200).prop_map(Harm::Append),
        any::<usize>().prop_map(Harm::Splice),
    ]
}

/// Harms the bytes; gives the first position that is different now.
fn apply(bytes: &mut Vec<u8>, harm: &Harm, size: usize) -> usize {
    let before = bytes.clone();
    match harm {
        Harm::Cut(at) => bytes.truncate(at % before.len()),
        Harm::Flip(at, flip) => bytes[at % before.len()] ^= flip,
        Harm::Zero(at, len) => {
            let at = at % before.len();
            bytes[at..(at + len).min(before.len())].fill(0);
        }
        Harm::Append(garbage) => bytes.extend_from_slice(garbage),
        // A good batch in the wrong place: its offset is not the next.
        Harm::Splice(at) => {
            let at = at % (before.len() / size) * size;
            bytes.extend_from_slice(&before[at..at + size]);
        }
    }
    before.iter().zip(&*bytes).position(|(before, after)| before != after).unwrap_or(before.len().min(bytes.len()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_harmed_tail_is_cut_at_the_first_damage(harm in harm(), known in any::<bool>(), checkpointed in 0..BATCHES) {
        let size = batch(&["value 0"]).len();
        let mut rig = Rig::new(LogOptions { index_interval_bytes: 100, durability: DurabilityMode::Os, ..LogOptions::default() });
        for n in 0..BATCHES {
            if n == checkpointed && known {
                rig.journal.checkpoint_now_of(&rig.log);
            }
            rig.append(&batch(&[format!("value {}", n % 10)])).unwrap();
        }
        let before = rig.values();
        let path = directory().join("00000000000000000000.log");
        let mut bytes = crate::whole_file::read(&rig.disk, &path).unwrap().unwrap();
        let first = apply(&mut bytes, &harm, size);
        let file = rig.disk.open(&path, OpenMode::ReadWrite).unwrap();
        file.set_len(0).unwrap();
        file.write_all_at(&[IoSlice::new(&bytes)], 0).unwrap();
        let checkpointed = if known { usize::try_from(checkpointed).unwrap() } else { 0 };
        let recovery = rig.reopen_on(rig.disk.kill(), false);
        let whole = first / size;
        // A changed leader epoch is outside the checksum and may pass; then no byte of a record differs.
        let outside = matches!(harm, Harm::Flip(at, _) if (12..16).contains(&(at % bytes.len() % size)));
        if whole >= checkpointed {
            prop_assert!(!recovery.damaged);
            prop_assert!(rig.values().len() >= whole.min(before.len()), "lost a batch before the damage");
            prop_assert!(before.starts_with(&rig.values()));
            if outside {
                return Ok(());
            }
            prop_assert_eq!(rig.values().len(), whole.min(before.len()));
            rig.append(&batch(&["goes on"])).unwrap();
            let after = rig.values();
            let again = rig.reopen_on(rig.disk.kill(), false);
            prop_assert_eq!((again.bytes_cut, again.damaged), (0, false));
            prop_assert_eq!(rig.values(), after);
        } else {
            let len = rig.disk.open(&path, OpenMode::Read).unwrap().len().unwrap();
            let synced = bytes.len().min(checkpointed * size) as u64;
            prop_assert!(len >= synced, "{len} of {synced}: cut below the synced point");
        }
    }

    #[test]
    fn garbage_files_of_any_kind_do_not_stop_a_start(garbage in prop::collection::vec(any::<u8>(), 0..100), which in 0usize..6) {
        let mut rig = os_rig(400);
        rig.log.close().unwrap();
        let names = [
            "00000000000000000000.index", "00000000000000000000.timeindex", "leader-epoch-checkpoint",
            "00000000000000000012.snapshot", "00000000000000000999.index", "00000000000000000000.log.deleted",
        ];
        let file = rig.disk.open(&directory().join(names[which]), OpenMode::Create).unwrap();
        file.set_len(0).unwrap();
        file.write_all_at(&[IoSlice::new(&garbage)], 0).unwrap();
        let before = rig.values();
        rig.journal.manifest.lock().take();
        rig.reopen_on(rig.disk.kill(), false);
        prop_assert_eq!(rig.values(), before);
    }
}

#[test]
fn damage_below_the_synced_point_fences_the_log_and_cuts_nothing() {
    let mut rig = os_rig(400);
    rig.journal.checkpoint_now_of(&rig.log);
    let names = rig.files(".log");
    assert!(names.len() > 2);
    let path = directory().join(names.last().unwrap());
    let len = rig.disk.open(&path, OpenMode::Read).unwrap().len().unwrap();
    rig.disk.open(&path, OpenMode::ReadWrite).unwrap().set_len(len - 1).unwrap();
    let recovery = rig.reopen_on(rig.disk.kill(), false);
    assert!(recovery.damaged);
    assert!(matches!(rig.append(&batch(&["no"])), Err(AppendError::Damaged(_))));
    assert!(matches!(rig.log.read(Offset(11), 100, Offset(12), true), Err(ReadError::Damaged(_))));
    assert!(rig.log.read(Offset(0), 100, Offset(12), true).unwrap().slice.is_some(), "what is good is served");
    assert_eq!(rig.disk.open(&path, OpenMode::Read).unwrap().len().unwrap(), len - 1);
    assert_eq!(rig.log.log_end_offset(), Offset(12));
}

#[test]
fn a_segment_missing_below_the_synced_point_fences_the_log() {
    for which in 0..3 {
        let mut rig = os_rig(400);
        rig.journal.checkpoint_now_of(&rig.log);
        let names = rig.files(".log");
        let name = &names[if which == 2 { names.len() - 1 } else { which }];
        rig.disk.remove_file(&directory().join(name)).unwrap();
        if which == 1 {
            // One in the middle is found by the reader that comes to it.
            rig.reopen_on(rig.disk.kill(), false);
            continue;
        }
        assert!(rig.reopen_on(rig.disk.kill(), false).damaged, "{name}");
    }
}

#[test]
fn whole_batches_of_another_log_behind_the_synced_point_are_kept_when_they_are_cut() {
    let mut rig = os_rig(10_000);
    rig.journal.checkpoint_now_of(&rig.log);
    let (name, end) = (rig.files(".log")[0].clone(), rig.log.log_end_offset());
    let file = rig.disk.open(&directory().join(&name), OpenMode::ReadWrite).unwrap();
    let len = file.len().unwrap();
    file.write_all_at(&[IoSlice::new(&batch(&["of another log"]))], len).unwrap();
    let recovery = rig.reopen_on(rig.disk.kill(), false);
    assert!(!recovery.damaged && recovery.bytes_cut > 0);
    assert_eq!(rig.log.log_end_offset(), end);
    assert_eq!(rig.files(".corrupt"), [format!("{name}.{len}.corrupt")]);
}

#[test]
fn whole_batches_of_another_log_in_the_place_of_journalled_ones_are_kept_when_they_are_written_over() {
    let mut rig = Rig::new(LogOptions::default());
    for n in 0..BATCHES {
        rig.append(&batch(&[format!("value {n}")])).unwrap();
    }
    let (name, values) = (rig.files(".log")[0].clone(), rig.values());
    let file = rig.disk.open(&directory().join(&name), OpenMode::ReadWrite).unwrap();
    let foreign: Vec<u8> = (0..2 * BATCHES).flat_map(|n| batch(&[format!("of another log {n}")])).collect();
    file.write_all_at(&[IoSlice::new(&foreign)], 0).unwrap();
    assert!(!rig.reopen_on(rig.disk.kill(), false).damaged);
    assert_eq!(rig.values(), values);
    let kept = crate::whole_file::read(&rig.disk, &directory().join(format!("{name}.0.corrupt"))).unwrap().unwrap();
    assert!(kept == foreign);
}

#[test]
fn a_cut_of_a_directory_nobody_knows_keeps_a_copy() {
    let rig = os_rig(400);
    let names = rig.files(".log");
    let file = rig.disk.open(&directory().join(&names[1]), OpenMode::ReadWrite).unwrap();
    file.write_all_at(&[IoSlice::new(&[0xff; 4])], 100).unwrap();
    let context = rig.context();
    let (log, recovery) = Log::open(
        &context,
        &directory(),
        "t",
        topic_id(),
        crate::ids::PartitionIndex(0),
        rig.options.clone(),
        LastStop::Unknown,
        None,
        &[],
    )
    .unwrap();
    assert!(recovery.bytes_cut > 0 && !recovery.damaged);
    assert!(log.log_end_offset() > Offset(0));
    assert!(rig.files(".corrupt").len() >= names.len() - 1, "{:?}", rig.files(".corrupt"));
}

#[test]
fn an_interrupted_compaction_and_an_old_format_are_named() {
    let mut rig = os_rig(400);
    rig.disk.open(&directory().join("00000000000000000000.log.swap"), OpenMode::Create).unwrap();
    let refused = rig.try_reopen_on(rig.disk.clone(), true).unwrap_err();
    assert!(std::error::Error::source(&refused).unwrap().to_string().contains("swap"), "{refused}");
}

/// The bytes that such a segment got after the checkpoint had synced it are not on the disk: nothing may speak for them.
#[test]
fn a_segment_that_is_sealed_beside_a_checkpoint_gets_checksums_at_the_next_one() {
    let mut rig = os_rig(1000);
    let disk = rig.disk.clone();
    let log = Arc::clone(&rig.log);
    let growing = log.log_end_offset();
    disk.after_next_sync(move || {
        while log.segments.read().all().len() < 4 {
            log.append_as_leader(&batch(&["beside it"]), LeaderEpoch(0), CLIENT).unwrap();
        }
    });
    rig.journal.checkpoint_now_of(&rig.log);
    assert!(rig.log.log_end_offset() > growing, "appended while the checkpoint ran");
    let journal = Arc::clone(&rig.journal);
    for seed in 0..64 {
        rig.journal = Arc::clone(&journal);
        rig.reopen_on(disk.fork(seed), false);
        assert_eq!(rig.values().len(), usize::try_from(rig.log.log_end_offset().0).unwrap(), "seed {seed}");
    }
}

/// The kernel counts what a failed sync lost as clean. A checkpoint that comes before the directory is offline must not
/// take the silence of its own sync for a success.
#[test]
fn what_a_failed_sync_lost_is_never_checkpointed() {
    for seed in 0..16 {
        let mut rig = os_rig(1000);
        let disk = rig.disk.clone();
        disk.fail_nth(OpKind::SyncData, 1, Fault::Io);
        assert!(rig.log.sync_active_files().is_err());
        assert!(rig.log.checkpoint().is_err(), "the sync of the same file succeeds now");
        assert!(rig.log.flush().is_err());
        assert_eq!(rig.log.synced_offset(), Offset::ZERO);
        assert!(!rig.reopen_on(disk.crash(seed), false).damaged, "seed {seed}");
    }
}

/// A segment that was sealed and that no checkpoint has covered: the next one goes on where it ends.
#[test]
fn garbage_behind_a_segment_that_others_follow_costs_nothing() {
    let mut rig = os_rig(400);
    let names = rig.files(".log");
    assert!(names.len() > 2);
    let file = rig.disk.open(&directory().join(&names[0]), OpenMode::ReadWrite).unwrap();
    file.write_all_at(&[IoSlice::new(&[7; 100])], file.len().unwrap()).unwrap();
    let before = usize::try_from(BATCHES).unwrap();
    let recovery = rig.reopen_on(rig.disk.kill(), false);
    assert_eq!((recovery.bytes_cut, recovery.damaged), (100, false));
    assert_eq!(rig.values().len(), before, "what was acknowledged behind it");
}
