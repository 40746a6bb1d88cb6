//! A block of producer ids is reserved.

use std::ops::Range;

use crate::error::ProposeError;
use crate::metadata::producer_ids::ProducerIdsRecord;
use crate::metadata::{BrokerId, MetadataImage, Record};

/// The next block. The image only ever moves forward, so that no block is reserved twice.
pub(super) fn decide(image: &MetadataImage, broker: BrokerId) -> Result<(Vec<Record>, Range<i64>), ProposeError> {
    let (block, record) = ProducerIdsRecord::next_block(image, broker)
        .ok_or_else(|| ProposeError::Fatal("the 2^63 producer ids are used up".to_owned()))?;
    Ok((vec![record.into()], block))
}
