//! The page cache below a directory: written back, and dropped, so that a read has to go to the disk.

use std::fs::{self, File};
use std::io::IoSliceMut;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, fadvise, syncfs};
use rustix::io::{ReadWriteFlags, preadv2};

use crate::Outcome;

/// Places of a file that are looked at.
const SAMPLES: u64 = 16;
/// Part of the places that may still be cached for a directory to count as cold.
const CACHED_MAX: f64 = 0.05;

/// Writes everything back that the file system of `directory` still keeps in memory.
pub(crate) fn write_back(directory: &Path) -> Outcome<()> {
    Ok(syncfs(File::open(directory)?)?)
}

/// Drops the pages of every `.log` file below `directory`. Says whether they are gone: a page that a process has touched
/// through a map stays.
pub(crate) fn drop_pages(directory: &Path) -> Outcome<bool> {
    write_back(directory)?;
    let (mut looked, mut cached) = (0, 0);
    for path in logs(directory)? {
        let file = File::open(&path)?;
        let length = file.metadata()?.len();
        fadvise(&file, 0, None, Advice::DontNeed)?;
        for sample in 0..SAMPLES.min(length) {
            looked += 1;
            cached += u32::from(is_cached(&file, length / SAMPLES.min(length) * sample));
        }
    }
    Ok(f64::from(cached) <= CACHED_MAX * f64::from(looked))
}

/// Whether a byte can be read without waiting.
fn is_cached(file: &File, at: u64) -> bool {
    let mut byte = [0];
    preadv2(file, &mut [IoSliceMut::new(&mut byte)], at, ReadWriteFlags::NOWAIT).is_ok_and(|read| read > 0)
}

fn logs(directory: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(logs(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "log") {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_written_is_cached_until_its_pages_are_dropped() {
        let directory =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../target").join(format!("cache-{}", std::process::id()));
        fs::create_dir_all(directory.join("topic-0")).unwrap();
        let path = directory.join("topic-0/0.log");
        fs::write(&path, vec![7; 1 << 20]).unwrap();
        assert!(is_cached(&File::open(&path).unwrap(), 1 << 19));
        let cold = drop_pages(&directory);
        fs::remove_dir_all(&directory).unwrap();
        assert!(cold.unwrap());
    }
}
