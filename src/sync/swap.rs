//! A shared value that is replaced as a whole.

use std::{fmt, sync::Arc};

use super::chosen;

/// Holds an `Arc<T>`: readers get the value of one moment without waiting, and it stays as it was however
/// long they keep it.
pub struct Swap<T> {
    slot: chosen::Slot<T>,
}

// === impl Swap ===

impl<T> Swap<T> {
    /// Holding `value`.
    pub fn new(value: Arc<T>) -> Self {
        Self { slot: chosen::slot(value) }
    }

    /// Holding `value`.
    pub fn from_pointee(value: T) -> Self {
        Self::new(Arc::new(value))
    }

    /// The present value.
    pub fn load(&self) -> Arc<T> {
        chosen::load(&self.slot)
    }

    /// Replaces the value, whatever it is.
    pub fn store(&self, value: Arc<T>) {
        chosen::store(&self.slot, value);
    }

    /// Replaces the value by one made from it; returns the one it replaced. `change` is called again when
    /// somebody else was faster, so no change is lost; it should do nothing but make the new value.
    pub fn update(&self, change: impl FnMut(&T) -> T) -> Arc<T> {
        chosen::update(&self.slot, change)
    }
}

impl<T: Default> Default for Swap<T> {
    fn default() -> Self {
        Self::from_pointee(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Swap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Swap").field(&self.load()).finish()
    }
}
