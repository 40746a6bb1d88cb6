//! Reads the segments back: all of them whole but for a torn tail of the last one, which is cut.
//!
//! A torn tail is what a crash leaves of writes that no sync had covered. A hole is damage below a sync: some later
//! frame says that these bytes were durable when it was written. A hole is never cut: the start is refused.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use barnabas_storage::seam::{Disk, DiskFile, OpenMode};
use barnabas_storage::{failed_sync, log_dir};

use super::change::Change;
use super::mark::{self, Mark};
use super::state::LogState;
use super::{frame, segment_name, segment_number};
use crate::error::OpenError;

/// What was found.
pub(super) struct Recovered {
    pub(super) state: LogState,
    /// Every segment but the last: its number and the highest index it holds.
    pub(super) sealed: Vec<(u64, u64)>,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) number: u64,
    pub(super) length: u64,
}

struct Recovery<'a> {
    disk: &'a dyn Disk,
    directory: &'a Path,
    state: Option<LogState>,
}

/// Reads every segment of `directory`; `None` when there is none.
///
/// # Errors
/// `Damaged` for a hole, `Io` when a file operation failed.
pub(super) fn recover(disk: &dyn Disk, directory: &Path) -> Result<Option<Recovered>, OpenError> {
    let mut recovery = Recovery { disk, directory, state: None };
    let numbers = recovery.segments()?;
    let Some((last, before)) = numbers.split_last() else { return Ok(None) };
    let mut sealed = Vec::new();
    for number in before {
        recovery.read_sealed(*number)?;
        sealed.push((*number, recovery.last_index()));
    }
    let (mut number, mut end) = (*last, recovery.read_tail(*last)?);
    recovery.reaches_its_mark(&numbers, end)?;
    if end == 0 {
        if sealed.is_empty() && log_dir::has_served(disk, directory) {
            return Err(super::gone(directory));
        }
        // A crash came between the making of the segment and its first sync: nothing was ever in it.
        disk.remove_file(&recovery.path(number))?;
        disk.sync_dir(directory)?;
        let Some((before, _)) = sealed.pop() else { return Ok(None) };
        number = before;
        end = disk.open(&recovery.path(number), OpenMode::Read)?.len()?;
    }
    let file = recovery.cut(number, end)?;
    let Some(state) = recovery.state else { return Ok(None) };
    if !state.is_whole() {
        let reason = "entries between the snapshot and the log are missing".to_owned();
        return Err(damaged(directory.join(segment_name(number)), reason));
    }
    Ok(Some(Recovered { state, sealed, file, number, length: end }))
}

/// After a failed sync: every segment written over with what it shows, and their names synced.
///
/// # Errors
/// `Io`.
pub(super) fn write_again(disk: &dyn Disk, directory: &Path) -> Result<(), OpenError> {
    for entry in disk.list(directory)? {
        if segment_number(&entry.name).is_some() {
            let file = disk.open(&directory.join(&entry.name), OpenMode::ReadWrite)?;
            failed_sync::write_again(&*file, 0)?;
        }
    }
    Ok(disk.sync_dir(directory)?)
}

/// Reads every segment and changes nothing.
///
/// # Errors
/// As [`recover`].
pub(super) fn inspect(disk: &dyn Disk, directory: &Path) -> Result<Option<LogState>, OpenError> {
    let mut recovery = Recovery { disk, directory, state: None };
    let numbers = recovery.segments()?;
    let Some((last, before)) = numbers.split_last() else { return Ok(None) };
    for number in before {
        recovery.read_sealed(*number)?;
    }
    let end = recovery.read_tail(*last)?;
    recovery.reaches_its_mark(&numbers, end)?;
    if end == 0 && before.is_empty() {
        return Ok(None);
    }
    match recovery.state {
        Some(state) if !state.is_whole() => {
            let reason = "entries between the snapshot and the log are missing".to_owned();
            Err(damaged(directory.join(segment_name(*last)), reason))
        }
        state => Ok(state),
    }
}

