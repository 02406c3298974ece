//! Builds all pieces, connects them, runs a command, and drains them in reverse.

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use crate::{
    bus::{EventBus, Filter, Subscription},
    config::Config,
    event::{Component, Event},
    health::GracefulDegradation,
    history,
    metrics::SynchronizationMetrics,
    model::Model,
    process::{Manager, OutputBatch, Parts, Records},
    resource::{MemoryMonitor, ResourceManager, Sample},
};

mod cli;
mod headless;
#[cfg(feature = "editor")]
mod host;
mod logging;
mod offline;
mod rollout;
#[cfg(feature = "editor")]
mod settings;
mod signals;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

use self::rollout::{Rollouts, supervise};

/// What everything started gets to end by itself when brummer leaves: TERM, this, KILL.
pub const LEAVE_GRACE: Duration = Duration::from_secs(1);

/// How much longer leaving may take than [`LEAVE_GRACE`], for killing and for last lines. What cannot be ended by then
/// (it runs as another user, or hangs in the kernel) is given up.
const LEAVE_LATE: Duration = Duration::from_millis(550);

/// How long tasks may take to end once their work is gone.
const DRAIN: Duration = Duration::from_millis(120);

/// The pieces every running form of the program has.
struct Core {
    resources: ResourceManager,
    bus: EventBus,
    #[cfg_attr(not(feature = "editor"), allow(dead_code, reason = "only the host shows it"))]
    model: Arc<Model>,
    health: GracefulDegradation,
    /// Held for as long as memory is to be measured.
    #[cfg_attr(not(feature = "editor"), allow(dead_code, reason = "only the host tells it of new settings"))]
    memory: MemoryMonitor,
    rollouts: Rollouts,
    /// Held for as long as the model is to be kept up to date.
    _updates: Subscription,
}

// === impl Core ===

impl Core {
    fn build(config: &Config) -> Self {
        let rollouts = Rollouts::of(config);
        let metrics = Arc::new(SynchronizationMetrics::default());
        let (resources, faults) = ResourceManager::new(&config.resources, Arc::clone(&metrics));
        let bus = EventBus::start(&config.eventbus, rollouts.bus.start(), &resources, metrics);
        let history = config.process_manager.max_process_history;
        let model = Arc::new(Model::new(rollouts.model.start(), history));
        let updated = Arc::clone(&model);
        let updates = bus.on(Filter::all(), Component::Model, "update", move |event| updated.update(event));
        let health = GracefulDegradation::start(config, &resources, bus.clone(), faults);
        supervise(&bus, rollouts.bus, &health, &resources);
        supervise(&model, rollouts.model, &health, &resources);
        let shown = keep_to_pressure(Arc::clone(&model), resources.clone());
        drop(resources.spawn(Component::Model, "memory pressure", shown));
        let memory = MemoryMonitor::start(&config.resources, &resources, told_to(bus.clone()));
        Self { resources, bus, model, health, rollouts, memory, _updates: updates }
    }

    fn manager(&self, config: &Config, output: mpsc::Sender<OutputBatch>) -> Manager {
        let parts = Parts { bus: self.bus.clone(), resources: self.resources.clone(), output };
        let rollout = self.rollouts.process;
        let manager = Manager::start_manager(&config.process_manager, rollout.start(), parts);
        supervise(&manager, rollout, &self.health, &self.resources);
        manager
    }

    /// The command line prints lines instead of keeping them.
    #[cfg(any(feature = "editor", test))]
    #[cfg_attr(not(test), allow(dead_code, reason = "a host records what it keeps"))]
    fn logs(&self, config: &Config) -> (crate::logs::Logs, mpsc::Sender<OutputBatch>) {
        let rollout = self.rollouts.logs;
        let (logs, output) =
            crate::logs::Logs::start(&config.log_store, rollout.start(), self.bus.clone(), &self.resources);
        supervise(&logs, rollout, &self.health, &self.resources);
        (logs, output)
    }

    /// The same, recorded in files below `base`.
    #[cfg(feature = "editor")]
    fn recorded_logs(
        &self,
        config: &Config,
        base: Option<PathBuf>,
    ) -> (crate::logs::Logs, mpsc::Sender<OutputBatch>, history::History) {
        let rollout = self.rollouts.logs;
        let (history, recorder) = history::History::start(&config.log_store, base, &self.resources);
        let (bus, start) = (self.bus.clone(), rollout.start());
        let (logs, output) =
            crate::logs::Logs::start_recorded(&config.log_store, start, bus, &self.resources, recorder);
        supervise(&logs, rollout, &self.health, &self.resources);
        (logs, output, history)
    }

    /// Stops the bus and waits for the tasks, once the parts on top are gone. Returns how many are left.
    async fn drain(self) -> usize {
        let Self { resources, bus, .. } = self;
        resources.shutdown().begin();
        let stopped = tokio::time::timeout(DRAIN, bus.stop()).await;
        if stopped.as_ref().map_or(true, |stopped| stopped.left > 0) {
            tracing::warn!(?stopped, "Events were left when the bus stopped.");
        }
        drop(bus);
        let left = resources.drained(DRAIN).await;
        if left > 0 {
            tracing::warn!(left, "Tasks were left at the end.");
        }
        left
    }
}

/// The records of what runs, for the next host. Without them everything works but what other hosts know of this one.
fn records() -> Option<Records> {
    Records::open().inspect_err(|error| tracing::warn!(%error, "Runs are not recorded.")).ok()
}

/// Ends every process that was started, within a time.
async fn end_all(manager: &Manager) {
    if tokio::time::timeout(LEAVE_GRACE + LEAVE_LATE, manager.shutdown(LEAVE_GRACE)).await.is_err() {
        tracing::error!("Something that was started could not be ended.");
    }
}

/// Tells the model, which holds no handles, how short memory is.
async fn keep_to_pressure(model: Arc<Model>, resources: ResourceManager) {
    let (mut pressure, shutdown) = (resources.pressure(), resources.shutdown());
    loop {
        model.set_pressure(*pressure.borrow_and_update());
        tokio::select! {
            changed = pressure.changed() => if changed.is_err() { return },
            () = shutdown.begun() => return,
        }
    }
}

/// Tells the bus of memory; when that takes nothing more, the figures are still in the metrics.
fn told_to(bus: EventBus) -> impl FnMut(Sample) + Send + 'static {
    move |Sample { resident, limit, pressure, at }| {
        if let Err(error) = bus.try_publish(Event::MemorySampled { resident, limit, pressure, at }) {
            tracing::debug!(%error, "A memory figure was not taken.");
        }
    }
}

/// The program. Reads the arguments, carries the command out, and gives the exit code.
pub fn main() -> ExitCode {
    cli::run()
}

/// Where what is printed is recorded, if there is a place for it.
fn histories() -> Option<PathBuf> {
    history::directory(&|name| std::env::var_os(name))
}

/// Where `~/.brum.toml` would be.
fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute())
}
