//! What one buffer shows of one log, and how far it has been sent.

use std::path::Path;

use super::protocol;
use crate::{
    event::{ProcessId, Seq},
    logs::{Slice, Which},
    model::Model,
};

/// A buffer is never sent more than this many lines at first, whatever it asks for.
const MAX: usize = 100_000;

/// One watched buffer.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) buf: i64,
    root: Option<String>,
    name: Option<String>,
    pub(super) max: usize,
    /// The log, once there is one.
    pub(super) which: Option<Which>,
    /// The next line to send.
    pub(super) next: Seq,
    /// The number of the newest headline the store had when it was last asked.
    pub(super) marks: u64,
    /// Nothing has been sent yet, or all of it is to be sent again.
    pub(super) fresh: bool,
    /// The log had more than could be sent at once.
    pub(super) behind: bool,
}

// === impl Watch ===

impl Watch {
    pub(super) fn new(asked: protocol::Watch) -> Self {
        let protocol::Watch { buf, root, name, max, filter: _ } = asked;
        let which = name.is_none().then_some(Which::Merged);
        let max = max.clamp(1, MAX);
        Self { buf, root, name, max, which, next: Seq(1), marks: 0, fresh: true, behind: false }
    }

    /// Looks for the log among what is shown, if it is not known.
    pub(super) fn resolve(&mut self, model: &Model) -> Option<Which> {
        if let (None, Some(name)) = (self.which, &self.name) {
            self.which = model.find(self.root.as_deref().map(Path::new), name).map(Which::Process);
        }
        self.which
    }

    /// The project and the name of the log.
    pub(super) fn log(&self) -> (Option<&str>, Option<&str>) {
        (self.root.as_deref(), self.name.as_deref())
    }

    pub(super) fn process(&self) -> Option<ProcessId> {
        match self.which {
            Some(Which::Process(process)) => Some(process),
            Some(Which::Merged) | None => None,
        }
    }

    /// Whether lines of this process are still to be sent to this buffer.
    pub(super) fn lacks(&self, process: ProcessId) -> bool {
        self.behind && self.process().is_none_or(|shown| shown == process)
    }

    /// A slice has gone into a frame, or was empty.
    pub(super) fn passed(&mut self, slice: &Slice, marks: u64) {
        self.next = slice.next;
        self.marks = marks;
        self.behind = slice.next <= slice.head;
    }

    /// Sends everything again.
    pub(super) fn reset(&mut self) {
        self.next = Seq(1);
        self.marks = 0;
        self.fresh = true;
    }
}
