//! Builds all pieces, connects them, runs a command, and drains them in reverse.

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use crate::{
    bus::{EventBus, Filter, Subscription},
    config::Config,
    event::{Component, Event, Fault},
    metrics::SynchronizationMetrics,
    model::Model,
    process::{Manager, OutputBatch, Parts},
    resource::{ResourceManager, Shutdown},
};

mod cli;
mod headless;
#[cfg(feature = "editor")]
mod host;
mod logging;
mod offline;
mod signals;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

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
    model: Arc<Model>,
    /// Held for as long as the model is to be kept up to date.
    _updates: Subscription,
}

// === impl Core ===

impl Core {
    fn build(config: &Config) -> Self {
        let metrics = Arc::new(SynchronizationMetrics::default());
        let (resources, faults) = ResourceManager::new(&config.resources, Arc::clone(&metrics));
        let bus =
            EventBus::start(&config.eventbus, config.eventbus.rollout.mode().start(), &resources, metrics);
        let model = Arc::new(Model::new(
            config.model.rollout.mode().start(),
            config.process_manager.max_process_history,
        ));
        let updated = Arc::clone(&model);
        let updates = bus.on(Filter::all(), Component::Model, "update", move |event| updated.update(event));
        drop(resources.spawn(Component::App, "faults", report(faults, bus.clone(), resources.shutdown())));
        Self { resources, bus, model, _updates: updates }
    }

    fn manager(&self, config: &Config, output: mpsc::Sender<OutputBatch>) -> Manager {
        let parts = Parts { bus: self.bus.clone(), resources: self.resources.clone(), output };
        let mode = config.process_manager.rollout.mode().start();
        Manager::start_manager(&config.process_manager, mode, parts)
    }

    /// The command line prints lines instead of keeping them.
    #[cfg(any(feature = "editor", test))]
    fn logs(&self, config: &Config) -> (crate::logs::Logs, mpsc::Sender<OutputBatch>) {
        let mode = config.log_store.rollout.mode().start();
        crate::logs::Logs::start(&config.log_store, mode, self.bus.clone(), &self.resources)
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

/// Ends every process that was started, within a time.
async fn end_all(manager: &Manager) {
    if tokio::time::timeout(LEAVE_GRACE + LEAVE_LATE, manager.shutdown(LEAVE_GRACE)).await.is_err() {
        tracing::error!("Something that was started could not be ended.");
    }
}

/// Tells of faults: in the log file and, for whoever listens, on the bus.
async fn report(mut faults: mpsc::Receiver<Fault>, bus: EventBus, shutdown: Shutdown) {
    loop {
        let fault = tokio::select! {
            fault = faults.recv() => fault,
            () = shutdown.begun() => return,
        };
        let Some(fault) = fault else { return };
        tracing::error!(component = %fault.component, place = fault.place, message = %fault.message, "Something panicked.");
        if let Err(error) = bus.try_publish(Event::Fault(fault)) {
            tracing::debug!(%error, "A fault was not taken.");
        }
    }
}

/// The program. Reads the arguments, carries the command out, and gives the exit code.
pub fn main() -> ExitCode {
    cli::run()
}

/// Where `~/.brum.toml` would be.
fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute())
}
