use proptest::prelude::*;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn a_batch_has_these_bytes() {
    let batch = BatchBuilder::new()
        .producer(ProducerId(7), ProducerEpoch(2), 11)
        .at(Offset(4), LeaderEpoch(3))
        .record(Timestamp(1000), Some(b"k"), Some(b"v"))
        .record(Timestamp(1003), None, None)
        .build();
    // Derived by hand from the format; the checksum is of the bytes after it.
    let mut golden =
        hex("0000000000000004 00000041 00000003 02 00000000 0000 00000001 00000000000003e8 00000000000003eb
        0000000000000007 0002 0000000b 00000002
        10 00 00 00 02 6b 02 76 00   0c 00 06 02 01 01 00");
    let crc = crc32c::crc32c(&golden[CRC_START..]);
    golden[17..21].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(&batch[..], &golden[..]);
    let header = check_whole(&batch).unwrap();
    assert_eq!((header.last_offset(), header.record_count(), header.last_sequence()), (Offset(5), 2, 12));
}

#[test]
fn the_last_sequence_wraps_to_zero() {
    let batch = BatchBuilder::new()
        .producer(ProducerId(1), ProducerEpoch(0), i32::MAX)
        .record(Timestamp(0), None, None)
        .record(Timestamp(0), None, None)
        .build();
    assert_eq!(BatchHeader::read(&batch).unwrap().last_sequence(), 0);
}

#[test]
fn patching_offset_and_epoch_keeps_the_checksum() {
    let batch = BatchBuilder::new().record(Timestamp(1), None, Some(b"x")).build();
    let mut header = BatchHeader::read(&batch).unwrap();
    header.set_base_offset(Offset(99));
    header.set_leader_epoch(LeaderEpoch(9));
    assert_eq!(header.checksum(&batch[HEADER_LEN..]), header.crc());
    header.set_log_append_time(true);
    header.set_max_timestamp(Timestamp(5));
    assert_ne!(header.checksum(&batch[HEADER_LEN..]), header.crc());
    header.seal(&batch[HEADER_LEN..]);
    assert_eq!(header.checksum(&batch[HEADER_LEN..]), header.crc());
    assert!(header.is_log_append_time());
}

#[test]
fn a_walk_ends_at_the_first_damaged_batch() {
    let one = BatchBuilder::new().record(Timestamp(1), None, Some(b"one")).build();
    let mut bytes = one.to_vec();
    bytes.extend_from_slice(&one);
    bytes[one.len() + 70] ^= 1;
    bytes.extend_from_slice(&one);
    let walked: Vec<_> = batches(Bytes::from(bytes)).collect();
    assert_eq!(walked.len(), 2);
    assert!(walked[0].is_ok());
    assert_eq!(walked[1].as_ref().unwrap_err(), &BatchError::Checksum);
}

proptest! {
    #[test]
    fn records_come_back_as_they_went_in(
        records in prop::collection::vec(
            (0i64..1 << 40, prop::option::of(prop::collection::vec(any::<u8>(), 0..80)),
             prop::option::of(prop::collection::vec(any::<u8>(), 0..200))), 1..20),
    ) {
        let mut builder = BatchBuilder::new();
        for (timestamp, key, value) in &records {
            let headers = [("h", Some(&b"1"[..])), ("", None)];
            builder.push(&RecordFields {
                timestamp: *timestamp, key: key.as_deref(), value: value.as_deref(), headers: &headers,
            });
        }
        let size = builder.size();
        let bytes = builder.build();
        prop_assert_eq!(bytes.len(), size);
        let batch = batches(bytes).next().unwrap().unwrap();
        let read: Vec<_> = batch.records().unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(read.len(), records.len());
        for (index, (record, (timestamp, key, value))) in read.iter().zip(&records).enumerate() {
            prop_assert_eq!(record.offset, Offset(i64::try_from(index).unwrap()));
            prop_assert_eq!(record.timestamp, Timestamp(*timestamp));
            prop_assert_eq!(record.key.as_deref(), key.as_deref());
            prop_assert_eq!(record.value.as_deref(), value.as_deref());
        }
    }

    #[test]
    fn any_bytes_are_walked_without_a_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300), magic: bool) {
        if magic && bytes.len() > 20 {
            bytes[16] = 2;
            bytes[8..12].copy_from_slice(&[0, 0, 0, 60]);
        }
        for batch in batches(Bytes::from(bytes)).flatten() {
            if let Ok(records) = batch.records() {
                records.count();
            }
        }
    }
}
