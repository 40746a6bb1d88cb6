//! Where rounds go: the files of the ring, its head and its tail (JOURNAL.md, "Files"). The bytes are the writer's.
//!
//! Holds half of JRN-7: a round never overwrites a live one, and the ring grows only by whole, already written files.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::format::{BLOCK, FileHeader, ROUND_HEADER, RoundHeader};
use crate::error::LogDirError;
use crate::failed_sync::write_again;
use crate::ids::TopicId;
use crate::seam::{Disk, DiskFile, OpenMode};

const FILE_PREFIX: &str = "barnabas-journal-";
const TMP_SUFFIX: &str = ".tmp";
/// The largest file that the ring grows by.
const GROWTH_BYTES_MAX: u64 = 64 << 20;
/// Zeros are written in pieces of this size.
const ZEROS: usize = 1 << 20;

/// A place in the ring: file and position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: u32,
    pub(crate) position: u64,
}

impl Place {
    /// Where the first round of a session goes.
    pub(crate) const START: Self = Self { file: 0, position: BLOCK as u64 };
}

/// The files of a ring.
#[derive(Clone, Debug)]
pub(crate) struct RingFiles {
    dir: PathBuf,
    directory: TopicId,
    files: Vec<RingFile>,
}

/// One file, preallocated and zero-filled.
#[derive(Clone, Debug)]
pub(crate) struct RingFile {
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) length: u64,
}

/// Head, tail and what is live between them.
#[derive(Debug)]
pub(crate) struct Ring {
    pub(super) files: RingFiles,
    /// Where the next round goes if it fits there.
    head: Place,
    /// The number of the next round.
    next_round: u64,
    /// The rounds that a replay would need, oldest first.
    live: VecDeque<Live>,
    live_bytes: u64,
}

/// A round that a replay needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Live {
    pub(crate) number: u64,
    pub(crate) place: Place,
    pub(crate) length: u64,
}

/// Where a replay would begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    /// The number of the first live round.
    pub(crate) round: u64,
    /// Its place, or where the next one will be looked for.
    pub(crate) place: Place,
}

impl RingFiles {
    /// Opens the files that are there, in order, and removes one that was not finished.
    pub(crate) fn open(disk: &dyn Disk, dir: &Path, directory: TopicId) -> Result<Self, LogDirError> {
        let failed = |act, path: &Path, source| LogDirError::Io { act, path: path.to_path_buf(), source };
        let listed = disk.list(dir).map_err(|error| failed("list", dir, error))?;
        for entry in &listed {
            if entry.name.starts_with(FILE_PREFIX) && entry.name.ends_with(TMP_SUFFIX) {
                let path = dir.join(&entry.name);
                disk.remove_file(&path).map_err(|error| failed("remove", &path, error))?;
            }
        }
        Self::look(disk, dir, directory)
    }

    /// Opens the files that are there, in order, and changes nothing.
    pub(crate) fn look(disk: &dyn Disk, dir: &Path, directory: TopicId) -> Result<Self, LogDirError> {
        let failed = |source| LogDirError::Io { act: "list", path: dir.to_path_buf(), source };
        let mut ring = Self { dir: dir.to_path_buf(), directory, files: Vec::new() };
        let listed = disk.list(dir).map_err(failed)?;
        while listed.iter().any(|entry| entry.name == file_name(ring.files.len())) {
            let path = dir.join(file_name(ring.files.len()));
            let file = ring.open_file(disk, &path)?;
            ring.files.push(file);
        }
        Ok(ring)
    }

    fn open_file(&self, disk: &dyn Disk, path: &Path) -> Result<RingFile, LogDirError> {
        let failed = |act, source| LogDirError::Io { act, path: path.to_path_buf(), source };
        let malformed = |reason| LogDirError::Malformed { file: path.to_path_buf(), reason };
        let file = disk.open(path, OpenMode::ReadWrite).map_err(|error| failed("open", error))?;
        let mut block = [0; BLOCK];
        file.read_exact_at(&mut block, 0).map_err(|error| failed("read", error))?;
        let header = FileHeader::decode(&block).map_err(malformed)?;
        if header.directory != self.directory {
            let id = header.directory;
            return Err(malformed(format!(
                "the journal belongs to directory {id}, not to {}: it was copied here from elsewhere",
                self.directory
            )));
        }
        if usize::try_from(header.index).ok() != Some(self.files.len()) {
            return Err(malformed(format!("the journal file says that it is number {}", header.index)));
        }
        let length = file.len().map_err(|error| failed("read the length of", error))?;
        if length != header.length {
            return Err(malformed(format!("the journal file has {length} bytes, not {}", header.length)));
        }
        Ok(RingFile { path: path.to_path_buf(), file, length })
    }

