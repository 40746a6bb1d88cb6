//! The `.log` file of a segment: opened when first needed, written by pwritev, read by pread or through a map.
//!
//! Must not know: batches, offsets.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};

use crate::mmap::{MappedRange, SegmentMap};
use crate::seam::{Disk, DiskFile, OpenMode};

/// What this process wrote at most so long ago is taken to be in memory without asking the kernel.
const RESIDENT_TAIL_BYTES: u64 = 4 << 20;

/// One segment's data. Lives as long as a slice of it, whatever happens to the segment.
pub(crate) struct SegmentFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: OnceLock<Arc<dyn DiskFile>>,
    /// Bytes of whole batches. Moved by the appender after the write; read by everybody.
    len: AtomicU64,
    /// This process wrote everything from here on. Above the length when it wrote nothing.
    written_from: AtomicU64,
    map_len: u64,
    map: RwLock<Option<Arc<SegmentMap>>>,
    /// A sync has failed. Held while one runs: the kernel tells a failure to one of those who wait for it and counts what
    /// was lost as clean, so that whoever asks next would be told that all is well.
    sync_failed: Mutex<bool>,
}

impl SegmentFile {
    /// A file of `len` good bytes; it is opened when needed. `map_len` is how long it may become.
    pub(crate) fn existing(disk: &Arc<dyn Disk>, path: PathBuf, len: u64, map_len: u64) -> Self {
        Self {
            disk: Arc::clone(disk),
            path,
            file: OnceLock::new(),
            len: AtomicU64::new(len),
            written_from: AtomicU64::new(u64::MAX),
            map_len: map_len.max(len),
            map: RwLock::new(None),
            sync_failed: Mutex::new(false),
        }
    }

    /// Makes the file, or empties the one that is there: it holds nothing that counts.
    pub(crate) fn create(disk: &Arc<dyn Disk>, path: PathBuf, map_len: u64) -> io::Result<Self> {
        let file = disk.open(&path, OpenMode::Create)?;
        if !file.is_empty()? {
            file.set_len(0)?;
        }
        let this = Self::existing(disk, path, 0, map_len);
        this.written_from.store(0, Ordering::Relaxed);
        Ok(Self { file: OnceLock::from(file), ..this })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    pub(crate) fn open(&self) -> io::Result<&Arc<dyn DiskFile>> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let opened = self.disk.open(&self.path, OpenMode::ReadWrite)?;
        Ok(self.file.get_or_init(|| opened))
    }

    /// This process wrote everything from here on.
    pub(crate) fn written_from(&self) -> u64 {
        self.written_from.load(Ordering::Relaxed)
    }

    /// Stands for the state of the file: another number, and somebody has changed it.
    pub(crate) fn changed(&self) -> io::Result<i128> {
        self.open()?.changed()
    }

    pub(crate) fn len(&self) -> u64 {
        self.len.load(Ordering::Acquire)
    }

    /// Writes at the end. On an error the file is cut back, as far as that is possible.
    pub(crate) fn append(&self, pieces: &[IoSlice<'_>]) -> io::Result<u64> {
        let position = self.len();
        let file = self.open()?;
        if let Err(error) = file.write_all_at(pieces, position) {
            file.set_len(position)?;
            return Err(error);
        }
        let size: usize = pieces.iter().map(|piece| piece.len()).sum();
        self.written_from.fetch_min(position, Ordering::Relaxed);
        self.len.store(position + size as u64, Ordering::Release);
        Ok(position)
    }

    /// Cuts the file.
    pub(crate) fn cut(&self, len: u64) -> io::Result<()> {
        self.len.store(len, Ordering::Release);
        // A map over cut pages would be EFAULT for its readers; new readers get a new one.
        self.map.write().take();
        self.open()?.set_len(len)
    }

    /// Makes durable what was written. After a failure every later call fails as well.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let mut failed = self.sync_failed.lock();
        if *failed {
            return Err(io::Error::other("an earlier sync of this file failed, and what it lost is lost"));
        }
        let synced = self.open()?.sync_data();
        *failed = synced.is_err();
        synced
    }

    pub(crate) fn read(&self, position: u64, len: usize) -> io::Result<Bytes> {
        let mut bytes = vec![0; len];
        self.open()?.read_exact_at(&mut bytes, position)?;
        Ok(Bytes::from(bytes))
    }

