use std::sync::atomic::Ordering;

use super::fake_journal::*;
use crate::batch::{BatchBuilder, BatchHeader};
use crate::error::AppendError;
use crate::ids::{LeaderEpoch, Offset, Timestamp};
use crate::log::AppendOrigin;
use crate::options::{DurabilityMode, LogOptions, TimestampType};
use crate::producer_state::{ProducerStates, snapshot};
use crate::seam::Disk as _;
use crate::seam::lossy::{Fault, OpKind};
use crate::whole_file;

#[test]
fn what_is_appended_is_read() {
    let rig = Rig::small();
    let first = rig.append(&batch(&["a", "b"])).unwrap();
    assert_eq!((first.base_offset, first.last_offset, first.duplicate), (Offset(0), Offset(1), false));
    let second = rig.append(&batch(&["c"])).unwrap();
    assert_eq!(second.base_offset, Offset(2));
    let values: Vec<_> = rig.values().into_iter().map(|(offset, value)| (offset, value.to_vec())).collect();
    assert_eq!(values, [(0, b"a".to_vec()), (1, b"b".to_vec()), (2, b"c".to_vec())]);
    assert_eq!(rig.log.synced_offset(), Offset(3));
}

#[test]
fn a_batch_in_the_file_has_its_offset_and_epoch_and_is_otherwise_as_it_was_sent() {
    let rig = Rig::small();
    let sent = batch(&["a", "b"]);
    rig.append(&sent).unwrap();
    rig.log.append_as_leader(&sent, LeaderEpoch(4), CLIENT).unwrap();
    let slice = rig.log.read(Offset(2), 1000, Offset(9), true).unwrap().slice.unwrap();
    let stored = slice.read().unwrap();
    let header = BatchHeader::read(&stored).unwrap();
    assert_eq!((header.base_offset(), header.leader_epoch()), (Offset(2), LeaderEpoch(4)));
    assert_eq!(stored[16..], sent[16..]);
    assert_eq!(rig.log.latest_epoch(), Some(LeaderEpoch(4)));
    assert_eq!(rig.log.end_offset_for_epoch(LeaderEpoch(2)), Some((LeaderEpoch(0), Offset(2))));
}

#[test]
fn an_older_leader_is_refused() {
    let rig = Rig::small();
    rig.log.append_as_leader(&batch(&["a"]), LeaderEpoch(3), CLIENT).unwrap();
    let refused = rig.log.append_as_leader(&batch(&["a"]), LeaderEpoch(2), CLIENT);
    assert!(matches!(refused, Err(AppendError::StaleLeaderEpoch { current: LeaderEpoch(3), .. })));
}

#[test]
fn a_retry_answers_with_the_first_offsets_and_appends_nothing() {
    let rig = Rig::small();
    rig.append(&batch(&["other"])).unwrap();
    let sent: Vec<_> = (0..5).map(|n| idempotent(9, 0, n, &["v"])).collect();
    for batch in &sent {
        rig.append(batch).unwrap();
    }
    for (offset, batch) in (1..).zip(&sent) {
        let retry = rig.append(batch).unwrap();
        assert!(retry.duplicate);
        assert_eq!((retry.base_offset, retry.last_offset), (Offset(offset), Offset(offset)));
    }
    assert_eq!(rig.log.log_end_offset(), Offset(6));
    let gap = rig.append(&idempotent(9, 0, 7, &["v"]));
    assert!(matches!(gap, Err(AppendError::OutOfOrderSequence { expected: 5, got: 7, .. })));
    let fenced = rig.append(&idempotent(9, 1, 0, &["v"])).and_then(|_| rig.append(&idempotent(9, 0, 5, &["v"])));
    assert!(matches!(fenced, Err(AppendError::ProducerFenced { .. })));
}

#[test]
fn producers_are_known_after_a_clean_stop_and_their_window_after_a_kill() {
    let mut rig = Rig::small();
    for n in 0..5 {
        rig.append(&idempotent(9, 0, n, &["v"])).unwrap();
    }
    rig.reopen_on(rig.disk.kill(), false);
    for n in 0..5 {
        assert!(rig.append(&idempotent(9, 0, n, &["v"])).unwrap().duplicate, "{n}");
    }
    rig.close_and_reopen();
    assert!(rig.append(&idempotent(9, 0, 4, &["v"])).unwrap().duplicate);
    assert!(rig.append(&idempotent(9, 0, 6, &["v"])).is_err());
    assert!(!rig.append(&idempotent(9, 0, 5, &["v"])).unwrap().duplicate);
}

