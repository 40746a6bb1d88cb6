use super::fake_journal::*;
use crate::batch::{BatchHeader, batches};
use crate::compression::Codec;
use crate::compression::tests::compressed;
use crate::error::ReadError;
use crate::ids::{LeaderEpoch, Offset, Timestamp};
use crate::log::{FoundOffset, OffsetQuery};
use crate::options::{LogOptions, TimestampType};

fn read_len(rig: &Rig, from: i64, max: usize, up_to: i64, at_least_one: bool) -> (usize, i64) {
    let read = rig.log.read(Offset(from), max, Offset(up_to), at_least_one).unwrap();
    (read.slice.map_or(0, |slice| slice.len()), read.next_offset.0)
}

#[test]
fn a_read_gives_whole_batches_within_both_bounds() {
    let rig = Rig::new(LogOptions { index_interval_bytes: 100, ..LogOptions::default() });
    let size = batch(&["ab", "cd"]).len();
    for _ in 0..50 {
        rig.append(&batch(&["ab", "cd"])).unwrap();
    }
    assert_eq!(read_len(&rig, 0, usize::MAX, 100, true), (50 * size, 100));
    assert_eq!(read_len(&rig, 0, 3 * size + 1, 100, true), (3 * size, 6));
    assert_eq!(read_len(&rig, 0, 3 * size, 100, true), (3 * size, 6));
    assert_eq!(read_len(&rig, 5, 2 * size, 100, true), (2 * size, 8), "the batch that covers 5 starts at 4");
    assert_eq!(read_len(&rig, 0, size - 1, 100, false), (0, 0));
    assert_eq!(read_len(&rig, 0, size - 1, 100, true), (size, 2));
    assert_eq!(read_len(&rig, 0, 0, 100, true), (size, 2));
    for up_to in 0..=100 {
        let whole = up_to / 2;
        let next = if whole == 0 { 0 } else { whole * 2 };
        assert_eq!(read_len(&rig, 0, usize::MAX, up_to, true), (usize::try_from(whole).unwrap() * size, next));
    }
    assert_eq!(read_len(&rig, 100, 1000, 100, true), (0, 100));
    assert!(matches!(rig.log.read(Offset(101), 1, Offset(200), true), Err(ReadError::OutOfRange { .. })));
    assert!(matches!(rig.log.read(Offset(-1), 1, Offset(200), true), Err(ReadError::OutOfRange { .. })));
}

#[test]
fn a_read_stays_within_a_segment_and_the_next_one_goes_on() {
    let rig = Rig::small();
    for _ in 0..10 {
        rig.append(&batch(&["x".repeat(500)])).unwrap();
    }
    assert_eq!(read_len(&rig, 0, usize::MAX, 10, true).1, 3);
    assert_eq!(read_len(&rig, 3, usize::MAX, 10, true).1, 6);
    assert_eq!(rig.values().len(), 10);
}

#[test]
fn bytes_between_is_never_zero_for_something_and_exact_over_whole_segments() {
    let rig = Rig::small();
    for _ in 0..10 {
        rig.append(&batch(&["x".repeat(500)])).unwrap();
    }
    let end = Offset(10);
    assert_eq!(rig.log.bytes_between(Offset(0), end), rig.log.size_bytes());
    assert_eq!(rig.log.bytes_between(end, end), 0);
    for from in 0..10 {
        let bytes = rig.log.bytes_between(Offset(from), end);
        assert!(bytes > 0 && bytes <= rig.log.size_bytes());
    }
}

#[test]
fn a_slice_outlives_its_segment() {
    let rig = Rig::small();
    rig.append(&batch(&["kept"])).unwrap();
    let slice = rig.log.read(Offset(0), 1000, Offset(1), true).unwrap().slice.unwrap();
    for _ in 0..10 {
        rig.append(&batch(&["x".repeat(500)])).unwrap();
    }
    rig.log.delete_records(Offset(9)).unwrap();
    assert!(rig.log.apply_retention(NOW).unwrap() > 0);
    rig.log.remove_expired_files(Timestamp(i64::MAX));
    assert_eq!(batches(slice.read().unwrap()).count(), 1);
    assert!(slice.resident().is_none(), "there is no map on a simulated disk");
}

fn at(rig: &Rig, timestamp: i64, up_to: i64) -> Option<(i64, i64)> {
    let found = rig.log.find_offset(OffsetQuery::At(Timestamp(timestamp)), Offset(up_to)).unwrap();
    found.map(|found| (found.offset.0, found.timestamp.0))
}

