//! The seam of threads.

use std::io;

/// Starts named threads.
pub trait Spawn: Send + Sync {
    /// Runs `work` on a thread of this name until it returns.
    ///
    /// # Errors
    /// When the machine has no thread left.
    fn thread(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<std::thread::JoinHandle<()>>;
}

/// The machine's threads.
pub struct SystemSpawn;

impl Spawn for SystemSpawn {
    #[allow(clippy::disallowed_methods, reason = "this is the spawn seam")]
    fn thread(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<std::thread::JoinHandle<()>> {
        std::thread::Builder::new().name(name.to_owned()).spawn(work)
    }
}
