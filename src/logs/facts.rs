//! What lines that were read together have in common, kept once for all of them.

use std::ops::Range;

use crate::{
    event::{RunId, Timestamp},
    process::Stream,
};

/// How many different runs and pipes are looked through for one that is known already.
const KNOWN: usize = 4;

/// What the writer says of the lines of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Facts {
    pub(super) at: Timestamp,
    pub(super) run: RunId,
    pub(super) stream: Stream,
    pub(super) after_exit: bool,
}

/// The facts of a chunk's lines. A line that comes alone has twelve bytes of its own here, lines that come together share
/// them.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    /// When the first line was read.
    base: Timestamp,
    stamps: Vec<Stamp>,
    origins: Vec<Origin>,
}

/// The lines from `first` to before that of the next.
#[derive(Debug)]
struct Stamp {
    first: u32,
    /// Milliseconds since `base`; less than 0 when the clock was set back.
    after: i32,
    /// Position among the origins.
    origin: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Origin {
    run: RunId,
    stream: Stream,
    after_exit: bool,
}

// === impl Stamps ===

impl Stamps {
    /// Whether lines with these facts can be told beside those that are here.
    pub(super) fn take(&self, facts: &Facts) -> bool {
        self.stamps.is_empty() || self.after(facts.at).is_some()
    }

    /// Lines from `line` on have these facts, which `take` has allowed.
    pub(super) fn add(&mut self, line: usize, facts: Facts) {
        if self.stamps.is_empty() {
            self.base = facts.at;
        }
        let after = self.after(facts.at).unwrap_or_default();
        let Facts { run, stream, after_exit, .. } = facts;
        let origin = self.origin(Origin { run, stream, after_exit });
        if self.stamps.last().is_none_or(|last| (last.after, last.origin) != (after, origin)) {
            self.stamps.push(Stamp { first: u32::try_from(line).unwrap_or(u32::MAX), after, origin });
        }
    }

    /// The facts of a line that is here.
    pub(super) fn facts(&self, line: usize) -> Facts {
        let at = self.stamps.partition_point(|stamp| stamp.first as usize <= line).saturating_sub(1);
        let stamp = &self.stamps[at];
        let Origin { run, stream, after_exit } = self.origins[stamp.origin as usize];
        let at = Timestamp(self.base.0.wrapping_add_signed(i64::from(stamp.after)));
        Facts { at, run, stream, after_exit }
    }

    /// The earliest and the latest time at which one of these lines was read, whatever the clock did between.
    pub(super) fn times(&self, lines: Range<usize>) -> Option<(Timestamp, Timestamp)> {
        let start =
            self.stamps.partition_point(|stamp| stamp.first as usize <= lines.start).saturating_sub(1);
        let of = self.stamps.get(start..)?.iter().take_while(|stamp| (stamp.first as usize) < lines.end);
        let times = of.map(|stamp| Timestamp(self.base.0.wrapping_add_signed(i64::from(stamp.after))));
        times.fold(None, |known, at| {
            let (first, last) = known.unwrap_or((at, at));
            Some((first.min(at), last.max(at)))
        })
    }

    /// Whether all lines of another one can be told beside those that are here.
    pub(super) fn take_all(&self, other: &Self) -> bool {
        other.all().all(|(_, facts)| self.take(&facts))
    }

    /// The lines of another one follow, from `line` on; `take_all` has allowed it.
    pub(super) fn absorb(&mut self, line: usize, other: &Self) {
        for (first, facts) in other.all() {
            self.add(line + first, facts);
        }
    }

    /// Each stamp's first line and facts.
    fn all(&self) -> impl Iterator<Item = (usize, Facts)> {
        self.stamps.iter().map(|stamp| (stamp.first as usize, self.facts(stamp.first as usize)))
    }

    pub(super) fn clear(&mut self) {
        self.stamps.clear();
        self.origins.clear();
    }

    /// No more lines come: gives back what was taken for them.
    pub(super) fn leave(&mut self) {
        self.stamps.shrink_to_fit();
        self.origins.shrink_to_fit();
    }

    /// Bytes it takes, used or not.
    pub(super) fn capacity(&self) -> usize {
        self.stamps.capacity() * size_of::<Stamp>() + self.origins.capacity() * size_of::<Origin>()
    }

    fn after(&self, at: Timestamp) -> Option<i32> {
        i32::try_from(i128::from(at.0) - i128::from(self.base.0)).ok()
    }

    fn origin(&mut self, origin: Origin) -> u32 {
        let late = self.origins.len().saturating_sub(KNOWN);
        let known = self.origins[late..].iter().rposition(|known| *known == origin).map(|at| late + at);
        let at = known.unwrap_or_else(|| {
            self.origins.push(origin);
            self.origins.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}
