//! A lock for readers and writers: std's, but whoever would block hands the baton on instead.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{self, TryLockError};

use crate::lockstep::{self, Place};

/// A lock for readers and writers without poisoning.
#[derive(Default)]
pub struct RwLock<T: ?Sized>(sync::RwLock<T>);

/// Held by a reader while it lives.
pub struct RwLockReadGuard<'a, T: ?Sized> {
    place: Place,
    // `None` only in the drop.
    held: Option<sync::RwLockReadGuard<'a, T>>,
}

/// Held by the writer while it lives.
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    place: Place,
    // `None` only in the drop.
    held: Option<sync::RwLockWriteGuard<'a, T>>,
}

impl<T> RwLock<T> {
    /// Holds `value`.
    pub const fn new(value: T) -> Self {
        Self(sync::RwLock::new(value))
    }

    /// Gives the value back.
    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(sync::PoisonError::into_inner)
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody writes.
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        lockstep::chance();
        let held = if lockstep::is_member() {
            self.until(|| without_poison(self.0.try_read()))
        } else {
            self.0.read().unwrap_or_else(sync::PoisonError::into_inner)
        };
        RwLockReadGuard { place: self.place(), held: Some(held) }
    }

    /// Waits until nobody reads or writes.
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        lockstep::chance();
        let held = if lockstep::is_member() {
            self.until(|| without_poison(self.0.try_write()))
        } else {
            self.0.write().unwrap_or_else(sync::PoisonError::into_inner)
        };
        RwLockWriteGuard { place: self.place(), held: Some(held) }
    }

    /// No lock is needed.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(sync::PoisonError::into_inner)
    }

    fn place(&self) -> Place {
        Place::of(&self.0)
    }

    fn until<G>(&self, take: impl Fn() -> Option<G>) -> G {
        loop {
            if let Some(held) = take() {
                return held;
            }
            lockstep::wait_for_lock(self.place());
        }
    }
}

fn without_poison<G>(taken: Result<G, TryLockError<G>>) -> Option<G> {
    match taken {
        Ok(held) => Some(held),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        self.held = None;
        lockstep::lock_is_free(self.place);
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        self.held = None;
        lockstep::lock_is_free(self.place);
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.held.as_ref().expect("invariant: held")
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.held.as_ref().expect("invariant: held")
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_mut().expect("invariant: held")
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
