//! What the broker uses of `parking_lot`, for a simulation: at most one thread runs at a time, and whoever would wait
//! hands the baton to another one, which the seed picks. See [`lockstep`].
//!
//! A thread that [`lockstep`] does not know gets ordinary locks, and may not wait on conditions.

#![forbid(unsafe_code)]

mod condvar;
pub mod lockstep;
mod mutex;
mod rwlock;

pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
