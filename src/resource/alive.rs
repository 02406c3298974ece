//! How many tasks are alive, and the wait until none is.

use std::{pin::pin, sync::Arc};

use super::owner::Holding;
use crate::{
    metrics::SynchronizationMetrics,
    sync::{
        Notify,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The tasks of the program.
pub(super) struct Tasks {
    alive: AtomicUsize,
    /// Told when the last task ends.
    none: Notify,
    metrics: Arc<SynchronizationMetrics>,
}

/// Counts one task as alive until dropped, which is when its future has been dropped.
pub(super) struct Alive {
    tasks: Arc<Tasks>,
    holding: Arc<Holding>,
}

// === impl Tasks ===

impl Tasks {
    pub(super) fn new(metrics: Arc<SynchronizationMetrics>) -> Arc<Self> {
        Arc::new(Self { alive: AtomicUsize::new(0), none: Notify::new(), metrics })
    }

    pub(super) fn begin(self: &Arc<Self>, holding: &Arc<Holding>) -> Alive {
        self.alive.fetch_add(1, Ordering::AcqRel);
        self.metrics.resource.tasks_spawned.increment();
        self.metrics.resource.tasks_alive.increment();
        holding.began();
        Alive { tasks: self.clone(), holding: holding.clone() }
    }

    pub(super) fn alive(&self) -> usize {
        self.alive.load(Ordering::Acquire)
    }

    /// Waits until none is alive.
    pub(super) async fn none_alive(&self) {
        loop {
            // Made before looking, or the last task could end between the look and the wait.
            let none = pin!(self.none.notified());
            if self.alive() == 0 {
                return;
            }
            none.await;
        }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.holding.ended();
        self.tasks.metrics.resource.tasks_alive.decrement();
        if self.tasks.alive.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.tasks.none.notify_waiters();
        }
    }
}
