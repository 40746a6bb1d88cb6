//! Which records of a refused batch are at fault, by the batch's own count: a client fails those for what they are, and
//! the others for the company they were in (KIP-467). Looked for only once the batch is refused.

use std::borrow::Cow;

use super::{is_outside, wants_keys};
use crate::batch::{BatchError, BatchHeader};
use crate::compression::{Codec, DECOMPRESSED_BYTES_MAX, decompress};
use crate::error::{AppendError, RefusedRecord};
use crate::ids::Timestamp;
use crate::options::LogOptions;
use crate::record::take_record;

/// Records named of one batch, at most.
const NAMED_MAX: usize = 256;
/// One record is named for so many bytes of the batch: a small frame gets no large answer.
const BYTES_PER_NAME: usize = 64;

fn plain(codec: Codec, records: &[u8]) -> Result<Cow<'_, [u8]>, BatchError> {
    match codec {
        Codec::None => Ok(Cow::Borrowed(records)),
        _ => decompress(codec, records, DECOMPRESSED_BYTES_MAX).map(Cow::Owned),
    }
}

/// The error with the records that caused it. As with Apache Kafka a bad timestamp outweighs a missing key.
pub(super) fn named(
    error: AppendError,
    header: &BatchHeader,
    codec: Codec,
    records: &[u8],
    options: &LogOptions,
    now: Timestamp,
) -> AppendError {
    let mut outside = match error {
        AppendError::MissingKey { .. } => None,
        AppendError::InvalidTimestamp { timestamp, .. } => Some(timestamp),
        other => return other,
    };
    let most = NAMED_MAX.min(1 + records.len() / BYTES_PER_NAME);
    let Ok(plain) = plain(codec, records) else {
        return AppendError::Corrupt("the records do not decompress");
    };
    let mut records = &*plain;
    let mut named = Vec::new();
    for index in 0..header.record_count() {
        let Ok(record) = take_record(&mut records) else { break };
        let timestamp = Timestamp(header.base_timestamp().0.wrapping_add(record.timestamp_delta));
        let reason = if wants_keys(header, options) && record.key.is_none() {
            "a compacted topic accepts no record without a key"
        } else if is_outside(timestamp, options, now) {
            outside = outside.or(Some(timestamp.0));
            "its timestamp is outside the window the topic accepts"
        } else {
            continue;
        };
        if named.len() < most {
            named.push(RefusedRecord { index, reason });
        }
    }
    match outside {
        Some(timestamp) => AppendError::InvalidTimestamp { timestamp, records: named },
        None => AppendError::MissingKey { records: named },
    }
}
