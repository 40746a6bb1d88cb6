//! Whether a batch may be appended, and the header it gets (the checks of Apache Kafka's LogValidator).
//!
//! Differs from Apache Kafka: compressed records are taken apart only when something depends on them (a compacted topic
//! needs keys, a missing max timestamp has to be found); otherwise checksum and header are trusted. Uncompressed
//! records are always walked. Must not know: producers' state, files.

use bytes::Bytes;

use crate::batch::{BatchHeader, HEADER_LEN, MAGIC};
use crate::compression::{Codec, DECOMPRESSED_BYTES_MAX, decompress};
use crate::error::AppendError;
use crate::ids::{Offset, Timestamp};
use crate::log::AppendOrigin;
use crate::options::{LogOptions, TimestampType};
use crate::record::take_record;

mod refused;

const MAGIC_AT: usize = 16;

/// Checks one batch. The header that comes back is the one to write, but for base offset and leader epoch.
#[inline(never)] // the gate counts its instructions
pub(crate) fn validate(
    batch: &Bytes,
    origin: AppendOrigin,
    options: &LogOptions,
    now: Timestamp,
) -> Result<BatchHeader, AppendError> {
    let header = framing(batch)?;
    let codec = codec(&header, origin)?;
    size(batch.len(), origin, options)?;
    let records = &batch[HEADER_LEN..];
    if header.checksum(records) != header.crc() {
        return Err(AppendError::Corrupt("the checksum does not match"));
    }
    fields(&header, origin)?;
    let stamps = stamps(&header, codec, records, options)
        .and_then(|stamps| timestamps(stamps, options, now))
        .map_err(|error| refused::named(error, &header, codec, records, options, now))?;
    Ok(patched(header, &stamps, records, options, now))
}

fn framing(batch: &Bytes) -> Result<BatchHeader, AppendError> {
    if batch.is_empty() {
        return Err(AppendError::Framing("there is none"));
    }
    let magic = batch.get(MAGIC_AT).map(|magic| i8::from_be_bytes([*magic]));
    match magic {
        None => return Err(AppendError::Corrupt("fewer bytes than a batch's header")),
        Some(MAGIC) => {}
        Some(0 | 1) => {
            let reason =
                "message formats 0 and 1 are not written any more (KIP-724): use a client of Kafka 0.11 or later";
            return Err(AppendError::InvalidRecord(reason.to_owned()));
        }
        Some(_) => return Err(AppendError::Corrupt("the magic byte is unknown")),
    }
    let header = BatchHeader::read(batch).ok_or(AppendError::Corrupt("fewer bytes than a batch's header"))?;
    let size = header.size().ok_or(AppendError::Corrupt("the length field is below the header's size"))?;
    match batch.len() {
        len if len < size => Err(AppendError::Corrupt("the batch is shorter than its length field")),
        len if len > size => Err(AppendError::Framing("there are bytes after the first batch")),
        _ => Ok(header),
    }
}

fn codec(header: &BatchHeader, origin: AppendOrigin) -> Result<Codec, AppendError> {
    match header.codec() {
        Err(unknown) => Err(AppendError::InvalidRecord(format!("compression codec {unknown} does not exist"))),
        Ok(Codec::Zstd) if origin == (AppendOrigin::Client { zstd_allowed: false }) => {
            Err(AppendError::UnsupportedCompression(4))
        }
        Ok(codec) => Ok(codec),
    }
}

fn size(size: usize, origin: AppendOrigin, options: &LogOptions) -> Result<(), AppendError> {
    let max_message = options.max_message_bytes as usize;
    if size > max_message && matches!(origin, AppendOrigin::Client { .. }) {
        return Err(AppendError::TooLarge { size, limit: max_message });
    }
    let segment = options.segment_bytes as usize;
    if size > segment {
        return Err(AppendError::LargerThanSegment { size, limit: segment });
    }
    Ok(())
}

