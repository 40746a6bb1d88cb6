//! A mutex: std's, but whoever would block hands the baton on instead.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{self, TryLockError};

use crate::lockstep::{self, Place};

/// A mutex without poisoning.
#[derive(Default)]
pub struct Mutex<T: ?Sized>(sync::Mutex<T>);

/// Held while it lives.
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    // `None` only while a condition is waited for, and in the drop.
    held: Option<sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    /// Holds `value`.
    pub const fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    /// Gives the value back.
    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(sync::PoisonError::into_inner)
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for it.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        lockstep::chance();
        MutexGuard { mutex: self, held: Some(self.take()) }
    }

    /// Takes it if it is free.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        lockstep::chance();
        self.try_take().map(|held| MutexGuard { mutex: self, held: Some(held) })
    }

    /// No lock is needed.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(sync::PoisonError::into_inner)
    }

    fn place(&self) -> Place {
        Place::of(&self.0)
    }

    fn take(&self) -> sync::MutexGuard<'_, T> {
        if !lockstep::is_member() {
            return self.0.lock().unwrap_or_else(sync::PoisonError::into_inner);
        }
        loop {
            if let Some(held) = self.try_take() {
                return held;
            }
            lockstep::wait_for_lock(self.place());
        }
    }

    fn try_take(&self) -> Option<sync::MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(held) => Some(held),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl<T: ?Sized> MutexGuard<'_, T> {
    /// Lets go of the mutex while `wait` runs.
    pub(crate) fn without<R>(&mut self, wait: impl FnOnce() -> R) -> R {
        self.release();
        let waited = wait();
        self.held = Some(self.mutex.take());
        waited
    }

    fn release(&mut self) {
        if self.held.take().is_some() {
            lockstep::lock_is_free(self.mutex.place());
        }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.release();
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.held.as_ref().expect("invariant: held")
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_mut().expect("invariant: held")
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
