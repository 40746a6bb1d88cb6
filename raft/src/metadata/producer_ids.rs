//! Blocks of producer ids: what has been handed out is never handed out again.

use std::ops::Range;

use super::brokers::BrokerId;
use super::codec::{DecodeError, Reader, Writer};
use super::image::MetadataImage;
use super::record::Body;

/// How many ids one block has, as in Kafka.
pub const BLOCK: i64 = 1000;

/// A block was given to a broker: everything below `next` is spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerIdsRecord {
    /// Who got the block.
    pub broker: BrokerId,
    /// The first id that nobody has.
    pub next: i64,
}

impl ProducerIdsRecord {
    /// The block after the last one of `image`; `None` when the ids are used up.
    #[must_use]
    pub fn next_block(image: &MetadataImage, broker: BrokerId) -> Option<(Range<i64>, Self)> {
        let first = image.next_producer_id();
        let next = first.checked_add(BLOCK)?;
        Some((first..next, Self { broker, next }))
    }

    pub(super) fn apply(&self, image: &mut MetadataImage) {
        image.next_producer_id = image.next_producer_id.max(self.next);
    }
}

impl Body for ProducerIdsRecord {
    fn encode(&self, out: &mut Writer) {
        out.signed(i64::from(self.broker.0));
        out.signed(self.next);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { broker: BrokerId(from.int32()?), next: from.signed()? })
    }
}
