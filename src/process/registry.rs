//! What anybody may read without asking the manager.

use std::{collections::HashMap, sync::Arc};

use super::{Status, StatusCell};
use crate::{
    event::{ProcessId, ProcessInfo},
    sync::Swap,
};

/// A copy-on-write table. It holds the cells themselves, so there is no second copy of a status.
#[derive(Default)]
pub(super) struct Registry(Swap<HashMap<ProcessId, Shown>>);

#[derive(Clone)]
pub(super) struct Shown {
    pub(super) info: Arc<ProcessInfo>,
    pub(super) cell: Arc<StatusCell>,
}

// === impl Registry ===

impl Registry {
    pub(super) fn status(&self, process: ProcessId) -> Option<Arc<Status>> {
        self.0.load().get(&process).map(|shown| shown.cell.get())
    }

    pub(super) fn info(&self, process: ProcessId) -> Option<Arc<ProcessInfo>> {
        self.0.load().get(&process).map(|shown| Arc::clone(&shown.info))
    }

    /// Called by the owner alone, so no update can be lost between load and store.
    pub(super) fn publish(&self, process: ProcessId, shown: Shown) {
        let mut table = HashMap::clone(&self.0.load());
        table.insert(process, shown);
        self.0.store(Arc::new(table));
    }
}
