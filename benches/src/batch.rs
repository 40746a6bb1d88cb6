//! A record batch, built once and sent many times: the client must not be what is measured.

use bytes::{BufMut, Bytes, BytesMut};

/// Bytes of the header of a record batch of magic 2.
const HEADER_BYTES: usize = 61;

/// An uncompressed batch of about `batch_bytes`, of records with `record_bytes` of value and no key.
pub(crate) fn build(record_bytes: usize, batch_bytes: usize) -> Bytes {
    let count = (batch_bytes.saturating_sub(HEADER_BYTES) / (record_bytes + 8)).max(1);
    let mut records = BytesMut::with_capacity(batch_bytes + record_bytes);
    for index in 0..count {
        put_record(&mut records, index, record_bytes);
    }
    assemble(&records, count)
}

fn assemble(records: &[u8], count: usize) -> Bytes {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let timestamp = i64::try_from(now).unwrap_or(0);
    let count = i32::try_from(count).unwrap_or(i32::MAX);

    let mut covered = BytesMut::new();
    covered.put_i16(0); // attributes: no codec, create time
    covered.put_i32(count - 1);
    covered.put_i64(timestamp);
    covered.put_i64(timestamp);
    covered.put_i64(-1); // producer id
    covered.put_i16(-1);
    covered.put_i32(-1);
    covered.put_i32(count);
    covered.extend_from_slice(records);

    let mut batch = BytesMut::with_capacity(HEADER_BYTES + records.len());
    batch.put_i64(0); // base offset
    batch.put_i32(i32::try_from(covered.len() + 9).unwrap_or(i32::MAX));
    batch.put_i32(-1); // leader epoch
    batch.put_i8(2);
    batch.put_u32(crc32c::crc32c(&covered));
    batch.extend_from_slice(&covered);
    batch.freeze()
}

fn put_record(into: &mut BytesMut, offset_delta: usize, value_bytes: usize) {
    let mut body = BytesMut::with_capacity(value_bytes + 16);
    body.put_i8(0);
    put_varint(&mut body, 0);
    put_varint(&mut body, i64::try_from(offset_delta).unwrap_or(0));
    put_varint(&mut body, -1); // null key
    put_varint(&mut body, i64::try_from(value_bytes).unwrap_or(0));
    // Not constant, so that no layer gains from compressing it.
    body.extend((0..value_bytes).map(|at| u8::try_from((at * 31 + offset_delta * 17) % 251).unwrap_or(0)));
    put_varint(&mut body, 0);
    put_varint(into, i64::try_from(body.len()).unwrap_or(0));
    into.extend_from_slice(&body);
}

fn put_varint(into: &mut BytesMut, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        into.put_u8(u8::try_from(rest & 0x7f).unwrap_or(0) | 0x80);
        rest >>= 7;
    }
    into.put_u8(u8::try_from(rest).unwrap_or(0));
}
