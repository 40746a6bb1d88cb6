//! Taking compressed records apart, with a bound on what comes out. The broker never compresses: batches are kept as
//! producers sent them.

use std::io::Read as _;

use crate::batch::BatchError;

/// The most that one batch may decompress to when this process has to look inside (FORMAT.md 3).
pub const DECOMPRESSED_BYTES_MAX: usize = 64 << 20;

const XERIAL_MAGIC: &[u8; 8] = b"\x82SNAPPY\x00";
/// Magic, version and lowest compatible version.
const XERIAL_HEADER_LEN: usize = 16;

/// How the records of a batch are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// snappy, raw or in the framing of snappy-java.
    Snappy,
    /// lz4 frames.
    Lz4,
    /// zstd (KIP-110).
    Zstd,
}

impl Codec {
    /// The codec of a batch's attributes; the number itself when there is none of that number.
    ///
    /// # Errors
    /// The unknown number.
    pub fn of_attributes(attributes: i16) -> Result<Self, u8> {
        match attributes & 7 {
            0 => Ok(Self::None),
            1 => Ok(Self::Gzip),
            2 => Ok(Self::Snappy),
            3 => Ok(Self::Lz4),
            4 => Ok(Self::Zstd),
            unknown => Err(unknown.to_be_bytes()[1]),
        }
    }
}

/// Decompresses to at most `limit` bytes.
///
/// # Errors
/// [`BatchError::Compression`] when the bytes are damaged or more would come out.
pub fn decompress(codec: Codec, bytes: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    match codec {
        Codec::None if bytes.len() > limit => Err(over_limit()),
        Codec::None => Ok(bytes.to_vec()),
        Codec::Gzip => read_bounded(flate2::read::MultiGzDecoder::new(bytes), limit, "bad gzip data"),
        Codec::Lz4 => read_bounded(lz4_flex::frame::FrameDecoder::new(bytes), limit, "bad lz4 data"),
        Codec::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(bytes);
            read_bounded(decoder.map_err(|_| BatchError::Compression("no zstd decoder"))?, limit, "bad zstd data")
        }
        Codec::Snappy => snappy(bytes, limit),
    }
}

fn over_limit() -> BatchError {
    BatchError::Compression("the records decompress to more than the bound")
}

/// The buffer grows with what really comes out, never with what a header claims.
fn read_bounded(reader: impl std::io::Read, limit: usize, damaged: &'static str) -> Result<Vec<u8>, BatchError> {
    let mut out = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(bound).read_to_end(&mut out).map_err(|_| BatchError::Compression(damaged))?;
    if out.len() > limit { Err(over_limit()) } else { Ok(out) }
}

/// snappy-java frames its output (a header, then blocks with their length), the C clients send one raw block.
fn snappy(bytes: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    let mut out = Vec::new();
    if !bytes.starts_with(XERIAL_MAGIC) {
        snappy_block(bytes, limit, &mut out)?;
        return Ok(out);
    }
    let mut rest = bytes;
    while !rest.is_empty() {
        if rest.starts_with(XERIAL_MAGIC) {
            rest = rest.get(XERIAL_HEADER_LEN..).ok_or(BatchError::Compression("bad snappy header"))?;
            continue;
        }
        let (length, after) = rest.split_first_chunk().ok_or(BatchError::Compression("bad snappy block length"))?;
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (block, after) = after.split_at_checked(length).ok_or(BatchError::Compression("a snappy block is cut"))?;
        snappy_block(block, limit, &mut out)?;
        rest = after;
    }
    Ok(out)
}

fn snappy_block(block: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), BatchError> {
    let damaged = |_| BatchError::Compression("bad snappy data");
    let claimed = snap::raw::decompress_len(block).map_err(damaged)?;
    // A copy element of 3 bytes gives at most 64: what claims more than that cannot be true and is not allocated for.
    if claimed > block.len().saturating_mul(64) {
        return Err(BatchError::Compression("bad snappy data"));
    }
    let start = out.len();
    if claimed > limit - start {
        return Err(over_limit());
    }
    out.resize(start + claimed, 0);
    let written = snap::raw::Decoder::new().decompress(block, &mut out[start..]).map_err(damaged)?;
    out.truncate(start + written);
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
