//! The seams of storage: disk, clock, random numbers and threads. Nothing else in the workspace touches files, time,
//! randomness or tasks (net and async tasks have their seams in `broker`).

pub mod clock;
pub mod disk;
pub mod lossy;
mod mutant;
mod real_disk;
pub mod rng;
pub mod spawn;

use std::sync::Arc;

pub use clock::{Clock, ManualClock, SystemClock};
pub use disk::{DirEntry, Disk, DiskFile, OpenMode};
pub use lossy::LossyDisk;
pub use mutant::mutant;
#[cfg(barnabas_mutant)]
pub use mutant::switch_on;
pub use real_disk::RealDisk;
pub use rng::{Rng, SeededRng, SystemRng};
pub use spawn::{Panicked, Spawn, SystemSpawn, Thread};

/// The four seams together, cheap to clone.
#[derive(Clone)]
pub struct Seams {
    /// Files and directories.
    pub disk: Arc<dyn Disk>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Random numbers.
    pub rng: Arc<dyn Rng>,
    /// Threads.
    pub spawn: Arc<dyn Spawn>,
}

impl Seams {
    /// The real machine.
    #[must_use]
    pub fn system() -> Self {
        Self {
            disk: Arc::new(RealDisk),
            clock: Arc::new(SystemClock),
            rng: Arc::new(SystemRng),
            spawn: Arc::new(SystemSpawn),
        }
    }

    /// A test's machine: this disk, this clock, random numbers from `seed`, real threads.
    #[must_use]
    pub fn test(disk: LossyDisk, clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self { disk: Arc::new(disk), clock, rng: Arc::new(SeededRng::new(seed)), spawn: Arc::new(SystemSpawn) }
    }
}
