//! Small files that are read and replaced as a whole: tmp, fsync, rename, fsync of the directory.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

use crate::seam::{Disk, OpenMode};

/// A whole file larger than this is none of ours.
const BYTES_MAX: u64 = 256 << 20;

/// Reads the file; `None` when there is none.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match disk.open(path, OpenMode::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = file.len()?;
    if length > BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{length} bytes is too long for such a file")));
    }
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(Some(bytes))
}

/// Makes `bytes` the content of the file, durably and at once: a crash leaves the old content or the new.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let tmp = tmp_of(path);
    let file = disk.open(&tmp, OpenMode::Create)?;
    // A crash may have left one.
    file.set_len(0)?;
    file.write_all_at(&[IoSlice::new(bytes)], 0)?;
    file.sync_data()?;
    disk.rename(&tmp, path)?;
    disk.sync_dir(path.parent().unwrap_or_else(|| Path::new(".")))
}

/// The name under which the new content is written, as Kafka has it: the name with `.tmp` behind.
fn tmp_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}
