//! Damage to any byte of any file of a log, below what was synced: whatever is served is what was written, at its offset,
//! and nothing is passed over in silence.

use std::io::IoSlice;

use bytes::Bytes;
use proptest::prelude::*;

use super::fake_journal::*;
use crate::error::ReadError;
use crate::ids::Offset;
use crate::log::OffsetQuery;
use crate::options::LogOptions;
use crate::seam::{Disk as _, LossyDisk, OpenMode};
use crate::whole_file;

const BATCHES: i64 = 40;

#[derive(Clone, Debug)]
enum Harm {
    Flip(usize, u8),
    Zero(usize, usize),
    Cut(usize),
    Empty,
    Remove,
    /// Another file of the same kind stands in its place.
    Swap(usize),
    /// Bytes of another place of the file stand there.
    Move(usize, usize, usize),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        4 => (any::<usize>(), 0u8..8).prop_map(|(at, bit)| Harm::Flip(at, 1 << bit)),
        2 => (any::<usize>(), 1usize..600).prop_map(|(at, len)| Harm::Zero(at, len)),
        2 => any::<usize>().prop_map(Harm::Cut),
        1 => Just(Harm::Empty),
        1 => Just(Harm::Remove),
        1 => any::<usize>().prop_map(Harm::Swap),
        1 => (any::<usize>(), any::<usize>(), 1usize..300).prop_map(|(from, to, len)| Harm::Move(from, to, len)),
    ]
}

fn write(disk: &LossyDisk, name: &str, bytes: &[u8]) {
    let file = disk.open(&directory().join(name), OpenMode::Create).unwrap();
    file.set_len(0).unwrap();
    file.write_all_at(&[IoSlice::new(bytes)], 0).unwrap();
}

fn damage(rig: &Rig, name: &str, harm: &Harm) {
    let path = directory().join(name);
    let mut bytes = whole_file::read(&rig.disk, &path).unwrap().unwrap();
    let len = bytes.len().max(1);
    match harm {
        Harm::Flip(at, bit) => {
            if let Some(byte) = bytes.get_mut(at % len) {
                *byte ^= bit;
            }
        }
        Harm::Zero(at, count) => bytes.iter_mut().skip(at % len).take(*count).for_each(|byte| *byte = 0),
        Harm::Cut(at) => bytes.truncate(at % len),
        Harm::Empty => bytes.clear(),
        Harm::Remove => return rig.disk.remove_file(&path).unwrap(),
        Harm::Swap(other) => {
            let suffix = name.rsplit_once('.').unwrap().1;
            let names = rig.files(&format!(".{suffix}"));
            let other = &names[other % names.len()];
            let theirs = whole_file::read(&rig.disk, &directory().join(other)).unwrap().unwrap();
            write(&rig.disk, other, &bytes);
            bytes = theirs;
        }
        Harm::Move(from, to, count) => {
            let (from, to) = (from % len, to % len);
            let count = (*count).min(len - from.max(to)).min(bytes.len());
            let piece = bytes[from..from + count].to_vec();
            bytes[to..to + count].copy_from_slice(&piece);
        }
    }
    write(&rig.disk, name, &bytes);
}

