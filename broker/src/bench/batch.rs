//! A record batch, built once and sent many times: the client must not be what is measured.

use barnabas_storage::Timestamp;
use barnabas_storage::batch::{BatchBuilder, HEADER_LEN};
use bytes::Bytes;

/// Bytes of a record beside its value, at most as a rule.
const RECORD_OVERHEAD_BYTES: usize = 10;

/// A batch as it goes over the wire, and how many records are in it.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The batch, from its base offset to its last record.
    pub bytes: Bytes,
    /// Its records.
    pub records: u64,
}

/// An uncompressed batch of about `batch_bytes`, of records with `record_bytes` of value and no key. It has one record
/// at least.
#[must_use]
pub fn build(record_bytes: usize, batch_bytes: usize) -> Batch {
    of(record_bytes, batch_bytes.saturating_sub(HEADER_LEN) / (record_bytes + RECORD_OVERHEAD_BYTES))
}

/// An uncompressed batch of `count` records, of one at least.
#[must_use]
pub fn of(record_bytes: usize, count: usize) -> Batch {
    let count = count.max(1);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let timestamp = Timestamp(i64::try_from(now).unwrap_or(0));
    let built = (0..count).fold(BatchBuilder::new(), |batch, at| {
        // Not constant, so that no layer gains from compressing it.
        let value: Vec<u8> = (0..record_bytes).map(|byte| (byte * 31 + at * 17).to_le_bytes()[0]).collect();
        batch.record(timestamp, None, Some(&value))
    });
    Batch { bytes: built.build(), records: count as u64 }
}

#[cfg(test)]
mod tests {
    use barnabas_storage::batch::check_whole;

    use super::*;

    #[test]
    fn a_batch_is_whole_and_has_about_the_size_that_was_asked_for() {
        for (record, wanted) in [(100, 16_384), (1024, 16_384), (1024, 524_288)] {
            let built = build(record, wanted);
            let header = check_whole(&built.bytes).unwrap();
            assert_eq!(u64::try_from(header.record_count()).unwrap(), built.records);
            let size = built.bytes.len();
            assert!(size <= wanted && size > wanted - wanted / 10, "{size} of {wanted}");
        }
    }

    #[test]
    fn a_batch_smaller_than_a_record_has_one() {
        assert_eq!(build(1000, 10).records, 1);
    }
}
