use super::*;
use crate::batch::BatchBuilder;
use crate::compression::tests::compressed;
use crate::ids::{LeaderEpoch, ProducerEpoch, ProducerId};
use crate::options::CleanupPolicy;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const CLIENT: AppendOrigin = AppendOrigin::Client { zstd_allowed: true };

fn one(timestamp: i64) -> BatchBuilder {
    BatchBuilder::new().record(Timestamp(timestamp), Some(b"k"), Some(b"v"))
}

fn check(batch: &Bytes) -> Result<BatchHeader, AppendError> {
    validate(batch, CLIENT, &LogOptions::default(), NOW)
}

/// The batch with bytes changed at `at` and the checksum made right again.
fn with(batch: &Bytes, at: usize, bytes: &[u8]) -> Bytes {
    let mut changed = batch.to_vec();
    changed[at..at + bytes.len()].copy_from_slice(bytes);
    let mut header = BatchHeader::read(&changed).unwrap();
    header.seal(&changed[HEADER_LEN..]);
    changed[..HEADER_LEN].copy_from_slice(header.as_bytes());
    Bytes::from(changed)
}

#[test]
fn a_good_batch_keeps_its_header() {
    let batch = one(NOW.0).build();
    assert_eq!(check(&batch).unwrap().as_bytes()[..], batch[..HEADER_LEN]);
}

#[test]
fn framing_is_told_from_damage() {
    let batch = one(NOW.0).build();
    assert!(matches!(check(&Bytes::new()), Err(AppendError::Framing(_))));
    let two = Bytes::from([&batch[..], &batch[..]].concat());
    assert!(matches!(check(&two), Err(AppendError::Framing(_))));
    for cut in [1, 16, 17, 60, batch.len() - 1] {
        assert!(matches!(check(&batch.slice(..cut)), Err(AppendError::Corrupt(_))), "{cut}");
    }
    assert!(matches!(check(&with(&batch, 8, &48i32.to_be_bytes())), Err(AppendError::Corrupt(_))));
    assert!(matches!(check(&with(&batch, 8, &(-1i32).to_be_bytes())), Err(AppendError::Corrupt(_))));
    assert!(matches!(check(&with(&batch, 16, &[1])), Err(AppendError::InvalidRecord(_))));
    assert!(matches!(check(&with(&batch, 16, &[3])), Err(AppendError::Corrupt(_))));
}

#[test]
fn every_flipped_bit_under_the_checksum_is_noticed() {
    let batch = one(NOW.0).build();
    for at in crate::batch::CRC_START..batch.len() {
        let mut bytes = batch.to_vec();
        bytes[at] ^= 1;
        assert!(check(&Bytes::from(bytes)).is_err(), "byte {at}");
    }
}

#[test]
fn fields_that_only_brokers_set_are_refused_from_clients() {
    let refused = |batch: &Bytes| assert!(matches!(check(batch), Err(AppendError::InvalidRecord(_))), "{batch:?}");
    refused(&one(NOW.0).at(Offset(1), LeaderEpoch(0)).build());
    refused(&one(NOW.0).control().build());
    refused(&with(&one(NOW.0).build(), 21, &(1i16 << 6).to_be_bytes()));
    refused(&with(&one(NOW.0).build(), 21, &5i16.to_be_bytes()));
    refused(&one(NOW.0).transactional().build());
    refused(&one(NOW.0).producer(ProducerId(1), ProducerEpoch(0), -1).build());
    refused(&with(&one(NOW.0).build(), 57, &0i32.to_be_bytes()));
    refused(&with(&one(NOW.0).build(), 57, &2i32.to_be_bytes()));
    let marker = one(NOW.0).producer(ProducerId(1), ProducerEpoch(0), -1).transactional().control().build();
    assert!(validate(&marker, AppendOrigin::Coordinator, &LogOptions::default(), NOW).is_ok());
}

#[test]
fn the_leader_epoch_of_a_client_does_not_matter() {
    assert!(check(&one(NOW.0).at(Offset(0), LeaderEpoch(77)).build()).is_ok());
}

