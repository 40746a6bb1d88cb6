//! Reserved room: a file of zeros that is given back when the disk is full, so that what must go on can.
//!
//! Deleting a topic on a full disk means writing to the metadata log first, and a start writes a manifest. The file
//! stands in the log directory's root, where Apache Kafka ignores it; whoever cannot write calls [`release`] and tries
//! once more, and the directory's upkeep makes it again when there is room.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

use crate::advice::FREE_SPACE;
use crate::seam::{Disk, OpenMode};

/// Enough for thousands of records of metadata and for a manifest of ten thousand partitions.
pub const BYTES: u64 = 2 << 20;
/// It is made only while this many times its size is free.
const ROOM: u64 = 8;
/// Written at once.
static PIECE: [u8; 64 << 10] = [0; 64 << 10];

fn path(dir: &Path) -> PathBuf {
    dir.join("barnabas-reserve")
}

/// Makes the file when it is not there and the disk has room.
///
/// # Errors
/// When it cannot be written: then there is none.
pub fn hold(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    let path = path(dir);
    if disk.exists(&path) || disk.free_bytes(dir)? < BYTES * ROOM {
        return Ok(());
    }
    let file = disk.open(&path, OpenMode::Create)?;
    let mut pieces = (0..BYTES).step_by(PIECE.len());
    let written = pieces.try_for_each(|position| file.write_all_at(&[IoSlice::new(&PIECE)], position));
    // Part of it would be taken for all of it.
    written.inspect_err(|_| drop(disk.remove_file(&path)))
}

/// Gives the room back; false when there was none to give.
///
/// # Errors
/// When the file cannot be removed.
pub fn release(disk: &dyn Disk, dir: &Path) -> io::Result<bool> {
    match disk.remove_file(&path(dir)) {
        Ok(()) => {
            tracing::warn!(dir = %dir.display(), "the disk is full: the room reserved for metadata is in use now; {FREE_SPACE}");
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Does something that writes; when the disk is full, once more with the reserved room.
///
/// # Errors
/// Its own.
pub fn with_reserve<T>(disk: &dyn Disk, dir: &Path, mut act: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    match act() {
        Err(error) if error.kind() == io::ErrorKind::StorageFull && release(disk, dir)? => act(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::seam::lossy::{Fault, OpKind};
    use crate::seam::{LossyDisk, ManualClock};

    #[test]
    fn the_reserved_room_is_given_back_once_and_made_again_when_there_is_room() {
        let disk = LossyDisk::new(Arc::new(ManualClock::at(crate::Timestamp(0))));
        let dir = Path::new("/");
        let refuse = || disk.fail_nth(OpKind::Write, 1, Fault::NoSpace);
        let write = || disk.open(Path::new("/f"), OpenMode::Create)?.write_all_at(&[IoSlice::new(b"x")], 0);
        refuse();
        assert!(with_reserve(&disk, dir, write).is_err(), "nothing is reserved yet");
        disk.set_free_bytes(BYTES);
        hold(&disk, dir).unwrap();
        assert!(!disk.exists(&path(dir)), "no room to reserve");
        disk.set_free_bytes(BYTES * ROOM);
        hold(&disk, dir).unwrap();
        assert_eq!(disk.open(&path(dir), OpenMode::Read).unwrap().len().unwrap(), BYTES);
        refuse();
        with_reserve(&disk, dir, write).unwrap();
        assert!(!disk.exists(&path(dir)));
    }

    #[test]
    fn half_a_reserve_is_none() {
        let disk = LossyDisk::new(Arc::new(ManualClock::at(crate::Timestamp(0))));
        disk.fail_nth(OpKind::Write, 3, Fault::NoSpace);
        assert!(hold(&disk, Path::new("/")).is_err());
        assert!(!disk.exists(&path(Path::new("/"))));
    }
}
