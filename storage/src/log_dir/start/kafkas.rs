//! Where the recovery of a log begins: what the manifest and Kafka's checkpoint files in the root say.

use std::path::Path;

use super::{LastStop, Left};
use crate::checkpoint_file::{self, Offsets};
use crate::ids::Offset;
use crate::journal::{LogCheckpoint, LogKey};
use crate::log_dir::empty;
use crate::seam::Seams;

/// Where the recovery of a log begins; `None` when nothing is known to be synced that can be relied on.
pub(super) fn checkpoint_of(left: &Left, kafkas: &KafkaOffsets, topic: &str, key: LogKey) -> Option<LogCheckpoint> {
    let line = left.manifest.as_ref().and_then(|manifest| manifest.logs.get(&key));
    let line = line.map(|line| line.checkpoint.clone());
    if left.last_stop == LastStop::Clean {
        // The manifest proves itself by a checksum, and says where the data must end; Kafka's files have neither.
        return line.filter(|_| !left.others_ran).or_else(|| Some(kafkas.checkpoint(topic, key)));
    }
    let manifest = left.manifest.as_ref()?;
    if manifest.clean {
        // Either our stop was cut short before its last file, or Kafka ran since and did not stop cleanly. Positions of
        // ours count only if Kafka has not written its own.
        return line.filter(|line| line.recovery_point == kafkas.checkpoint(topic, key).recovery_point);
    }
    // A log without a line was made after the manifest: nothing of it is known to be synced.
    Some(line.unwrap_or_else(|| empty(key)))
}

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
