//! Other hosts of the same user: those that live, whose logs can be shown here, and those that are gone and left something.
//!
//! *Flows in:* questions on the handle [`Peers`]; connections of other hosts on a socket in the user's own directory. *Flows
//! out:* a log's lines to them; theirs into the log store, through a [`Mirror`](crate::process::Mirror), which cannot act on
//! what it shows. *Bounded:* connections served ([`CLIENTS`]), logs shown of others ([`SHOWN`]), a request, the lines read and
//! encoded for a client at a time, and the time it may take for them. A slow client holds up itself alone: nothing is kept
//! for it, and it is told how many lines it missed. *Lost:* to a client, those lines, and of a line what is over
//! [`LINE`](tail::LINE) bytes; bytes that are no UTF-8.
//!
//! The socket has mode 0600 in a directory of mode 0700, and both ends look at each other's user. One JSON object per
//! line: [`message`] has them all.

use std::{collections::HashMap, path::Path, sync::Arc};

use crate::{
    bus::EventBus,
    event::{Component, ProcessId, ProcessInfo},
    logs::Logs,
    model::Model,
    process::{Claims, Elsewhere, Identity, Leftover, Manager, Records},
    resource::ResourceManager,
    sync::Mutex,
};

mod follow;
mod message;
mod paint;
mod serve;
mod tail;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;
mod wire;

/// Connections served at once; one more is refused.
const CLIENTS: usize = 16;

/// Logs of others shown at once; one more is refused.
const SHOWN: usize = 16;

/// What peers work on.
pub struct Parts {
    /// What other hosts run and left.
    pub records: Records,
    /// Gives what is shown of others an entry.
    pub manager: Manager,
    /// Answers with lines.
    pub logs: Logs,
    /// What runs here.
    pub model: Arc<Model>,
    /// Tells of new lines.
    pub bus: EventBus,
    /// Spawns the tasks.
    pub resources: ResourceManager,
}

/// The handle.
#[derive(Clone)]
pub struct Peers(Arc<Shared>);

struct Shared {
    parts: Parts,
    /// What is shown of other hosts, at most [`SHOWN`].
    shown: Mutex<HashMap<Shows, ProcessId>>,
}

/// One log of another host.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Shows {
    host: Identity,
    root: String,
    name: String,
}

// === impl Peers ===

impl Peers {
    /// Listens for others. Where that is not possible they cannot show what runs here, which is said once.
    pub fn start(parts: Parts) -> Self {
        let peers = Self(Arc::new(Shared { parts, shown: Mutex::default() }));
        let serve = serve::run(Arc::clone(&peers.0));
        drop(peers.0.parts.resources.spawn(Component::Rpc, "other hosts", serve));
        peers
    }

    /// The right to start these, as far as this host does not run them: all of them, if no other host runs or starts one. With
    /// `another` it is had for what is free.
    ///
    /// # Errors
    /// Which of them other hosts run or start now.
    pub async fn claim(
        &self,
        infos: impl Iterator<Item = &ProcessInfo>,
        another: bool,
    ) -> Result<Claims, Vec<Elsewhere>> {
        let model = &self.0.parts.model;
        let runs_here = |info: &ProcessInfo| {
            let row = model.find(Some(&info.root), &info.label()).and_then(|process| model.row(process));
            row.is_some_and(|row| !row.state.is_terminal())
        };
        let wanted: Vec<_> = infos
            .filter(|info| !runs_here(info))
            .map(|info| (info.root.to_string_lossy().into_owned(), info.label()))
            .collect();
        // A panic is told of, and is no reason not to start.
        self.look("other hosts", move |records| records.claim(wanted, another))
            .await
            .unwrap_or(Ok(Claims::default()))
    }

    /// What other hosts left, and what could not be read why.
    ///
    /// # Errors
    /// A panic, worded for the user.
    pub async fn leftovers(&self) -> Result<(Vec<Leftover>, Vec<String>), String> {
        self.look("left-overs", Records::leftovers).await
    }

    /// Ends what is left of these runs.
    ///
    /// # Errors
    /// What could not be ended, worded for the user.
    pub async fn end_leftovers(&self, runs: Vec<String>) -> Result<(), String> {
        let Parts { records, resources, .. } = &self.0.parts;
        records.end(runs, resources).await
    }

    /// Shows a log of another host, from its last lines on, as an entry of its own; again finds the same one. Returns when the
    /// entry is there.
    ///
    /// # Errors
    /// Why that cannot be, worded for the user.
    pub async fn show(&self, root: &Path, name: &str, pid: u32) -> Result<ProcessId, String> {
        let (root, name) = (root.to_string_lossy().into_owned(), name.to_owned());
        let asked = (root.clone(), name.clone());
        let there = self.look("other hosts", move |records| records.elsewhere(&asked.0, &[asked.1])).await?;
        let there = there.into_iter().find(|there| there.host.pid == pid);
        let host =
            there.ok_or_else(|| format!("{name} does not run in the editor with pid {pid} any more"))?.host;
        follow::show(Arc::clone(&self.0), Shows { host, root, name }).await
    }

    async fn look<T: Send + 'static>(
        &self,
        place: &'static str,
        look: impl FnOnce(&Records) -> T + Send + 'static,
    ) -> Result<T, String> {
        let Parts { records, resources, .. } = &self.0.parts;
        let records = records.clone();
        let done = resources.blocking(Component::Rpc, place, move || look(&records)).await;
        done.ok_or_else(|| "brummer failed inside this call: see its log file".to_owned())
    }
}
