//! The primitives that threads and tasks share state with, behind one small face.
//!
//! Which implementation stands behind it is chosen here and nowhere else: parking_lot, tokio's `Notify` and
//! arc-swap (`native`); in a build with the feature `loom` or `shuttle` that checker's (`checked`), so that
//! the models explore the code that runs. What a library does inside is not modelled: the models assume that
//! parking_lot, tokio and arc-swap keep the contracts their documentation states.
//!
//! Rules: a thread holds one lock at a time, and no guard lives across an `.await`. Debug builds check the
//! first: taking a second lock panics and names both places. The second is kept by the compiler, because
//! guards are not `Send` and every task's future must be.
//!
//! A lock that is not free at once is counted in [`contention`]; one that is free costs what it cost before.

#[cfg(all(test, any(feature = "loom", feature = "shuttle")))]
pub(crate) mod check;
#[cfg(any(feature = "loom", feature = "shuttle"))]
mod checked;
#[cfg_attr(any(feature = "loom", feature = "shuttle"), expect(dead_code, reason = "checkers know no time"))]
mod contention;
#[cfg(test)]
mod contract;
mod held;
#[cfg(all(test, any(feature = "loom", feature = "shuttle")))]
mod model;
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod native;
#[cfg(any(feature = "loom", feature = "shuttle"))]
mod notify;
mod swap;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

#[cfg(any(feature = "loom", feature = "shuttle"))]
use self::checked as chosen;
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
use self::native as chosen;

use self::held::Held;
pub use self::{
    chosen::{Notify, atomic},
    contention::{Contention, LOCK_WAIT, contention},
    swap::Swap,
};

/// A lock for one user at a time. Not poisoned by a panic: what it guards must be whole between statements
/// that can panic.
#[derive(Default)]
pub struct Mutex<T: ?Sized> {
    inner: chosen::Mutex<T>,
}

/// Access to what a [`Mutex`] guards, until dropped.
pub struct MutexGuard<'a, T: ?Sized> {
    // Order matters: the lock is released before the thread is said to hold none.
    inner: chosen::MutexGuard<'a, T>,
    _held: Held,
}

/// A lock for many readers or one writer. Reading twice on one thread counts as nesting too: a writer
/// waiting between the two would stop it for good.
#[derive(Default)]
pub struct RwLock<T: ?Sized> {
    inner: chosen::RwLock<T>,
}

/// Shared access to what a [`RwLock`] guards, until dropped.
pub struct ReadGuard<'a, T: ?Sized> {
    inner: chosen::RwLockReadGuard<'a, T>,
    _held: Held,
}

/// Sole access to what a [`RwLock`] guards, until dropped.
pub struct WriteGuard<'a, T: ?Sized> {
    inner: chosen::RwLockWriteGuard<'a, T>,
    _held: Held,
}

/// Whether the fault of this name is planted, to show that a model sees it. Never in a build that runs.
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
pub(crate) const fn planted(_fault: &str) -> bool {
    false
}

#[cfg(any(feature = "loom", feature = "shuttle"))]
pub(crate) use self::checked::planted;

// === impl Mutex ===

impl<T> Mutex<T> {
    /// An unlocked one.
    #[cfg(not(any(feature = "loom", feature = "shuttle")))]
    pub const fn new(value: T) -> Self {
        Self { inner: chosen::Mutex::new(value) }
    }

    /// An unlocked one. Not `const`: a checker's lock belongs to one run of a model.
    #[cfg(any(feature = "loom", feature = "shuttle"))]
    pub fn new(value: T) -> Self {
        Self { inner: chosen::Mutex::new(value) }
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock.
    ///
    /// # Panics
    /// In debug builds, when this thread holds a lock of this module already.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        let held = Held::claim();
        MutexGuard { inner: chosen::lock(&self.inner), _held: held }
    }
}

impl<T: ?Sized> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mutex(..)")
    }
}

// === impl RwLock ===

impl<T> RwLock<T> {
    /// An unlocked one.
    #[cfg(not(any(feature = "loom", feature = "shuttle")))]
    pub const fn new(value: T) -> Self {
        Self { inner: chosen::RwLock::new(value) }
    }

    /// An unlocked one. Not `const`: a checker's lock belongs to one run of a model.
    #[cfg(any(feature = "loom", feature = "shuttle"))]
    pub fn new(value: T) -> Self {
        Self { inner: chosen::RwLock::new(value) }
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody writes.
    ///
    /// # Panics
    /// In debug builds, when this thread holds a lock of this module already.
    #[track_caller]
    pub fn read(&self) -> ReadGuard<'_, T> {
        let held = Held::claim();
        ReadGuard { inner: chosen::read(&self.inner), _held: held }
    }

    /// Waits until nobody reads or writes.
    ///
    /// # Panics
    /// In debug builds, when this thread holds a lock of this module already.
    #[track_caller]
    pub fn write(&self) -> WriteGuard<'_, T> {
        let held = Held::claim();
        WriteGuard { inner: chosen::write(&self.inner), _held: held }
    }
}

impl<T: ?Sized> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RwLock(..)")
    }
}

// === impl guards ===

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: ?Sized> Deref for ReadGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> Deref for WriteGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for WriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}
