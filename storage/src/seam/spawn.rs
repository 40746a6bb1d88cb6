//! The seam of threads.
//!
//! A thread waits by what `parking_lot` gives (clippy refuses the others), and an end is told by the same means: the
//! simulator in tests/sim has its own `parking_lot`, and so decides which thread runs, without a trace of it here.

use std::io;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

/// Starts named threads.
pub trait Spawn: Send + Sync {
    /// Runs `work` on a thread of this name.
    ///
    /// # Errors
    /// When the machine has no thread left.
    fn start(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<()>;

    /// Whether async tasks have a pool of threads for blocking work. A simulator says no: then it runs where it stands.
    fn has_blocking_pool(&self) -> bool {
        true
    }

    /// Runs `work` on a thread of this name, and gives what its end can be awaited by.
    ///
    /// # Errors
    /// When the machine has no thread left.
    fn thread(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<Thread> {
        let end = Arc::new(End::default());
        let mut telling = Telling { end: Arc::clone(&end), outcome: Err(Panicked) };
        let told = move || {
            work();
            telling.returned();
        };
        self.start(name, Box::new(told))?;
        Ok(Thread { end })
    }
}

/// A thread that was started. Dropped, it runs on.
pub struct Thread {
    end: Arc<End>,
}

/// The thread's work panicked; the panic hook has reported it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

impl Thread {
    /// Blocks until its work has returned.
    ///
    /// # Errors
    /// When the work panicked.
    pub fn join(self) -> Result<(), Panicked> {
        let mut outcome = self.end.outcome.lock();
        loop {
            if let Some(outcome) = *outcome {
                return outcome;
            }
            self.end.told.wait(&mut outcome);
        }
    }
}

#[derive(Default)]
struct End {
    outcome: Mutex<Option<Result<(), Panicked>>>,
    told: Condvar,
}

/// Tells the end, by whatever way it comes.
struct Telling {
    end: Arc<End>,
    outcome: Result<(), Panicked>,
}

impl Telling {
    fn returned(&mut self) {
        self.outcome = Ok(());
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        *self.end.outcome.lock() = Some(self.outcome);
        self.end.told.notify_all();
    }
}

/// The machine's threads.
pub struct SystemSpawn;

impl Spawn for SystemSpawn {
    #[allow(clippy::disallowed_methods, reason = "this is the spawn seam")]
    fn start(&self, name: &str, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_join_returns_after_the_work_and_says_whether_it_panicked() {
        let done = Arc::new(Mutex::new(false));
        let work = Arc::clone(&done);
        let thread = SystemSpawn.thread("works", Box::new(move || *work.lock() = true)).unwrap();
        assert_eq!(thread.join(), Ok(()));
        assert!(*done.lock());
        let thread = SystemSpawn.thread("panics", Box::new(|| std::panic::resume_unwind(Box::new(())))).unwrap();
        assert_eq!(thread.join(), Err(Panicked));
    }
}
