//! What a log directory does by the clock: retention, delayed deletes, producer expiry. (Flushes by
//! interval are the checkpointer's.)

use std::path::PathBuf;
use std::time::Duration;

use parking_lot::Mutex;

use super::{LogDir, LogDirOptions, remove_tree};
use crate::ids::Timestamp;

/// When what was done last, and what waits.
pub(super) struct Upkeep {
    retention: Every,
    producers: Every,
    producer_expiration_ms: i64,
    /// Directories of deleted logs, with the time at which they go.
    doomed: Mutex<Vec<(Timestamp, PathBuf)>>,
}

/// An interval of wall time that begins anew when the clock jumps back.
struct Every {
    interval_ms: i64,
    last: Mutex<Option<Timestamp>>,
}

impl Upkeep {
    pub(super) fn new(options: &LogDirOptions) -> Self {
        Self {
            retention: Every::new(options.retention_check_interval),
            producers: Every::new(options.producer_id_check_interval),
            producer_expiration_ms: millis(options.producer_id_expiration),
            doomed: Mutex::default(),
        }
    }

    pub(super) fn remove_later(&self, path: PathBuf, at: Timestamp) {
        self.doomed.lock().push((at, path));
    }

    pub(super) fn run(&self, dir: &LogDir, now: Timestamp) {
        dir.journal.checkpointer.look_for_room(&dir.journal);
        self.remove_doomed(dir, now);
        let retention = self.retention.is_due(now);
        let producers = self.producers.is_due(now);
        for log in dir.logs() {
            if dir.is_offline() {
                return;
            }
            if retention && let Err(error) = log.apply_retention(now) {
                tracing::warn!(topic = %log.topic(), partition = %log.partition(), %error, "retention failed");
            }
            log.remove_expired_files(now);
            if producers {
                log.expire_producers(now, self.producer_expiration_ms);
            }
        }
    }

    fn remove_doomed(&self, dir: &LogDir, now: Timestamp) {
        let due: Vec<PathBuf> = self.doomed.lock().extract_if(.., |(at, _)| *at <= now).map(|(_, path)| path).collect();
        for path in due {
            if let Err(error) = remove_tree(&*dir.context.seams.disk, &path) {
                // The next start removes what is left.
                tracing::warn!(dir = %path.display(), %error, "a deleted log could not be removed");
            }
        }
    }
}

impl Every {
    fn new(interval: Duration) -> Self {
        Self { interval_ms: millis(interval), last: Mutex::default() }
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let mut last = self.last.lock();
        let due = last.is_none_or(|last| now < last || now.0 - last.0 >= self.interval_ms);
        if due {
            *last = Some(now);
        }
        due
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
