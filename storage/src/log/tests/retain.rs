use super::fake_journal::*;
use crate::error::ReadError;
use crate::ids::{LeaderEpoch, Offset, Timestamp};
use crate::options::{CleanupPolicy, LogOptions};

fn ten_batches(rig: &Rig) {
    for n in 0..10 {
        rig.append(&batch_at(NOW.0 + n, &["x".repeat(500)])).unwrap();
    }
    assert_eq!(rig.segments(), [0, 3, 6, 9]);
}

fn rig(change: impl FnOnce(&mut LogOptions)) -> Rig {
    let mut options = LogOptions { segment_bytes: 2000, index_interval_bytes: 200, ..LogOptions::default() };
    change(&mut options);
    Rig::new(options)
}

#[test]
fn size_deletes_the_oldest_and_never_goes_below_the_limit() {
    let mut rig = rig(|options| options.retention_bytes = Some(2400));
    ten_batches(&rig);
    assert_eq!(rig.log.apply_retention(NOW).unwrap(), 1);
    assert_eq!(rig.log.log_start_offset(), Offset(3));
    assert!(rig.log.size_bytes() >= 2400);
    assert_eq!(rig.segments(), [3, 6, 9]);
    assert_eq!(rig.files(".deleted").len(), 4, "data, two indexes, checksums");
    let before = rig.values();
    rig.reopen_on(rig.disk.kill(), false);
    assert_eq!(rig.values(), before);
    assert!(rig.files(".deleted").is_empty(), "a start removes them");
}

#[test]
fn time_deletes_everything_and_the_end_is_not_forgotten() {
    let mut rig = rig(|options| options.retention_ms = Some(1000));
    ten_batches(&rig);
    assert_eq!(rig.log.apply_retention(Timestamp(NOW.0 + 1000)).unwrap(), 0);
    assert_eq!(rig.log.apply_retention(Timestamp(NOW.0 + 1006)).unwrap(), 2);
    assert_eq!(rig.log.apply_retention(Timestamp(NOW.0 + 9999)).unwrap(), 2);
    assert_eq!((rig.log.log_start_offset(), rig.log.log_end_offset()), (Offset(10), Offset(10)));
    assert_eq!(rig.segments(), [10]);
    rig.reopen_on(rig.disk.kill(), false);
    assert_eq!((rig.log.log_start_offset(), rig.log.log_end_offset()), (Offset(10), Offset(10)));
    assert_eq!(rig.append(&batch(&["next"])).unwrap().base_offset, Offset(10));
}

#[test]
fn nothing_at_or_above_the_high_watermark_goes() {
    let rig = rig(|options| options.retention_ms = Some(0));
    ten_batches(&rig);
    rig.log.set_high_watermark(Offset(5));
    assert_eq!(rig.log.apply_retention(Timestamp(i64::MAX)).unwrap(), 1);
    assert_eq!(rig.log.log_start_offset(), Offset(3));
}

#[test]
fn a_compacted_topic_keeps_what_is_above_its_start() {
    let rig = rig(|options| {
        options.retention_ms = Some(0);
        options.retention_bytes = Some(0);
        options.cleanup_policy = CleanupPolicy { delete: false, compact: false };
    });
    ten_batches(&rig);
    assert_eq!(rig.log.apply_retention(Timestamp(i64::MAX)).unwrap(), 0);
    rig.log.delete_records(Offset(7)).unwrap();
    assert_eq!(rig.log.apply_retention(NOW).unwrap(), 2);
    assert_eq!(rig.segments(), [6, 9]);
}

#[test]
fn deleted_files_go_after_their_delay() {
    let rig = rig(|options| options.retention_ms = Some(0));
    ten_batches(&rig);
    rig.log.apply_retention(Timestamp(i64::MAX)).unwrap();
    let deleted = rig.files(".deleted").len();
    assert!(deleted >= 12, "{deleted}");
    rig.log.remove_expired_files(Timestamp(NOW.0 + 59_999));
    assert_eq!(rig.files(".deleted").len(), deleted);
    rig.log.remove_expired_files(Timestamp(NOW.0 + 60_000));
    assert!(rig.files(".deleted").is_empty());
}

