//! How far a start has come, and the broker as soon as it serves: HTTP is answered before that, so that a long recovery can be
//! told from a process that hangs.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use crate::broker::Broker;

/// How far a start has come.
#[derive(Default)]
pub struct Startup {
    directories: usize,
    /// Log directories that are open, with all that they hold recovered.
    opened: AtomicUsize,
    /// Partitions that were found in them; those of the directory at hand are not all recovered.
    found: AtomicUsize,
    broker: OnceLock<Arc<Broker>>,
}

impl Startup {
    /// Of a broker with so many log directories.
    #[must_use]
    pub fn of(directories: usize) -> Self {
        Self { directories, ..Self::default() }
    }

    /// A partition was found.
    pub fn found_partition(&self) {
        self.found.fetch_add(1, Ordering::Relaxed);
    }

    /// A log directory is open.
    pub fn opened_directory(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    /// The broker serves from now on.
    pub fn serves(&self, broker: Arc<Broker>) {
        // It is told once.
        _ = self.broker.set(broker);
    }

    /// The broker, if it serves.
    #[must_use]
    pub fn broker(&self) -> Option<&Arc<Broker>> {
        self.broker.get()
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "log_directories": self.directories,
            "log_directories_open": self.opened.load(Ordering::Relaxed),
            "partitions_found": self.found.load(Ordering::Relaxed),
        })
    }
}

impl fmt::Display for Startup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (opened, found) = (self.opened.load(Ordering::Relaxed), self.found.load(Ordering::Relaxed));
        write!(f, "{opened} of {} log directories are open, {found} partitions were found", self.directories)
    }
}