#[test]
fn records_that_do_not_fill_their_batch_are_refused() {
    let batch = one(NOW.0).build();
    let mut longer = batch.to_vec();
    longer.push(0);
    let length = i32::try_from(longer.len() - 12).unwrap();
    let longer = with(&Bytes::from(longer), 8, &length.to_be_bytes());
    assert!(matches!(check(&longer), Err(AppendError::InvalidRecord(_))));
    // The record's own length, one too short.
    let record_length = batch[HEADER_LEN];
    assert!(matches!(check(&with(&batch, HEADER_LEN, &[record_length - 2])), Err(AppendError::InvalidRecord(_))));
    // An offset delta that is not the record's place.
    assert!(matches!(check(&with(&batch, HEADER_LEN + 3, &[2])), Err(AppendError::InvalidRecord(_))));
}

#[test]
fn sizes_have_their_limits() {
    let batch = BatchBuilder::new().record(NOW, None, Some(&[0; 1000])).build();
    let options = LogOptions { max_message_bytes: 1000, ..LogOptions::default() };
    assert!(matches!(validate(&batch, CLIENT, &options, NOW), Err(AppendError::TooLarge { limit: 1000, .. })));
    assert!(validate(&batch, AppendOrigin::Coordinator, &options, NOW).is_ok());
    let options = LogOptions { segment_bytes: 1000, ..LogOptions::default() };
    let refused = validate(&batch, AppendOrigin::Coordinator, &options, NOW);
    assert!(matches!(refused, Err(AppendError::LargerThanSegment { .. })));
}

#[test]
fn zstd_needs_a_newer_request() {
    let batch = compressed(&one(NOW.0).build(), Codec::Zstd, 4);
    assert!(check(&batch).is_ok());
    let old = AppendOrigin::Client { zstd_allowed: false };
    let refused = validate(&batch, old, &LogOptions::default(), NOW);
    assert!(matches!(refused, Err(AppendError::UnsupportedCompression(4))));
}

#[test]
fn timestamps_outside_the_window_are_refused_and_unset_ones_are_not() {
    let options = LogOptions { timestamp_before_max_ms: 1000, ..LogOptions::default() };
    let late = NOW.0 + options.timestamp_after_max_ms + 1;
    for bad in [NOW.0 - 1001, late, i64::MIN, i64::MAX] {
        let refused = validate(&one(bad).build(), CLIENT, &options, NOW);
        assert!(matches!(refused, Err(AppendError::InvalidTimestamp { timestamp, .. }) if timestamp == bad), "{bad}");
    }
    let mixed = one(-1).record(NOW, Some(b"k"), None).build();
    assert_eq!(validate(&mixed, CLIENT, &options, NOW).unwrap().max_timestamp(), NOW);
    assert_eq!(validate(&one(-1).build(), CLIENT, &options, NOW).unwrap().max_timestamp(), Timestamp::NONE);
    let packed = compressed(&one(late).build(), Codec::Lz4, 3);
    assert!(matches!(validate(&packed, CLIENT, &options, NOW), Err(AppendError::InvalidTimestamp { .. })));
}

#[test]
fn a_missing_or_wrong_max_timestamp_is_computed_and_sealed() {
    let batch = one(NOW.0).record(Timestamp(NOW.0 + 5), None, None).build();
    for claimed in [-1i64, NOW.0 + 999] {
        let header = check(&with(&batch, 35, &claimed.to_be_bytes())).unwrap();
        assert_eq!(header.max_timestamp(), Timestamp(NOW.0 + 5));
        assert_eq!(header.checksum(&batch[HEADER_LEN..]), header.crc());
    }
    let packed = with(&compressed(&batch, Codec::Gzip, 1), 35, &(-1i64).to_be_bytes());
    let header = check(&packed).unwrap();
    assert_eq!(header.max_timestamp(), Timestamp(NOW.0 + 5));
    assert_eq!(header.checksum(&packed[HEADER_LEN..]), header.crc());
}

