//! What one buffer shows of one log, and how far it has been sent.

use std::{collections::VecDeque, ops::Range, path::Path};

use super::{feed::KEEP_UP, load, protocol};
use crate::{
    event::{ProcessId, Seq},
    logs::{Slice, Which},
    model::Model,
    search::Filter,
};

/// A buffer is never sent more than this many lines at first, whatever it asks for.
const MAX: usize = 100_000;

/// Lines a window shows, where the editor does not say.
const ROWS: usize = 100;

/// Stretches of left-out lines that are remembered. Of more the oldest stay left out.
const GAPS: usize = 64;

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
    /// The buffer shows what comes before `next`: the first patch goes on from there.
    pub(super) continues: bool,
    /// Lines the largest window can show.
    pub(super) rows: usize,
    /// What was left out, oldest first, as far as it may still be sent.
    gaps: VecDeque<Gap>,
    /// The log had more than could be sent at once.
    pub(super) behind: bool,
}

/// Lines that were left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// The first line that was left out, by its position in the log.
    pub(super) start: Seq,
    /// Positions of those that are still to be sent.
    pub(super) wanted: Range<Seq>,
    /// The line the buffer shows after them: its number in its process's log, and the process.
    pub(super) before: (Seq, ProcessId),
}

// === impl Watch ===

impl Watch {
    pub(super) fn new(asked: protocol::Watch) -> Self {
        let protocol::Watch { buf, root, name, max, rows, from, filter: _ } = asked;
        let which = name.is_none().then_some(Which::Merged);
        let max = max.clamp(1, MAX);
        Self {
            buf,
            root,
            name,
            max,
            which,
            next: Seq(from.unwrap_or(1).max(1)),
            marks: 0,
            fresh: true,
            continues: from.is_some(),
            rows: rows.unwrap_or(ROWS).clamp(1, KEEP_UP),
            gaps: VecDeque::new(),
            behind: false,
        }
    }

    /// Looks for the log among what is shown, if it is not known.
    pub(super) fn resolve(&mut self, model: &Model) -> Option<Which> {
        if let (None, Some(name)) = (self.which, &self.name) {
            self.which = model.find(self.root.as_deref().map(Path::new), name).map(Which::Process);
        }
        self.which
    }

    /// Which log it shows, all of its lines.
    pub(super) fn log(&self) -> load::Shown {
        let (root, name) = (self.root.clone(), self.name.clone());
        load::Shown { root, name, filter: Filter::default(), total: None }
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

    /// Notes what was left out in front of a slice that was asked for from `from` on.
    pub(super) fn left_out(&mut self, from: Seq, slice: &Slice) {
        let Some(part) = slice.parts.first().filter(|part| part.position > from) else { return };
        if self.gaps.len() == GAPS {
            self.gaps.pop_front();
        }
        let before = (part.first, part.process);
        self.gaps.push_back(Gap { start: from, wanted: from..part.position, before });
    }

    /// Takes the newest gap, as far as the buffer has room for its lines when the log ends at `head`. What it has no
    /// room for is forgotten.
    pub(super) fn gap(&mut self, head: Seq) -> Option<Gap> {
        let oldest = Seq((head.0 + 1).saturating_sub(self.max as u64));
        self.gaps.retain(|gap| gap.wanted.end > oldest);
        let mut gap = self.gaps.pop_back()?;
        gap.wanted.start = gap.wanted.start.max(oldest);
        Some(gap)
    }

    /// The other way of [`Watch::gap`].
    pub(super) fn put_back(&mut self, gap: Gap) {
        if gap.wanted.start < gap.wanted.end {
            self.gaps.push_back(gap);
        }
    }

    /// Whether more can be sent at once.
    pub(super) fn has_more(&self) -> bool {
        self.behind || !self.gaps.is_empty()
    }

    /// Sends everything again.
    pub(super) fn reset(&mut self) {
        self.continues = false;
        self.gaps.clear();
        self.next = Seq(1);
        self.marks = 0;
        self.fresh = true;
    }
}
