//! The host's own settings, and the way of new ones to the components that go by them.

use std::sync::Arc;

use super::{Core, home};
use crate::{config::Settings, history::History, logs::Logs, process::Manager, project};

/// The settings of the project the host was started in. Each project's scripts are read when they are asked for.
pub(super) fn read() -> Settings {
    let here = std::env::current_dir().unwrap_or_default();
    let root = project::find_root(&here).unwrap_or(here);
    let settings = Settings::read(root, home());
    for problem in &settings.started().problems {
        tracing::warn!(%problem, "A setting was refused.");
    }
    settings
}

/// Has every component told of settings that are read again; each takes the keys it can.
pub(super) fn connect(
    settings: Settings,
    core: &Core,
    manager: &Manager,
    logs: &Logs,
    history: History,
) -> Arc<Settings> {
    let (resources, memory, health) = (core.resources.clone(), core.memory.clone(), core.health.clone());
    let (bus, model) = (core.bus.clone(), Arc::clone(&core.model));
    let (manager, logs) = (manager.clone(), logs.clone());
    Arc::new(settings.connect(move |config| {
        resources.reconfigure(&config.resources);
        memory.reconfigure(&config.resources);
        health.reconfigure(config);
        bus.reconfigure(&config.eventbus);
        manager.reconfigure(&config.process_manager);
        logs.reconfigure(&config.log_store);
        history.reconfigure(&config.log_store);
        model.set_history(config.process_manager.max_process_history);
    }))
}
