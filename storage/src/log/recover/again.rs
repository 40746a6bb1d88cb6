//! After a failed sync: the files of a log written over with what they show (`failed_sync.rs`).

use std::io;

use super::Recovery;
use crate::failed_sync::write_again;
use crate::log::snapshots::offset_of;
use crate::seam::OpenMode;
use crate::segment::{CHECKSUMS, DATA, OFFSET_INDEX, SNAPSHOT, TIME_INDEX, TRANSACTION_INDEX};

impl Recovery<'_> {
    /// All but what the checkpoint vouches for: that was synced before the manifest was told.
    pub(super) fn write_again(&self) -> io::Result<()> {
        let log = self.log;
        for entry in log.disk().list(&log.directory)? {
            if let Some(position) = self.unvouched(&entry.name) {
                let file = log.disk().open(&log.directory.join(&entry.name), OpenMode::ReadWrite)?;
                write_again(&*file, position)?;
            }
        }
        log.disk().sync_dir(&log.directory)
    }

    /// From which position on; `None` for the files of segments below the checkpoint's.
    fn unvouched(&self, name: &str) -> Option<u64> {
        const OF_SEGMENTS: [&str; 6] = [DATA, OFFSET_INDEX, TIME_INDEX, TRANSACTION_INDEX, CHECKSUMS, SNAPSHOT];
        let mut of_segment = OF_SEGMENTS.iter().filter_map(|suffix| Some((*suffix, offset_of(name, suffix)?)));
        match self.checkpoint.zip(of_segment.next()) {
            Some((checkpoint, (_, base))) if base < checkpoint.segment_base => None,
            Some((checkpoint, (DATA, base))) if base == checkpoint.segment_base => Some(checkpoint.position),
            _ => Some(0),
        }
    }
}