fn fields(header: &BatchHeader, origin: AppendOrigin) -> Result<(), AppendError> {
    let refuse = |reason: &str| Err(AppendError::InvalidRecord(reason.to_owned()));
    let count = header.record_count();
    if count <= 0 || header.last_offset_delta() != count - 1 {
        return refuse("the record count and the last offset delta do not agree");
    }
    if let AppendOrigin::Client { .. } = origin {
        if header.base_offset() != Offset::ZERO {
            return refuse("a producer's batch has base offset 0");
        }
        if header.is_control() {
            return refuse("clients may not write control batches");
        }
        if header.has_delete_horizon() {
            return refuse("clients may not set a delete horizon");
        }
    }
    let idempotent = header.producer_id().0 >= 0;
    if idempotent && !header.is_control() && (header.base_sequence() < 0 || header.producer_epoch().0 < 0) {
        return refuse("an idempotent producer's batch has a sequence number and an epoch");
    }
    if header.is_transactional() && !idempotent {
        return refuse("a transactional batch names its producer");
    }
    Ok(())
}

/// The timestamps of a batch's records.
struct Stamps {
    /// The earliest that is set.
    earliest: Timestamp,
    /// The latest.
    latest: Timestamp,
}

/// Walks the records where that is due, else believes the header.
fn stamps(header: &BatchHeader, codec: Codec, records: &[u8], options: &LogOptions) -> Result<Stamps, AppendError> {
    let keys = wants_keys(header, options);
    if codec == Codec::None {
        return walk(header, records, keys);
    }
    let unset = header.max_timestamp() == Timestamp::NONE && options.timestamp_type == TimestampType::CreateTime;
    if !keys && !unset {
        let (base, max) = (header.base_timestamp(), header.max_timestamp());
        return Ok(Stamps { earliest: base.min(max), latest: max });
    }
    let plain = decompress(codec, records, DECOMPRESSED_BYTES_MAX);
    walk(header, &plain.map_err(|_| AppendError::Corrupt("the records do not decompress"))?, keys)
}

fn walk(header: &BatchHeader, mut records: &[u8], keys: bool) -> Result<Stamps, AppendError> {
    let refuse = |index: i32, reason: &str| AppendError::InvalidRecord(format!("record {index}: {reason}"));
    let base = header.base_timestamp().0;
    let (mut earliest, mut latest) = (i64::MAX, Timestamp::NONE.0);
    for index in 0..header.record_count() {
        let record = take_record(&mut records).map_err(|reason| refuse(index, reason))?;
        if record.offset_delta != index {
            return Err(refuse(index, "its offset delta is not its place in the batch"));
        }
        if keys && record.key.is_none() {
            return Err(AppendError::MissingKey { records: Vec::new() });
        }
        let timestamp = base.wrapping_add(record.timestamp_delta);
        if timestamp != Timestamp::NONE.0 {
            earliest = earliest.min(timestamp);
        }
        latest = latest.max(timestamp);
    }
    if !records.is_empty() {
        return Err(AppendError::InvalidRecord("there are bytes after the last record".to_owned()));
    }
    Ok(Stamps { earliest: Timestamp(earliest.min(latest)), latest: Timestamp(latest) })
}

fn wants_keys(header: &BatchHeader, options: &LogOptions) -> bool {
    options.cleanup_policy.compact && !header.is_control()
}

fn timestamps(stamps: Stamps, options: &LogOptions, now: Timestamp) -> Result<Stamps, AppendError> {
    match [stamps.earliest, stamps.latest].into_iter().find(|stamp| is_outside(*stamp, options, now)) {
        None => Ok(stamps),
        Some(stamp) => Err(AppendError::InvalidTimestamp { timestamp: stamp.0, records: Vec::new() }),
    }
}

/// Whether the topic does not take this timestamp from a client.
fn is_outside(stamp: Timestamp, options: &LogOptions, now: Timestamp) -> bool {
    let before = now.0.saturating_sub(stamp.0) > options.timestamp_before_max_ms;
    let after = stamp.0.saturating_sub(now.0) > options.timestamp_after_max_ms;
    options.timestamp_type == TimestampType::CreateTime && stamp != Timestamp::NONE && (before || after)
}

/// The header with the timestamps that the log keeps, sealed again when that changed what the checksum covers.
fn patched(header: BatchHeader, stamps: &Stamps, records: &[u8], options: &LogOptions, now: Timestamp) -> BatchHeader {
    let mut patched = header;
    let by_broker = options.timestamp_type == TimestampType::LogAppendTime && !header.is_control();
    if header.is_log_append_time() != by_broker {
        patched.set_log_append_time(by_broker);
    }
    let max = if by_broker { now } else { stamps.latest };
    if header.max_timestamp() != max {
        patched.set_max_timestamp(max);
    }
    if patched != header {
        patched.seal(records);
    }
    patched
}

#[cfg(test)]
mod tests;
