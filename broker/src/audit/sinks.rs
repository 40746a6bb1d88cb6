//! Where events of the audit go: a file that is put aside when it is full, and an internal topic.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use barnabas_storage::batch::BatchBuilder;
use barnabas_storage::seam::{Disk, DiskFile, OpenMode};
use barnabas_storage::{AppendError, AppendOrigin, PartitionIndex, Timestamp};
use rustix::fs::{Mode, fchmod, fstat};

use crate::limits::AUDIT_BATCH_BYTES_MAX;
use crate::partition::{FindError, Partitions};
use crate::topics::{AUDIT, EnsureTopicError, Topics};

/// A file of lines. When the next line would make it too long it becomes `NAME.1`, what was that `NAME.2`, and so on; the
/// oldest goes.
///
/// It is the broker's user's alone (0600). Where an operator has given its group a right, the file that follows it has the same; others
/// get none. On Linux that is done before the first line is in it.
///
/// Lines are synced when the file is put aside and at a stop: after a loss of power the last ones may be missing.
pub(super) struct FileSink {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    bytes_max: u64,
    files_max: u64,
    /// The rights that the next file is made with.
    mode: Mode,
    /// The file and its length; `None` after an error, until it can be opened again.
    open: Option<(Arc<dyn DiskFile>, u64)>,
}

impl FileSink {
    /// Opens the file, and makes it and its directory when they are not there.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn open(disk: Arc<dyn Disk>, path: PathBuf, bytes_max: u64, files_max: u64) -> io::Result<Self> {
        let mut sink = Self { disk, path, bytes_max, files_max, mode: Mode::RUSR | Mode::WUSR, open: None };
        sink.opened()?;
        Ok(sink)
    }

    /// Writes the lines, each without its end. Blocks.
    ///
    /// # Errors
    /// The system's, and how many lines were not written.
    pub(super) fn write(&mut self, lines: &[String]) -> Result<(), (io::Error, usize)> {
        let mut rest = lines;
        while !rest.is_empty() {
            match self.write_some(rest) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) => {
                    self.open = None;
                    return Err((error, rest.len()));
                }
            }
        }
        Ok(())
    }

    /// Writes as many lines as the file has room for; at least one into an empty file.
    fn write_some(&mut self, lines: &[String]) -> io::Result<usize> {
        let (file, position) = self.opened()?;
        let (mut text, mut count) = (String::new(), 0);
        for line in lines {
            let end = position + text.len() as u64 + line.len() as u64 + 1;
            if end > self.bytes_max && (position > 0 || count > 0) {
                break;
            }
            text.push_str(line);
            text.push('\n');
            count += 1;
        }
        if count == 0 {
            self.put_aside(&*file)?;
            return Ok(0);
        }
        file.write_all_at(&[IoSlice::new(text.as_bytes())], position)?;
        self.open = Some((file, position + text.len() as u64));
        Ok(count)
    }

    /// The file and where its next line begins.
    fn opened(&mut self) -> io::Result<(Arc<dyn DiskFile>, u64)> {
        if let Some((file, length)) = &self.open {
            return Ok((Arc::clone(file), *length));
        }
        self.disk.create_dir_all(self.directory())?;
        let is_there = self.disk.exists(&self.path);
        let file = self.disk.open(&self.path, OpenMode::Create)?;
        self.restrict(&*file, is_there)?;
        let mut length = file.len()?;
        let mut last = [b'\n'];
        if length > 0 {
            file.read_exact_at(&mut last, length - 1)?;
        }
        if last != *b"\n" {
            // A crash or a full disk cut a line: the next one begins its own.
            file.write_all_at(&[IoSlice::new(b"\n")], length)?;
            length += 1;
        }
        self.open = Some((Arc::clone(&file), length));
        Ok((file, length))
    }

    /// Takes from others what rights they have in the file.
    fn restrict(&mut self, file: &dyn DiskFile, was_there: bool) -> io::Result<()> {
        // Only a real disk has rights.
        let Some(file) = file.as_std() else { return Ok(()) };
        if was_there {
            self.mode = Mode::from_raw_mode(fstat(file)?.st_mode) - Mode::RWXO;
        }
        Ok(fchmod(file, self.mode)?)
    }

    fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    fn aside(&self, number: u64) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }

    fn put_aside(&mut self, file: &dyn DiskFile) -> io::Result<()> {
        file.sync_data()?;
        self.open = None;
        if self.files_max <= 1 {
            return self.disk.remove_file(&self.path);
        }
        for number in (1..self.files_max - 1).rev() {
            let from = self.aside(number);
            if self.disk.exists(&from) {
                self.disk.rename(&from, &self.aside(number + 1))?;
            }
        }
        self.disk.rename(&self.path, &self.aside(1))
    }

    /// Brings what was written to the disk. Blocks.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn sync(&self) -> io::Result<()> {
        match &self.open {
            Some((file, _)) => file.sync_data(),
            None => Ok(()),
        }
    }
}

/// Why events did not get into the topic.
#[derive(Debug, thiserror::Error)]
pub(super) enum TopicSinkError {
    #[error("make the topic of the audit: {0}")]
    Topic(#[from] EnsureTopicError),
    #[error("the topic of the audit: {0}")]
    Partition(#[from] FindError),
    #[error("append to the topic of the audit: {0}")]
    Append(#[from] AppendError),
}

/// The topic [`AUDIT`], of one partition, so that events stand in their order.
pub(super) struct TopicSink {
    topics: Topics,
    partitions: Arc<Partitions>,
}

impl TopicSink {
    pub(super) fn new(topics: Topics, partitions: Arc<Partitions>) -> Self {
        Self { topics, partitions }
    }

    /// Appends each line as a record without a key; does not wait until they are committed.
    ///
    /// # Errors
    /// See [`TopicSinkError`], and how many lines were not appended.
    pub(super) async fn write(&self, lines: &[String], now: Timestamp) -> Result<(), (TopicSinkError, usize)> {
        let all = |error| (error, lines.len());
        self.topics.ensure_audit().await.map_err(|error| all(error.into()))?;
        let found = self.partitions.topic(AUDIT).ok_or(FindError::UnknownPartition);
        let partition =
            found.and_then(|topic| topic.partition(PartitionIndex(0))).map_err(|error| all(error.into()))?;
        let mut rest = lines;
        while !rest.is_empty() {
            let (mut batch, mut bytes, mut count) = (BatchBuilder::new(), 0, 0);
            for line in rest {
                if count > 0 && bytes + line.len() > AUDIT_BATCH_BYTES_MAX {
                    break;
                }
                batch = batch.record(now, None, Some(line.as_bytes()));
                bytes += line.len();
                count += 1;
            }
            let appended = partition.append_as_leader(&batch.build(), AppendOrigin::Coordinator);
            appended.map_err(|error| (error.into(), rest.len()))?;
            rest = rest.get(count..).unwrap_or_default();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
