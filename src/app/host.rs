//! `brummer host --stdio`: the back end of one Neovim.

use std::{io, sync::Arc};

use super::{Core, end_all, home, signals::Signals};
use crate::{
    config::{self, Config},
    project,
    rpc::{self, Handles, Stdio},
};

/// Serves the editor on `stdio` until it leaves or a signal comes; then ends everything that was started.
pub(super) async fn run(stdio: Stdio) -> io::Result<()> {
    let mut signals = Signals::listen()?;
    let config = start_config();
    let core = Core::build(&config);
    let (logs, output) = core.logs(&config);
    let manager = core.manager(&config, output);
    let handles = Handles {
        manager: manager.clone(),
        logs,
        model: Arc::clone(&core.model),
        resources: core.resources.clone(),
        home: home(),
    };
    tracing::info!(pid = std::process::id(), "The host serves.");
    let served = tokio::select! {
        served = rpc::serve(stdio, handles) => served,
        _ = signals.any() => Ok(()),
    };
    tracing::info!("The host leaves.");
    end_all(&manager).await;
    drop(manager);
    core.drain().await;
    served
}

/// The host's own settings come from the project it was started in; each project's scripts are read when they
/// are asked for.
fn start_config() -> Config {
    let here = std::env::current_dir().unwrap_or_default();
    let root = project::find_root(&here).unwrap_or(here);
    let loaded = config::load(&root, home().as_deref(), &|name| std::env::var(name).ok());
    for problem in &loaded.problems {
        tracing::warn!(%problem, "A setting was refused.");
    }
    loaded.config
}
