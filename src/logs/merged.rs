//! All processes' lines in the order they were read, as spans of line numbers. No text is held twice.

use std::collections::VecDeque;

use super::Stretch;
use crate::event::{ProcessId, Seq};

/// See the module. Bounded by the number of stretches: past that the oldest are forgotten, though the process's
/// own log may still hold their lines.
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
        if self.stretches.len() >= self.limit {
            self.stretches.pop_front();
        }
        self.stretches.push_back(Stretch { first, process, from, count });
    }

    /// Keeps so many stretches from now on, and gives back the room of the others.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit.max(1);
        self.stretches.drain(..self.stretches.len().saturating_sub(self.limit));
        self.stretches.shrink_to(self.limit);
    }

    /// Forgets leading stretches of which `first_kept` says that no line is kept.
    pub(super) fn trim(&mut self, first_kept: impl Fn(ProcessId) -> Seq) {
        while let Some(stretch) = self.stretches.front()
            && stretch.from.0 + stretch.count <= first_kept(stretch.process).0
        {
            self.stretches.pop_front();
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
