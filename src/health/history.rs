//! The last faults, for the user to read. The same one again is one entry with a count.

use std::sync::Arc;

use crate::event::{Component, Fault, FaultKind, Timestamp};

/// Entries kept; the oldest goes first.
pub(super) const ENTRIES: usize = 20;

/// Characters kept of a message.
const MESSAGE: usize = 400;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// Newest last.
    entries: Vec<Entry>,
}

/// A fault, and how often it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) component: Component,
    pub(super) place: &'static str,
    pub(super) kind: FaultKind,
    pub(super) message: Arc<str>,
    pub(super) count: u64,
}

// === impl History ===

impl History {
    pub(super) fn push(&mut self, at: Timestamp, fault: &Fault) {
        let message = match fault.message.char_indices().nth(MESSAGE) {
            Some((end, _)) => Arc::from(format!("{} …", &fault.message[..end])),
            None => Arc::clone(&fault.message),
        };
        let same = |entry: &Entry| {
            (entry.component, entry.place, entry.kind) == (fault.component, fault.place, fault.kind)
                && entry.message == message
        };
        let count = match self.entries.iter().position(same) {
            Some(known) => self.entries.remove(known).count + 1,
            None => 1,
        };
        if self.entries.len() == ENTRIES {
            self.entries.remove(0);
        }
        let Fault { component, place, kind, .. } = *fault;
        self.entries.push(Entry { at, component, place, kind, message, count });
    }

    /// Newest first.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().rev()
    }
}