#[test]
fn a_snapshot_of_another_log_or_none_does_not_make_a_clean_stop_forget_its_producers() {
    let mut rig = Rig::small();
    for n in 0..5 {
        rig.append(&idempotent(9, 0, n, &["v"])).unwrap();
    }
    rig.close_and_reopen();
    // As this one and its neighbours write it at their clean stops, without a producer.
    let foreign = snapshot::encode(&ProducerStates::default());
    for replaced in [true, false] {
        let checkpoint = rig.log.close().unwrap();
        *rig.journal.manifest.lock() = Some(checkpoint);
        for name in rig.files(".snapshot") {
            if replaced {
                whole_file::replace(&rig.disk, &directory().join(name), &foreign).unwrap();
            } else {
                rig.disk.remove_file(&directory().join(name)).unwrap();
            }
        }
        rig.reopen_on(rig.disk.clone(), true);
        assert!(rig.append(&idempotent(9, 0, 4, &["v"])).unwrap().duplicate, "replaced: {replaced}");
    }
}

#[test]
fn the_window_survives_a_kill_right_after_a_checkpoint() {
    let mut rig = Rig::new(LogOptions::default());
    let value = "x".repeat(900_000);
    for n in 0..8 {
        rig.append(&idempotent(9, 0, n, &[&value])).unwrap();
        rig.journal.checkpoint_now_of(&rig.log);
    }
    let snapshots = rig.disk.list(&directory()).unwrap();
    assert!(snapshots.iter().any(|entry| entry.name.ends_with(".snapshot")), "{snapshots:?}");
    rig.reopen_on(rig.disk.kill(), false);
    for n in 3..8 {
        assert!(rig.append(&idempotent(9, 0, n, &[&value])).unwrap().duplicate, "{n}");
    }
}

#[test]
fn segments_roll_by_size_time_and_index() {
    let rig = Rig::small();
    for _ in 0..10 {
        rig.append(&batch(&["x".repeat(500)])).unwrap();
    }
    assert_eq!(rig.segments(), [0, 3, 6, 9]);
    let rig = Rig::new(LogOptions { segment_ms: 1000, ..LogOptions::default() });
    for n in 0..4 {
        rig.append(&batch_at(NOW.0 + n * 600, &["x"])).unwrap();
    }
    assert_eq!(rig.segments(), [0, 2]);
    let options = LogOptions { segment_index_bytes: 24, index_interval_bytes: 0, ..LogOptions::default() };
    let rig = Rig::new(options);
    for _ in 0..9 {
        rig.append(&batch(&["x"])).unwrap();
    }
    assert!(rig.segments().len() > 2, "{:?}", rig.segments());
}

#[test]
fn a_segment_of_unstamped_records_rolls_by_its_own_age() {
    let rig = Rig::new(LogOptions { segment_ms: 1000, ..LogOptions::default() });
    rig.append(&batch_at(-1, &["x"])).unwrap();
    rig.append(&batch_at(-1, &["x"])).unwrap();
    rig.clock.advance(std::time::Duration::from_millis(1001));
    rig.append(&batch_at(-1, &["x"])).unwrap();
    assert_eq!(rig.segments(), [0, 2]);
}

#[test]
fn log_append_time_is_answered_and_stored() {
    let rig = Rig::new(LogOptions { timestamp_type: TimestampType::LogAppendTime, ..LogOptions::default() });
    let appended = rig.append(&batch_at(5, &["x"])).unwrap();
    assert_eq!(appended.log_append_time, NOW);
    let stored = rig.log.read(Offset(0), 1000, Offset(9), true).unwrap().slice.unwrap().read().unwrap();
    let batch = crate::batch::batches(stored).next().unwrap().unwrap();
    assert_eq!(batch.records().unwrap().next().unwrap().unwrap().timestamp, NOW);
}

#[test]
fn a_full_disk_refuses_the_batch_and_nothing_else() {
    let mut rig = Rig::small();
    rig.append(&batch(&["a"])).unwrap();
    for fault in [Fault::NoSpace, Fault::ShortWriteNoSpace] {
        rig.disk.fail_nth(OpKind::Write, 1, fault);
        assert!(matches!(rig.append(&batch(&["lost"])), Err(AppendError::DiskFull)));
    }
    assert!(!rig.journal.offline.load(Ordering::SeqCst));
    rig.append(&batch(&["b"])).unwrap();
    rig.journal.full.store(true, Ordering::SeqCst);
    assert!(matches!(rig.append(&batch(&["c"])), Err(AppendError::DiskFull)));
    rig.journal.full.store(false, Ordering::SeqCst);
    let before = rig.values();
    assert_eq!(before.len(), 2);
    rig.reopen_on(rig.disk.kill(), false);
    assert_eq!(rig.values(), before);
}

