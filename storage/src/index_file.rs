//! An index file of fixed-size entries: appended while its segment grows, bisected in place once it is sealed.
//!
//! A file is always exactly as long as its entries (Apache Kafka takes the length for the count), and nothing is
//! preallocated. Indexes of sealed segments are not held in memory: a look-up is a dozen small preads of hot pages, and
//! memory does not grow with the log.
//!
//! Must not know: what an entry means.

use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

use crate::seam::{Disk, DiskFile, OpenMode};

/// An entry of `N` bytes.
pub(crate) trait IndexEntry<const N: usize>: Copy {
    fn encode(self) -> [u8; N];
    fn decode(bytes: [u8; N]) -> Self;
}

/// The entries of a segment that still grows, and how many of them the file has.
#[derive(Clone, Debug)]
pub(crate) struct GrowingIndex<E, const N: usize> {
    entries: Vec<E>,
    written: usize,
}

impl<E: IndexEntry<N>, const N: usize> GrowingIndex<E, N> {
    pub(crate) fn empty() -> Self {
        Self { entries: Vec::new(), written: 0 }
    }

    /// Takes up what the file holds; a missing one has nothing.
    pub(crate) fn read(disk: &dyn Disk, path: &Path) -> io::Result<Self> {
        let Some(file) = open(disk, path)? else { return Ok(Self::empty()) };
        let count = entry_count::<N>(&*file)?;
        let mut bytes = vec![0; count * N];
        file.read_exact_at(&mut bytes, 0)?;
        let entries: Vec<E> = bytes.as_chunks::<N>().0.iter().map(|entry| E::decode(*entry)).collect();
        Ok(Self { written: entries.len(), entries })
    }

    pub(crate) fn entries(&self) -> &[E] {
        &self.entries
    }

    pub(crate) fn push(&mut self, entry: E) {
        self.entries.push(entry);
    }

    /// Keeps the first `count` entries.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.entries.truncate(count);
        self.written = self.written.min(self.entries.len());
    }

    /// Brings the file up to the entries, without a sync. Returns the file.
    pub(crate) fn write(&mut self, disk: &dyn Disk, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = disk.open(path, OpenMode::Create)?;
        let bytes: Vec<u8> = self.entries[self.written..].iter().flat_map(|entry| entry.encode()).collect();
        if !bytes.is_empty() {
            file.write_all_at(&[IoSlice::new(&bytes)], (self.written * N) as u64)?;
        }
        let exact = (self.entries.len() * N) as u64;
        if file.len()? != exact {
            file.set_len(exact)?;
        }
        self.written = self.entries.len();
        Ok(file)
    }
}

/// The entries of a sealed segment, on disk.
pub(crate) struct SealedIndex<const N: usize> {
    file: Option<Arc<dyn DiskFile>>,
    count: usize,
}

impl<const N: usize> SealedIndex<N> {
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> io::Result<Self> {
        let file = open(disk, path)?;
        let count = file.as_deref().map_or(Ok(0), entry_count::<N>)?;
        Ok(Self { file, count })
    }

    pub(crate) fn get<E: IndexEntry<N>>(&self, index: usize) -> io::Result<Option<E>> {
        let Some(file) = self.file.as_ref().filter(|_| index < self.count) else { return Ok(None) };
        let mut bytes = [0; N];
        file.read_exact_at(&mut bytes, (index * N) as u64)?;
        Ok(Some(E::decode(bytes)))
    }

    pub(crate) fn last<E: IndexEntry<N>>(&self) -> io::Result<Option<E>> {
        self.count.checked_sub(1).map_or(Ok(None), |last| self.get(last))
    }

    /// The last entry for which `holds` is true; it must be true for a prefix of the entries.
    pub(crate) fn floor<E: IndexEntry<N>>(&self, holds: impl Fn(&E) -> bool) -> io::Result<Option<E>> {
        let (mut low, mut high) = (0, self.count);
        let mut found = None;
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle)?.filter(&holds) {
                Some(entry) => {
                    found = Some(entry);
                    low = middle + 1;
                }
                None => high = middle,
            }
        }
        Ok(found)
    }
}

fn open(disk: &dyn Disk, path: &Path) -> io::Result<Option<Arc<dyn DiskFile>>> {
    match disk.open(path, OpenMode::Read) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn entry_count<const N: usize>(file: &dyn DiskFile) -> io::Result<usize> {
    Ok(usize::try_from(file.len()?).unwrap_or(usize::MAX) / N)
}
