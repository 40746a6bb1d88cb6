//! Files that a command line names.

use std::io::{self, IoSlice};
use std::path::Path;

use barnabas_storage::seam::{OpenMode, Seams};

use super::Failure;
use super::exit::Exit;

/// A file's text.
///
/// # Errors
/// It is not there, cannot be read, or is not UTF-8.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    let read = read_text(&Seams::system(), path);
    read.map_err(|error| {
        let exit = if error.kind() == io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Failed };
        Failure::new(exit, format!("read {}: {error}", path.display()))
    })
}

/// Writes a file, over what was there.
///
/// # Errors
/// It cannot be written.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = Seams::system().disk.open(path, OpenMode::Create).and_then(|file| {
        file.set_len(0)?;
        file.write_all_at(&[IoSlice::new(bytes)], 0)
    });
    written.map_err(|error| format!("write {}: {error}", path.display()).into())
}

/// Makes a directory and those above it, where they are missing.
///
/// # Errors
/// It cannot be made.
pub(super) fn make_directory(path: &Path) -> Result<(), Failure> {
    let disk = Seams::system().disk;
    if disk.exists(path) {
        return Ok(());
    }
    disk.create_dir_all(path).map_err(|error| format!("make {}: {error}", path.display()).into())
}

/// Whether something is there.
pub(super) fn exists(path: &Path) -> bool {
    Seams::system().disk.exists(path)
}

/// A file's text, through the disk's seam.
pub(super) fn read_text(seams: &Seams, path: &Path) -> io::Result<String> {
    let file = seams.disk.open(path, OpenMode::Read)?;
    let length = usize::try_from(file.len()?).map_err(io::Error::other)?;
    let mut text = vec![0; length];
    file.read_exact_at(&mut text, 0)?;
    String::from_utf8(text).map_err(io::Error::other)
}
