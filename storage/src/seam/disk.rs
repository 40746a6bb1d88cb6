//! The disk seam: every file operation of the workspace. `RealDisk` is the machine's, `LossyDisk` a test's.

use std::io;
use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// Must exist, read only.
    Read,
    /// Must exist, read and write.
    ReadWrite,
    /// Made when absent, read and write.
    Create,
    /// Must not exist, read and write.
    CreateNew,
}

/// What a directory holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// File name without the directory.
    pub name: String,
    /// True for a directory.
    pub is_dir: bool,
}

/// An open file. Positions are explicit; there is no cursor.
pub trait DiskFile: Send + Sync + std::fmt::Debug {
    /// Writes all of `pieces` at `position`.
    ///
    /// # Errors
    /// The system's error; then an unknown prefix may have been written.
    fn write_all_at(&self, pieces: &[IoSlice<'_>], position: u64) -> io::Result<()>;
    /// Fills `into` from `position`.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file ends before.
    fn read_exact_at(&self, into: &mut [u8], position: u64) -> io::Result<()>;
    /// The file's length in bytes.
    ///
    /// # Errors
    /// The system's.
    fn len(&self) -> io::Result<u64>;
    /// True when the length is 0.
    ///
    /// # Errors
    /// The system's.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Cuts or extends (with zeros) the file.
    ///
    /// # Errors
    /// The system's.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// fdatasync: data and length are durable when it returns.
    ///
    /// # Errors
    /// The system's, but never `StorageFull`: a full disk is a state that passes, a failed sync is not. After an error
    /// nothing of this file may be relied on, and a later sync proves nothing.
    fn sync_data(&self) -> io::Result<()>;
    /// The last modification in milliseconds since 1970.
    ///
    /// # Errors
    /// The system's.
    fn modified_ms(&self) -> io::Result<i64>;
    /// Stands for the state of the content: a change by anybody gives another number. A disk that cannot tell gives 0.
    ///
    /// # Errors
    /// The system's.
    fn changed(&self) -> io::Result<i128> {
        Ok(0)
    }
    /// The real file behind it, for mmap; `None` on a simulated disk (then reads go through `read_exact_at`).
    fn as_std(&self) -> Option<&std::fs::File>;
}

/// Files and directories.
pub trait Disk: Send + Sync {
    /// Opens a file.
    ///
    /// # Errors
    /// The system's.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>>;
    /// Makes a directory; its parent must exist. An existing directory is an error.
    ///
    /// # Errors
    /// The system's.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Lists a directory, unsorted.
    ///
    /// # Errors
    /// The system's.
    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>>;
    /// Renames, replacing a file at the new name.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// The system's.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    ///
    /// # Errors
    /// The system's.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes creations, renames and removals in this directory durable.
    ///
    /// # Errors
    /// As for [`DiskFile::sync_data`].
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// True when something is at that path.
    fn exists(&self, path: &Path) -> bool;
    /// Takes the POSIX record lock (fcntl) that a stock Kafka broker takes on `.lock`; held until the guard drops.
    ///
    /// # Errors
    /// `WouldBlock` when another process holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>>;
    /// Free bytes of the file system that holds `path`.
    ///
    /// # Errors
    /// The system's.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;

    /// Size of the file system that holds `path`; a disk that does not say has no end.
    ///
    /// # Errors
    /// The system's.
    fn total_bytes(&self, path: &Path) -> io::Result<u64> {
        let _ = path;
        Ok(u64::MAX)
    }
    /// Makes the directory and every missing parent, syncing each parent.
    ///
    /// # Errors
    /// The system's.
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        if path.as_os_str().is_empty() || self.exists(path) {
            return Ok(());
        }
        let parent = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
        self.create_dir_all(&parent)?;
        self.create_dir(path)?;
        if parent.as_os_str().is_empty() { self.sync_dir(Path::new(".")) } else { self.sync_dir(&parent) }
    }
}

/// What a failed sync returns: data that ENOSPC kept from the disk is lost like any other, so it must not look like a
/// write that was refused.
pub(super) fn sync_error(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::StorageFull { io::Error::other(error) } else { error }
}
