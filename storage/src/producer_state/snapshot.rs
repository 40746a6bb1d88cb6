//! `%020d.snapshot`: the producers' state below the offset in the file's name (FORMAT.md 8).

use std::collections::VecDeque;

use bytes::{Buf as _, BufMut as _};

use super::{ProducerEntry, ProducerStates, SeenBatch, WINDOW};
use crate::ids::{Offset, ProducerEpoch, ProducerId, Timestamp};

const VERSION: i16 = 1;
const ENTRY_LEN: usize = 8 + 2 + 4 + 8 + 4 + 8 + 4 + 8;
/// Version and checksum; the checksum covers what follows them.
const PREFIX_LEN: usize = 6;

/// The file's bytes. A producer has an entry for each of its last batches, the youngest last: Kafka writes that one alone,
/// and of several entries it takes the last one in.
pub(crate) fn encode(states: &ProducerStates) -> Vec<u8> {
    let mut ids: Vec<_> = states.producers.keys().copied().collect();
    ids.sort_unstable();
    let entries = |entry: &ProducerEntry| entry.batches.len().max(1);
    let count: usize = states.producers.values().map(entries).sum();
    let mut body = Vec::with_capacity(4 + count * ENTRY_LEN);
    body.put_i32(i32::try_from(count).expect("invariant: bounded by PRODUCERS_MAX times WINDOW"));
    for id in ids {
        let entry = &states.producers[&id];
        let (last, earlier) = (entry.batches.back(), entry.batches.len().saturating_sub(1));
        for seen in entry.batches.iter().take(earlier) {
            put(&mut body, id, entry, Some(seen), (seen.timestamp, Offset::NONE));
        }
        put(&mut body, id, entry, last, (entry.last_timestamp, entry.transaction_start));
    }
    let mut bytes = Vec::with_capacity(PREFIX_LEN + body.len());
    bytes.put_i16(VERSION);
    bytes.put_u32(crc32c::crc32c(&body));
    bytes.put_slice(&body);
    bytes
}

fn put(
    body: &mut Vec<u8>,
    id: ProducerId,
    entry: &ProducerEntry,
    seen: Option<&SeenBatch>,
    (timestamp, transaction_start): (Timestamp, Offset),
) {
    body.put_i64(id.0);
    body.put_i16(entry.epoch.0);
    body.put_i32(seen.map_or(-1, |seen| seen.last_sequence));
    body.put_i64(seen.map_or(-1, |seen| seen.last_offset.0));
    body.put_i32(seen.map_or(0, |seen| seen.offset_delta));
    body.put_i64(timestamp.0);
    body.put_i32(entry.coordinator_epoch);
    body.put_i64(transaction_start.0);
}

/// Reads the file's bytes; `None` when they are damaged or of another version. `now` counts as last heard of.
pub(crate) fn decode(bytes: &[u8], now: Timestamp) -> Option<ProducerStates> {
    let (prefix, body) = bytes.split_at_checked(PREFIX_LEN)?;
    let mut prefix = prefix;
    if prefix.get_i16() != VERSION || prefix.get_u32() != crc32c::crc32c(body) {
        return None;
    }
    let (count, mut entries) = body.split_first_chunk::<4>()?;
    let count = usize::try_from(i32::from_be_bytes(*count)).ok()?;
    if entries.len() != count.checked_mul(ENTRY_LEN)? {
        return None;
    }
    let mut states = ProducerStates::default();
    for _ in 0..count {
        let id = ProducerId(entries.get_i64());
        let epoch = ProducerEpoch(entries.get_i16());
        let (last_sequence, last_offset) = (entries.get_i32(), Offset(entries.get_i64()));
        let (offset_delta, last_timestamp) = (entries.get_i32(), Timestamp(entries.get_i64()));
        let (coordinator_epoch, transaction_start) = (entries.get_i32(), Offset(entries.get_i64()));
        let seen = SeenBatch { last_sequence, last_offset, offset_delta, timestamp: last_timestamp };
        let earlier = states.producers.remove(&id).filter(|earlier| earlier.epoch == epoch);
        let mut batches: VecDeque<SeenBatch> = earlier.map_or_else(VecDeque::new, |earlier| earlier.batches);
        if last_offset.0 >= 0 && offset_delta >= 0 {
            batches.push_back(seen);
            batches.drain(..batches.len().saturating_sub(WINDOW));
        }
        let entry =
            ProducerEntry { epoch, batches, last_timestamp, coordinator_epoch, transaction_start, last_seen: now };
        states.producers.insert(id, entry);
    }
    Some(states)
}
