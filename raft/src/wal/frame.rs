//! One frame of a segment of the write-ahead log. See raft/FORMAT.md.
//!
//! A frame's checksums are bound to its place (segment and position), so that bytes of another time or place never
//! pass for it, and it says how much of its segment was durable when it was written: that tells a torn tail from a hole.

use super::change::Change;
use crate::metadata::codec::DecodeError;

/// Bytes before the payload.
pub(super) const HEADER: usize = 24;

/// What a valid header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    payload_crc: u32,
    pub(super) length: u32,
    /// Bytes of this segment that were known to be synced when the frame was written.
    pub(super) durable: u64,
    kind: u8,
}

fn header_crc(fields: &[u8], segment: u64, position: u64) -> u32 {
    let crc = crc32c::crc32c(fields);
    let crc = crc32c::crc32c_append(crc, &segment.to_le_bytes());
    crc32c::crc32c_append(crc, &position.to_le_bytes())
}

/// Puts a frame at the end of `out`; it will stand at `position` of `segment`.
pub(super) fn put(out: &mut Vec<u8>, segment: u64, position: u64, durable: u64, kind: u8, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("invariant: a frame is smaller than 4 GiB");
    let mut fields = [0_u8; HEADER - 4];
    fields[0..4].copy_from_slice(&crc32c::crc32c(payload).to_le_bytes());
    fields[4..8].copy_from_slice(&length.to_le_bytes());
    fields[8..16].copy_from_slice(&durable.to_le_bytes());
    fields[16] = kind;
    out.extend_from_slice(&header_crc(&fields, segment, position).to_le_bytes());
    out.extend_from_slice(&fields);
    out.extend_from_slice(payload);
}

/// The header at `position` of the segment whose bytes are `bytes`; `None` when no frame begins there.
pub(super) fn header_at(bytes: &[u8], segment: u64, position: usize) -> Option<Header> {
    let header = bytes.get(position..)?.get(..HEADER)?;
    let (crc, fields) = header.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*crc) != header_crc(fields, segment, position as u64) {
        return None;
    }
    let (payload_crc, rest) = fields.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (durable, rest) = rest.split_first_chunk::<8>()?;
    Some(Header {
        payload_crc: u32::from_le_bytes(*payload_crc),
        length: u32::from_le_bytes(*length),
        durable: u64::from_le_bytes(*durable),
        kind: *rest.first()?,
    })
}

/// The whole frame at `position`: what it says and where the next one begins. `None` when it is not whole.
pub(super) fn at(bytes: &[u8], segment: u64, position: usize) -> Option<(Result<Change, DecodeError>, usize)> {
    let header = header_at(bytes, segment, position)?;
    let start = position.checked_add(HEADER)?;
    let end = start.checked_add(usize::try_from(header.length).ok()?)?;
    let payload = bytes.get(start..end)?;
    (crc32c::crc32c(payload) == header.payload_crc).then(|| (Change::decode(header.kind, payload), end))
}
