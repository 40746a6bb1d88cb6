//! A directory for the data of one run, which goes with it.

use std::path::{Path, PathBuf};

use barnabas_storage::advice::MEND_DISK;
use barnabas_storage::seam::{Disk, Seams};
use rustix::fs::{Mode, chmod};

use super::Failure;
use crate::cli::environment::variable;

/// Directories of processes of the same number that were killed are stepped over.
const NUMBERS: u32 = 1000;

/// A directory for the data of one run.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes one for this user alone, below $TMPDIR or /tmp.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn make(seams: &Seams) -> Result<Self, Failure> {
        let base = PathBuf::from(variable("TMPDIR").unwrap_or_else(|| "/tmp".to_owned()));
        let path_of = |number: u32| base.join(format!("barnabas-dev-{}-{number}", std::process::id()));
        let path = (0..NUMBERS).map(path_of).find(|path| !seams.disk.exists(path)).unwrap_or_else(|| path_of(NUMBERS));
        let made = seams.disk.create_dir(&path).and_then(|()| Ok(chmod(&path, Mode::RWXU)?));
        made.map_err(|error| {
            let failure = Failure::from(format!("make {}: {error}", path.display()));
            failure.next("another place by TMPDIR, or a directory of your own: -c log.dirs=./data")
        })?;
        Ok(Self { path })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes it away with everything in it.
    pub(super) fn remove(self, seams: &Seams) {
        if let Err(error) = remove_all(&*seams.disk, &self.path) {
            tracing::warn!("{} could not be removed: {error}; {MEND_DISK}", self.path.display());
        }
    }
}

/// Nothing is followed out of it: a log directory has plain files and directories only.
fn remove_all(disk: &dyn Disk, directory: &Path) -> std::io::Result<()> {
    for entry in disk.list(directory)? {
        let path = directory.join(&entry.name);
        if entry.is_dir { remove_all(disk, &path)? } else { disk.remove_file(&path)? }
    }
    disk.remove_dir(directory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::cli::files;

    #[test]
    fn it_is_ones_own_and_goes_with_everything_in_it() {
        let seams = Seams::system();
        let (one, other) = (Scratch::make(&seams).unwrap(), Scratch::make(&seams).unwrap());
        assert_ne!(one.path(), other.path());
        let path = one.path().to_owned();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        files::make_directory(&path.join("t-0")).unwrap();
        files::write(&path.join("t-0/00000000000000000000.log"), b"bytes").unwrap();
        one.remove(&seams);
        other.remove(&seams);
        assert!(!path.exists());
    }
}
