//! The logs that a journal serves, and whether it still can: the latch of JRN-8.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::sink::{JournalledLog, LogKey};

/// Logs of one directory. Held weakly: the directory owns them.
#[derive(Default)]
pub(super) struct Members {
    logs: Mutex<HashMap<LogKey, Weak<dyn JournalledLog>>>,
    offline: AtomicBool,
}

impl Members {
    pub(super) fn add(&self, log: &Arc<dyn JournalledLog>) {
        self.logs.lock().insert(LogKey::of(&**log), Arc::downgrade(log));
        // The latch may have closed between the log's making and now.
        if self.is_offline() {
            log.fail();
        }
    }

    pub(super) fn remove(&self, key: LogKey) {
        self.logs.lock().remove(&key);
    }

    pub(super) fn has(&self, key: LogKey) -> bool {
        self.logs.lock().contains_key(&key)
    }

    pub(super) fn all(&self) -> Vec<Arc<dyn JournalledLog>> {
        self.logs.lock().values().filter_map(Weak::upgrade).collect()
    }

    pub(super) fn is_offline(&self) -> bool {
        self.offline.load(Ordering::SeqCst)
    }

    /// Closes the latch; true for the first one.
    pub(super) fn latch(&self) -> bool {
        !self.offline.swap(true, Ordering::SeqCst)
    }
}
