//! The log against a list of records, under random operations.

use bytes::Bytes;
use proptest::prelude::*;

use super::fake_journal::*;
use crate::compression::Codec;
use crate::compression::tests::compressed;
use crate::ids::{LeaderEpoch, Offset, Timestamp};
use crate::log::OffsetQuery;
use crate::options::{DurabilityMode, LogOptions};

#[derive(Clone, Debug)]
enum Op {
    Append { records: usize, size: usize, codec: i16 },
    Idempotent { producer: i64, records: usize, retry: bool },
    Large,
    NewLeader,
    Read { from: usize, max: usize },
    FindTime(i64),
    Checkpoint,
    DeleteRecords(usize),
    Retain(i64),
    Truncate(usize),
    CloseAndReopen,
    Kill,
    Crash(u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (1usize..4, 0usize..300, 0i16..5).prop_map(|(records, size, codec)| Op::Append { records, size, codec }),
        4 => (1i64..3, 1usize..4, any::<bool>()).prop_map(|(producer, records, retry)| {
            Op::Idempotent { producer, records, retry }
        }),
        1 => Just(Op::Large),
        1 => Just(Op::NewLeader),
        4 => (any::<usize>(), 0usize..2000).prop_map(|(from, max)| Op::Read { from, max }),
        2 => (0i64..400).prop_map(Op::FindTime),
        2 => Just(Op::Checkpoint),
        1 => any::<usize>().prop_map(Op::DeleteRecords),
        1 => (0i64..400).prop_map(Op::Retain),
        1 => any::<usize>().prop_map(Op::Truncate),
        1 => Just(Op::CloseAndReopen),
        1 => Just(Op::Kill),
        1 => any::<u64>().prop_map(Op::Crash),
    ]
}

/// What the log should hold.
#[derive(Default)]
struct Model {
    start: i64,
    /// Timestamp and value of every record ever appended, by offset.
    records: Vec<(i64, Bytes)>,
    /// Base offsets of the batches.
    bases: Vec<i64>,
    /// The batches of each producer, by base offset: sequence and length.
    sent: Vec<(i64, i32, usize, i64)>,
    /// The leader epochs and where they began.
    epochs: Vec<(i32, i64)>,
    next_value: u64,
}

impl Model {
    fn end(&self) -> i64 {
        i64::try_from(self.records.len()).unwrap()
    }

    fn values(&mut self, count: usize, size: usize) -> Vec<String> {
        (0..count)
            .map(|_| {
                self.next_value += 1;
                format!("{}{}", self.next_value, "x".repeat(size))
            })
            .collect()
    }

    fn appended(&mut self, timestamp: i64, values: &[String]) {
        self.bases.push(self.end());
        for (value, timestamp) in values.iter().zip(timestamp..) {
            self.records.push((timestamp, Bytes::from(value.clone())));
        }
    }

    fn truncate(&mut self, to: i64) {
        let end = self.bases.iter().copied().find(|_| true).map_or(0, |_| {
            let covering = self.bases.partition_point(|base| *base <= to);
            let is_inside = to < self.end();
            if is_inside { self.bases[covering.saturating_sub(1)] } else { to }
        });
        self.records.truncate(usize::try_from(end).unwrap());
        self.bases.retain(|base| *base < end);
        self.sent.retain(|(.., base)| *base < end);
        self.epochs.retain(|(_, base)| *base < end);
        self.start = self.start.min(end);
    }
}

fn stamp(model: &Model) -> i64 {
    // Times rise and fall.
    NOW.0 + model.end() * 3 % 200 + model.end()
}

fn sequence(model: &Model, producer: i64) -> i32 {
    let last = model.sent.iter().rev().find(|(id, ..)| *id == producer);
    last.map_or(0, |(_, sequence, count, _)| sequence + i32::try_from(*count).unwrap())
}

fn run(rig: &mut Rig, model: &mut Model, op: Op) {
    match op {
        Op::Append { records, size, codec } => {
            let values = model.values(records, size);
            let stamp = stamp(model);
            let plain = batch_at(stamp, &values);
            let codecs = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
            let sent = compressed(&plain, codecs[usize::try_from(codec).unwrap()], codec);
            assert_eq!(rig.append(&sent).unwrap().base_offset.0, model.end());
            model.appended(stamp, &values);
        }
        Op::Idempotent { producer, records, retry } => idempotent_op(rig, model, producer, records, retry),
        Op::Large => {
            let values = model.values(1, BATCH_BYTES_MAX);
            rig.append(&batch_at(NOW.0, &values)).unwrap();
            model.appended(NOW.0, &values);
        }
        Op::NewLeader => {
            let values = model.values(1, 10);
            let epoch = LeaderEpoch(rig.log.latest_epoch().map_or(0, |epoch| epoch.0 + 1));
            rig.log.append_as_leader(&batch_at(NOW.0, &values), epoch, CLIENT).unwrap();
            model.epochs.push((epoch.0, model.end()));
            model.appended(NOW.0, &values);
        }
        Op::Read { from, max } => read_op(rig, model, from, max),
        Op::FindTime(after) => find_op(rig, model, NOW.0 + after),
        Op::Checkpoint => rig.journal.checkpoint_now_of(&rig.log),
        Op::DeleteRecords(to) => {
            let to = model.start + pick(to, model.end() - model.start);
            rig.log.delete_records(Offset(to)).unwrap();
            model.start = to;
        }
        Op::Retain(age) => {
            rig.log.apply_retention(Timestamp(NOW.0 + age)).unwrap();
            let start = rig.log.log_start_offset().0;
            assert!(start >= model.start && start <= model.end());
            let kept = &model.records[usize::try_from(model.start).unwrap()..usize::try_from(start).unwrap()];
            // With this retention.ms a segment goes only when every record in it is older.
            assert!(kept.iter().all(|(stamp, _)| NOW.0 + age - stamp > 100), "retention took a young record");
            model.start = start;
        }
        Op::Truncate(to) => {
            let to = model.start + pick(to, model.end() - model.start);
            rig.log.truncate_to(Offset(to)).unwrap();
            model.truncate(to);
            rig.log.set_high_watermark(rig.log.synced_offset());
        }
        Op::CloseAndReopen => drop(rig.close_and_reopen()),
        Op::Kill => drop(rig.reopen_on(rig.disk.kill(), false)),
        // Everything acknowledged was synced, by the journal or by a sync of the file.
        Op::Crash(seed) => assert!(!rig.reopen_on(rig.disk.crash(seed), false).damaged),
    }
    if model.start == model.end() {
        // An epoch without a record may be forgotten, as Apache Kafka does it at a start.
        model.epochs.clear();
        model.epochs.extend(rig.log.latest_epoch().map(|epoch| (epoch.0, model.end())));
    }
    rig.log.set_high_watermark(rig.log.synced_offset());
}

