//! What Kafka's checkpoint files in the root say of a log.

use std::path::Path;

use crate::checkpoint_file::{self, Offsets};
use crate::ids::Offset;
use crate::journal::{LogCheckpoint, LogKey};
use crate::log_dir::empty;
use crate::seam::Seams;

/// Kafka's checkpoint files: what counts after a clean stop, ours or Kafka's.
pub(super) struct KafkaOffsets {
    recovery_points: Offsets,
    log_starts: Offsets,
    high_watermarks: Offsets,
}

impl KafkaOffsets {
    pub(super) fn read(seams: &Seams, path: &Path) -> std::io::Result<Self> {
        let read = |name: &str| checkpoint_file::read(&*seams.disk, &path.join(name));
        Ok(Self {
            recovery_points: read(checkpoint_file::RECOVERY_POINT)?,
            log_starts: read(checkpoint_file::LOG_START)?,
            high_watermarks: read(checkpoint_file::HIGH_WATERMARK)?,
        })
    }

    /// Has no position, which only an unclean start needs.
    pub(super) fn checkpoint(&self, topic: &str, key: LogKey) -> LogCheckpoint {
        let name = (topic.to_owned(), key.partition);
        let of = |offsets: &Offsets| offsets.get(&name).copied().unwrap_or(Offset::ZERO);
        LogCheckpoint {
            log_start: of(&self.log_starts),
            recovery_point: of(&self.recovery_points),
            high_watermark: of(&self.high_watermarks),
            ..empty(key)
        }
    }
}