fn damaged(file: PathBuf, what: String) -> OpenError {
    let reason = format!("{what}; restore the file from a copy, it must not be deleted");
    OpenError::Damaged { file, reason }
}

impl Recovery<'_> {
    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(segment_name(number))
    }

    fn last_index(&self) -> u64 {
        self.state.as_ref().and_then(LogState::last).map_or(0, |last| last.index)
    }

    fn segments(&self) -> Result<Vec<u64>, OpenError> {
        let names = self.disk.list(self.directory)?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|entry| segment_number(&entry.name)).collect();
        numbers.sort_unstable();
        for pair in numbers.windows(2) {
            if let [before, after] = pair
                && *after != before + 1
            {
                return Err(damaged(self.path(before + 1), "a segment is missing".to_owned()));
            }
        }
        Ok(numbers)
    }

    fn read(&self, number: u64) -> Result<Vec<u8>, OpenError> {
        let file = self.disk.open(&self.path(number), OpenMode::Read)?;
        let length = usize::try_from(file.len()?).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    fn read_sealed(&mut self, number: u64) -> Result<(), OpenError> {
        let bytes = self.read(number)?;
        let end = self.replay(number, &bytes)?;
        if end == 0 || end < bytes.len() {
            return Err(damaged(self.path(number), format!("the frame at byte {end} is damaged")));
        }
        Ok(())
    }

    /// Where the last segment's good part ends.
    fn read_tail(&mut self, number: u64) -> Result<u64, OpenError> {
        let bytes = self.read(number)?;
        let end = self.replay(number, &bytes)?;
        let was_durable = (end..bytes.len())
            .filter_map(|position| frame::header_at(&bytes, number, position))
            .any(|header| header.durable > end as u64);
        if was_durable {
            let what = format!("the frame at byte {end} is damaged, and it was synced");
            return Err(damaged(self.path(number), what));
        }
        Ok(end as u64)
    }

    /// The last segment ends at `end`: that must not be below what is known to have been synced.
    fn reaches_its_mark(&self, numbers: &[u64], end: u64) -> Result<(), OpenError> {
        let (Some(first), Some(last), Some(mark)) =
            (numbers.first(), numbers.last(), Mark::read(self.disk, self.directory))
        else {
            return Ok(());
        };
        let length = if mark.number == *last {
            end
        } else if mark.number > *last {
            0
        } else if mark.number < *first {
            return Ok(());
        } else {
            self.disk.open(&self.path(mark.number), OpenMode::Read)?.len()?
        };
        if length >= mark.length {
            return Ok(());
        }
        let what = format!(
            "it was synced up to byte {} ({}), but nothing whole is there from byte {length} on",
            mark.length,
            mark::NAME
        );
        Err(damaged(self.path(mark.number), what))
    }

    /// Applies frames up to the first one that is not whole; its position.
    fn replay(&mut self, number: u64, bytes: &[u8]) -> Result<usize, OpenError> {
        let mut position = 0;
        while let Some((change, next)) = frame::at(bytes, number, position) {
            let change = change.map_err(|error| damaged(self.path(number), format!("byte {position}: {error}")))?;
            self.fold(change).map_err(|what| damaged(self.path(number), format!("byte {position}: {what}")))?;
            position = next;
        }
        Ok(position)
    }

    fn fold(&mut self, change: Change) -> Result<(), &'static str> {
        match (&mut self.state, change) {
            (Some(state), change) => state.apply(change),
            (state @ None, Change::Head(head)) => {
                *state = Some(LogState::new(head));
                Ok(())
            }
            (None, _) => Err("the first frame is not a head"),
        }
    }

    fn cut(&self, number: u64, end: u64) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.disk.open(&self.path(number), OpenMode::ReadWrite)?;
        if file.len()? > end {
            tracing::warn!(
                segment = number,
                end,
                "cut a torn tail off the metadata log; nothing need be done: a crash leaves it so"
            );
            // Without the cut, bytes behind it could pass for frames again after an append of the same length.
            file.set_len(end)?;
        }
        file.sync_data()?;
        Ok(file)
    }
}
