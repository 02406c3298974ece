//! What a build for model checking runs on: the checker's locks and atomics. Both checkers copy the paths of
//! std. tokio's `Notify` and arc-swap know no checker, so stand-ins of the same contract take their place.

use std::sync::{Arc, OnceLock, PoisonError};

#[cfg(feature = "loom")]
use loom as checker;
#[cfg(all(feature = "shuttle", not(feature = "loom")))]
use shuttle as checker;

pub(super) use checker::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub use super::notify::Notify;

/// Numbers that threads share; the checker's.
pub mod atomic {
    pub use super::checker::sync::atomic::{
        AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };
}

/// Names the fault to plant, in a child process that is to fail.
pub(crate) const PLANTED: &str = "BRUMMER_PLANTED";

/// Whether the fault of this name is planted.
pub(crate) fn planted(fault: &str) -> bool {
    // Read once: a model asks at every step, and threads must not change their minds.
    static NAMED: OnceLock<Option<String>> = OnceLock::new();
    NAMED.get_or_init(|| std::env::var(PLANTED).ok()).as_deref() == Some(fault)
}

pub(super) type Slot<T> = Mutex<Arc<T>>;

// Poison is looked through: parking_lot has none.

pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn read<T: ?Sized>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn write<T: ?Sized>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn slot<T>(value: Arc<T>) -> Slot<T> {
    Mutex::new(value)
}

pub(super) fn load<T>(slot: &Slot<T>) -> Arc<T> {
    lock(slot).clone()
}

pub(super) fn store<T>(slot: &Slot<T>, value: Arc<T>) {
    let old = std::mem::replace(&mut *lock(slot), value);
    // Outside the lock: its drop is somebody else's code.
    drop(old);
}

/// As arc-swap does it: `change` runs without a lock, and again when another store came between.
pub(super) fn update<T>(slot: &Slot<T>, mut change: impl FnMut(&T) -> T) -> Arc<T> {
    loop {
        let before = load(slot);
        let next = Arc::new(change(&before));
        let mut now = lock(slot);
        if Arc::ptr_eq(&now, &before) || planted("an update overwrites another") {
            *now = next;
            return before;
        }
    }
}
