//! `brummer host --stdio`: the back end of one Neovim.

use std::{io, sync::Arc};

use super::{Core, end_all, histories, home, records, settings, signals::Signals};
use crate::{
    peer::{self, Peers},
    process::Records,
    rpc::{self, Handles, Stdio},
};

/// Serves the editor on `stdio` until it leaves or a signal comes; then ends everything that was started.
pub(super) async fn run(stdio: Stdio) -> io::Result<()> {
    let mut signals = Signals::listen()?;
    let settings = settings::read();
    let config = settings.started().config.clone();
    let core = Core::build(&config);
    let (logs, output, history) = core.recorded_logs(&config, histories());
    let manager = core.manager(&config, output);
    let records = records().map(Records::of_editor);
    if let Some(records) = &records {
        manager.keep_records(records.clone());
    }
    let settings = settings::connect(settings, &core, &manager, &logs, history.clone());
    let health = core.health.clone();
    let peers = records.map(|records| {
        Peers::start(peer::Parts {
            records,
            manager: manager.clone(),
            logs: logs.clone(),
            model: Arc::clone(&core.model),
            bus: core.bus.clone(),
            resources: core.resources.clone(),
        })
    });
    let handles = Handles {
        manager: manager.clone(),
        logs,
        peers,
        model: Arc::clone(&core.model),
        resources: core.resources.clone(),
        bus: core.bus.clone(),
        settings,
        health: Arc::new(move || serde_json::to_value(health.report()).unwrap_or_default()),
        home: home(),
        history,
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
