//! Lines in one block of memory. A chunk that somebody reads is never changed; the writer goes on in a new one.

use std::num::NonZeroU32;

use super::style::StyleId;
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
    end: u32,
    spans_end: u32,
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
        self.lines.len()
    }

    /// Whether it holds no line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// A line's text, without escapes and newline. Not necessarily UTF-8.
    pub fn text(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.lines[before].end);
        &self.text[start as usize..self.lines[index].end as usize]
    }

    /// A line's coloured parts, in order and apart.
    pub fn spans(&self, index: usize) -> &[Span] {
        let start = index.checked_sub(1).map_or(0, |before| self.lines[before].spans_end);
        &self.spans[start as usize..self.lines[index].spans_end as usize]
    }

    /// A line's facts.
    pub fn line(&self, index: usize) -> &Line {
        &self.lines[index]
    }

    pub(super) fn is_full(&self) -> bool {
        self.text.len() >= TEXT || self.lines.len() >= LINES
    }

    /// Gives back the room it will not use. A chunk is not written to again once the next one has been begun.
    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.lines.shrink_to_fit();
        self.spans.shrink_to_fit();
    }

    /// Bytes it takes, used or not.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.text.capacity()
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
        // Whoever wrote last may have panicked half way.
        self.text.truncate(self.lines.last().map_or(0, |line| line.end as usize));
        self.spans.truncate(self.lines.last().map_or(0, |line| line.spans_end as usize));
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
        self.text(index).len() + size_of::<Line>() + std::mem::size_of_val(self.spans(index))
    }
}
