//! Which lines are wanted.

use super::{Wrong, grammar, pattern::Pattern};
use crate::{
    event::Timestamp,
    locate::{self, Level},
    process::Stream,
};

/// What a line has to satisfy; all of it. See `doc/protocol.md` for the words.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// What must occur, the most telling first.
    pub(super) must: Vec<Pattern>,
    /// What must not.
    pub(super) must_not: Vec<Pattern>,
    /// What must be so besides, and what must not.
    pub(super) conditions: Vec<(Condition, bool)>,
}

/// Something about a line that is not in its text alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Condition {
    /// It is that bad or worse.
    Level(Level),
    /// A script, a package or both print it.
    Process(String),
    /// It came through this pipe.
    Stream(Stream),
    /// It was read then or later.
    Since(Timestamp),
    /// It was read before then.
    Until(Timestamp),
}

/// What is known of a line besides its text.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// When it was read.
    pub at: Timestamp,
    /// The pipe it came through.
    pub stream: Stream,
    /// How bad it is where that is known from elsewhere, or else what it says of itself counts.
    pub level: Option<Level>,
}

/// Lines one after the other, each with a newline at its end.
#[derive(Clone, Copy)]
pub struct Block<'a> {
    text: &'a [u8],
    /// Where each ends, after its newline; counted from before the block by `base`.
    ends: &'a [u32],
    base: u32,
}

// === impl Filter ===

impl Filter {
    /// Reads a filter: `word -word "two words" /regex/ level:error process:api stream:err since:10m`. Empty text lets
    /// everything pass.
    ///
    /// # Errors
    /// What is wrong and where.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        grammar::parse(text, Timestamp::now())
    }

    /// Lines in which this text occurs as it is.
    ///
    /// # Errors
    /// The text is too long to be looked for, or has a line break.
    pub fn literal(text: &str) -> Result<Self, Wrong> {
        let must = Pattern::text(text).map_err(|what| Wrong { what, at: 1 })?;
        Ok(Self { must: vec![must], ..Self::default() })
    }

    /// Lines in which this regex matches.
    ///
    /// # Errors
    /// What is wrong with it and where.
    pub fn regex(regex: &str) -> Result<Self, Wrong> {
        let must = Pattern::regex(regex).map_err(|(what, before)| Wrong { what, at: before + 1 })?;
        Ok(Self { must: vec![must], ..Self::default() })
    }

    /// Asks for lines that are so bad or worse, besides.
    #[must_use]
    pub fn and_level(mut self, level: Level) -> Self {
        self.conditions.push((Condition::Level(level), true));
        self
    }

    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.must.is_empty() && self.must_not.is_empty() && self.conditions.is_empty()
    }

    /// Whether it counts how bad a line is.
    pub fn asks_level(&self) -> bool {
        self.conditions.iter().any(|(condition, _)| matches!(condition, Condition::Level(_)))
    }

    /// Whether lines of a process can pass, by what it is called.
    pub fn admits(&self, label: &str) -> bool {
        self.conditions.iter().all(|(condition, holds)| match condition {
            Condition::Process(name) => is_called(label, name) == *holds,
            _ => true,
        })
    }

    /// Whether lines that were all read within this time can pass.
    pub fn admits_times(&self, first: Timestamp, last: Timestamp) -> bool {
        self.conditions.iter().all(|(condition, holds)| match (condition, holds) {
            (Condition::Since(since), true) | (Condition::Until(since), false) => last >= *since,
            (Condition::Until(until), true) | (Condition::Since(until), false) => first < *until,
            _ => true,
        })
    }

    /// Appends which lines of a block pass, in order. `facts` tells of a line what the filter asks for besides its text;
    /// it is not called when that is nothing.
    pub fn lines(&self, block: &Block<'_>, facts: &dyn Fn(usize) -> Facts, found: &mut Vec<usize>) {
        let begin = found.len();
        // One of them looks through the whole block; the others look at what is left.
        let (mut must, mut must_not) = (self.must.as_slice(), self.must_not.as_slice());
        if let [first, rest @ ..] = must {
            first.lines(block, |index| found.push(index));
            must = rest;
        } else if let [first, rest @ ..] = must_not {
            let mut next = 0;
            first.lines(block, |index| {
                found.extend(next..index);
                next = index + 1;
            });
            found.extend(next..block.len());
            must_not = rest;
        } else {
            found.extend(0..block.len());
        }
        let asks_text = !(must.is_empty() && must_not.is_empty());
        if !asks_text && self.conditions.is_empty() {
            return;
        }
        let passes = |index: usize| {
            let line = block.line(index);
            must.iter().all(|pattern| pattern.is_in(line))
                && !must_not.iter().any(|pattern| pattern.is_in(line))
                && (self.conditions.is_empty() || self.holds(line, &facts(index)))
        };
        let mut kept = begin;
        for at in begin..found.len() {
            let index = found[at];
            if passes(index) {
                found[kept] = index;
                kept += 1;
            }
        }
        found.truncate(kept);
    }

    /// Whether one line passes, which is given without its end. Its process is not looked at.
    pub fn passes(&self, line: &[u8], facts: &Facts) -> bool {
        self.must.iter().all(|pattern| pattern.is_in(line))
            && !self.must_not.iter().any(|pattern| pattern.is_in(line))
            && self.holds(line, facts)
    }

    fn holds(&self, line: &[u8], facts: &Facts) -> bool {
        self.conditions.iter().all(|(condition, holds)| {
            let is = match condition {
                Condition::Level(least) => {
                    let says = locate::level(line);
                    // The gravest is the least.
                    facts.level.into_iter().chain(says).min().is_some_and(|level| level <= *least)
                }
                Condition::Process(_) => return true,
                Condition::Stream(stream) => facts.stream == *stream,
                Condition::Since(since) => facts.at >= *since,
                Condition::Until(until) => facts.at < *until,
            };
            is == *holds
        })
    }

    /// Where in a line that passes stands what had to occur: at most `max` ranges of bytes, by what was asked for.
    pub fn matches(&self, line: &[u8], max: usize) -> Vec<(usize, usize)> {
        let mut ranges = Vec::new();
        for pattern in &self.must {
            let mut from = 0;
            while ranges.len() < max
                && let Some((start, end)) = pattern.find(line, from)
                && start < end
            {
                ranges.push((start, end));
                from = end;
            }
        }
        ranges
    }
}

/// A label is `package/script` or a script; either part names it, or all of it.
fn is_called(label: &str, name: &str) -> bool {
    label == name || label.rsplit_once('/').is_some_and(|(package, script)| package == name || script == name)
}

// === impl Block ===

impl<'a> Block<'a> {
    /// Lines of which `ends` says where they end, after their newlines, and the text begins at `base`.
    pub fn new(text: &'a [u8], ends: &'a [u32], base: u32) -> Self {
        Self { text, ends, base }
    }

    /// How many lines it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn text(&self) -> &'a [u8] {
        self.text
    }

    pub(super) fn end(&self, index: usize) -> usize {
        (self.ends[index] - self.base) as usize
    }

    /// A line without its newline.
    pub fn line(&self, index: usize) -> &'a [u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.end(before));
        &self.text[start..self.end(index) - 1]
    }

    /// The line that holds this byte, which is not before line `from`.
    pub(super) fn line_at(&self, byte: usize, from: usize) -> Option<usize> {
        let index = from + self.ends[from..].partition_point(|end| ((end - self.base) as usize) <= byte);
        (index < self.ends.len()).then_some(index)
    }
}