/// Reads from every batch's offset on, a little at a time. Gives how many reads were refused.
fn read_everything(rig: &Rig, written: &[(i64, Bytes)]) -> usize {
    let mut refused = 0;
    for start in (0..BATCHES).step_by(3) {
        let mut from = Offset(start * 2);
        while from < Offset(BATCHES * 2) {
            let read = match rig.log.read(from, 900, Offset(i64::MAX), true) {
                Ok(read) => read,
                Err(ReadError::Damaged(_) | ReadError::Io(_)) => {
                    refused += 1;
                    break;
                }
                Err(other) => panic!("offset {from}: {other}"),
            };
            let slice = read.slice.unwrap_or_else(|| panic!("nothing at {from}, without an error"));
            let Ok(bytes) = slice.read() else {
                refused += 1;
                break;
            };
            let mut next = None;
            for record in crate::batch::batches(bytes).flat_map(|batch| batch.unwrap().records().unwrap()) {
                let record = record.unwrap();
                assert!(next.is_none_or(|next| next == record.offset), "a hole before {}", record.offset);
                assert!(next.is_some() || record.offset <= from, "{from} was passed over");
                let (offset, value) = &written[usize::try_from(record.offset.0).unwrap()];
                assert_eq!((*offset, value), (record.offset.0, record.value.as_ref().unwrap()));
                next = Some(Offset(record.offset.0 + 1));
            }
            assert!(
                next.is_some_and(|next| next == read.next_offset),
                "the answer ends at another offset than it says"
            );
            from = read.next_offset;
        }
    }
    refused
}

/// Two records a batch; some segments; stopped cleanly, or killed right after a checkpoint.
fn written() -> (Rig, Vec<(i64, Bytes)>) {
    let options = LogOptions { segment_bytes: 1500, index_interval_bytes: 150, ..LogOptions::default() };
    let rig = Rig::new(options);
    let mut written = Vec::new();
    for n in 0..BATCHES {
        let values = [format!("first {n}"), "x".repeat(usize::try_from(n * 7 % 60).unwrap())];
        rig.append(&batch_at(NOW.0 + n, &values)).unwrap();
        written.extend(values.into_iter().zip(n * 2..).map(|(value, offset)| (offset, Bytes::from(value))));
    }
    (rig, written)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_damaged_what_is_served_is_what_was_written(
        harm in harm(), which in any::<prop::sample::Index>(), data in any::<bool>(), clean in any::<bool>(),
    ) {
        let (mut rig, written) = written();
        if clean {
            let checkpoint = rig.log.close().unwrap();
            *rig.journal.manifest.lock() = Some(checkpoint);
        } else {
            rig.journal.checkpoint_now_of(&rig.log);
        }
        rig.journal.replay.lock().clear();
        let names = if data { rig.files(".log") } else { rig.files("") };
        let names: Vec<_> = names.into_iter().filter(|name| name.contains("00000") || !matches!(harm, Harm::Swap(_))).collect();
        let name = which.get(&names).clone();
        damage(&rig, &name, &harm);
        let Ok(recovery) = rig.try_reopen_on(rig.disk.kill(), clean) else { return Ok(()) };
        prop_assert_eq!(recovery.bytes_cut, 0, "{}", name);
        let refused = read_everything(&rig, &written);
        if !name.ends_with(".log") {
            // What can be made again from the batches is, and nobody notices.
            prop_assert_eq!((refused, recovery.damaged), (0, false), "{}", name);
            let at = rig.log.find_offset(OffsetQuery::At(crate::ids::Timestamp(NOW.0 + 20)), Offset(i64::MAX)).unwrap();
            prop_assert_eq!(at.map(|found| found.offset), Some(Offset(39)));
        }
    }
}

#[test]
fn a_base_offset_that_moved_is_not_served() {
    let (mut rig, written) = written();
    *rig.journal.manifest.lock() = Some(rig.log.close().unwrap());
    rig.journal.replay.lock().clear();
    damage(&rig, "00000000000000000000.log", &Harm::Flip(6, 4));
    rig.reopen_on(rig.disk.kill(), true);
    assert!(read_everything(&rig, &written) > 0);
}

#[test]
fn a_leader_epoch_that_changed_is_not_served() {
    let (mut rig, written) = written();
    *rig.journal.manifest.lock() = Some(rig.log.close().unwrap());
    rig.journal.replay.lock().clear();
    damage(&rig, "00000000000000000000.log", &Harm::Flip(14, 1));
    rig.reopen_on(rig.disk.kill(), true);
    assert!(read_everything(&rig, &written) > 0);
}
