//! What a log directory does by the clock: retention, delayed deletes, producer expiry. (Flushes by
//! interval are the checkpointer's.)

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::{LogDir, LogDirOptions, remove_tree};
use crate::advice::LOOK_AT_DISK;
use crate::ids::Timestamp;
use crate::reserve;

/// When what was done last, and what waits.
pub(super) struct Upkeep {
    retention: Every,
    producers: Every,
    producer_expiration_ms: AtomicI64,
    /// Directories of deleted logs, with the time at which they go.
    doomed: Mutex<Vec<(Timestamp, PathBuf)>>,
}

/// Nothing is due earlier after a start, as in Kafka: whoever imports old records can read them first.
const FIRST_AFTER: Duration = Duration::from_secs(30);

/// An interval of wall time that begins anew when the clock jumps back.
struct Every {
    interval_ms: i64,
    /// When it was due last; before the first time, when it would have been for the first time to come in time.
    last: Mutex<Option<Timestamp>>,
}

impl Upkeep {
    pub(super) fn new(options: &LogDirOptions) -> Self {
        Self {
            retention: Every::new(options.retention_check_interval),
            producers: Every::new(options.producer_id_check_interval),
            producer_expiration_ms: AtomicI64::new(millis(options.producer_id_expiration)),
            doomed: Mutex::default(),
        }
    }

    pub(super) fn set_producer_expiration(&self, after: Duration) {
        self.producer_expiration_ms.store(millis(after), Ordering::Relaxed);
    }

    pub(super) fn remove_later(&self, path: PathBuf, at: Timestamp) {
        self.doomed.lock().push((at, path));
    }

    pub(super) fn run(&self, dir: &LogDir, now: Timestamp) {
        dir.journal.checkpointer.look_for_room(&dir.journal);
        let is_full = !dir.journal.checkpointer.has_room();
        self.hold_reserve(dir, is_full);
        // Without room nothing that was deleted is kept for its delay, and retention does not wait for its interval.
        let gone = if is_full { Timestamp(i64::MAX) } else { now };
        self.remove_doomed(dir, gone);
        let retention = self.retention.is_due(now) || is_full;
        let producers = self.producers.is_due(now);
        for log in dir.logs() {
            if dir.is_offline() {
                return;
            }
            if retention && let Err(error) = log.apply_retention(now) {
                let (topic, partition) = (log.topic(), log.partition());
                tracing::warn!(%topic, %partition, %error, "retention failed: it is tried again; {LOOK_AT_DISK}");
            }
            log.remove_expired_files(gone);
            if producers {
                log.expire_producers(now, self.producer_expiration_ms.load(Ordering::Relaxed));
            }
        }
    }

    fn hold_reserve(&self, dir: &LogDir, is_full: bool) {
        if is_full || dir.is_offline() {
            return;
        }
        if let Err(error) = reserve::hold(&*dir.context.seams.disk, &dir.path) {
            let dir = dir.path.display();
            tracing::warn!(%dir, %error, "no room could be reserved for metadata: it is tried again; {LOOK_AT_DISK}");
        }
    }

    fn remove_doomed(&self, dir: &LogDir, now: Timestamp) {
        let due: Vec<PathBuf> = self.doomed.lock().extract_if(.., |(at, _)| *at <= now).map(|(_, path)| path).collect();
        if !due.is_empty()
            && let Err(error) = dir.checkpoint()
        {
            // While the manifest names them, their directories have to be there.
            tracing::warn!(%error, "deleted logs stay until the manifest can be written; {LOOK_AT_DISK}");
            self.doomed.lock().extend(due.into_iter().map(|path| (now, path)));
            return;
        }
        for path in due {
            if let Err(error) = remove_tree(&*dir.context.seams.disk, &path) {
                // The next start removes what is left.
                let dir = path.display();
                tracing::warn!(%dir, %error, "a deleted log could not be removed: the next start does it; {LOOK_AT_DISK}");
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
        let first = now.0 - self.interval_ms.max(0).saturating_sub(millis(FIRST_AFTER).min(self.interval_ms));
        let before = *last.get_or_insert(Timestamp(first));
        let due = now < before || now.0 - before.0 >= self.interval_ms;
        if due {
            *last = Some(now);
        }
        due
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_time_is_after_half_a_minute_and_the_next_after_an_interval() {
        let every = Every::new(Duration::from_secs(300));
        let due: Vec<i64> = (0..700).filter(|second| every.is_due(Timestamp(1_000_000 + second * 1000))).collect();
        assert_eq!(due, [30, 330, 630]);
        assert!(every.is_due(Timestamp(5)), "the clock jumped back");
    }

    #[test]
    fn a_short_interval_is_not_stretched() {
        let every = Every::new(Duration::from_secs(5));
        let due: Vec<i64> = (0..12).filter(|second| every.is_due(Timestamp(second * 1000))).collect();
        assert_eq!(due, [5, 10]);
    }
}
