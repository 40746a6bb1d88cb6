//! The body of a Fetch response, written by hand so that records are never copied: small pieces in one buffer, between
//! them the record ranges as they lie in the segment or in memory.
//!
//! Must not know: how partitions are read.
//!
//! Invariants:
//! 1. Joined, the pieces are byte for byte what the codec would write.
//! 2. Records are never null: an empty partition carries zero bytes (librdkafka takes null for a broken answer).
//! 3. A field that a version lacks is left out.

use barnabas_storage::{LeaderEpoch, Offset, PartitionIndex};
use bytes::{BufMut, BytesMut};
use kafka_protocol::error::ResponseError;

use super::current_leader::{CurrentLeader, LeaderEndpoint};
use crate::api::Chunk;
use crate::partition::fetch_session::TopicKey;

const SESSIONS_SINCE: i16 = 7;
const FLEXIBLE_SINCE: i16 = 12;
const ENDPOINTS_SINCE: i16 = 16;
/// Upper bounds of the small pieces, so that the buffer is allocated once.
const HEAD_BYTES: usize = 32;
const TOPIC_BYTES: usize = 32;
const PARTITION_BYTES: usize = 96;
/// No preferred replica: this broker serves.
const NO_REPLICA: i32 = -1;

/// A whole answer.
pub(super) struct FetchAnswer {
    pub(super) version: i16,
    pub(super) throttle_time_ms: i32,
    pub(super) error: Option<ResponseError>,
    pub(super) session_id: i32,
    /// read_committed carries a list of aborted transactions (empty: there are none yet), read_uncommitted null.
    pub(super) read_committed: bool,
    /// In order; neighbours of one topic are written under one topic.
    pub(super) partitions: Vec<PartitionAnswer>,
    pub(super) endpoints: Vec<LeaderEndpoint>,
}

/// One partition's answer.
pub(super) struct PartitionAnswer {
    pub(super) topic: TopicKey,
    pub(super) index: PartitionIndex,
    pub(super) error: Option<ResponseError>,
    pub(super) high_watermark: Offset,
    pub(super) last_stable_offset: Offset,
    pub(super) log_start_offset: Offset,
    /// The largest epoch that both logs share, and where it ends here.
    pub(super) diverging: Option<(LeaderEpoch, Offset)>,
    pub(super) current_leader: Option<CurrentLeader>,
    pub(super) records: Option<Chunk>,
}

/// Writes the body.
pub(super) fn encode(answer: FetchAnswer) -> Vec<Chunk> {
    let FetchAnswer { version, throttle_time_ms, error, session_id, read_committed, partitions, endpoints } = answer;
    let topics = partitions.chunk_by(|one, next| one.topic == next.topic);
    let sizes: Vec<usize> = topics.map(<[PartitionAnswer]>::len).collect();
    let mut writer = Writer::new(version, &sizes, &partitions);
    writer.small.put_i32(throttle_time_ms);
    if version >= SESSIONS_SINCE {
        writer.small.put_i16(error.map_or(0, |error| error.code()));
        writer.small.put_i32(session_id);
    }
    writer.array_length(sizes.len());
    let mut partitions = partitions.into_iter();
    for size in sizes {
        for (position, partition) in partitions.by_ref().take(size).enumerate() {
            if position == 0 {
                writer.topic(&partition.topic);
                writer.array_length(size);
            }
            writer.partition(partition, read_committed);
        }
        writer.no_tags();
    }
    writer.endpoints(&endpoints);
    writer.finish()
}

struct Writer {
    version: i16,
    small: BytesMut,
    chunks: Vec<Chunk>,
}

impl Writer {
    fn new(version: i16, topics: &[usize], partitions: &[PartitionAnswer]) -> Self {
        let names = partitions.chunk_by(|one, next| one.topic == next.topic).filter_map(<[PartitionAnswer]>::first);
        let names = names.map(|first| match &first.topic {
            TopicKey::Name(name) => name.len(),
            TopicKey::Id(_) => 0,
        });
        let size = HEAD_BYTES + topics.len() * TOPIC_BYTES + partitions.len() * PARTITION_BYTES + names.sum::<usize>();
        let records = partitions.iter().filter(|partition| partition.records.is_some()).count();
        Self { version, small: BytesMut::with_capacity(size), chunks: Vec::with_capacity(2 * records + 1) }
    }

    fn is_flexible(&self) -> bool {
        self.version >= FLEXIBLE_SINCE
    }