#[test]
fn records_are_deleted_up_to_the_high_watermark_and_stay_deleted() {
    let mut rig = rig(|_| ());
    ten_batches(&rig);
    rig.log.set_high_watermark(Offset(8));
    assert!(matches!(rig.log.delete_records(Offset(9)), Err(ReadError::OutOfRange { end: Offset(8), .. })));
    assert_eq!(rig.log.delete_records(Offset(5)).unwrap(), Offset(5));
    assert_eq!(rig.log.delete_records(Offset(2)).unwrap(), Offset(5));
    assert!(matches!(rig.log.read(Offset(4), 1, Offset(10), true), Err(ReadError::OutOfRange { .. })));
    assert_eq!(rig.values()[0].0, 5);
    for seed in 0..20 {
        let disk = rig.disk.crash(seed);
        rig.reopen_on(disk, false);
        assert_eq!((rig.log.log_start_offset(), rig.log.log_end_offset()), (Offset(5), Offset(10)), "seed {seed}");
    }
}

#[test]
fn a_truncated_end_does_not_come_back() {
    for seed in 0..30 {
        let mut rig = rig(|_| ());
        ten_batches(&rig);
        rig.log.append_as_leader(&batch(&["new epoch"]), LeaderEpoch(2), CLIENT).unwrap();
        rig.log.truncate_to(Offset(4)).unwrap();
        assert_eq!((rig.log.log_end_offset(), rig.log.synced_offset()), (Offset(4), Offset(4)));
        assert_eq!(rig.log.high_watermark(), Offset(4));
        assert_eq!(rig.log.latest_epoch(), Some(LeaderEpoch(0)));
        assert_eq!(rig.values().len(), 4);
        rig.reopen_on(rig.disk.crash(seed), false);
        assert_eq!(rig.log.log_end_offset(), Offset(4), "seed {seed}");
        assert_eq!(rig.append(&batch(&["next"])).unwrap().base_offset, Offset(4));
        rig.reopen_on(rig.disk.crash(seed), false);
        assert_eq!(rig.values().len(), 5);
    }
}

#[test]
fn a_truncation_ends_at_a_batch_and_forgets_the_producers_above() {
    let rig = rig(|_| ());
    rig.append(&idempotent(1, 0, 0, &["a", "b"])).unwrap();
    rig.append(&idempotent(1, 0, 2, &["c", "d"])).unwrap();
    rig.log.truncate_to(Offset(3)).unwrap();
    assert_eq!(rig.log.log_end_offset(), Offset(2));
    assert!(!rig.append(&idempotent(1, 0, 2, &["c", "d"])).unwrap().duplicate);
    assert!(rig.append(&idempotent(1, 0, 0, &["a", "b"])).unwrap().duplicate);
    rig.log.truncate_to(Offset(0)).unwrap();
    assert!(!rig.append(&idempotent(1, 0, 7, &["any"])).unwrap().duplicate);
}

#[test]
fn producers_outlive_the_segments_that_held_their_batches() {
    let mut rig = rig(|options| options.retention_ms = Some(100));
    rig.close_and_reopen();
    rig.append(&idempotent(1, 0, 0, &["a"])).unwrap();
    rig.reopen_on(rig.disk.kill(), false);
    rig.log.set_high_watermark(rig.log.synced_offset());
    assert_eq!(rig.log.apply_retention(Timestamp(NOW.0 + 101)).unwrap(), 1);
    assert_eq!(rig.files(".snapshot"), ["00000000000000000001.snapshot"]);
    rig.append(&batch(&["b"])).unwrap();
    rig.log.truncate_to(Offset(1)).unwrap();
    assert!(rig.append(&idempotent(1, 0, 0, &["a"])).unwrap().duplicate);
}

