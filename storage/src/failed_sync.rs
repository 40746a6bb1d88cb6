//! `barnabas-sync-failed`: a write or a sync in this directory has failed, and what the page cache shows may not be on the disk.
//! The kernel tells of a failed sync once and counts what it lost as clean, so no later sync brings it back: not even one by the
//! next process. A start that finds the file writes again, byte by byte, whatever was not vouched for before (JRN-8).
//!
//! After a power cut the page cache is gone, and writing again changes nothing; so nobody asks whether the machine was started
//! anew meanwhile.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

use crate::seam::{Disk, DiskFile, OpenMode};

/// Read and written at a time, in bytes.
const PIECE: usize = 1 << 20;

/// Word of a failure, for the next start.
pub struct FailedSync<'a> {
    disk: &'a dyn Disk,
    path: PathBuf,
}

impl<'a> FailedSync<'a> {
    /// Of the journal or the logs of a directory.
    #[must_use]
    pub fn of_logs(disk: &'a dyn Disk, directory: &Path) -> Self {
        Self { disk, path: directory.join("barnabas-sync-failed") }
    }

    /// Of the metadata log in a directory.
    #[must_use]
    pub fn of_metadata(disk: &'a dyn Disk, directory: &Path) -> Self {
        Self { disk, path: directory.join("barnabas-metadata.sync-failed") }
    }

    /// Leaves word. Best effort: on a disk that takes no file a start fails as well. Not synced: it is for those who see the
    /// same page cache.
    pub fn note(&self) {
        if let Err(error) = self.disk.open(&self.path, OpenMode::Create) {
            let file = self.path.display();
            tracing::warn!(%file, %error, "the next start cannot be told of a failed sync; start the machine anew before it");
        }
    }

    /// Whether there is word.
    #[must_use]
    pub fn is_noted(&self) -> bool {
        self.disk.exists(&self.path)
    }

    /// Everything is on the disk again.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn forget(&self) -> io::Result<()> {
        self.disk.remove_file(&self.path)
    }
}

/// Writes a file's bytes from `position` on over themselves, and syncs it.
///
/// # Errors
/// The disk's.
pub fn write_again(file: &dyn DiskFile, mut position: u64) -> io::Result<()> {
    let length = file.len()?;
    let mut piece = vec![0; PIECE];
    while position < length {
        let size = usize::try_from(length - position).map_or(PIECE, |left| left.min(PIECE));
        file.read_exact_at(&mut piece[..size], position)?;
        file.write_all_at(&[IoSlice::new(&piece[..size])], position)?;
        position += size as u64;
    }
    file.sync_data()
}