    fn topic(&mut self, topic: &TopicKey) {
        match topic {
            TopicKey::Name(name) => self.text(name),
            TopicKey::Id(id) => self.small.put_slice(id.0.as_bytes()),
        }
    }

    fn partition(&mut self, partition: PartitionAnswer, read_committed: bool) {
        self.small.put_i32(partition.index.0);
        self.small.put_i16(partition.error.map_or(0, |error| error.code()));
        self.small.put_i64(partition.high_watermark.0);
        self.small.put_i64(partition.last_stable_offset.0);
        if self.version >= 5 {
            self.small.put_i64(partition.log_start_offset.0);
        }
        if read_committed {
            self.array_length(0);
        } else {
            self.null_array();
        }
        if self.version >= 11 {
            self.small.put_i32(NO_REPLICA);
        }
        self.records(partition.records);
        if self.is_flexible() {
            self.partition_tags(partition.diverging, partition.current_leader);
        }
    }

    fn records(&mut self, records: Option<Chunk>) {
        let length = records.as_ref().map_or(0, Chunk::len);
        if self.is_flexible() {
            self.varint(as_u32(length) + 1);
        } else {
            self.small.put_u32(as_u32(length));
        }
        if let Some(records) = records.filter(|records| !records.is_empty()) {
            self.chunks.push(Chunk::Memory(self.small.split().freeze()));
            self.chunks.push(records);
        }
    }

    /// Tag 0 is the diverging epoch, tag 1 the current leader.
    fn partition_tags(&mut self, diverging: Option<(LeaderEpoch, Offset)>, leader: Option<CurrentLeader>) {
        self.varint(u32::from(diverging.is_some()) + u32::from(leader.is_some()));
        if let Some((epoch, end_offset)) = diverging {
            self.varint(0);
            self.varint(13);
            self.small.put_i32(epoch.0);
            self.small.put_i64(end_offset.0);
            self.no_tags();
        }
        if let Some(leader) = leader {
            self.varint(1);
            self.varint(9);
            self.small.put_i32(leader.id.0);
            self.small.put_i32(leader.epoch.0);
            self.no_tags();
        }
    }

    fn endpoints(&mut self, endpoints: &[LeaderEndpoint]) {
        if self.version < ENDPOINTS_SINCE || endpoints.is_empty() {
            return self.no_tags();
        }
        let mut field = Self { version: self.version, small: BytesMut::new(), chunks: Vec::new() };
        field.array_length(endpoints.len());
        for endpoint in endpoints {
            field.small.put_i32(endpoint.id.0);
            field.text(&endpoint.host);
            field.small.put_i32(i32::from(endpoint.port));
            match &endpoint.rack {
                Some(rack) => field.text(rack),
                None => field.varint(0),
            }
            field.no_tags();
        }
        self.varint(1);
        self.varint(0);
        self.varint(as_u32(field.small.len()));
        self.small.put_slice(&field.small);
    }

    fn finish(mut self) -> Vec<Chunk> {
        if !self.small.is_empty() {
            self.chunks.push(Chunk::Memory(self.small.freeze()));
        }
        self.chunks
    }

    fn no_tags(&mut self) {
        if self.is_flexible() {
            self.small.put_u8(0);
        }
    }

    fn array_length(&mut self, length: usize) {
        if self.is_flexible() {
            self.varint(as_u32(length) + 1);
        } else {
            self.small.put_u32(as_u32(length));
        }
    }

    fn null_array(&mut self) {
        if self.is_flexible() {
            self.varint(0);
        } else {
            self.small.put_i32(-1);
        }
    }

    /// A topic's name as the request had it, a host or a rack. The gate lets no longer string in.
    fn text(&mut self, text: &str) {
        if self.is_flexible() {
            self.varint(as_u32(text.len()) + 1);
        } else {
            self.small
                .put_u16(u16::try_from(text.len()).expect("invariant: a string is at most STRING_BYTES_MAX long"));
        }
        self.small.put_slice(text.as_bytes());
    }

    fn varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.small.put_u8((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.small.put_u8(value as u8);
    }
}

/// Lengths inside an answer: all bounded by `fetch.max.bytes` and the largest batch.
fn as_u32(length: usize) -> u32 {
    u32::try_from(length).expect("invariant: an answer is far smaller than 4 GiB")
}

#[cfg(test)]
mod tests;
