//! The locks of this program: parking_lot's, behind one small face.
//!
//! Rules: a thread holds one lock at a time, and no guard lives across an `.await`. Debug builds check the
//! first: taking a second lock panics and names both places. The second is kept by the compiler, because
//! guards are not `Send` and every task's future must be.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use self::held::Held;
// The one place where another implementation (a model checker's) would be chosen.
use parking_lot as chosen;

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

// === impl Mutex ===

impl<T> Mutex<T> {
    /// An unlocked one.
    pub const fn new(value: T) -> Self {
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
        MutexGuard { inner: self.inner.lock(), _held: held }
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
    pub const fn new(value: T) -> Self {
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
        ReadGuard { inner: self.inner.read(), _held: held }
    }

    /// Waits until nobody reads or writes.
    ///
    /// # Panics
    /// In debug builds, when this thread holds a lock of this module already.
    #[track_caller]
    pub fn write(&self) -> WriteGuard<'_, T> {
        let held = Held::claim();
        WriteGuard { inner: self.inner.write(), _held: held }
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

/// Debug builds: which lock this thread holds, by the place that took it.
#[cfg(debug_assertions)]
mod held {
    use std::{cell::Cell, panic::Location, thread};

    type Place = Option<&'static Location<'static>>;

    thread_local! {
        static HELD: Cell<Place> = const { Cell::new(None) };
    }

    /// Held by this thread from `claim` to drop.
    pub(super) struct Held {
        before: Place,
    }

    impl Held {
        #[track_caller]
        pub(super) fn claim() -> Self {
            let here = Location::caller();
            let before = HELD.replace(Some(here));
            if let Some(first) = before
                // A second panic would abort and hide the first.
                && !thread::panicking()
            {
                HELD.set(before);
                panic!("lock taken at {here} while the one taken at {first} is held");
            }
            Self { before }
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            HELD.set(self.before);
        }
    }
}

/// Release builds: nothing.
#[cfg(not(debug_assertions))]
mod held {
    pub(super) struct Held;

    impl Held {
        pub(super) fn claim() -> Self {
            Self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn a_lock_is_free_again_after_its_guard() {
        let (mutex, lock) = (Mutex::new(1), RwLock::new(1));
        *mutex.lock() += 1;
        *lock.write() += 1;
        assert_eq!(*mutex.lock(), 2);
        assert_eq!(*lock.read(), 2);
    }

    #[test]
    #[cfg(debug_assertions)]
    fn a_second_lock_panics_with_both_places() {
        let (first, second) = (Mutex::new(()), RwLock::new(()));
        let line = line!() + 2;
        let said = catch_unwind(AssertUnwindSafe(|| {
            let _first = first.lock();
            let _second = second.read();
        }))
        .expect_err("nesting must panic");
        let said = said.downcast_ref::<String>().expect("a text");
        for line in [line, line + 1] {
            assert!(said.contains(&format!("sync.rs:{line}:")), "{said}");
        }
        // Both are free afterwards, and the thread counts as holding none.
        drop(second.write());
        drop(first.lock());
    }

    #[test]
    fn a_guard_cannot_move_to_another_thread() {
        // Does not compile when a guard is Send: `some` would be ambiguous.
        trait AmbiguousIfSend<A> {
            fn some() {}
        }
        struct Send_;
        impl<T: ?Sized> AmbiguousIfSend<()> for T {}
        impl<T: ?Sized + Send> AmbiguousIfSend<Send_> for T {}
        <MutexGuard<'static, ()> as AmbiguousIfSend<_>>::some();
        <ReadGuard<'static, ()> as AmbiguousIfSend<_>>::some();
        <WriteGuard<'static, ()> as AmbiguousIfSend<_>>::some();
    }
}
