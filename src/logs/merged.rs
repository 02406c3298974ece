//! All processes' lines in the order they were read, as spans of line numbers. No text is held twice.

use std::collections::VecDeque;

use super::Stretch;
use crate::event::{ProcessId, Seq};

/// How many stretches more than lines may be kept there are before those are looked for of which no line is kept.
const SLACK: usize = 1024;

/// See the module. Bounded by the lines kept, a quarter more and [`SLACK`], because a stretch of which a line is kept is
/// never forgotten, and the others are before that.
#[derive(Debug)]
pub(super) struct Merged {
    stretches: VecDeque<Stretch>,
    limit: usize,
    head: u64,
}

// === impl Merged ===

impl Merged {
    pub(super) fn new(limit: usize) -> Self {
        Self { stretches: VecDeque::new(), limit: limit.max(1), head: 0 }
    }

    /// The newest line's number.
    pub(super) fn head(&self) -> Seq {
        Seq(self.head)
    }

    pub(super) fn push(&mut self, process: ProcessId, from: Seq, count: u64) {
        let first = Seq(self.head + 1);
        self.head += count;
        if let Some(last) = self.stretches.back_mut()
            && last.process == process
            && last.from.0 + last.count == from.0
        {
            last.count += count;
            return;
        }
        self.stretches.push_back(Stretch { first, process, from, count });
    }

    /// So many lines are kept from now on.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit.max(1);
    }

    /// Forgets stretches of which `first_kept` says that no line is kept: those at the front at once, those between others
    /// when they have become many.
    pub(super) fn trim(&mut self, first_kept: impl Fn(ProcessId) -> Seq) {
        let gone = |stretch: &Stretch| stretch.from.0 + stretch.count <= first_kept(stretch.process).0;
        while self.stretches.front().is_some_and(gone) {
            self.stretches.pop_front();
        }
        let most = self.limit.saturating_add(self.limit / 4).saturating_add(SLACK);
        if self.stretches.len() > most {
            self.stretches.retain(|stretch| !gone(stretch));
            self.stretches.shrink_to(most);
        }
    }

    /// Every stretch, oldest first.
    pub(super) fn all(&self) -> Vec<Stretch> {
        self.stretches.iter().copied().collect()
    }

    /// The stretches that hold lines from `from` on; the first may begin before it.
    pub(super) fn since(&self, from: Seq) -> impl Iterator<Item = &Stretch> {
        let start = self.stretches.partition_point(|stretch| stretch.first.0 + stretch.count <= from.0);
        self.stretches.range(start..)
    }
}
