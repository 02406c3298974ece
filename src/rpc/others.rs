//! Calls about other hosts: what they run, what they left.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    Handles,
    flush::ToFlush,
    frame::{EventRow, LeftoverRow, Leftovers, LeftoversEvent},
    protocol::Show,
};
use crate::{
    event::ProcessInfo,
    peer::Peers,
    process::{Claims, Leftover},
    resource::Sender,
};

/// The right to start these. An error is the answer to a start of something that another host runs or starts.
pub(super) async fn claim(
    handles: &Handles,
    infos: impl Iterator<Item = &ProcessInfo>,
    another: bool,
) -> Result<Claims, Value> {
    let Some(peers) = &handles.peers else { return Ok(Claims::default()) };
    let there = match peers.claim(infos, another).await {
        Ok(claims) => return Ok(claims),
        Err(there) => there,
    };
    let rows: Vec<_> = there
        .iter()
        .map(|run| json!({ "name": run.name, "root": run.root, "pid": run.host.pid, "since": run.since }))
        .collect();
    Err(json!({ "elsewhere": rows }))
}

pub(super) async fn show(handles: &Handles, show: Show) -> Result<Value, String> {
    let Show { root, name, pid } = show;
    let process = peers(handles)?.show(Path::new(&root), &name, pid).await?;
    let label = handles.manager.info(process).map(|info| info.label());
    Ok(json!({ "id": process.0, "name": label }))
}

pub(super) async fn leftovers(handles: &Handles) -> Result<Leftovers, String> {
    let (left, problems) = peers(handles)?.leftovers().await?;
    let row = |left: Leftover| {
        let Leftover { run, name, root, pids, at, detached } = left;
        LeftoverRow { run, name, root, pids, at: at.0, detached }
    };
    Ok(Leftovers { leftovers: left.into_iter().map(row).collect(), problems })
}

pub(super) async fn end_leftovers(handles: &Handles, runs: Vec<String>) -> Result<Value, String> {
    peers(handles)?.end_leftovers(runs).await?;
    Ok(json!({}))
}

/// Looks once, beside everything else, and says what there is.
pub(super) async fn tell_leftovers(handles: Handles, to_flush: Sender<ToFlush>) {
    let Ok(found) = leftovers(&handles).await else { return };
    for problem in &found.problems {
        tracing::warn!(problem, "A record of a run cannot be read.");
    }
    if !found.leftovers.is_empty() || !found.problems.is_empty() {
        let event = EventRow::Leftovers(LeftoversEvent { kind: "leftovers", found });
        // Nobody receives when the session is over.
        drop(to_flush.send(ToFlush::Event(event)).await);
    }
}

fn peers(handles: &Handles) -> Result<&Peers, String> {
    let none = "other hosts cannot be known: see the log file of brummer";
    handles.peers.as_ref().ok_or_else(|| none.to_owned())
}