fn pick(raw: usize, bound: i64) -> i64 {
    i64::try_from(raw % (usize::try_from(bound).unwrap() + 1)).unwrap()
}

fn idempotent_op(rig: &Rig, model: &mut Model, producer: i64, records: usize, retry: bool) {
    let last = model.sent.iter().rev().find(|(id, ..)| *id == producer).copied();
    if let Some((_, sequence, count, base)) = last.filter(|_| retry) {
        let values = vec!["retry"; count];
        let again = rig.append(&idempotent(producer, 0, sequence, &values)).unwrap();
        assert!(again.duplicate);
        assert_eq!(again.base_offset.0, base);
        return;
    }
    let values = model.values(records, 5);
    let sequence = sequence(model, producer);
    let texts: Vec<&str> = values.iter().map(String::as_str).collect();
    let appended = rig.append(&idempotent(producer, 0, sequence, &texts)).unwrap();
    assert!(!appended.duplicate);
    model.sent.push((producer, sequence, records, model.end()));
    model.bases.push(model.end());
    for value in values {
        model.records.push((NOW.0, Bytes::from(value)));
    }
}

fn read_op(rig: &Rig, model: &Model, from: usize, max: usize) {
    let from = model.start + pick(from, model.end() - model.start);
    let read = rig.log.read(Offset(from), max, Offset(model.end()), true).unwrap();
    let Some(slice) = read.slice else {
        assert_eq!(from, model.end());
        return;
    };
    let mut next = None;
    let mut batches = 0;
    for batch in crate::batch::batches(slice.read().unwrap()) {
        let batch = batch.unwrap();
        batches += 1;
        for record in batch.records().unwrap() {
            let record = record.unwrap();
            assert!(next.is_none_or(|next| next == record.offset.0));
            next = Some(record.offset.0 + 1);
            let (stamp, value) = &model.records[usize::try_from(record.offset.0).unwrap()];
            assert_eq!((record.timestamp.0, record.value.as_ref()), (*stamp, Some(value)));
        }
    }
    assert!(slice.len() <= max || batches == 1);
    assert_eq!(next, Some(read.next_offset.0));
    assert!(read.next_offset.0 > from);
}

fn find_op(rig: &Rig, model: &Model, time: i64) {
    let found = rig.log.find_offset(OffsetQuery::At(Timestamp(time)), Offset(model.end())).unwrap();
    let alive = || (0i64..).zip(&model.records).filter(|(offset, _)| *offset >= model.start);
    let expected = alive().find(|(_, (stamp, _))| *stamp >= time).map(|(offset, (stamp, _))| (offset, *stamp));
    assert_eq!(found.map(|found| (found.offset.0, found.timestamp.0)), expected);
    let max = rig.log.find_offset(OffsetQuery::MaxTimestamp, Offset(model.end())).unwrap();
    let expected = alive().map(|(_, (stamp, _))| *stamp).max();
    if model.start == 0 || max.is_none() {
        assert_eq!(max.map(|found| found.timestamp.0), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn the_log_holds_what_was_appended(ops in prop::collection::vec(op(), 1..60)) {
        let mut rig = Rig::new(LogOptions {
            segment_bytes: 5000,
            index_interval_bytes: 300,
            retention_ms: Some(100),
            durability: DurabilityMode::Group,
            ..LogOptions::default()
        });
        let mut model = Model::default();
        for op in ops {
            run(&mut rig, &mut model, op);
            prop_assert_eq!(rig.log.log_end_offset().0, model.end());
            prop_assert_eq!(rig.log.log_start_offset().0, model.start);
            prop_assert_eq!(rig.log.synced_offset().0, model.end());
            let latest = model.epochs.last().map_or(0, |(epoch, _)| *epoch);
            prop_assert!(rig.log.latest_epoch().is_none_or(|epoch| epoch.0 == latest));
            for pair in model.epochs.windows(2).filter(|pair| pair[1].1 > model.start) {
                let end = rig.log.end_offset_for_epoch(LeaderEpoch(pair[0].0));
                prop_assert_eq!(end, Some((LeaderEpoch(pair[0].0), Offset(pair[1].1))));
            }
        }
        let start = usize::try_from(model.start).unwrap();
        let expected: Vec<_> = (model.start..).zip(model.records[start..].iter().map(|(_, value)| value.clone())).collect();
        prop_assert_eq!(rig.values(), expected);
    }
}
