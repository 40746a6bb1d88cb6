//! What a record says of itself: who wrote it, as which one, where to, and a checksum. So a phantom, a mix-up or a damage
//! is seen without the history.

use barnabas_storage::Timestamp;
use barnabas_storage::batch::{BatchBuilder, batches};
use barnabas_storage::{ProducerEpoch, ProducerId};
use bytes::Bytes;

/// A record's identity: producer and sequence in its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Value {
    pub(crate) producer: u16,
    pub(crate) sequence: u64,
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p{}-{}", self.producer, self.sequence)
    }
}

const HEAD: usize = 2 + 8 + 2 + 4;

fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

fn write(value: Value, place: (u8, u8), filler: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + filler);
    bytes.extend(value.producer.to_be_bytes());
    bytes.extend(value.sequence.to_be_bytes());
    bytes.extend([place.0, place.1]);
    let stamp = value.sequence.to_le_bytes();
    bytes.extend((0..filler).map(|at| stamp[at % 8] ^ at.to_le_bytes()[0]));
    bytes.extend(checksum(&bytes).to_be_bytes());
    bytes
}

/// The value of a record at this place, or what is wrong with it.
fn read(bytes: &[u8], place: (u8, u8)) -> Result<Value, String> {
    let damaged = || format!("a value of {} bytes that nobody wrote", bytes.len());
    let (body, sum) = bytes.split_last_chunk::<4>().ok_or_else(damaged)?;
    let (producer, rest) = body.split_first_chunk::<2>().ok_or_else(damaged)?;
    let (sequence, rest) = rest.split_first_chunk::<8>().ok_or_else(damaged)?;
    let (written, _) = rest.split_first_chunk::<2>().ok_or_else(damaged)?;
    if u32::from_be_bytes(*sum) != checksum(body) {
        return Err(damaged());
    }
    let value = Value { producer: u16::from_be_bytes(*producer), sequence: u64::from_be_bytes(*sequence) };
    if *written != [place.0, place.1] {
        return Err(format!("{value} was written to topic {} partition {}", written[0], written[1]));
    }
    Ok(value)
}

/// Topic and partition as they stand in a record.
pub(crate) fn place(topic: usize, partition: i32) -> (u8, u8) {
    (u8::try_from(topic).expect("invariant: few topics"), u8::try_from(partition).expect("invariant: few partitions"))
}

/// A batch of the values from `first` on, one of `fillers` bytes each.
pub(crate) fn batch(
    first: Value,
    place: (u8, u8),
    fillers: &[usize],
    time: Timestamp,
    producer: Option<(i64, i16, i32)>,
) -> Bytes {
    let mut builder = BatchBuilder::new();
    if let Some((id, epoch, sequence)) = producer {
        builder = builder.producer(ProducerId(id), ProducerEpoch(epoch), sequence);
    }
    for (at, filler) in fillers.iter().enumerate() {
        let value = Value { sequence: first.sequence + at as u64, ..first };
        builder = builder.record(time, None, Some(&write(value, place, *filler)));
    }
    builder.build()
}

/// The offsets and values of what a fetch gave.
pub(crate) fn records(bytes: Bytes, place: (u8, u8)) -> Result<Vec<(i64, Value)>, String> {
    let mut found = Vec::new();
    for batch in batches(bytes) {
        let batch = batch.map_err(|error| error.to_string())?;
        for record in batch.records().map_err(|error| error.to_string())? {
            let record = record.map_err(|error| error.to_string())?;
            let value = read(&record.value.unwrap_or_default(), place);
            found.push((record.offset.0, value.map_err(|reason| format!("offset {}: {reason}", record.offset.0))?));
        }
    }
    Ok(found)
}