    /// Makes the next file: written with zeros, synced, and only then under its name.
    ///
    /// # Errors
    /// The system's; then nothing has changed.
    pub(crate) fn make_next(&self, disk: &dyn Disk, length: u64) -> io::Result<RingFile> {
        let path = self.dir.join(file_name(self.files.len()));
        let tmp = self.dir.join(format!("{}{TMP_SUFFIX}", file_name(self.files.len())));
        let written = self.write_file(disk, &tmp, length).and_then(|file| {
            disk.rename(&tmp, &path)?;
            disk.sync_dir(&self.dir)?;
            Ok(RingFile { path, file, length })
        });
        if written.is_err() {
            // Best effort: a start removes it too.
            let _ = disk.remove_file(&tmp);
        }
        written
    }

    fn write_file(&self, disk: &dyn Disk, tmp: &Path, length: u64) -> io::Result<Arc<dyn DiskFile>> {
        let index = u32::try_from(self.files.len()).map_err(io::Error::other)?;
        let file = disk.open(tmp, OpenMode::Create)?;
        file.set_len(0)?;
        file.write_all_at(&[IoSlice::new(&FileHeader { index, length, directory: self.directory }.encode())], 0)?;
        let zeros = vec![0; ZEROS];
        let mut position = BLOCK as u64;
        while position < length {
            let piece = usize::try_from(length - position).map_or(ZEROS, |left| left.min(ZEROS));
            file.write_all_at(&[IoSlice::new(&zeros[..piece])], position)?;
            position += piece as u64;
        }
        file.sync_data()?;
        Ok(file)
    }

    /// True when a round was ever written: the first one of each session goes to the same place.
    pub(crate) fn was_used(&self) -> Result<bool, LogDirError> {
        let Some(first) = self.files.first() else { return Ok(false) };
        let mut header = [0; ROUND_HEADER];
        let read = first.file.read_exact_at(&mut header, Place::START.position);
        read.map_err(|source| LogDirError::Io { act: "read", path: first.path.clone(), source })?;
        Ok(RoundHeader::decode(&header).is_some())
    }

    pub(crate) fn push(&mut self, file: RingFile) {
        self.files.push(file);
    }

    pub(crate) fn get(&self, index: u32) -> Option<&RingFile> {
        self.files.get(usize::try_from(index).ok()?)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Writes zeros over the head of a round.
    pub(super) fn wipe(&self, place: Place) -> Result<(), LogDirError> {
        let Some(file) = self.get(place.file) else { return Ok(()) };
        let written = file.file.write_all_at(&[IoSlice::new(&[0; BLOCK])], place.position);
        written.map_err(|source| LogDirError::Io { act: "write", path: file.path.clone(), source })
    }

    /// Writes all files over with what they show, and syncs them: see `failed_sync.rs`.
    pub(crate) fn write_again(&self) -> Result<(), LogDirError> {
        self.files.iter().try_for_each(|ring| {
            let written = write_again(&*ring.file, 0);
            written.map_err(|source| LogDirError::Io { act: "write again", path: ring.path.clone(), source })
        })
    }

    /// Syncs the file of this place.
    pub(super) fn sync(&self, place: Place) -> Result<(), LogDirError> {
        let Some(file) = self.get(place.file) else { return Ok(()) };
        file.file.sync_data().map_err(|source| LogDirError::Io { act: "sync", path: file.path.clone(), source })
    }

    /// Bytes that rounds may use.
    pub(crate) fn capacity(&self) -> u64 {
        self.files.iter().map(|file| file.length - BLOCK as u64).sum()
    }

    /// The length of the next file, when the ring may grow up to `bytes_max`.
    pub(crate) fn next_length(&self, bytes_max: u64) -> Option<u64> {
        let now: u64 = self.files.iter().map(|file| file.length).sum();
        let room = bytes_max.saturating_sub(now);
        let length = now.min(GROWTH_BYTES_MAX).min(room) / BLOCK as u64 * BLOCK as u64;
        // A sliver at the end of the bound is not worth a file: a round must fit with room to spare.
        (length >= now.min(GROWTH_BYTES_MAX) / 2 && length > BLOCK as u64).then_some(length)
    }

    fn after(&self, file: u32) -> Place {
        let next = file + 1;
        Place { file: if self.get(next).is_some() { next } else { 0 }, position: BLOCK as u64 }
    }

    fn fits(&self, place: Place, length: u64) -> bool {
        self.get(place.file).is_some_and(|file| place.position + length <= file.length)
    }

    /// Where the round after `end` may be, in the order to look: the writer chose one of them.
    pub(super) fn candidates(&self, end: Place) -> impl Iterator<Item = Place> {
        let after = self.after(end.file);
        let first = Some(Place::START).filter(|first| *first != after);
        [end, after].into_iter().chain(first)
    }
}

impl Ring {
    /// An empty ring whose first round has this number.
    pub(crate) fn new(files: RingFiles, next_round: u64) -> Self {
        Self { files, head: Place::START, next_round, live: VecDeque::new(), live_bytes: 0 }
    }

