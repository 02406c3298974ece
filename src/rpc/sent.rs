//! Which lines a filtered buffer was sent, so that one that passes late finds its place among them. Pure.
//!
//! *Bounded:* as many lines as the buffer has room for; of more the oldest are forgotten.

use std::collections::VecDeque;

use crate::{
    event::{ProcessId, Seq},
    logs::{Part, Stretch},
};

/// See the module.
#[derive(Debug)]
pub(super) struct Sent {
    /// In order, by their position in the log.
    stretches: VecDeque<Stretch>,
    lines: u64,
    max: u64,
    /// Some have been forgotten.
    full: bool,
}

/// Where a line belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// It was sent.
    Held,
    /// In front of this line.
    Before(ProcessId, Seq),
    /// Behind all of them.
    Last,
    /// In front of all that the buffer has room for.
    Gone,
}

// === impl Sent ===

impl Sent {
    pub(super) fn new(max: usize) -> Self {
        Self { stretches: VecDeque::new(), lines: 0, max: max as u64, full: false }
    }

    /// These lines are sent now.
    pub(super) fn add(&mut self, part: &Part) {
        let (first, process, from) = (part.position, part.process, part.first);
        let count = part.lines.len() as u64;
        let at = self.stretches.partition_point(|it| it.first < first);
        let goes_on = |it: &Stretch| {
            it.process == process && it.first.0 + it.count == first.0 && it.from.0 + it.count == from.0
        };
        match at.checked_sub(1).map(|before| &mut self.stretches[before]) {
            Some(before) if goes_on(before) => before.count += count,
            _ => self.stretches.insert(at, Stretch { first, process, from, count }),
        }
        self.lines += count;
        while self.lines > self.max
            && let Some(oldest) = self.stretches.front_mut()
        {
            let over = (self.lines - self.max).min(oldest.count);
            (oldest.first.0, oldest.from.0) = (oldest.first.0 + over, oldest.from.0 + over);
            oldest.count -= over;
            if oldest.count == 0 {
                self.stretches.pop_front();
            }
            self.lines -= over;
            self.full = true;
        }
    }

    /// Where the line of a position belongs.
    pub(super) fn place(&self, position: Seq) -> Place {
        let at = self.stretches.partition_point(|it| it.first.0 + it.count <= position.0);
        match self.stretches.get(at) {
            None => Place::Last,
            Some(next) if next.first <= position => Place::Held,
            Some(_) if at == 0 && self.full => Place::Gone,
            Some(next) => Place::Before(next.process, next.from),
        }
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::logs::{Chunk, StyleTable};

    /// Lines of a process, by their position and their number.
    fn part(process: u32, position: u64, seq: u64, count: usize) -> Part {
        let chunk =
            Arc::new(Chunk::of_lines(&vec![b"a".as_slice(); count], &mut Arc::new(StyleTable::default())));
        let process = ProcessId(process);
        Part { process, chunk, lines: 0..count, first: Seq(seq), position: Seq(position) }
    }

    #[test]
    fn a_line_belongs_in_front_of_the_next_one_that_was_sent() {
        let mut sent = Sent::new(6);
        let place = |sent: &Sent| (1..=21).map(|position| sent.place(Seq(position))).collect::<Vec<_>>();
        assert_eq!(sent.place(Seq(3)), Place::Last, "there is none");
        sent.add(&part(1, 3, 3, 2));
        sent.add(&part(1, 5, 5, 1));
        sent.add(&part(2, 20, 7, 1));
        assert_eq!(sent.stretches.len(), 2, "what goes on is one");
        let (first, other) = (Place::Before(ProcessId(1), Seq(3)), Place::Before(ProcessId(2), Seq(7)));
        let mut expected = [vec![first; 2], vec![Place::Held; 3], vec![other; 14]].concat();
        expected.extend([Place::Held, Place::Last]);
        assert_eq!(place(&sent), expected);
        sent.add(&part(3, 10, 1, 1));
        assert_eq!(sent.place(Seq(10)), Place::Held);
        assert_eq!(sent.place(Seq(9)), Place::Before(ProcessId(3), Seq(1)));
        assert_eq!(sent.place(Seq(11)), other);
        // Two more than there is room for.
        sent.add(&part(2, 30, 8, 3));
        assert_eq!((sent.place(Seq(4)), sent.place(Seq(5))), (Place::Gone, Place::Held));
        assert_eq!(sent.place(Seq(33)), Place::Last);
    }
}
