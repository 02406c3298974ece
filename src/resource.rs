//! Who may run, and what happens when it ends: permits, tasks, panics, shutdown.
//!
//! *In:* futures and closures of every other room, with the component they belong to. *Out:* a [`Task`] for
//! each, and [`Fault`]s on one channel that `app` reads.
//! *Bounded:* short work that takes CPU by `max_tasks` permits; unread faults by [`FAULTS`]; long-lived
//! tasks by the limits of their owners, which are only counted here. *Lost:* a fault when nobody read the
//! last [`FAULTS`]; it is counted.
//!
//! This is the only room that spawns. It names no room below it: a panic becomes a value, not an event.

mod budget;
mod recover;
mod ring;
mod shutdown;
mod task;
#[cfg(all(test, not(any(feature = "loom", feature = "shuttle"))))]
mod tests;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore, mpsc, watch},
    time::{Instant, timeout_at},
};

pub use self::{
    budget::{Permit, Refused},
    recover::catch_panic,
    ring::Ring,
    shutdown::Shutdown,
    task::Task,
};
use crate::{
    config::ResourcesConfig,
    event::{Component, Fault, Pressure},
    metrics::SynchronizationMetrics,
};

/// How many faults may wait to be read. A full channel counts further ones in `faults_unread`.
pub const FAULTS: usize = 64;

/// Where faults are read, by one reader.
pub type FaultReceiver = mpsc::Receiver<Fault>;

/// The budget, the tasks and the end of the program. Clones are one and the same.
#[derive(Clone)]
pub struct ResourceManager {
    inner: Arc<Inner>,
}

struct Inner {
    metrics: Arc<SynchronizationMetrics>,
    permits: Arc<Semaphore>,
    /// As many as the semaphore was made with.
    limit: usize,
    faults: mpsc::Sender<Fault>,
    shutdown: Shutdown,
    /// How short memory is; set by the monitor alone.
    pressure: watch::Sender<Pressure>,
    alive: AtomicUsize,
    /// Told when the last task ends.
    none_alive: Notify,
}

// === impl ResourceManager ===

impl ResourceManager {
    /// A manager with nothing running, and the one place to read its faults.
    pub fn new(config: &ResourcesConfig, metrics: Arc<SynchronizationMetrics>) -> (Self, FaultReceiver) {
        let (faults, receiver) = mpsc::channel(FAULTS);
        let limit = config.max_tasks.clamp(1, Semaphore::MAX_PERMITS);
        let inner = Inner {
            metrics,
            permits: Arc::new(Semaphore::new(limit)),
            limit,
            faults,
            shutdown: Shutdown::default(),
            pressure: watch::Sender::new(Pressure::Normal),
            alive: AtomicUsize::new(0),
            none_alive: Notify::new(),
        };
        (Self { inner: Arc::new(inner) }, receiver)
    }

    /// Runs `work` as a task of its own. It takes no permit: long-lived tasks are limited by their owners.
    /// A panic in it becomes a fault of `component` at `place`.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn spawn<F>(&self, component: Component, place: &'static str, work: F) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        task::spawn(self.clone(), component, place, work)
    }

    /// Runs `work` on a thread where it may block, once a permit is free. A panic in it becomes a fault.
    /// Aborting the task before the permit came prevents the work; afterwards it runs to its end.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn blocking<T, F>(&self, component: Component, place: &'static str, work: F) -> Task<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        task::blocking(self.clone(), component, place, work)
    }

    /// Waits for a permit, in the order asked. It is given back when dropped.
    pub async fn acquire(&self, component: Component) -> Permit {
        budget::acquire(&self.inner, component).await
    }

    /// A permit, if one is free now.
    ///
    /// # Errors
    /// [`Refused`] when all permits are held; never otherwise.
    pub fn try_acquire(&self, component: Component) -> Result<Permit, Refused> {
        budget::try_acquire(&self.inner, component)
    }

    /// The signal that the program is to end.
    pub fn shutdown(&self) -> Shutdown {
        self.inner.shutdown.clone()
    }

    /// What the program counts about itself.
    pub fn metrics(&self) -> &Arc<SynchronizationMetrics> {
        &self.inner.metrics
    }

    /// How short memory is, now and from now on.
    pub fn pressure(&self) -> watch::Receiver<Pressure> {
        self.inner.pressure.subscribe()
    }

    /// Says how short memory is.
    pub fn set_pressure(&self, pressure: Pressure) {
        self.inner.pressure.send_if_modified(|now| std::mem::replace(now, pressure) != pressure);
    }

    /// Uses what of the new settings can be used while the program runs.
    pub fn reconfigure(&self, _config: &ResourcesConfig) {}

    /// Tasks that have not ended.
    pub fn alive(&self) -> usize {
        self.inner.alive.load(Ordering::Acquire)
    }

    /// Waits until no task is alive, at most `limit`; returns how many are left. Not to be called from one
    /// of the tasks: it would wait for itself.
    pub async fn drained(&self, limit: Duration) -> usize {
        let deadline = Instant::now() + limit;
        loop {
            let mut none = std::pin::pin!(self.inner.none_alive.notified());
            // Registered before looking, or the last task could end between the look and the wait.
            none.as_mut().enable();
            if self.alive() == 0 {
                return 0;
            }
            if timeout_at(deadline, none).await.is_err() {
                return self.alive();
            }
        }
    }

    /// Reports a fault; never waits. When [`FAULTS`] wait to be read already, it is only counted.
    pub fn fault(&self, fault: Fault) {
        let metrics = &self.inner.metrics.resource;
        metrics.faults.increment();
        tracing::error!(
            component = %fault.component, place = fault.place, message = %fault.message,
            "fault"
        );
        if self.inner.faults.try_send(fault).is_err() {
            metrics.faults_unread.increment();
        }
    }
}

impl fmt::Debug for ResourceManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceManager").field("alive", &self.alive()).finish_non_exhaustive()
    }
}
