//! `barnabas-metadata.end`: how far the log reached at a clean stop.
//!
//! After a crash nobody can tell a last frame that was never whole from one that was damaged later. After a clean stop
//! this file can: it is written when everything is synced, and removed before anything else is written.

use std::io;
use std::io::IoSlice;
use std::path::{Path, PathBuf};

use barnabas_storage::seam::{Disk, OpenMode};

use super::{segment_name, segment_number};
use crate::error::OpenError;

const NAME: &str = "barnabas-metadata.end";

/// Where it is.
pub(super) fn path(directory: &Path) -> PathBuf {
    directory.join(NAME)
}

/// What it would say of the last segment as it is.
fn line(disk: &dyn Disk, directory: &Path) -> io::Result<Option<String>> {
    let names = disk.list(directory)?;
    let Some(number) = names.iter().filter_map(|entry| segment_number(&entry.name)).max() else { return Ok(None) };
    let bytes = read(disk, &directory.join(segment_name(number)))?;
    Ok(Some(format!("segment {number} length {} crc {:08x}\n", bytes.len(), crc32c::crc32c(&bytes))))
}

fn read(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let file = disk.open(path, OpenMode::Read)?;
    let mut bytes = vec![0; usize::try_from(file.len()?).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Writes it, durably. The log is synced and closed.
pub(super) fn write(disk: &dyn Disk, directory: &Path) -> io::Result<()> {
    let Some(line) = line(disk, directory)? else { return Ok(()) };
    let file = disk.open(&path(directory), OpenMode::Create)?;
    file.set_len(0)?;
    file.write_all_at(&[IoSlice::new(line.as_bytes())], 0)?;
    file.sync_data()?;
    disk.sync_dir(directory)
}

/// Compares it with the last segment; nothing to compare is right too.
///
/// # Errors
/// `Damaged` when the segment is not what it was at the clean stop.
pub(super) fn check(disk: &dyn Disk, directory: &Path) -> Result<(), OpenError> {
    let path = path(directory);
    if !disk.exists(&path) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&read(disk, &path)?).into_owned();
    // One that a crash tore while it was written says nothing.
    if !is_whole(&said) || line(disk, directory)?.is_some_and(|line| line == said) {
        return Ok(());
    }
    let reason = format!(
        "the last segment of the metadata log is not what it was at the clean stop ({}); restore the barnabas-metadata \
         files from a copy. To go on with what is left of them, move {NAME} away",
        said.trim()
    );
    Err(OpenError::Damaged { file: path, reason })
}

fn is_whole(said: &str) -> bool {
    said.ends_with('\n') && said.starts_with("segment ") && said.split(' ').count() == 6
}

/// True when it is there, but says nothing.
pub(super) fn is_damaged(disk: &dyn Disk, directory: &Path) -> bool {
    let path = path(directory);
    disk.exists(&path) && !read(disk, &path).is_ok_and(|said| is_whole(&String::from_utf8_lossy(&said)))
}

/// Removes it, durably: from now on the log grows.
pub(super) fn remove(disk: &dyn Disk, directory: &Path) -> io::Result<()> {
    match disk.remove_file(&path(directory)) {
        Ok(()) => disk.sync_dir(directory),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
