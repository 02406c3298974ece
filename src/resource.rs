//! Who may run, and what happens when it ends: permits, tasks, panics, shutdown.
//!
//! *In:* futures and closures of every other room, with the component they belong to. *Out:* a [`Task`] for
//! each, and [`Fault`]s on one channel that `app` reads.
//! *Bounded:* short work that takes CPU by `max_tasks` permits, which components share; unread faults by
//! [`FAULTS`]; long-lived tasks by the limits of their owners, which are counted here, with those that outlive
//! them. *Lost:* a fault when nobody read the last [`FAULTS`], or while one is handled; it is counted.
//!
//! This is the only room that spawns. It names no room below it: a panic becomes a value, not an event.

mod alive;
mod budget;
mod channel;
mod memory;
#[cfg(all(test, any(feature = "loom", feature = "shuttle")))]
mod model;
mod owner;
mod permit;
mod recover;
mod ring;
mod shutdown;
mod task;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

use self::{
    alive::{Alive, Tasks},
    owner::{Gone, Holding},
    permit::Permits,
};
pub use self::{
    channel::{BLOCKED_SEND, Sender, Waiting, channel},
    memory::{MemoryMonitor, Sample, Segment},
    owner::Owner,
    permit::{Permit, Refused},
    recover::{catch_panic, catch_panic_in},
    ring::Ring,
    shutdown::Shutdown,
    task::Task,
};
use crate::{
    config::ResourcesConfig,
    event::{Component, Fault, Pressure},
    metrics::SynchronizationMetrics,
    sync::contention,
};

/// How many faults may wait to be read. A full channel counts further ones in `faults_unread`.
pub const FAULTS: usize = 64;

/// Where faults are read, by one reader.
pub type FaultReceiver = mpsc::Receiver<Fault>;

/// The budget, the tasks and the end of the program. Clones are one and the same; only whose the tasks are
/// depends on the [`Owner`] it came from.
#[derive(Clone)]
pub struct ResourceManager {
    inner: Arc<Inner>,
    holding: Arc<Holding>,
}

struct Inner {
    metrics: Arc<SynchronizationMetrics>,
    permits: Arc<Permits>,
    faults: mpsc::Sender<Fault>,
    shutdown: Shutdown,
    /// How short memory is; set by the monitor alone.
    pressure: watch::Sender<Pressure>,
    tasks: Arc<Tasks>,
    gone: Arc<Gone>,
}

// === impl ResourceManager ===

impl ResourceManager {
    /// A manager with nothing running, and the one place to read its faults. It owns what it spawns until
    /// [`ResourceManager::drained`] is called.
    pub fn new(config: &ResourcesConfig, metrics: Arc<SynchronizationMetrics>) -> (Self, FaultReceiver) {
        let (faults, receiver) = mpsc::channel(FAULTS);
        let gone = Arc::new(Gone::default());
        attach(&metrics, &gone);
        let unread = faults.downgrade();
        let unread = move || unread.upgrade().map(|faults| FAULTS - faults.capacity());
        metrics.channels.register(Component::Resource, "faults", FAULTS, unread);
        let inner = Inner {
            permits: Permits::new(config.max_tasks, metrics.clone()),
            tasks: Tasks::new(metrics.clone()),
            metrics,
            faults,
            shutdown: Shutdown::default(),
            pressure: watch::Sender::new(Pressure::Normal),
            gone,
        };
        (Self { inner: Arc::new(inner), holding: Holding::new(Component::App, "program") }, receiver)
    }

    /// Somebody who answers for tasks until it is dropped.
    pub fn owner(&self, component: Component, place: &'static str) -> Owner {
        Owner::new(self, component, place)
    }

    /// Tasks alive a second after their owner went: whose, the place the owner was made, how many.
    pub fn leaked(&self) -> Vec<(Component, &'static str, usize)> {
        self.inner.gone.leaked()
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

    /// Waits for a permit; it is given back when dropped. Of those that wait, the component that holds the
    /// smallest part of its share is next, and within it the first that asked.
    pub async fn acquire(&self, component: Component) -> Permit {
        self.inner.permits.acquire(component).await
    }

    /// A permit, if one is free now.
    ///
    /// # Errors
    /// [`Refused`] when all permits are held; never otherwise.
    pub fn try_acquire(&self, component: Component) -> Result<Permit, Refused> {
        self.inner.permits.try_acquire(component)
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

    /// Uses what of the new settings can be used while the program runs: the number of permits. Those who
    /// hold one when there are fewer keep it to their end.
    pub fn reconfigure(&self, config: &ResourcesConfig) {
        self.inner.permits.set_limit(config.max_tasks);
    }

    /// Tasks that have not ended.
    pub fn alive(&self) -> usize {
        self.inner.tasks.alive()
    }

    /// Waits until no task is alive, at most `limit`; returns how many are left. Not to be called from one
    /// of the tasks: it would wait for itself.
    pub async fn drained(&self, limit: Duration) -> usize {
        self.let_go();
        timeout(limit, self.inner.tasks.none_alive()).await.ok();
        self.alive()
    }

    /// Reports a fault; never waits. When [`FAULTS`] wait to be read already, or this thread is inside the
    /// handling of a fault, it is only counted and logged.
    pub fn fault(&self, fault: Fault) {
        let metrics = &self.inner.metrics.resource;
        metrics.faults.increment();
        tracing::error!(
            component = %fault.component, place = fault.place, message = %fault.message,
            "fault"
        );
        if recover::is_handling_fault() || self.inner.faults.try_send(fault).is_err() {
            metrics.faults_unread.increment();
        }
    }

    /// The same manager for another owner.
    fn holding(&self, holding: Arc<Holding>) -> Self {
        Self { inner: self.inner.clone(), holding }
    }

    /// The owner of this manager's tasks goes.
    fn let_go(&self) {
        self.inner.gone.add(&self.holding);
    }

    fn begin_task(&self) -> Alive {
        self.inner.tasks.begin(&self.holding)
    }
}

impl fmt::Debug for ResourceManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceManager").field("alive", &self.alive()).finish_non_exhaustive()
    }
}

/// Tells the metrics whom to ask for what is kept here and below.
fn attach(metrics: &SynchronizationMetrics, gone: &Arc<Gone>) {
    let gone = Arc::clone(gone);
    let leaked = move || gone.leaked().iter().map(|(_, _, tasks)| *tasks as u64).sum();
    metrics.resource.tasks_leaked.attach(leaked);
    metrics.lock.contended.attach(|| contention().contended);
    metrics.lock.wait.attach(|| contention().wait);
    metrics.lock.longest_wait.attach(|| contention().longest_wait);
    metrics.lock.breaches.attach(|| contention().breaches);
}
