//! GracefulDegradation: how well each component does its work, what is switched off because of it, and the way back.
//!
//! *In:* the faults of `resource`, by the one channel they come through; breaches of [`PerformanceThresholds`], read from the
//! metrics once a second; answers of [`Part::probe`]s. *Out:* a [`Health`] for each component, to be watched
//! ([`GracefulDegradation::changed`]); `Fault` and `HealthChanged` on the bus; a [`Report`] for the user. *Bounded:* the
//! last 20 faults joined, the 100 errors of each component, one probe of each at a time, news for the bus
//! that wait. *Lost:* what does not fit there; the oldest entry goes first. News that the bus does not take in time are
//! counted as unread faults; a change of health is not lost but told as one with the next.
//!
//! This room judges and tells; it switches nothing. It must work when the bus is what has failed: faults come to it past
//! the bus, who acts on a change watches it past the bus, and telling the bus is a task of its own, which may hang.
//! Nothing here writes a log line for a breach.

mod history;
mod ladder;
mod news;
mod report;
mod state;
mod task;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;
mod thresholds;
mod words;

use std::{fmt, pin::Pin, sync::Arc};

use tokio::sync::watch;

use self::state::Judged;
pub use self::{
    report::{Budget, ComponentHealth, FaultEntry, Memory, Queue, Rates, Report, Threshold},
    thresholds::PerformanceThresholds,
};
use crate::{
    bus::EventBus,
    config::{Config, Mode},
    event::{Component, Health},
    metrics::{Measure, SynchronizationMetrics},
    resource::{FaultReceiver, ResourceManager},
    sync::{Mutex, Swap},
};

/// How every component is; the position is [`Component::index`].
pub type States = [Health; Component::COUNT];

/// What a probe answers: nothing, or what does not work.
pub type Answer = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// A component that can be asked.
pub struct Part {
    /// Which.
    pub component: Component,
    /// Which implementation runs.
    pub mode: Box<dyn Fn() -> Mode + Send + Sync>,
    /// Whether the current implementation works.
    pub probe: Box<dyn Fn() -> Answer + Send + Sync>,
}

/// The handle. Clones are one and the same.
#[derive(Clone)]
pub struct GracefulDegradation {
    inner: Arc<Inner>,
}

struct Inner {
    metrics: Arc<SynchronizationMetrics>,
    pressure: watch::Receiver<crate::event::Pressure>,
    states: watch::Sender<States>,
    /// What the task found last, for the report.
    judged: Swap<Judged>,
    /// Held while one is added, and while they are listed. Emptied at the end, because they hold handles.
    parts: Mutex<Vec<Arc<Part>>>,
    /// Room in the bus's queues, which no metric tells.
    room: Swap<Room>,
    started: tokio::time::Instant,
}

/// See [`Inner::room`].
#[derive(Clone, Copy, Debug)]
struct Room {
    lanes: [usize; 3],
    all: usize,
}

// === impl GracefulDegradation ===

impl GracefulDegradation {
    /// Starts judging. `faults` is where all faults of the program come out.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(config: &Config, resources: &ResourceManager, bus: EventBus, faults: FaultReceiver) -> Self {
        let inner = Arc::new(Inner {
            metrics: Arc::clone(resources.metrics()),
            pressure: resources.pressure(),
            states: watch::Sender::new([Health::Healthy; Component::COUNT]),
            judged: Swap::from_pointee(Judged::default()),
            parts: Mutex::default(),
            room: Swap::from_pointee(Room::of(config)),
            started: tokio::time::Instant::now(),
        });
        let (tell, to_tell) = news::channel(resources);
        let told = news::tell(to_tell, inner.states.subscribe(), Arc::clone(&inner), bus, resources.clone());
        drop(resources.spawn(Component::App, "news of health", told));
        let judge = task::run(Arc::clone(&inner), resources.clone(), faults, tell);
        drop(resources.spawn(Component::App, "health", judge));
        Self { inner }
    }

    /// Adds a component that can be asked. One that is not added is healthy when no error comes.
    pub fn add(&self, part: Part) {
        self.inner.parts.lock().push(Arc::new(part));
    }

    /// How a component is.
    pub fn state(&self, component: Component) -> Health {
        self.inner.states.borrow()[component.index()]
    }

    /// How all are, now and from now on.
    pub fn changed(&self) -> watch::Receiver<States> {
        self.inner.states.subscribe()
    }

    /// Everything a user may want to know. Never waits: it takes what was judged last, and reads the metrics.
    pub fn report(&self) -> Report {
        let inner = &*self.inner;
        let judged = inner.judged.load();
        let snapshot = inner.metrics.read();
        let parts = inner.parts.lock().clone();
        let modes = parts.iter().map(|part| (part.component, (part.mode)())).collect();
        report::report(&report::Given {
            uptime: inner.started.elapsed(),
            judged: &judged,
            snapshot: &snapshot,
            modes,
            pressure: *inner.pressure.borrow(),
            room: *inner.room.load(),
        })
    }

    /// Uses what of the new settings the report shows.
    pub fn reconfigure(&self, config: &Config) {
        self.inner.room.store(Arc::new(Room::of(config)));
    }
}

impl fmt::Debug for GracefulDegradation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GracefulDegradation")
            .field("states", &*self.inner.states.borrow())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("component", &self.component).finish_non_exhaustive()
    }
}

// === impl Room ===

impl Room {
    fn of(config: &Config) -> Self {
        Self { lanes: config.eventbus.queue_sizes, all: config.eventbus.max_events }
    }
}
