use proptest::prelude::*;

use super::*;
use crate::batch::BatchBuilder;
use crate::ids::LeaderEpoch;

fn header(id: i64, epoch: i16, first: i32, count: i32, offset: i64) -> BatchHeader {
    let mut builder =
        BatchBuilder::new().producer(ProducerId(id), ProducerEpoch(epoch), first).at(Offset(offset), LeaderEpoch(0));
    for _ in 0..count {
        builder = builder.record(Timestamp(100 + offset), None, Some(b"v"));
    }
    BatchHeader::read(&builder.build()).unwrap()
}

fn applied(headers: &[BatchHeader]) -> ProducerStates {
    let mut states = ProducerStates::default();
    for header in headers {
        states.apply(header, None, Timestamp(1));
    }
    states
}

#[test]
fn each_of_the_last_five_batches_is_known_and_the_sixth_is_out_of_order() {
    let sent: Vec<_> = (0..6).map(|n| header(7, 0, n * 2, 2, i64::from(n) * 2)).collect();
    let states = applied(&sent);
    for batch in &sent[1..] {
        let seen = states.check(batch).unwrap().unwrap();
        assert_eq!((seen.base_offset(), seen.last_offset), (batch.base_offset(), batch.last_offset()));
    }
    assert!(matches!(states.check(&sent[0]), Err(AppendError::OutOfOrderSequence { expected: 12, got: 0, .. })));
    assert!(states.check(&header(7, 0, 12, 1, 0)).unwrap().is_none());
    // A part of a known batch is no retry.
    assert!(states.check(&header(7, 0, 10, 1, 0)).is_err());
}

#[test]
fn sequences_wrap_to_zero() {
    let states = applied(&[header(1, 0, i32::MAX - 1, 2, 0)]);
    assert!(states.check(&header(1, 0, 0, 1, 0)).unwrap().is_none());
    assert!(states.check(&header(1, 0, 1, 1, 0)).is_err());
    // A batch that wraps within itself.
    let wrapping = header(1, 0, i32::MAX, 3, 0);
    assert_eq!(wrapping.last_sequence(), 1);
    let states = applied(&[wrapping]);
    assert!(states.check(&wrapping).unwrap().is_some());
    assert!(states.check(&header(1, 0, 2, 1, 0)).unwrap().is_none());
}

#[test]
fn a_new_epoch_starts_at_zero_and_fences_the_old_one() {
    let states = applied(&[header(1, 3, 0, 1, 0)]);
    assert!(matches!(states.check(&header(1, 2, 1, 1, 0)), Err(AppendError::ProducerFenced { .. })));
    assert!(matches!(states.check(&header(1, 4, 1, 1, 0)), Err(AppendError::OutOfOrderSequence { expected: 0, .. })));
    assert!(states.check(&header(1, 4, 0, 1, 0)).unwrap().is_none());
    // The same sequences under the new epoch are no retry of the old ones.
    let states = applied(&[header(1, 3, 0, 1, 0), header(1, 4, 0, 1, 1)]);
    assert_eq!(states.check(&header(1, 4, 0, 1, 0)).unwrap().unwrap().last_offset, Offset(1));
}

#[test]
fn an_unknown_producer_may_send_any_sequence() {
    assert!(ProducerStates::default().check(&header(1, 9, 77, 1, 0)).unwrap().is_none());
}

#[test]
fn silent_producers_expire() {
    let mut states = ProducerStates::default();
    states.apply(&header(1, 0, 0, 1, 0), None, Timestamp(1000));
    states.apply(&header(2, 0, 0, 1, 1), None, Timestamp(5000));
    states.expire(Timestamp(6000), 5000);
    assert_eq!(states.len(), 1);
    assert!(states.check(&header(1, 0, 55, 1, 0)).unwrap().is_none());
}

