//! The signal that the program is to end.

use std::{fmt, pin::pin, sync::Arc};

use crate::sync::{
    Notify,
    atomic::{AtomicBool, Ordering},
};

/// Given once, seen by everybody who holds a clone, also by those who ask later.
#[derive(Clone, Default)]
pub struct Shutdown {
    signal: Arc<Signal>,
}

#[derive(Default)]
struct Signal {
    begun: AtomicBool,
    told: Notify,
}

// === impl Shutdown ===

impl Shutdown {
    /// Gives the signal; again is the same as once.
    pub fn begin(&self) {
        self.signal.begun.store(true, Ordering::Release);
        self.signal.told.notify_waiters();
    }

    /// Whether it was given.
    pub fn is_begun(&self) -> bool {
        self.signal.begun.load(Ordering::Acquire)
    }

    /// Waits until it is given.
    pub async fn begun(&self) {
        // Made before looking: a signal between the look and the wait wakes it.
        let told = pin!(self.signal.told.notified());
        if !self.is_begun() {
            told.await;
        }
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").field("begun", &self.is_begun()).finish()
    }
}