#[test]
fn a_failed_write_takes_the_directory_offline_and_appends_are_refused() {
    let rig = Rig::small();
    rig.append(&batch(&["a"])).unwrap();
    rig.disk.fail_nth(OpKind::Write, 1, Fault::ShortWrite);
    assert!(matches!(rig.append(&batch(&["lost"])), Err(AppendError::Io(_))));
    assert!(matches!(rig.append(&batch(&["b"])), Err(AppendError::Offline(_))));
    assert_eq!(rig.log.log_end_offset(), Offset(1));
}

#[test]
fn a_full_disk_at_a_roll_refuses_the_batch_and_the_next_one_rolls() {
    let rig = Rig::small();
    for _ in 0..3 {
        rig.append(&batch(&["x".repeat(500)])).unwrap();
    }
    for nth in 1..4 {
        rig.disk.fail_nth(OpKind::Write, nth, Fault::NoSpace);
        let refused = rig.append(&batch(&["x".repeat(500)]));
        assert!(matches!(refused, Ok(_) | Err(AppendError::DiskFull)), "{refused:?}");
    }
    rig.append(&batch(&["x".repeat(500)])).unwrap();
    assert!(!rig.journal.offline.load(Ordering::SeqCst));
    let offsets: Vec<_> = rig.values().into_iter().map(|(offset, _)| offset).collect();
    assert_eq!(offsets, (0..rig.log.log_end_offset().0).collect::<Vec<_>>());
}

#[test]
fn a_closed_or_deleted_log_takes_nothing() {
    let rig = Rig::small();
    rig.append(&batch(&["a"])).unwrap();
    rig.log.close().unwrap();
    assert!(matches!(rig.append(&batch(&["b"])), Err(AppendError::Closed)));
    let rig = Rig::small();
    rig.log.mark_deleted();
    assert!(matches!(rig.append(&batch(&["b"])), Err(AppendError::Closed)));
    assert!(rig.log.read(Offset(0), 1, Offset(1), true).is_err());
}

#[test]
fn a_large_batch_is_synced_past_the_journal_and_survives_a_crash() {
    for seed in 0..40 {
        let mut rig = Rig::new(LogOptions::default());
        rig.append(&batch(&["small"])).unwrap();
        rig.append(&batch(&["x".repeat(BATCH_BYTES_MAX)])).unwrap();
        rig.append(&batch(&["small"])).unwrap();
        assert_eq!(rig.log.synced_offset(), Offset(3));
        assert_eq!(rig.journal.replay.lock().len(), 2);
        let before = rig.values();
        rig.reopen_on(rig.disk.crash(seed), false);
        assert_eq!(rig.values(), before, "seed {seed}");
    }
}

#[test]
fn a_switch_to_group_syncs_what_came_before() {
    for seed in 0..40 {
        let os = LogOptions { durability: DurabilityMode::Os, ..LogOptions::default() };
        let mut rig = Rig::new(os.clone());
        rig.append(&batch(&["a"])).unwrap();
        assert_eq!(rig.log.synced_offset(), Offset(0));
        rig.log.set_options(LogOptions { durability: DurabilityMode::Group, ..os }).unwrap();
        assert_eq!(rig.log.synced_offset(), Offset(1));
        rig.append(&batch(&["b"])).unwrap();
        rig.reopen_on(rig.disk.crash(seed), false);
        assert_eq!(rig.values().len(), 2, "seed {seed}");
    }
}

#[test]
fn a_coordinators_markers_are_taken() {
    let rig = Rig::small();
    let marker = BatchBuilder::new()
        .producer(crate::ids::ProducerId(4), crate::ids::ProducerEpoch(1), -1)
        .transactional()
        .control()
        .record(Timestamp(NOW.0), Some(&[0, 0, 0, 0]), Some(&[0, 0, 0, 0, 0, 1]))
        .build();
    assert!(rig.append(&marker).is_err());
    rig.log.append_as_leader(&marker, LeaderEpoch(0), AppendOrigin::Coordinator).unwrap();
    assert!(matches!(rig.append(&idempotent(4, 0, 0, &["v"])), Err(AppendError::ProducerFenced { .. })));
}

#[test]
fn a_log_of_several_leader_epochs_is_recovered_above_its_checkpoint() {
    let mut rig = Rig::new(LogOptions::default());
    for epoch in 0..4 {
        for _ in 0..3 {
            rig.log.append_as_leader(&batch(&["x"]), LeaderEpoch(epoch), CLIENT).unwrap();
        }
        assert!(!rig.reopen_on(rig.disk.kill(), false).damaged, "epoch {epoch}");
        assert_eq!(
            rig.log.end_offset_for_epoch(LeaderEpoch(epoch)),
            Some((LeaderEpoch(epoch), rig.log.log_end_offset()))
        );
    }
    assert_eq!(rig.values().len(), 12);
    assert_eq!(rig.log.end_offset_for_epoch(LeaderEpoch(1)), Some((LeaderEpoch(1), Offset(6))));
}
