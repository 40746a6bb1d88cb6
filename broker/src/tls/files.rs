//! Files of keys and certificates, through the disk seam.

use std::io;
use std::path::Path;

use barnabas_storage::seam::{Disk, OpenMode};

use crate::limits::KEY_FILE_BYTES_MAX;

/// A whole file of at most [`KEY_FILE_BYTES_MAX`].
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let file = disk.open(path, OpenMode::Read)?;
    let length = usize::try_from(file.len()?).unwrap_or(usize::MAX);
    if length > KEY_FILE_BYTES_MAX {
        return Err(io::Error::other(format!("{length} bytes are more than keys and certificates take")));
    }
    let mut content = vec![0; length];
    file.read_exact_at(&mut content, 0)?;
    Ok(content)
}

/// Stands for a file's content: another number after a change, also when another file was put in its place. An error is a
/// state of its own, so that a file that comes back is noticed.
pub(super) fn stamp(disk: &dyn Disk, path: &Path) -> Option<(i128, u64)> {
    let file = disk.open(path, OpenMode::Read).ok()?;
    Some((file.changed().ok()?, file.len().ok()?))
}