#[test]
fn special_offsets_have_their_values() {
    let rig = Rig::small();
    let find = |query, up_to| rig.log.find_offset(query, Offset(up_to)).unwrap();
    let special = |offset, epoch| FoundOffset {
        offset: Offset(offset),
        timestamp: Timestamp(-1),
        leader_epoch: LeaderEpoch(epoch),
    };
    assert_eq!(find(OffsetQuery::Earliest, 0), Some(special(0, -1)));
    assert_eq!(find(OffsetQuery::MaxTimestamp, 0), None);
    for n in 0..10 {
        rig.append(&batch_at(NOW.0 - n, &["x".repeat(500)])).unwrap();
    }
    rig.log.delete_records(Offset(2)).unwrap();
    assert_eq!(find(OffsetQuery::Earliest, 10), Some(special(2, 0)));
    assert_eq!(find(OffsetQuery::EarliestLocal, 10), Some(special(2, 0)));
    assert_eq!(find(OffsetQuery::Latest, 7), Some(special(7, 0)));
    assert_eq!(find(OffsetQuery::LatestTiered, 10), None);
    assert_eq!(find(OffsetQuery::EarliestPendingUpload, 10), None);
    let max = find(OffsetQuery::MaxTimestamp, 10).unwrap();
    assert_eq!((max.offset, max.timestamp), (Offset(2), Timestamp(NOW.0 - 2)));
}

#[test]
fn a_time_is_found_inside_batches_of_every_codec() {
    for (codec, number) in [(Codec::None, 0), (Codec::Gzip, 1), (Codec::Snappy, 2), (Codec::Lz4, 3), (Codec::Zstd, 4)] {
        let rig = Rig::new(LogOptions { index_interval_bytes: 50, ..LogOptions::default() });
        for n in 0..30 {
            let plain = batch_at(NOW.0 + n * 10, &["a", "b", "c"]);
            rig.append(&if number == 0 { plain } else { compressed(&plain, codec, number) }).unwrap();
        }
        assert_eq!(at(&rig, 0, 90), Some((0, NOW.0)));
        assert_eq!(at(&rig, NOW.0 + 51, 90), Some((16, NOW.0 + 51)), "{codec:?}");
        assert_eq!(at(&rig, NOW.0 + 55, 90), Some((18, NOW.0 + 60)));
        assert_eq!(at(&rig, NOW.0 + 292, 90), Some((89, NOW.0 + 292)));
        assert_eq!(at(&rig, NOW.0 + 293, 90), None);
        assert_eq!(at(&rig, NOW.0 + 55, 18), None, "at or above the bound is not found");
        let max = rig.log.find_offset(OffsetQuery::MaxTimestamp, Offset(90)).unwrap().unwrap();
        assert_eq!((max.offset, max.timestamp), (Offset(89), Timestamp(NOW.0 + 292)));
        let max = rig.log.find_offset(OffsetQuery::MaxTimestamp, Offset(60)).unwrap().unwrap();
        assert_eq!(max.offset, Offset(59), "{codec:?}");
    }
}

#[test]
fn the_first_of_equal_times_is_found_and_times_may_fall() {
    let rig = Rig::new(LogOptions { index_interval_bytes: 0, ..LogOptions::default() });
    for stamp in [50, 10, 90, 20, 90, 30] {
        rig.append(&batch_at(NOW.0 + stamp, &["x"])).unwrap();
    }
    assert_eq!(at(&rig, NOW.0 + 60, 6), Some((2, NOW.0 + 90)));
    assert_eq!(at(&rig, NOW.0 + 15, 6), Some((0, NOW.0 + 50)));
    let max = rig.log.find_offset(OffsetQuery::MaxTimestamp, Offset(6)).unwrap().unwrap();
    assert_eq!(max.offset, Offset(2));
    rig.log.delete_records(Offset(3)).unwrap();
    assert_eq!(at(&rig, NOW.0 + 15, 6), Some((3, NOW.0 + 20)));
    let max = rig.log.find_offset(OffsetQuery::MaxTimestamp, Offset(6)).unwrap().unwrap();
    assert_eq!(max.offset, Offset(4));
}

#[test]
fn a_batch_of_log_append_time_is_found_at_its_first_record() {
    let rig = Rig::new(LogOptions { timestamp_type: TimestampType::LogAppendTime, ..LogOptions::default() });
    rig.append(&batch_at(1, &["a", "b"])).unwrap();
    rig.clock.advance(std::time::Duration::from_millis(10));
    rig.append(&batch_at(1, &["c", "d"])).unwrap();
    assert_eq!(at(&rig, NOW.0 + 1, 4), Some((2, NOW.0 + 10)));
}

#[test]
fn a_batch_that_does_not_decompress_answers_with_its_first_offset() {
    let rig = Rig::small();
    let garbage = compressed(&batch_at(NOW.0, &["a", "b"]), Codec::None, 4);
    assert_eq!(BatchHeader::read(&garbage).unwrap().codec(), Ok(Codec::Zstd));
    rig.append(&garbage).unwrap();
    assert_eq!(at(&rig, NOW.0, 2), Some((0, NOW.0 + 1)));
}

#[test]
fn bytes_between_is_exact_among_the_last_batches() {
    let rig = Rig::new(LogOptions::default());
    let size = batch(&["x"]).len() as u64;
    for _ in 0..100 {
        rig.append(&batch(&["x"])).unwrap();
    }
    assert_eq!(rig.log.bytes_between(Offset(99), Offset(100)), size);
    assert_eq!(rig.log.bytes_between(Offset(90), Offset(95)), 5 * size);
    assert_eq!(rig.log.bytes_between(Offset(40), Offset(100)), 60 * size);
}
