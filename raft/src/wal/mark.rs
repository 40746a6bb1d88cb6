//! `barnabas-metadata.synced`: up to where the log was synced the last time.
//!
//! The log itself says how far it was synced only in its next frame, so a last frame that somebody damaged or cut off looks
//! like one that was never whole. This file tells them apart. It is written after a sync, and not synced itself: after a
//! `kill -9` the page cache has it; after a power cut it may be gone or older, and then it claims less. It never claims more
//! than is on the disk.

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

use barnabas_storage::advice::LOOK_AT_DISK;
use barnabas_storage::seam::{Disk, DiskFile, OpenMode};

/// Beside the segments.
pub(super) const NAME: &str = "barnabas-metadata.synced";
/// Always so long: written in place.
const LENGTH: usize = 80;

/// A place in the log: everything before it was synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) number: u64,
    pub(super) length: u64,
}

impl Mark {
    fn render(self) -> String {
        let text = format!("segment {} length {}", self.number, self.length);
        let crc = crc32c::crc32c(text.as_bytes());
        format!("{:<width$}\n", format!("{text} crc {crc:08x}"), width = LENGTH - 1)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace().skip(1).step_by(2);
        let mark = Self { number: words.next()?.parse().ok()?, length: words.next()?.parse().ok()? };
        (mark.render() == text).then_some(mark)
    }

    /// Reads the file; `None` when it says nothing.
    pub(super) fn read(disk: &dyn Disk, directory: &Path) -> Option<Self> {
        let file = disk.open(&directory.join(NAME), OpenMode::Read).ok()?;
        let mut bytes = vec![0; LENGTH];
        file.read_exact_at(&mut bytes, 0).ok()?;
        Self::parse(std::str::from_utf8(&bytes).ok()?)
    }
}

/// Where marks are written. One that cannot be written is none: the log goes on without.
#[derive(Default)]
pub(super) struct Marker {
    file: Option<Arc<dyn DiskFile>>,
}

impl Marker {
    pub(super) fn set(&mut self, disk: &dyn Disk, directory: &Path, mark: Mark) {
        if let Err(error) = self.write(disk, directory, mark) {
            tracing::warn!(%error, "what is synced of the metadata log could not be noted; {LOOK_AT_DISK}");
            self.file = None;
        }
    }

    fn write(&mut self, disk: &dyn Disk, directory: &Path, mark: Mark) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(disk.open(&directory.join(NAME), OpenMode::Create)?),
        };
        file.write_all_at(&[IoSlice::new(mark.render().as_bytes())], 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_and_every_changed_byte_is_noticed() {
        let mark = Mark { number: 12, length: 34_567 };
        let text = mark.render();
        assert_eq!((text.len(), Mark::parse(&text)), (LENGTH, Some(mark)));
        for at in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[at] ^= 1;
            assert_eq!(std::str::from_utf8(&damaged).ok().and_then(Mark::parse), None, "byte {at}");
        }
    }
}
