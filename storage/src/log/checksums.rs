//! When the checksums of segments are written, and what is done about index files that do not match them.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Log;
use super::read::read_failed;
use crate::advice::REPAIR_LOG;
use crate::batch_scan::ScanError;
use crate::checksums::{Checksums, Companion};
use crate::error::ReadError;
use crate::ids::Offset;
use crate::leader_epoch;
use crate::partition_metadata;
use crate::seam::OpenMode;
use crate::segment::{CHECKSUMS, OFFSET_INDEX, SNAPSHOT, Segment, TIME_INDEX, file_path};
use crate::whole_file;

impl Log {
    /// Writes and syncs the checksums of sealed segments that have none. Their other files are synced already.
    pub(super) fn write_checksums(&self, segments: &[Arc<Segment>]) -> io::Result<()> {
        for segment in segments.iter().filter(|segment| !segment.is_growing()) {
            if segment.has_checksums.load(Ordering::Acquire) {
                continue;
            }
            let next = self.segments.read().after(segment.base).map(|next| next.base);
            let names = next.map(|base| name_of(base, SNAPSHOT));
            self.store_checksums(segment, names.as_slice())?;
        }
        Ok(())
    }

    /// Writes the checksums of every sealed segment anew: `barnabas log repair` has read and proven all of them.
    pub(crate) fn write_all_checksums(&self) -> io::Result<()> {
        let segments = self.segments.read().all();
        self.write_checksums(&segments)?;
        self.sync_names()
    }

    /// Those of the segment that was appended to, at a clean stop: they cover the small files too.
    pub(super) fn close_checksums(&self, end: Offset) -> io::Result<()> {
        let active = self.segments.read().active().cloned();
        let Some(active) = active.filter(|active| active.len() > 0) else { return Ok(()) };
        let names = [name_of(end, SNAPSHOT), leader_epoch::NAME.to_owned(), partition_metadata::NAME.to_owned()];
        self.store_checksums(&active, &names)?;
        self.sync_names()
    }

    fn store_checksums(&self, segment: &Segment, names: &[String]) -> io::Result<()> {
        let blocks = match segment.whole_blocks() {
            Ok(blocks) => blocks,
            Err(ScanError::Io(error)) => return Err(error),
            Err(ScanError::Damaged { position, reason, .. }) => {
                let file = segment.data.path().display();
                tracing::error!(%file, position, %reason, "a segment is damaged and gets no checksums; {REPAIR_LOG}");
                return Ok(());
            }
        };
        let mut companions = Vec::new();
        let indexes = [OFFSET_INDEX, TIME_INDEX].map(|suffix| name_of(segment.base, suffix));
        for name in indexes.iter().chain(names) {
            if let Some(bytes) = whole_file::read(&**self.disk(), &self.directory.join(name))? {
                companions.push(Companion::of(name, &bytes));
            }
        }
        let (topic_id, partition, base) = (self.topic_id, self.partition, segment.base);
        let text = Checksums { topic_id, partition, base, blocks, companions }.render();
        // In place: until the checkpoint is told, a crash may leave it torn, and then it says so itself.
        let file = self.disk().open(&segment.path(CHECKSUMS), OpenMode::Create)?;
        file.set_len(0)?;
        file.write_all_at(&[IoSlice::new(text.as_bytes())], 0)?;
        file.sync_data()?;
        self.name_made();
        segment.has_checksums.store(true, Ordering::Release);
        segment.read_checksums_again();
        segment.settled.store(!segment.is_growing(), Ordering::Release);
        Ok(())
    }

    /// The segment is going to be cut: its checksums must not speak of what will be appended instead. Durable.
    pub(super) fn drop_checksums(&self, segment: &Segment) -> io::Result<()> {
        segment.forget_checksums();
        match self.disk().remove_file(&segment.path(CHECKSUMS)) {
            Ok(()) => self.disk().sync_dir(&self.directory),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What the last clean stop said of the snapshot that it wrote, when the log ends where it ended then.
    pub(super) fn told_of_snapshot(&self, offset: Offset) -> Option<Companion> {
        let active = self.segments.read().active().cloned()?;
        // Read beside the segment's own: what a start finds here may be cut or written anew before a reader asks.
        let read = Checksums::read(&**self.disk(), &active.path(CHECKSUMS)).ok().flatten()?;
        let checksums = read.ok().filter(|checksums| self.is_ours(checksums))?;
        checksums.companion(&name_of(offset, SNAPSHOT)).cloned()
    }

    /// A segment of another log, one that was cut, or one behind it that is gone: the reader must not be led over what is
    /// missing.
    pub(super) fn check_extent(&self, segment: &Segment) -> Result<(), ReadError> {
        // Asked before the checksums are: they are written before it is said.
        let settled = segment.settled.load(Ordering::Acquire);
        let Some(checksums) = segment.checksums().map_err(ReadError::Io)? else { return Ok(()) };
        if !self.is_ours(&checksums) {
            return Err(ReadError::Damaged(segment.base.max(self.log_start_offset())));
        }
        // Fewer bytes than the segment has: they are of an earlier stop, and it grew since.
        let fits = checksums.len() == segment.len() || (!settled && checksums.len() < segment.len());
        let next = self.segments.read().after(segment.base).filter(|_| checksums.len() >= segment.len());
        let ends = checksums.next_offset();
        let whole = fits && next.is_none_or(|next| next.base == ends);
        if whole { Ok(()) } else { Err(ReadError::Damaged(ends.min(self.log_end_offset()))) }
    }

    /// False for the checksums of a segment that came from another log.
    pub(super) fn is_ours(&self, checksums: &Checksums) -> bool {
        checksums.topic_id == self.topic_id && checksums.partition == self.partition
    }

    /// Looks at the index files of a sealed segment before they are first used; damaged ones are made again from the
    /// batches.
    pub(super) fn check_indexes(&self, segment: &Segment) -> Result<(), ReadError> {
        if segment.indexes_checked.load(Ordering::Acquire) || segment.is_growing() {
            return Ok(());
        }
        // Indexes are not made from data that is not the segment's.
        self.check_extent(segment)?;
        let _checking = segment.checking.lock();
        if segment.indexes_checked.load(Ordering::Acquire) || segment.is_growing() {
            return Ok(());
        }
        if !segment.indexes_are_sound().map_err(ReadError::Io)? {
            let file = segment.path(OFFSET_INDEX);
            tracing::warn!(file = %file.display(), "the indexes are damaged; nothing need be done: they are made again");
            let settled = segment.settled.load(Ordering::Acquire);
            self.grow_again(segment, 0).map_err(read_failed)?;
            segment.seal().map_err(ReadError::Io)?;
            segment.settled.store(settled, Ordering::Release);
        }
        segment.indexes_checked.store(true, Ordering::Release);
        Ok(())
    }
}

fn name_of(base: Offset, suffix: &str) -> String {
    let path = file_path("".as_ref(), base, suffix);
    path.to_string_lossy().into_owned()
}
