//! Record batches: header, walk over the batches of a read, and their records, decompressed within a bound.

use barnabas_storage::batch::{batches, check_whole};
use bytes::Bytes;

/// One input.
pub(crate) fn run(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    let _ = check_whole(&bytes);
    for batch in batches(bytes.clone()).flatten() {
        let header = batch.header;
        if let Ok(records) = batch.records() {
            let whole = records.take_while(Result::is_ok).count();
            assert!(whole <= usize::try_from(header.record_count()).unwrap_or(0));
        }
    }
}