#[test]
fn producers_are_bounded() {
    let mut states = ProducerStates::default();
    let template = header(0, 0, 0, 1, 0);
    for id in 0..=i64::try_from(PRODUCERS_MAX).unwrap() {
        let mut bytes = template.as_bytes().to_vec();
        bytes[43..51].copy_from_slice(&id.to_be_bytes());
        states.apply(&BatchHeader::read(&bytes).unwrap(), None, Timestamp(id));
    }
    assert_eq!(states.len(), PRODUCERS_MAX / 2 + 1);
    assert!(states.check(&header(0, 0, 9, 1, 0)).is_ok(), "the oldest is forgotten");
    assert!(states.check(&header(65_535, 0, 9, 1, 0)).is_err(), "the youngest is known");
}

#[test]
fn a_snapshot_has_kafkas_bytes() {
    let states = applied(&[header(0x1122, 3, 5, 2, 40)]);
    let bytes = snapshot::encode(&states);
    let body = [
        &[0, 0, 0, 1][..],
        &[0, 0, 0, 0, 0, 0, 0x11, 0x22],
        &[0, 3],
        &[0, 0, 0, 6],
        &[0, 0, 0, 0, 0, 0, 0, 41],
        &[0, 0, 0, 1],
        &[0, 0, 0, 0, 0, 0, 0, 140],
        &[0xff; 4],
        &[0xff; 8],
    ]
    .concat();
    assert_eq!(&bytes[..2], &[0, 1]);
    assert_eq!(&bytes[2..6], &crc32c::crc32c(&body).to_be_bytes());
    assert_eq!(&bytes[6..], &body[..]);
    assert_eq!(snapshot::decode(&bytes, Timestamp(1)), Some(states));
}

#[test]
fn a_snapshot_keeps_all_batches_that_a_client_may_still_send_again() {
    let sent: Vec<_> = (0..6).map(|n| header(7, 0, n * 2, 2, i64::from(n) * 2)).collect();
    let states = applied(&sent);
    let read = snapshot::decode(&snapshot::encode(&states), Timestamp(1)).unwrap();
    assert_eq!(read, states);
    for batch in &sent[1..] {
        assert!(read.check(batch).unwrap().is_some(), "the retry of a batch from before the stop");
    }
}

#[test]
fn an_end_marker_closes_the_transaction_and_takes_its_epoch() {
    let mut states = ProducerStates::default();
    let data = BatchBuilder::new().producer(ProducerId(1), ProducerEpoch(0), 0).transactional();
    let data = data.record(Timestamp(1), None, Some(b"v")).build();
    states.apply(&BatchHeader::read(&data).unwrap(), None, Timestamp(1));
    states.expire(Timestamp(i64::MAX), 1);
    assert_eq!(states.len(), 1, "an open transaction does not expire");
    let marker = BatchBuilder::new().producer(ProducerId(1), ProducerEpoch(1), -1).transactional().control();
    let marker = marker.record(Timestamp(2), Some(&[0, 0, 0, 1]), Some(&[0, 0, 0, 0, 0, 9])).build();
    let end = EndMarker::read(&marker[crate::batch::HEADER_LEN..]);
    assert_eq!(end, Some(EndMarker { coordinator_epoch: 9 }));
    states.apply(&BatchHeader::read(&marker).unwrap(), end, Timestamp(2));
    assert!(states.check(&header(1, 0, 1, 1, 0)).is_err(), "the old epoch is fenced");
    states.expire(Timestamp(i64::MAX), 1);
    assert_eq!(states.len(), 0);
}

proptest! {
    #[test]
    fn damaged_snapshots_are_refused(at in 0usize..60, flip in 1u8..) {
        let mut bytes = snapshot::encode(&applied(&[header(1, 0, 0, 1, 0)]));
        if at < bytes.len() {
            bytes[at] ^= flip;
            prop_assert_eq!(snapshot::decode(&bytes, Timestamp(1)), None);
        }
        prop_assert_eq!(snapshot::decode(&bytes[..at.min(bytes.len() - 1)], Timestamp(1)), None);
    }
}
