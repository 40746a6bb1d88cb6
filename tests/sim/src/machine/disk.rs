//! The disk of the machine: storage's lossy disk, with time, a trace, a size, and faults that the plan switches on.
//!
//! A thread of its own waits for the disk in simulated time. What an async task does to the disk takes none: it would stop
//! the whole node.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use barnabas_storage::seam::{DirEntry, Disk, DiskFile, LossyDisk, OpenMode, Rng as _, SeededRng, mutant};
use parking_lot::lockstep;

use crate::trace::trace;

/// What the plan does to the disk while the node runs.
pub(crate) struct Ailments {
    /// No file may grow, none may be made.
    pub(crate) full: AtomicBool,
    /// Slowest sync, in microseconds.
    pub(crate) sync_micros_max: AtomicU64,
    /// Operations that were refused for want of space.
    pub(crate) refused: AtomicU64,
    rng: SeededRng,
}

impl Ailments {
    pub(crate) fn new(seed: u64, sync_micros_max: u64) -> Self {
        Self {
            full: AtomicBool::new(false),
            sync_micros_max: AtomicU64::new(sync_micros_max),
            refused: AtomicU64::new(0),
            rng: SeededRng::new(seed),
        }
    }

    /// The disk is at work.
    fn takes_time(&self, share: u64) {
        if !lockstep::is_driver() {
            let most = self.sync_micros_max.load(Ordering::Relaxed) / share;
            lockstep::sleep(Duration::from_micros(1 + self.rng.next_u64() % most.max(1)));
        }
    }

    fn room(&self) -> io::Result<()> {
        if !self.full.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        Err(io::ErrorKind::StorageFull.into())
    }
}

/// One life's view of the disk.
pub(crate) struct SimDisk {
    pub(crate) inner: LossyDisk,
    pub(crate) ailments: Arc<Ailments>,
}

#[derive(Debug)]
struct SimFile {
    inner: Arc<dyn DiskFile>,
    path: PathBuf,
    ailments: Arc<Ailments>,
}

impl std::fmt::Debug for Ailments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ailments").finish_non_exhaustive()
    }
}

fn told<T>(what: &str, path: &Path, outcome: io::Result<T>) -> io::Result<T> {
    let verdict = outcome.as_ref().err().map_or_else(String::new, |error| format!(" {error}"));
    trace!("{} {what} {}{verdict}", lockstep::name(), path.display());
    outcome
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        if matches!(mode, OpenMode::Create | OpenMode::CreateNew) && !self.inner.exists(path) {
            self.ailments.room()?;
        }
        let inner = told("open", path, self.inner.open(path, mode))?;
        Ok(Arc::new(SimFile { inner, path: path.to_path_buf(), ailments: Arc::clone(&self.ailments) }))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.ailments.room()?;
        told("create_dir", path, self.inner.create_dir(path))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.inner.list(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        told("rename", to, self.inner.rename(from, to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        told("remove", path, self.inner.remove_file(path))
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        told("remove_dir", path, self.inner.remove_dir(path))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.ailments.takes_time(2);
        if mutant("directories_not_synced") {
            return Ok(());
        }
        told("sync_dir", path, self.inner.sync_dir(path))
    }

    fn exists(&self, path: &Path) -> bool {
        self.inner.exists(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        self.inner.lock(path)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        if self.ailments.full.load(Ordering::Relaxed) { Ok(0) } else { self.inner.free_bytes(path) }
    }
}

impl SimFile {
    /// A seeded bug lets this sync be none.
    fn is_left_out(&self) -> bool {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let is = |end: &str| self.path.extension().is_some_and(|extension| extension == end);
        mutant("ack_before_sync") && name.starts_with("barnabas-journal")
            || mutant("segments_not_synced") && is("log")
            || mutant("metadata_not_synced") && is("wal")
    }
}

impl DiskFile for SimFile {
    fn write_all_at(&self, pieces: &[IoSlice<'_>], position: u64) -> io::Result<()> {
        self.ailments.takes_time(20);
        let length: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        if position + length > self.inner.len()? {
            self.ailments.room()?;
        }
        let outcome = self.inner.write_all_at(pieces, position);
        let verdict = if outcome.is_ok() { "" } else { " failed" };
        trace!("{} write {} {position}+{length}{verdict}", lockstep::name(), self.path.display());
        outcome
    }

    fn read_exact_at(&self, into: &mut [u8], position: u64) -> io::Result<()> {
        self.ailments.takes_time(50);
        self.inner.read_exact_at(into, position)
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if len > self.inner.len()? {
            self.ailments.room()?;
        }
        told("set_len", &self.path, self.inner.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        // Half before and half after: a crash may find it done or not.
        self.ailments.takes_time(2);
        if self.is_left_out() {
            return Ok(());
        }
        let outcome = told("sync", &self.path, self.inner.sync_data());
        self.ailments.takes_time(2);
        outcome
    }

    fn modified_ms(&self) -> io::Result<i64> {
        self.inner.modified_ms()
    }

    fn as_std(&self) -> Option<&std::fs::File> {
        None
    }
}
