//! Threads of one life of the node: members of the lock-step, ended together.

use std::io;

use barnabas_storage::seam::Spawn;
use parking_lot::lockstep;

/// Starts threads that a kill of this life ends.
pub(crate) struct SimThreads {
    /// Which life of the node it is.
    pub(crate) life: u64,
}

impl Spawn for SimThreads {
    fn start(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        lockstep::spawn(name, self.life, work)
    }

    fn has_blocking_pool(&self) -> bool {
        false
    }
}
