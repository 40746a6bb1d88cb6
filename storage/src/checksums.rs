//! `%020d.checksums`: what makes visible the damage that a batch's own checksum cannot (FORMAT.md 9).
//!
//! A batch's checksum leaves out base offset, length, leader epoch and magic, and says nothing of batches that are gone or
//! stand elsewhere. The first 21 bytes of a batch are those fields and that checksum; a checksum over these bytes of
//! every batch of a block therefore covers all there is, costs next to nothing while appending, and needs no second look
//! at the data. The file covers a prefix of its segment: all of a sealed one, what was there at the last stop of a
//! growing one.
//!
//! Must not know: when it is written, what is done about damage.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::str::FromStr;

use crate::batch::{BatchHeader, CRC_START};
use crate::batch_scan::{BatchScan, Found, ScanError};
use crate::ids::{Offset, PartitionIndex, TopicId};
use crate::seam::{Disk, DiskFile};
use crate::whole_file;

/// A block is closed once it has so many bytes.
pub(crate) const BLOCK_BYTES: u64 = 256 << 10;
const HEADING: &str = "barnabas-checksums 1";

/// Whole batches that lie one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Where the first batch starts.
    pub(crate) start: u64,
    /// Where the last one ends.
    pub(crate) end: u64,
    /// The offset after it.
    pub(crate) next_offset: Offset,
    /// CRC-32C over the first 21 bytes of each.
    pub(crate) crc: u32,
}

/// The blocks of a segment from its start on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Blocks {
    pub(crate) all: Vec<Block>,
}

impl Blocks {
    /// Up to where the segment is covered.
    pub(crate) fn end(&self) -> u64 {
        self.all.last().map_or(0, |last| last.end)
    }

    /// Takes in the batch that follows; any other is left to [`Blocks::catch_up`].
    pub(crate) fn push(&mut self, found: &Found) {
        if found.position != self.end() {
            return;
        }
        let (end, next_offset) = (found.end(), found.header.next_offset());
        match self.all.last_mut() {
            Some(last) if last.end - last.start < BLOCK_BYTES => {
                *last = Block { end, next_offset, crc: Self::extend(last.crc, &found.header), ..*last };
            }
            Some(_) | None => {
                let crc = Self::extend(0, &found.header);
                self.all.push(Block { start: found.position, end, next_offset, crc });
            }
        }
    }

    /// The checksum over the batches before and this one.
    pub(crate) fn extend(crc: u32, header: &BatchHeader) -> u32 {
        crc32c::crc32c_append(crc, &header.as_bytes()[..CRC_START])
    }

    /// Covers the segment up to `end` by a walk over the headers of what is not covered yet.
    pub(crate) fn catch_up(&mut self, file: &dyn DiskFile, end: u64) -> Result<(), ScanError> {
        let mut scan = BatchScan::new(file, self.end(), end);
        while let Some(found) = scan.next_header()? {
            self.push(&found);
        }
        Ok(())
    }

    /// The segment was cut there.
    pub(crate) fn cut(&mut self, end: u64) {
        self.all.retain(|block| block.end <= end);
    }
}

/// A file beside the segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Companion {
    /// Its name in the partition's directory.
    pub(crate) name: String,
    pub(crate) len: u64,
    /// CRC-32C of all of it.
    pub(crate) crc: u32,
}

impl Companion {
    /// Of a file with these bytes.
    pub(crate) fn of(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.to_owned(), len: bytes.len() as u64, crc: crc32c::crc32c(bytes) }
    }

    /// True when these are the bytes.
    pub(crate) fn matches(&self, bytes: &[u8]) -> bool {
        self.len == bytes.len() as u64 && self.crc == crc32c::crc32c(bytes)
    }
}

/// The content of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checksums {
    /// Whose segment it is: a file that came from elsewhere says so itself.
    pub(crate) topic_id: TopicId,
    pub(crate) partition: PartitionIndex,
    pub(crate) base: Offset,
    pub(crate) blocks: Blocks,
    pub(crate) companions: Vec<Companion>,
}

