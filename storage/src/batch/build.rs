//! Building an uncompressed batch.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{BatchHeader, CONTROL_BIT, HEADER_LEN, LENGTH_PREFIX, MAGIC, TRANSACTIONAL_BIT};
use crate::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Timestamp};
use crate::varint::{put_varint, put_varlong, varint_len, varlong_len};

/// One record to be put into a batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecordFields<'a> {
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers, in order.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
}

/// Builds one uncompressed batch. Offsets start at 0, as a producer sends them: the log assigns the real ones.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    records: BytesMut,
    count: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    attributes: i16,
    producer: (ProducerId, ProducerEpoch, i32),
    base_offset: Offset,
    leader_epoch: LeaderEpoch,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self {
            records: BytesMut::new(),
            count: 0,
            base_timestamp: -1,
            max_timestamp: -1,
            attributes: 0,
            producer: (ProducerId::NONE, ProducerEpoch(-1), -1),
            base_offset: Offset::ZERO,
            leader_epoch: LeaderEpoch::NONE,
        }
    }

    /// Names the idempotent producer and the sequence number of the first record.
    #[must_use]
    pub fn producer(mut self, id: ProducerId, epoch: ProducerEpoch, base_sequence: i32) -> Self {
        self.producer = (id, epoch, base_sequence);
        self
    }

    /// Marks the batch as part of a transaction.
    #[must_use]
    pub fn transactional(mut self) -> Self {
        self.attributes |= TRANSACTIONAL_BIT;
        self
    }

    /// Marks the batch as one that only brokers write.
    #[must_use]
    pub fn control(mut self) -> Self {
        self.attributes |= CONTROL_BIT;
        self
    }

    /// Places the batch, for bytes that do not go through an append.
    #[must_use]
    pub fn at(mut self, base_offset: Offset, leader_epoch: LeaderEpoch) -> Self {
        self.base_offset = base_offset;
        self.leader_epoch = leader_epoch;
        self
    }

    /// Adds a record without headers.
    #[must_use]
    pub fn record(mut self, timestamp: Timestamp, key: Option<&[u8]>, value: Option<&[u8]>) -> Self {
        self.push(&RecordFields { timestamp: timestamp.0, key, value, headers: &[] });
        self
    }

    /// Adds a record.
    pub fn push(&mut self, record: &RecordFields<'_>) {
        if self.count == 0 {
            self.base_timestamp = record.timestamp;
            self.max_timestamp = record.timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(record.timestamp);
        let delta = record.timestamp.wrapping_sub(self.base_timestamp);
        let length = 1
            + varlong_len(delta)
            + varint_len(self.count)
            + field_len(record.key)
            + field_len(record.value)
            + varint_len(count_of(record.headers.len()))
            + record
                .headers
                .iter()
                .map(|(key, value)| field_len(Some(key.as_bytes())) + field_len(*value))
                .sum::<usize>();
        self.records.reserve(length + 5);
        put_varint(&mut self.records, count_of(length));
        self.records.put_i8(0);
        put_varlong(&mut self.records, delta);
        put_varint(&mut self.records, self.count);
        put_field(&mut self.records, record.key);
        put_field(&mut self.records, record.value);
        put_varint(&mut self.records, count_of(record.headers.len()));
        for (key, value) in record.headers {
            put_field(&mut self.records, Some(key.as_bytes()));
            put_field(&mut self.records, *value);
        }
        self.count += 1;
    }

    /// How many records it has.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.count).unwrap_or(0)
    }

    /// True before the first record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes that [`BatchBuilder::build`] would give now.
    #[must_use]
    pub fn size(&self) -> usize {
        HEADER_LEN + self.records.len()
    }

    /// The batch's bytes, with length and checksum.
    #[must_use]
    pub fn build(self) -> Bytes {
        let mut header = BatchHeader([0; HEADER_LEN]);
        let (id, epoch, sequence) = self.producer;
        header.set(0, self.base_offset.0.to_be_bytes());
        header.set(8, count_of(HEADER_LEN - LENGTH_PREFIX + self.records.len()).to_be_bytes());
        header.set(12, self.leader_epoch.0.to_be_bytes());
        header.set(16, MAGIC.to_be_bytes());
        header.set(21, self.attributes.to_be_bytes());
        header.set(23, (self.count - 1).to_be_bytes());
        header.set(27, self.base_timestamp.to_be_bytes());
        header.set(35, self.max_timestamp.to_be_bytes());
        header.set(43, id.0.to_be_bytes());
        header.set(51, epoch.0.to_be_bytes());
        header.set(53, sequence.to_be_bytes());
        header.set(57, self.count.to_be_bytes());
        header.seal(&self.records);
        let mut bytes = BytesMut::with_capacity(self.size());
        bytes.put_slice(header.as_bytes());
        bytes.put_slice(&self.records);
        bytes.freeze()
    }
}

/// Lengths are i32 in the format; what is built here comes from memory of this process, far below.
fn count_of(length: usize) -> i32 {
    i32::try_from(length).expect("invariant: a built batch is far below 2 GiB")
}

fn field_len(field: Option<&[u8]>) -> usize {
    field.map_or(varint_len(-1), |bytes| varint_len(count_of(bytes.len())) + bytes.len())
}

fn put_field(into: &mut BytesMut, field: Option<&[u8]>) {
    match field {
        None => put_varint(into, -1),
        Some(bytes) => {
            put_varint(into, count_of(bytes.len()));
            into.put_slice(bytes);
        }
    }
}