#[test]
fn log_append_time_is_the_brokers_and_sealed() {
    let options = LogOptions { timestamp_type: TimestampType::LogAppendTime, ..LogOptions::default() };
    for batch in [one(5).build(), compressed(&one(5).build(), Codec::Snappy, 2)] {
        let header = validate(&batch, CLIENT, &options, NOW).unwrap();
        assert!(header.is_log_append_time());
        assert_eq!(header.max_timestamp(), NOW);
        assert_eq!(header.checksum(&batch[HEADER_LEN..]), header.crc());
    }
    // And a producer cannot claim it on a topic of the other kind.
    let claimed = with(&one(NOW.0).build(), 21, &8i16.to_be_bytes());
    assert!(!check(&claimed).unwrap().is_log_append_time());
}

#[test]
fn a_compacted_topic_wants_keys_also_inside_compressed_batches() {
    let cleanup_policy = CleanupPolicy { delete: false, compact: true };
    let options = LogOptions { cleanup_policy, ..LogOptions::default() };
    let keyless = BatchBuilder::new().record(NOW, None, Some(b"v")).build();
    for batch in [keyless.clone(), compressed(&keyless, Codec::Zstd, 4)] {
        assert!(matches!(validate(&batch, CLIENT, &options, NOW), Err(AppendError::MissingKey { .. })));
    }
    assert!(validate(&compressed(&one(NOW.0).build(), Codec::Zstd, 4), CLIENT, &options, NOW).is_ok());
    let garbage = compressed(&keyless, Codec::None, 4);
    assert!(matches!(validate(&garbage, CLIENT, &options, NOW), Err(AppendError::Corrupt(_))));
}

#[test]
fn the_records_a_batch_is_refused_for_are_named_and_no_other() {
    let cleanup_policy = CleanupPolicy { delete: false, compact: true };
    let options = LogOptions { cleanup_policy, timestamp_before_max_ms: 1000, ..LogOptions::default() };
    let refused = |batch: &Bytes| {
        let error = validate(batch, CLIENT, &options, NOW).unwrap_err();
        (error.refused_records().iter().map(|record| record.index).collect::<Vec<_>>(), error)
    };
    let keyless = one(NOW.0).record(NOW, None, Some(b"v")).record(NOW, Some(b"k"), None).record(NOW, None, None);
    let padded = |batch: BatchBuilder| batch.record(NOW, Some(&[b'k'; 200]), None).build();
    let batch = padded(keyless);
    for batch in [batch.clone(), compressed(&batch, Codec::None, 0)] {
        let (records, error) = refused(&batch);
        assert!(matches!(error, AppendError::MissingKey { .. }), "{error}");
        assert_eq!(records, [1, 3]);
    }
    // A bad timestamp outweighs a missing key, and both records are named.
    let mixed = padded(one(NOW.0).record(NOW, None, None).record(Timestamp(5), Some(b"k"), None));
    let (records, error) = refused(&mixed);
    assert!(matches!(error, AppendError::InvalidTimestamp { timestamp: 5, .. }), "{error}");
    assert_eq!(records, [1, 2]);
    // Compressed timestamps are believed by the header, and looked at once that is refused.
    let (records, _) = refused(&compressed(&padded(one(5)), Codec::Lz4, 3));
    assert_eq!(records, [0]);
}

#[test]
fn few_records_are_named_of_a_small_batch_and_256_of_a_large_one() {
    let cleanup_policy = CleanupPolicy { delete: false, compact: true };
    let options = LogOptions { cleanup_policy, ..LogOptions::default() };
    let named = |count: usize, value: &[u8]| {
        let batch = (0..count).fold(BatchBuilder::new(), |batch, _| batch.record(NOW, None, Some(value)));
        validate(&batch.build(), CLIENT, &options, NOW).unwrap_err().refused_records().len()
    };
    assert_eq!(named(60, b""), 1 + 60 * 7 / 64);
    assert_eq!(named(1000, &[0; 100]), 256);
}