impl Checksums {
    /// Reads the file; `Ok(Err(_))` when it is not whole.
    pub(crate) fn read(disk: &dyn Disk, path: &Path) -> io::Result<Option<Result<Self, &'static str>>> {
        let Some(bytes) = whole_file::read(disk, path)? else { return Ok(None) };
        Ok(Some(std::str::from_utf8(&bytes).map_err(|_| "it is not text").and_then(Self::parse)))
    }

    /// Bytes of the segment that it covers.
    pub(crate) fn len(&self) -> u64 {
        self.blocks.end()
    }

    /// The offset after the last batch that it covers.
    pub(crate) fn next_offset(&self) -> Offset {
        self.blocks.all.last().map_or(self.base, |last| last.next_offset)
    }

    /// What it says of a file.
    pub(crate) fn companion(&self, name: &str) -> Option<&Companion> {
        self.companions.iter().find(|companion| companion.name == name)
    }

    pub(crate) fn render(&self) -> String {
        let Self { topic_id, partition, base, blocks, companions } = self;
        let mut text = format!("{HEADING}\nsegment {topic_id} {partition} {base}\n");
        for Companion { name, len, crc } in companions {
            let _ = writeln!(text, "file {name} {len} {crc:08x}");
        }
        for Block { end, next_offset, crc, .. } in &blocks.all {
            let _ = writeln!(text, "block {end} {next_offset} {crc:08x}");
        }
        let crc = crc32c::crc32c(text.as_bytes());
        let _ = writeln!(text, "crc {crc:08x}");
        text
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        const DAMAGED: &str = "its own checksum does not match";
        let body = text.rfind("crc ").filter(|at| text[..*at].ends_with('\n')).ok_or(DAMAGED)?;
        if text[body..] != format!("crc {:08x}\n", crc32c::crc32c(&text.as_bytes()[..body])) {
            return Err(DAMAGED);
        }
        let mut lines = text[..body].lines();
        if lines.next() != Some(HEADING) {
            return Err("it has another version");
        }
        Self::parse_body(lines).ok_or("a line of it does not parse")
    }

    fn parse_body<'a>(mut lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut identity = lines.next()?.strip_prefix("segment ")?.split(' ');
        let topic_id = TopicId::parse(identity.next()?)?;
        let (partition, base) = (PartitionIndex(number(identity.next())?), Offset(number(identity.next())?));
        let mut checksums = Self { topic_id, partition, base, blocks: Blocks::default(), companions: Vec::new() };
        for line in lines {
            let mut words = line.split(' ');
            match words.next()? {
                "file" => checksums.companions.push(Companion {
                    name: words.next()?.to_owned(),
                    len: number(words.next())?,
                    crc: u32::from_str_radix(words.next()?, 16).ok()?,
                }),
                "block" => {
                    let start = checksums.blocks.end();
                    let end = number(words.next()).filter(|end| *end > start)?;
                    let next_offset = Offset(number(words.next())?);
                    let crc = u32::from_str_radix(words.next()?, 16).ok()?;
                    checksums.blocks.all.push(Block { start, end, next_offset, crc });
                }
                _ => return None,
            }
        }
        Some(checksums)
    }
}

fn number<T: FromStr>(word: Option<&str>) -> Option<T> {
    word?.parse().ok()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn sample() -> Checksums {
        let block = |start, end, next, crc| Block { start, end, next_offset: Offset(next), crc };
        Checksums {
            topic_id: TopicId(Uuid::from_u128(7)),
            partition: PartitionIndex(3),
            base: Offset(40),
            blocks: Blocks { all: vec![block(0, 300_000, 50, 0xabc), block(300_000, 300_100, 51, 1)] },
            companions: vec![Companion::of("00000000000000000040.index", b"entries")],
        }
    }

    #[test]
    fn it_reads_back_and_every_changed_byte_is_noticed() {
        let text = sample().render();
        assert_eq!(Checksums::parse(&text), Ok(sample()));
        for at in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[at] ^= 1;
            let parsed = String::from_utf8(damaged).ok().map(|text| Checksums::parse(&text));
            assert!(!matches!(parsed, Some(Ok(_))), "byte {at}");
            assert!(Checksums::parse(&text[..at]).is_err());
        }
    }

    #[test]
    fn it_says_what_it_covers() {
        let checksums = sample();
        assert_eq!((checksums.len(), checksums.next_offset()), (300_100, Offset(51)));
        assert!(checksums.companion("00000000000000000040.index").unwrap().matches(b"entries"));
        assert!(!checksums.companions[0].matches(b"entriez"));
        let mut blocks = checksums.blocks;
        blocks.cut(300_050);
        assert_eq!(blocks.end(), 300_000);
    }
}
