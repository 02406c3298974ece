//! Lines in one block of memory. A chunk that somebody reads is never changed; the writer goes on in a new one. One that
//! is left gets a segment of its own, which goes back to the system when the lines are evicted.

use std::{borrow::Cow, num::NonZeroU32, ops::Range};

use super::{sealed::Sealed, style::StyleId};
use crate::{
    event::{RunId, Timestamp},
    process::Stream,
};

/// A chunk takes no more lines once it holds this much text.
const TEXT: usize = 64 << 10;

/// A chunk takes no more lines than this.
const LINES: usize = 1024;

/// A coloured part of a line: bytes from its start, end exclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// First byte after.
    pub end: u32,
    /// How it looks.
    pub style: StyleId,
}

/// What is known of a line besides its text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Where its text and its spans end; they begin where those of the line before end.
    pub(super) end: u32,
    pub(super) spans_end: u32,
    /// When it was read.
    pub at: Timestamp,
    /// The run that printed it.
    pub run: RunId,
    /// The pipe it came through.
    pub stream: Stream,
    /// The bytes the child wrote, when that is more than is kept of one line; at most 4 GiB is told.
    pub whole: Option<NonZeroU32>,
    /// It came after the exit had been reported.
    pub after_exit: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Chunk {
    text: Vec<u8>,
    lines: Vec<Line>,
    spans: Vec<Span>,
    /// All of it, once no more lines come; the lists above are empty then.
    sealed: Option<Sealed>,
}

/// What the writer says of a line it adds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) at: Timestamp,
    pub(super) run: RunId,
    pub(super) stream: Stream,
    pub(super) after_exit: bool,
}

// === impl Chunk ===

impl Chunk {
    /// How many lines it holds.
    pub fn len(&self) -> usize {
        self.sealed.as_ref().map_or(self.lines.len(), Sealed::len)
    }

    /// Whether it holds no line.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A line's text, without escapes and newline. Not necessarily UTF-8.
    pub fn text(&self, index: usize) -> &[u8] {
        let range = self.range(index, |line| line.end);
        match &self.sealed {
            Some(sealed) => sealed.text(range),
            None => &self.text[range],
        }
    }

    /// A line's coloured parts, in order and apart.
    pub fn spans(&self, index: usize) -> Cow<'_, [Span]> {
        let range = self.range(index, |line| line.spans_end);
        match &self.sealed {
            Some(sealed) => Cow::Owned(sealed.spans(range)),
            None => Cow::Borrowed(&self.spans[range]),
        }
    }

    /// A line's facts.
    pub fn line(&self, index: usize) -> Line {
        match &self.sealed {
            Some(sealed) => sealed.line(index),
            None => self.lines[index],
        }
    }

    fn range(&self, index: usize, end: impl Fn(&Line) -> u32) -> Range<usize> {
        let start = index.checked_sub(1).map_or(0, |before| end(&self.line(before)));
        start as usize..end(&self.line(index)) as usize
    }

    pub(super) fn is_full(&self) -> bool {
        self.sealed.is_some() || self.text.len() >= TEXT || self.lines.len() >= LINES
    }

    /// Moves to memory of its own. A chunk is not written to again once the next one has been begun.
    pub(super) fn seal(&mut self) {
        if self.sealed.is_none() {
            self.cut_off();
            let Self { text, lines, spans, .. } = std::mem::take(self);
            self.sealed = Some(Sealed::of(&text, &lines, &spans));
        }
    }

    /// Forgets what whoever wrote last left behind when it panicked half way.
    fn cut_off(&mut self) {
        self.text.truncate(self.lines.last().map_or(0, |line| line.end as usize));
        self.spans.truncate(self.lines.last().map_or(0, |line| line.spans_end as usize));
    }

    /// Bytes it takes, used or not.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.sealed.as_ref().map_or(0, Sealed::size)
            + self.text.capacity()
            + self.lines.capacity() * size_of::<Line>()
            + self.spans.capacity() * size_of::<Span>()
    }

    /// Adds a line; `write` appends its text and its spans. `whole` is the length of a line that was cut.
    pub(super) fn push(
        &mut self,
        facts: Facts,
        whole: Option<u64>,
        write: impl FnOnce(&mut Vec<u8>, &mut Vec<Span>),
    ) {
        debug_assert!(self.sealed.is_none(), "a sealed chunk is full");
        self.cut_off();
        write(&mut self.text, &mut self.spans);
        let Facts { at, run, stream, after_exit } = facts;
        let whole = whole.and_then(|whole| NonZeroU32::new(u32::try_from(whole).unwrap_or(u32::MAX)));
        // A chunk holds TEXT bytes and one line more, which MAX_LINE bounds: far from what u32 can count.
        let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let spans_end = u32::try_from(self.spans.len()).unwrap_or(u32::MAX);
        self.lines.push(Line { end, spans_end, at, run, stream, whole, after_exit });
    }

    /// A chunk of lines as a child wrote them.
    #[cfg(test)]
    pub fn of_lines(lines: &[&[u8]], styles: &mut std::sync::Arc<super::StyleTable>) -> Self {
        let (mut chunk, mut cleaner) = (Self::default(), super::Cleaner::default());
        for line in lines {
            let facts = Facts { at: Timestamp(0), run: RunId(1), stream: Stream::Out, after_exit: false };
            chunk.push(facts, None, |text, spans| cleaner.clean(line, text, spans, styles));
        }
        chunk
    }

    /// Bytes accounted to one line: its text and what is kept about it.
    pub(super) fn cost(&self, index: usize) -> usize {
        let spans = self.range(index, |line| line.spans_end).len();
        self.range(index, |line| line.end).len() + size_of::<Line>() + spans * size_of::<Span>()
    }
}
