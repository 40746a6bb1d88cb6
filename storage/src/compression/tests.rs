use std::io::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::*;
use crate::batch::{BatchBuilder, BatchHeader, HEADER_LEN, batches};
use crate::ids::Timestamp;

/// The same batch with its records compressed, as a producer would send it.
pub(crate) fn compressed(batch: &Bytes, codec: Codec, number: i16) -> Bytes {
    let records = compress(codec, &batch[HEADER_LEN..]);
    let mut out = BytesMut::from(&batch[..HEADER_LEN]);
    out.put_slice(&records);
    let length = i32::try_from(out.len() - 12).unwrap();
    out[8..12].copy_from_slice(&length.to_be_bytes());
    let attributes = BatchHeader::read(batch).unwrap().attributes() | number;
    out[21..23].copy_from_slice(&attributes.to_be_bytes());
    let mut header = BatchHeader::read(&out).unwrap();
    header.seal(&records);
    out[..HEADER_LEN].copy_from_slice(header.as_bytes());
    out.freeze()
}

fn compress(codec: Codec, bytes: &[u8]) -> Vec<u8> {
    match codec {
        Codec::None => bytes.to_vec(),
        Codec::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        Codec::Snappy => snap::raw::Encoder::new().compress_vec(bytes).unwrap(),
        Codec::Lz4 => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        Codec::Zstd => zstd::encode_all(bytes, 3).unwrap(),
    }
}

/// Two blocks in snappy-java's framing.
fn xerial(bytes: &[u8]) -> Vec<u8> {
    let mut out = XERIAL_MAGIC.to_vec();
    out.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
    for block in bytes.chunks(bytes.len().div_ceil(2).max(1)) {
        let block = compress(Codec::Snappy, block);
        out.extend_from_slice(&i32::try_from(block.len()).unwrap().to_be_bytes());
        out.extend_from_slice(&block);
    }
    out
}

const CODECS: [(Codec, i16); 4] = [(Codec::Gzip, 1), (Codec::Snappy, 2), (Codec::Lz4, 3), (Codec::Zstd, 4)];

#[test]
fn every_codec_gives_back_what_went_in() {
    let text = b"the quick brown fox ".repeat(10_000);
    for (codec, _) in CODECS {
        assert_eq!(decompress(codec, &compress(codec, &text), text.len()).unwrap(), text, "{codec:?}");
    }
    assert_eq!(decompress(Codec::Snappy, &xerial(&text), text.len()).unwrap(), text);
}

#[test]
fn a_bomb_stops_at_the_bound() {
    let zeros = vec![0u8; 1 << 20];
    for (codec, _) in CODECS {
        let bomb = compress(codec, &zeros);
        assert!(matches!(decompress(codec, &bomb, (1 << 20) - 1), Err(BatchError::Compression(_))), "{codec:?}");
    }
    assert!(decompress(Codec::Snappy, &xerial(&zeros), (1 << 20) - 1).is_err());
}

#[test]
fn a_claimed_size_reserves_nothing() {
    // A snappy block of five bytes that claims 2^32-1 bytes, and a frame whose block claims 2 GiB.
    assert!(decompress(Codec::Snappy, &[0xff, 0xff, 0xff, 0xff, 0x0f], DECOMPRESSED_BYTES_MAX).is_err());
    let mut framed = XERIAL_MAGIC.to_vec();
    framed.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff]);
    assert!(decompress(Codec::Snappy, &framed, DECOMPRESSED_BYTES_MAX).is_err());
}

#[test]
fn damaged_bytes_are_an_error_or_other_bytes_never_a_panic() {
    let text = b"abcdefgh".repeat(100);
    for (codec, _) in CODECS {
        let good = compress(codec, &text);
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x55;
            let _ = decompress(codec, &bad, 1 << 16);
            let _ = decompress(codec, &good[..at], 1 << 16);
        }
    }
}

#[test]
fn records_of_a_compressed_batch_are_read() {
    let plain =
        BatchBuilder::new().record(Timestamp(5), Some(b"k"), Some(b"v")).record(Timestamp(7), None, None).build();
    for (codec, number) in CODECS {
        let batch = batches(compressed(&plain, codec, number)).next().unwrap().unwrap();
        let records: Vec<_> = batch.records().unwrap().map(Result::unwrap).collect();
        assert_eq!(records.len(), 2);
        assert_eq!(records[1].timestamp, Timestamp(7));
        assert_eq!(records[0].key.as_deref(), Some(&b"k"[..]));
    }
}