    /// A ring that goes on where a crash has left it: `live` rounds, and the next one at `head`.
    pub(crate) fn resumed(files: RingFiles, live: Vec<Live>, head: Tail) -> Self {
        let live_bytes = live.iter().map(|round| round.length).sum();
        Self { files, head: head.place, next_round: head.round, live: live.into(), live_bytes }
    }

    /// The place for a round of `length` bytes; `None` when it would overwrite a live one.
    pub(crate) fn place_for(&self, length: u64) -> Option<Place> {
        let here = self.head;
        let Some(tail) = self.live.front().map(|round| round.place) else {
            return [here, self.files.after(here.file)].into_iter().find(|place| self.files.fits(*place, length));
        };
        let free_before_tail = |place: Place| place.position + length <= tail.position;
        if tail.file == here.file && tail.position >= here.position {
            // The head has come round to the tail's file: what lies behind the tail is live.
            return free_before_tail(here).then_some(here);
        }
        if self.files.fits(here, length) {
            return Some(here);
        }
        let next = self.files.after(here.file);
        let free = if next.file == tail.file { free_before_tail(next) } else { true };
        (free && self.files.fits(next, length)).then_some(next)
    }

    /// The file of a place.
    pub(crate) fn file(&self, place: Place) -> Option<&RingFile> {
        self.files.get(place.file)
    }

    /// The number of the next round.
    pub(crate) fn next_round(&self) -> u64 {
        self.next_round
    }

    /// The next round is written and synced there.
    pub(crate) fn advance(&mut self, place: Place, length: u64) {
        self.live.push_back(Live { number: self.next_round, place, length });
        self.live_bytes += length;
        self.next_round += 1;
        self.head = Place { file: place.file, position: place.position + length };
    }

    /// Where a replay would begin if everything written so far were checkpointed.
    pub(crate) fn end(&self) -> Tail {
        Tail { round: self.next_round, place: self.head }
    }

    /// Where a replay would begin now.
    #[cfg(test)]
    pub(crate) fn tail(&self) -> Tail {
        self.live.front().map_or_else(|| self.end(), |first| Tail { round: first.number, place: first.place })
    }

    /// Frees the rounds below `round`: the manifest says that they are not needed.
    pub(crate) fn free_below(&mut self, round: u64) {
        while let Some(first) = self.live.front()
            && first.number < round
        {
            self.live_bytes -= first.length;
            self.live.pop_front();
        }
    }

    /// Bytes of live rounds.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    /// Bytes that rounds may use.
    pub(crate) fn capacity(&self) -> u64 {
        self.files.capacity()
    }
}

/// Whether a file of this name is one of the ring's.
pub(crate) fn is_file(name: &str) -> bool {
    name.strip_prefix(FILE_PREFIX).is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit()))
}

fn file_name(index: usize) -> String {
    format!("{FILE_PREFIX}{index:03}")
}