    /// The range, mapped, when it is in memory.
    pub(crate) fn resident(&self, position: u64, len: usize) -> Option<MappedRange> {
        if position + len as u64 > self.len() {
            return None;
        }
        let range = self.map()?.range(usize::try_from(position).ok()?, len)?;
        let recent = self.len().saturating_sub(RESIDENT_TAIL_BYTES).max(self.written_from.load(Ordering::Relaxed));
        (position >= recent || range.is_resident()).then_some(range)
    }

    fn map(&self) -> Option<Arc<SegmentMap>> {
        if let Some(map) = &*self.map.read() {
            return Some(Arc::clone(map));
        }
        let file = self.open().ok()?.as_std()?;
        let mut slot = self.map.write();
        if slot.is_none() {
            *slot = SegmentMap::new(file, usize::try_from(self.map_len.max(self.len())).ok()?);
        }
        slot.clone()
    }
}

impl std::fmt::Debug for SegmentFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SegmentFile").field("path", &self.path).field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seam::RealDisk;
    use crate::seam::lossy::{Fault, OpKind};

    #[test]
    fn what_this_process_wrote_is_sent_mapped_and_never_more() {
        let directory = tempfile::tempdir().unwrap();
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let path = directory.path().join("0.log");
        let file = SegmentFile::create(&disk, path.clone(), 1 << 20).unwrap();
        file.append(&[IoSlice::new(b"hello "), IoSlice::new(b"world")]).unwrap();
        assert_eq!(&*file.resident(6, 5).unwrap().io_slice(0), b"world");
        assert!(file.resident(6, 6).is_none(), "beyond the published end");
        assert_eq!(&file.read(0, 5).unwrap()[..], b"hello");
        let held = file.resident(0, 5).unwrap();
        disk.remove_file(&path).unwrap();
        assert_eq!(&*held.io_slice(0), b"hello", "a map outlives the name");
        file.cut(4).unwrap();
        assert!(file.resident(0, 5).is_none());
        file.append(&[IoSlice::new(b"again")]).unwrap();
        assert_eq!(&*file.resident(0, 9).unwrap().io_slice(0), b"hellagain");
    }

    #[test]
    fn a_file_of_an_earlier_run_is_sent_mapped_when_it_is_in_memory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("0.log");
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let bytes = [7; 10_000];
        disk.open(&path, OpenMode::CreateNew).unwrap().write_all_at(&[IoSlice::new(&bytes)], 0).unwrap();
        let file = SegmentFile::existing(&disk, path, 10_000, 0);
        assert_eq!(file.resident(100, 9_900).unwrap().len(), 9_900);
        assert!(file.resident(0, 10_001).is_none());
    }

    #[test]
    fn a_file_whose_sync_failed_is_never_said_to_be_synced() {
        let disk = crate::seam::LossyDisk::new(Arc::new(crate::seam::ManualClock::default()));
        let seam: Arc<dyn Disk> = Arc::new(disk.clone());
        let file = SegmentFile::create(&seam, PathBuf::from("/0.log"), 0).unwrap();
        file.append(&[IoSlice::new(b"lost")]).unwrap();
        disk.fail_nth(OpKind::SyncData, 1, Fault::Io);
        assert!(file.sync().is_err());
        assert!(file.sync().is_err(), "the disk says that all is well");
        file.append(&[IoSlice::new(b"more")]).unwrap();
        assert!(file.sync().is_err());
    }

    #[test]
    fn a_failed_append_is_cut_back() {
        let disk = crate::seam::LossyDisk::new(Arc::new(crate::seam::ManualClock::default()));
        let seam: Arc<dyn Disk> = Arc::new(disk.clone());
        let file = SegmentFile::create(&seam, PathBuf::from("/0.log"), 0).unwrap();
        file.append(&[IoSlice::new(b"good")]).unwrap();
        disk.fail_nth(OpKind::Write, 1, Fault::ShortWriteNoSpace);
        assert!(file.append(&[IoSlice::new(b"torn, this one")]).is_err());
        assert_eq!((file.len(), file.open().unwrap().len().unwrap()), (4, 4));
        assert!(file.resident(0, 4).is_none(), "there is no map on a simulated disk");
    }
}
