//! The files of a partition's directory that a start finds: what to keep, what an earlier run left behind.

use std::collections::BTreeSet;
use std::io::{self, IoSlice};

use super::Log;
use super::snapshots::offset_of;
use crate::advice::LOOK_AT_DISK;
use crate::ids::Offset;
use crate::seam::{DiskFile, OpenMode};
use crate::segment::{CHECKSUMS, DATA, OFFSET_INDEX, SNAPSHOT, Segment, TIME_INDEX, TRANSACTION_INDEX, file_path};

/// Suffixes of files that are dead: waiting for their removal, or never finished.
const DEAD: [&str; 3] = [".deleted", ".cleaned", ".tmp"];
/// Bytes copied at a time.
const COPY_CHUNK: u64 = 1 << 20;

/// What is there after the dead files are gone.
pub(super) struct Leftovers {
    pub(super) segment_bases: Vec<Offset>,
    /// Segments that have both index files.
    pub(super) indexed_bases: BTreeSet<Offset>,
}

impl Leftovers {
    /// Removes dead files and indexes without a segment.
    pub(super) fn tidy(log: &Log) -> io::Result<Self> {
        let names: Vec<String> = log.disk().list(&log.directory)?.into_iter().map(|entry| entry.name).collect();
        if let Some(swap) = names.iter().find(|name| name.ends_with(".swap")) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{swap}: a compaction by Apache Kafka was interrupted; start Kafka once, stop it cleanly"),
            ));
        }
        let bases = |suffix| names.iter().filter_map(|name| offset_of(name, suffix)).collect::<BTreeSet<_>>();
        let data = bases(DATA);
        let is_orphan = |name: &str| {
            let of = [OFFSET_INDEX, TIME_INDEX, TRANSACTION_INDEX].iter().find_map(|suffix| offset_of(name, suffix));
            of.is_some_and(|base| !data.contains(&base))
        };
        for name in &names {
            if log.context.others_ran && offset_of(name, CHECKSUMS).is_some() {
                log.disk().remove_file(&log.directory.join(name))?;
                continue;
            }
            if DEAD.iter().any(|suffix| name.ends_with(suffix)) || is_orphan(name) {
                log.disk().remove_file(&log.directory.join(name))?;
            }
        }
        let indexed_bases = bases(OFFSET_INDEX).intersection(&bases(TIME_INDEX)).copied().collect();
        Ok(Self { segment_bases: data.into_iter().collect(), indexed_bases })
    }
}

/// Keeps the bytes from there on that a cut takes away from a directory whose synced point nobody knows, or that are of
/// another log and are cut or written over: an operator may want them.
pub(super) fn keep_copy(log: &Log, base: Offset, file: &dyn DiskFile, from: u64) -> io::Result<()> {
    let end = file.len()?;
    if from >= end {
        return Ok(());
    }
    let mut path = file_path(&log.directory, base, DATA).into_os_string();
    path.push(format!(".{from}.corrupt"));
    let copy = log.disk().open(path.as_ref(), OpenMode::Create)?;
    let mut position = from;
    while position < end {
        let len = usize::try_from(COPY_CHUNK.min(end - position)).unwrap_or(0);
        let mut bytes = vec![0; len];
        file.read_exact_at(&mut bytes, position)?;
        copy.write_all_at(&[IoSlice::new(&bytes)], position - from)?;
        position += len as u64;
    }
    copy.sync_data()?;
    log.name_made();
    Ok(())
}

impl Log {
    /// Removes the files of a segment at once, the data last.
    pub(super) fn remove_files(&self, segment: &Segment) -> io::Result<()> {
        for suffix in [CHECKSUMS, OFFSET_INDEX, TIME_INDEX, TRANSACTION_INDEX, SNAPSHOT, DATA] {
            match self.disk().remove_file(&segment.path(suffix)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        self.name_made();
        Ok(())
    }

    /// Renames the files of a segment to `.deleted`; they go at [`Log::remove_expired_files`] after the delay.
    pub(super) fn doom_files(&self, segment: &Segment) -> io::Result<()> {
        let delay = i64::try_from(self.options().file_delete_delay_ms).unwrap_or(i64::MAX);
        let at = crate::ids::Timestamp(self.now().0.saturating_add(delay));
        // Slices that were handed out hold the file open, so it has to be open before its name goes.
        segment.data.open()?;
        for suffix in [CHECKSUMS, OFFSET_INDEX, TIME_INDEX, TRANSACTION_INDEX, SNAPSHOT, DATA] {
            let path = segment.path(suffix);
            let mut doomed = path.as_os_str().to_owned();
            doomed.push(".deleted");
            match self.disk().rename(&path, doomed.as_ref()) {
                Ok(()) => self.expired.lock().push((at, doomed.into())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Removes `.deleted` files whose delay is over. One that cannot be removed now is removed at the next start.
    pub(crate) fn remove_expired_files(&self, now: crate::ids::Timestamp) {
        let due: Vec<_> = self.expired.lock().extract_if(.., |(at, _)| *at <= now).collect();
        for (_, path) in due {
            match self.disk().remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(
                        path = %path.display(),
                        %error,
                        "a deleted segment's file could not be removed: the next start does it; {LOOK_AT_DISK}"
                    );
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
}
