//! The thread that writes: takes what waits, writes it in one piece, syncs once, answers in order.
//!
//! Invariants:
//! 1. Frames stand in the order of submission; callbacks run in that order, after the sync that covers them.
//! 2. The first error is final: nothing is written after it, and every later answer is that error.
//! 3. A segment gets its second frame only when its first one and its name are durable, and the one before it is
//!    durable to its end.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use barnabas_storage::advice::MEND_DISK;
use barnabas_storage::failed_sync::FailedSync;
use barnabas_storage::reserve::with_reserve;
use barnabas_storage::seam::{Disk, DiskFile, OpenMode};

use super::change::{Change, Head};
use super::mark::{Mark, Marker};
use super::queue::Queue;
use super::{ending, frame, segment_name};

/// Told when a write is durable or has failed.
pub(crate) type Done = Box<dyn FnOnce(io::Result<()>) + Send>;

/// Frames to be written together.
pub(crate) struct Write {
    /// Kind and payload of each.
    pub(crate) frames: Vec<(u8, Vec<u8>)>,
    /// What a segment that begins before these frames says first.
    pub(crate) head: Head,
    /// The highest index among appended entries.
    pub(crate) last_index: Option<u64>,
    /// Entries up to this index are no longer needed.
    pub(crate) purged: Option<u64>,
    /// Asks for a sync, and is told of it. Without it the frames become durable with a later sync.
    pub(crate) done: Option<Done>,
}

/// The segment being written.
pub(super) struct Writer {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    segment_bytes: u64,
    file: Arc<dyn DiskFile>,
    number: u64,
    length: u64,
    durable: u64,
    last_index: u64,
    sealed: Vec<(u64, u64)>,
    marker: Marker,
    failed: Option<(io::ErrorKind, String)>,
}

impl Writer {
    /// Begins the first segment of an empty log, durable when it returns.
    pub(super) fn create(disk: Arc<dyn Disk>, directory: PathBuf, segment_bytes: u64, head: &Head) -> io::Result<Self> {
        let (file, length) = begin_segment(&*disk, &directory, 1, head)?;
        Ok(Self::resume(disk, directory, segment_bytes, file, 1, length))
    }

    /// Goes on with a segment that is durable up to `length`.
    pub(super) fn resume(
        disk: Arc<dyn Disk>,
        directory: PathBuf,
        segment_bytes: u64,
        file: Arc<dyn DiskFile>,
        number: u64,
        length: u64,
    ) -> Self {
        Self {
            disk,
            directory,
            segment_bytes,
            file,
            number,
            length,
            durable: length,
            last_index: 0,
            sealed: Vec::new(),
            marker: Marker::default(),
            failed: None,
        }
    }

    /// Names the segments before this one and what they and this one hold.
    pub(super) fn with_sealed(mut self, sealed: Vec<(u64, u64)>, last_index: u64) -> Self {
        self.sealed = sealed;
        self.last_index = last_index;
        self
    }

    /// Writes until the queue is closed and empty.
    pub(super) fn run(mut self, queue: &Queue) {
        loop {
            let round = queue.take();
            if round.is_empty() {
                break;
            }
            self.write(round);
        }
        if self.failed.is_none()
            && let Err(error) = self.sync().and_then(|()| ending::write(&*self.disk, &self.directory))
        {
            tracing::error!(%error, "the metadata log was not synced at its close; {MEND_DISK}");
        }
    }

    fn write(&mut self, mut round: Vec<Write>) {
        let outcome = match &self.failed {
            Some((kind, message)) => Err(io::Error::new(*kind, message.clone())),
            None => self.try_write(&mut round),
        };
        if let Err(error) = &outcome
            && self.failed.is_none()
        {
            tracing::error!(%error, "the metadata log failed: nothing is accepted until a restart; {MEND_DISK}");
            FailedSync::of_metadata(&*self.disk, &self.directory).note();
            self.failed = Some((error.kind(), format!("the metadata log failed: {error}")));
        }
        for done in round.into_iter().filter_map(|write| write.done) {
            done(match &outcome {
                Ok(()) => Ok(()),
                Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
            });
        }
    }

    fn try_write(&mut self, round: &mut [Write]) -> io::Result<()> {
        if self.length >= self.segment_bytes
            && let Some(first) = round.first()
        {
            self.roll(&first.head)?;
        }
        let mut bytes = Vec::new();
        for (kind, payload) in round.iter().flat_map(|write| &write.frames) {
            let position = self.length + bytes.len() as u64;
            frame::put(&mut bytes, self.number, position, self.durable, *kind, payload);
        }
        with_reserve(&*self.disk, &self.directory, || {
            self.file.write_all_at(&[io::IoSlice::new(&bytes)], self.length)
        })?;
        self.length += bytes.len() as u64;
        for write in &*round {
            self.last_index = write.last_index.unwrap_or(self.last_index).max(self.last_index);
        }
        let purged = round.iter().filter_map(|write| write.purged).max();
        if purged.is_some() || round.iter().any(|write| write.done.is_some()) {
            self.sync()?;
        }
        purged.map_or(Ok(()), |purged| self.remove_purged(purged))
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.durable < self.length {
            self.file.sync_data()?;
            self.durable = self.length;
            self.marker.set(&*self.disk, &self.directory, Mark { number: self.number, length: self.length });
        }
        Ok(())
    }

    fn roll(&mut self, head: &Head) -> io::Result<()> {
        self.sync()?;
        let begin = || begin_segment(&*self.disk, &self.directory, self.number + 1, head);
        let (file, length) = with_reserve(&*self.disk, &self.directory, begin)?;
        self.sealed.push((self.number, self.last_index));
        self.file = file;
        self.number += 1;
        self.length = length;
        self.durable = length;
        Ok(())
    }

    /// Removes the oldest segments, one after the other, so that a crash never leaves a gap between two of them.
    fn remove_purged(&mut self, purged: u64) -> io::Result<()> {
        while let Some((number, _)) = self.sealed.first().filter(|(_, last)| *last <= purged) {
            self.disk.remove_file(&self.directory.join(segment_name(*number)))?;
            self.disk.sync_dir(&self.directory)?;
            self.sealed.remove(0);
        }
        Ok(())
    }
}

fn begin_segment(
    disk: &dyn Disk,
    directory: &std::path::Path,
    number: u64,
    head: &Head,
) -> io::Result<(Arc<dyn DiskFile>, u64)> {
    let path = directory.join(segment_name(number));
    let file = disk.open(&path, OpenMode::CreateNew)?;
    let change = Change::Head(head.clone());
    let mut bytes = Vec::new();
    frame::put(&mut bytes, number, 0, 0, change.kind(), &change.encode());
    // One that is not whole must not stand in the way of the next attempt.
    file.write_all_at(&[io::IoSlice::new(&bytes)], 0).inspect_err(|_| drop(disk.remove_file(&path)))?;
    file.sync_data()?;
    disk.sync_dir(directory)?;
    Ok((file, bytes.len() as u64))
}
