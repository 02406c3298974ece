//! What anybody may read without asking the manager.

use std::{collections::HashMap, sync::Arc};

use super::{ProcessError, Status, StatusCell, console::Console, usage::Root};
use crate::{
    event::{ProcessId, ProcessInfo, State},
    sync::Swap,
};

/// A copy-on-write table. It holds the cells themselves, so there is no second copy of a status.
#[derive(Default)]
pub(super) struct Registry(Swap<HashMap<ProcessId, Shown>>);

#[derive(Clone)]
pub(super) struct Shown {
    pub(super) info: Arc<ProcessInfo>,
    pub(super) cell: Arc<StatusCell>,
    /// None for what another host runs.
    pub(super) console: Option<Arc<Console>>,
}

/// What is needed to send something to a process.
pub(super) type Talk = (Arc<Console>, Arc<Status>, Arc<ProcessInfo>);

// === impl Registry ===

impl Registry {
    pub(super) fn status(&self, process: ProcessId) -> Option<Arc<Status>> {
        self.0.load().get(&process).map(|shown| shown.cell.get())
    }

    pub(super) fn info(&self, process: ProcessId) -> Option<Arc<ProcessInfo>> {
        self.0.load().get(&process).map(|shown| Arc::clone(&shown.info))
    }

    /// The input and terminal of a process, the run they are those of now, and how it is run.
    pub(super) fn console(&self, process: ProcessId) -> Result<Talk, ProcessError> {
        let table = self.0.load();
        let shown = table.get(&process).ok_or(ProcessError::Unknown(process))?;
        let console = shown.console.as_ref();
        let console = console.ok_or_else(|| ProcessError::Elsewhere { name: shown.info.label() })?;
        Ok((Arc::clone(console), shown.cell.get(), Arc::clone(&shown.info)))
    }

    /// The trees of what runs.
    pub(super) fn running(&self) -> Vec<Root> {
        let table = self.0.load();
        let running = table.iter().filter_map(|(process, shown)| {
            let status = shown.cell.get();
            let pid = shown.console.as_ref().and_then(|console| console.tree()).or(status.pid);
            let pid = pid.filter(|_| status.state == State::Running)?;
            Some(Root { process: *process, run: status.run, pid })
        });
        running.collect()
    }

    /// Called by the owner alone, so no update can be lost between load and store.
    pub(super) fn publish(&self, process: ProcessId, shown: Shown) {
        let mut table = HashMap::clone(&self.0.load());
        table.insert(process, shown);
        self.0.store(Arc::new(table));
    }
}
