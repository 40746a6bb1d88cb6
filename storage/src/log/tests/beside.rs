//! Readers beside an appender, on the real disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fake_journal::*;
use crate::ids::{LeaderEpoch, Offset, PartitionIndex};
use crate::log::{Log, LogContext};
use crate::options::LogOptions;
use crate::seam::Seams;

const BATCHES: i64 = 2000;

#[test]
fn readers_beside_an_appender_see_whole_batches_in_order() {
    let root = tempfile::tempdir().unwrap();
    let journal = Arc::new(FakeJournal::default());
    let context = LogContext {
        seams: Seams::system(),
        journal: Arc::clone(&journal) as _,
        log_dir: root.path().to_path_buf(),
        others_ran: false,
        sync_failed: false,
    };
    let options = LogOptions { segment_bytes: 20_000, index_interval_bytes: 500, ..LogOptions::default() };
    let directory = root.path().join("t-0");
    let log = Log::create(&context, &directory, "t", topic_id(), PartitionIndex(0), options).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = [100, 3000, 1 << 20]
            .map(|max| {
                scope.spawn({
                    let (log, done) = (&log, &done);
                    move || read_all(log, max, done)
                })
            })
            .into();
        let now = context.seams.clock.now().0;
        for n in 0..BATCHES {
            log.append_as_leader(&batch_at(now, &[format!("value {n}")]), LeaderEpoch(0), CLIENT).unwrap();
        }
        done.store(true, Ordering::Release);
        for reader in readers {
            assert_eq!(reader.join().unwrap(), BATCHES);
        }
    });
}

/// Reads from the start until the appender is done; gives how many records came.
fn read_all(log: &Log, max: usize, done: &AtomicBool) -> i64 {
    let mut from = Offset(0);
    loop {
        let was_done = done.load(Ordering::Acquire);
        let read = log.read(from, max, log.synced_offset(), true).unwrap();
        let Some(slice) = read.slice else {
            if was_done && from == log.log_end_offset() {
                return from.0;
            }
            continue;
        };
        if let Some(mapped) = slice.resident() {
            assert_eq!(mapped.len(), slice.len());
        }
        for batch in crate::batch::batches(slice.read().unwrap()) {
            for record in batch.unwrap().records().unwrap() {
                let record = record.unwrap();
                assert_eq!(record.offset, from);
                assert_eq!(record.value.unwrap(), format!("value {}", from.0));
                from = Offset(from.0 + 1);
            }
        }
        assert_eq!(from, read.next_offset);
    }
}