#[test]
fn a_segment_begun_by_retention_is_synced_before_the_log_start_moves() {
    for seed in 0..30 {
        let mut rig = rig(|options| options.retention_ms = Some(0));
        ten_batches(&rig);
        rig.log.apply_retention(Timestamp(i64::MAX)).unwrap();
        let recovery = rig.reopen_on(rig.disk.crash(seed), false);
        assert!(!recovery.damaged, "seed {seed}");
        assert_eq!((rig.log.log_start_offset(), rig.log.log_end_offset()), (Offset(10), Offset(10)));
    }
}

#[test]
fn producers_below_a_raised_start_survive_a_crash() {
    for seed in 0..30 {
        let mut rig = rig(|_| ());
        rig.append(&idempotent(1, 0, 0, &["a"])).unwrap();
        rig.append(&batch(&["x".repeat(1900)])).unwrap();
        rig.log.delete_records(Offset(2)).unwrap();
        rig.append(&batch(&["x".repeat(1900)])).unwrap();
        rig.reopen_on(rig.disk.crash(seed), false);
        assert!(rig.append(&idempotent(1, 0, 0, &["a"])).unwrap().duplicate, "seed {seed}");
    }
}

#[test]
fn a_truncation_leaves_sealed_indexes_durable() {
    for seed in 0..30 {
        let mut rig = rig(|_| ());
        for n in 0..8 {
            rig.append(&batch_at(NOW.0 + n, &["x".repeat(250)])).unwrap();
        }
        rig.append(&batch(&["x".repeat(1900)])).unwrap();
        let base = *rig.segments().last().unwrap();
        rig.log.truncate_to(Offset(base)).unwrap();
        let before = rig.values();
        assert!(!rig.reopen_on(rig.disk.crash(seed), false).damaged, "seed {seed}");
        assert_eq!(rig.values(), before);
    }
}

#[test]
fn a_segment_sealed_again_after_a_truncation_knows_its_new_times() {
    let rig = rig(|_| ());
    rig.append(&batch_at(NOW.0, &["x"])).unwrap();
    rig.append(&batch_at(NOW.0 + 50, &["x"])).unwrap();
    rig.append(&batch(&["x".repeat(1900)])).unwrap();
    rig.log.truncate_to(Offset(1)).unwrap();
    rig.append(&batch_at(NOW.0 + 90, &["x"])).unwrap();
    rig.append(&batch(&["x".repeat(1900)])).unwrap();
    let found = rig.log.find_offset(crate::log::OffsetQuery::At(Timestamp(NOW.0 + 60)), Offset(9)).unwrap().unwrap();
    assert_eq!((found.offset, found.timestamp), (Offset(1), Timestamp(NOW.0 + 90)));
}

#[test]
fn an_epoch_that_was_forgotten_below_the_start_does_not_cut_what_follows() {
    let mut rig = rig(|_| ());
    rig.append(&batch(&["a"])).unwrap();
    rig.log.append_as_leader(&batch(&["b"]), LeaderEpoch(1), CLIENT).unwrap();
    rig.append(&batch(&["c"])).unwrap();
    rig.log.delete_records(Offset(2)).unwrap();
    rig.log.truncate_to(Offset(2)).unwrap();
    assert_eq!(rig.log.latest_epoch(), None);
    rig.log.append_as_leader(&batch(&["d"]), LeaderEpoch(0), CLIENT).unwrap();
    rig.reopen_on(rig.disk.kill(), false);
    assert_eq!(rig.log.log_end_offset(), Offset(3));
}

#[test]
fn an_epoch_below_a_truncation_is_not_forgotten() {
    let mut rig = rig(|_| ());
    rig.append(&batch(&["a"])).unwrap();
    rig.log.append_as_leader(&batch(&["b"]), LeaderEpoch(1), CLIENT).unwrap();
    rig.append(&batch(&["c"])).unwrap();
    rig.log.truncate_to(Offset(2)).unwrap();
    rig.reopen_on(rig.disk.kill(), false);
    assert_eq!(rig.log.end_offset_for_epoch(LeaderEpoch(0)), Some((LeaderEpoch(0), Offset(1))));
    assert_eq!(rig.log.latest_epoch(), Some(LeaderEpoch(1)));
}
