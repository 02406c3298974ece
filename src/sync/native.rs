//! What normal builds run on: parking_lot, tokio's `Notify` and arc-swap.

use std::sync::Arc;

use arc_swap::ArcSwap;
pub(super) use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Wakes tasks that wait; tokio's.
pub use tokio::sync::Notify;

use super::contention;

/// Numbers that threads share; std's.
pub mod atomic {
    pub use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
}

pub(super) type Slot<T> = ArcSwap<T>;

pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.try_lock().unwrap_or_else(|| contention::wait(|| mutex.lock()))
}

pub(super) fn read<T: ?Sized>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.try_read().unwrap_or_else(|| contention::wait(|| lock.read()))
}

pub(super) fn write<T: ?Sized>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.try_write().unwrap_or_else(|| contention::wait(|| lock.write()))
}

pub(super) fn slot<T>(value: Arc<T>) -> Slot<T> {
    ArcSwap::new(value)
}

pub(super) fn load<T>(slot: &Slot<T>) -> Arc<T> {
    slot.load_full()
}

pub(super) fn store<T>(slot: &Slot<T>, value: Arc<T>) {
    slot.store(value);
}

pub(super) fn update<T>(slot: &Slot<T>, mut change: impl FnMut(&T) -> T) -> Arc<T> {
    slot.rcu(|now| change(now))
}
