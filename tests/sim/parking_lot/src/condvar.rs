//! A condition: who waits for it is off the baton until it is told, or until simulated time has come.

use std::time::Duration;

use crate::lockstep::{self, Place};
use crate::mutex::MutexGuard;

/// A condition variable.
#[derive(Debug, Default)]
pub struct Condvar {
    // So that no two conditions share an address.
    _place: u8,
}

/// How a wait with a limit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// The time was over.
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// Nobody waits.
    pub const fn new() -> Self {
        Self { _place: 0 }
    }

    /// Waits until told.
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) {
        guard.without(|| lockstep::wait_for_word(self.place(), None));
    }

    /// Waits until told while `condition` holds.
    pub fn wait_while<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, mut condition: impl FnMut(&mut T) -> bool) {
        while condition(guard) && !lockstep::is_unwinding() {
            self.wait(guard);
        }
    }

    /// Waits until told or until `limit` has passed.
    pub fn wait_for<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>, limit: Duration) -> WaitTimeoutResult {
        WaitTimeoutResult(!guard.without(|| lockstep::wait_for_word(self.place(), Some(limit))))
    }

    /// Wakes one, which the seed picks. False when nobody waits.
    pub fn notify_one(&self) -> bool {
        lockstep::tell(self.place(), false) > 0
    }

    /// Wakes all; how many there were.
    pub fn notify_all(&self) -> usize {
        lockstep::tell(self.place(), true)
    }

    fn place(&self) -> Place {
        Place::of(self)
    }
}
