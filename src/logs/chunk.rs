//! Lines in one block of memory. A chunk that somebody reads is never changed; the writer goes on in a new one.
//!
//! The text keeps the newline of each line, so that a whole chunk can be searched at once. Beside it a line has four bytes
//! that say where it ends. What lines have in common (when they were read, by which run they were printed) is kept once for
//! all that came together; what few lines have (colours, links, more than is kept of them) in lists of those lines.

use std::{num::NonZeroU32, ops::Range};

use super::{
    Line, Span,
    facts::{Facts, Stamps},
};
use crate::{event::Timestamp, resource::Segment};

/// Bytes of text that a chunk has room for; a longer line gets a chunk of its own.
pub(super) const TEXT: usize = 64 << 10;

/// A chunk takes no more lines than this.
const LINES: usize = 8 << 10;

/// Bytes accounted to a line beside its text: where it ends, and when it was read.
const PER_LINE: usize = 16;

/// See the module.
#[derive(Debug)]
pub struct Chunk {
    /// Of fixed size; `ends` says how much of it is text.
    text: Segment,
    /// Where each line ends, after its newline; it begins where the one before ends.
    ends: Vec<u32>,
    stamps: Stamps,
    /// Lines with coloured parts, ascending.
    styled: Vec<Styled>,
    spans: Vec<Span>,
    /// Links, by line and place.
    links: Vec<Link>,
    /// What the links point to, one after the other.
    urls: String,
    /// Lines that were longer than usual, ascending.
    large: Vec<Large>,
}

/// A line with coloured parts: they end here in the list of all, and begin where those of the line before end.
#[derive(Debug)]
struct Styled {
    line: u32,
    spans_end: u32,
}

#[derive(Debug)]
struct Link {
    line: u32,
    start: u32,
    end: u32,
    /// Where its address ends in that of all. It begins where that of the link before ends.
    url_end: u32,
}

#[derive(Debug)]
struct Large {
    line: u32,
    /// Bytes the child wrote, when that is more than is kept; otherwise 0.
    whole: u32,
}

/// What a line has besides its text.
#[derive(Default, Debug)]
pub(super) struct Extras {
    pub(super) spans: Vec<Span>,
    /// First byte, first byte after, address.
    pub(super) links: Vec<(u32, u32, String)>,
    /// The line was longer than usual; of one that was cut, how many bytes it had.
    pub(super) large: Option<Option<u64>>,
}

// === impl Extras ===

impl Extras {
    pub(super) fn clear(&mut self) {
        self.spans.clear();
        self.links.clear();
        self.large = None;
    }
}

// === impl Chunk ===

impl Chunk {
    /// An empty one with room for a line of `line` bytes, or for many.
    pub(super) fn with_room(line: usize) -> Self {
        Self {
            text: Segment::new(line.max(TEXT)),
            ends: Vec::new(),
            stamps: Stamps::default(),
            styled: Vec::new(),
            spans: Vec::new(),
            links: Vec::new(),
            urls: String::new(),
            large: Vec::new(),
        }
    }

    /// Forgets its lines and keeps its memory for others, unless that is more than usual.
    pub(super) fn reuse(mut self) -> Option<Self> {
        self.ends.clear();
        self.stamps.clear();
        self.styled.clear();
        self.spans.clear();
        self.links.clear();
        self.urls.clear();
        self.large.clear();
        (self.text.len() == TEXT && self.beside() <= TEXT).then_some(self)
    }

    /// No more lines come: gives back what was taken for them.
    pub(super) fn leave(&mut self) {
        if self.ends.capacity() > self.ends.len() + self.ends.len() / 4 {
            self.ends.shrink_to_fit();
        }
        self.stamps.leave();
        self.styled.shrink_to_fit();
        self.spans.shrink_to_fit();
        self.links.shrink_to_fit();
        self.urls.shrink_to_fit();
        self.large.shrink_to_fit();
    }

    /// How many lines it holds.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it holds no line.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// A line's text, without escapes and newline. Not necessarily UTF-8.
    pub fn text(&self, index: usize) -> &[u8] {
        &self.text[self.start(index)..self.ends[index] as usize - 1]
    }

    /// The text of these lines, each with its newline, in one piece.
    pub fn block(&self, lines: Range<usize>) -> &[u8] {
        &self.text[self.start(lines.start)..self.start(lines.end)]
    }

    /// Where each line ends in the text of all, after its newline.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Where a line begins in the text of all; where the text ends for the number after the last.
    pub fn start(&self, index: usize) -> usize {
        index.checked_sub(1).map_or(0, |before| self.ends[before] as usize)
    }

    /// The line that a byte of the text of all belongs to.
    pub fn line_at(&self, offset: usize) -> usize {
        self.ends.partition_point(|end| *end as usize <= offset)
    }

    /// A line's coloured parts, in order and apart.
    pub fn spans(&self, index: usize) -> &[Span] {
        &self.spans[self.spans_of(&(index..index + 1))]
    }

    /// A line's links (OSC 8): first byte, first byte after, address. In order and apart.
    pub fn links(&self, index: usize) -> impl Iterator<Item = (u32, u32, &str)> {
        self.links_of(&(index..index + 1)).map(|at| {
            let link = &self.links[at];
            (link.start, link.end, &self.urls[self.url_start(at)..link.url_end as usize])
        })
    }

    /// Whether any line has a link.
    pub(super) fn has_links(&self) -> bool {
        !self.links.is_empty()
    }

    /// A line's facts.
    pub fn line(&self, index: usize) -> Line {
        let large = self.large.get(of(&self.large, &(index..index + 1), |large| large.line).start);
        let large = large.filter(|large| large.line as usize == index);
        let facts = self.stamps.facts(index);
        Line {
            at: facts.at,
            run: facts.run,
            stream: facts.stream,
            whole: large.and_then(|large| NonZeroU32::new(large.whole)),
            long: large.is_some(),
            after_exit: facts.after_exit,
        }
    }

    /// When the first and the last of these lines were read, by the clock.
    pub fn times(&self, lines: Range<usize>) -> Option<(Timestamp, Timestamp)> {
        self.stamps.times(lines)
    }

    /// Whether it takes a line of so many bytes, its newline included, with these facts.
    pub(super) fn takes(&self, bytes: usize, facts: &Facts) -> bool {
        self.ends.len() < LINES && self.has_room(bytes) && self.stamps.take(facts)
    }

    /// Whether there is room for a line of so many bytes, its newline included.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        bytes <= self.room()
    }

    /// Bytes of text for which there is room.
    fn room(&self) -> usize {
        self.text.len() - self.start(self.len())
    }

    /// Takes as many of these lines as there is room for, all of them plain; each ends with a newline. Returns how many
    /// bytes that were.
    pub(super) fn extend(&mut self, text: &[u8], facts: Facts) -> usize {
        let room = self.room().min(text.len());
        let fits = memchr::memrchr(b'\n', &text[..room]).map_or(0, |last| last + 1);
        let start = self.start(self.len());
        let line = self.ends.len();
        let ends = memchr::memchr_iter(b'\n', &text[..fits]).take(LINES - line);
        self.ends.extend(ends.map(|at| offset(start + at + 1)));
        let taken = self.start(self.len()) - start;
        if taken > 0 {
            self.text[start..start + taken].copy_from_slice(&text[..taken]);
            self.stamps.add(line, facts);
        }
        taken
    }

    /// Takes one line, for which there has to be room (`takes`); `text` has no newline.
    pub(super) fn push(&mut self, text: &[u8], extras: &Extras, facts: Facts) {
        let (index, start) = (self.len(), self.start(self.len()));
        let line = offset(index);
        let end = start + text.len();
        self.text[start..end].copy_from_slice(text);
        self.text[end] = b'\n';
        self.ends.push(offset(end + 1));
        self.stamps.add(index, facts);
        if !extras.spans.is_empty() {
            self.spans.extend_from_slice(&extras.spans);
            self.styled.push(Styled { line, spans_end: offset(self.spans.len()) });
        }
        for (start, end, url) in &extras.links {
            self.urls.push_str(url);
            self.links.push(Link { line, start: *start, end: *end, url_end: offset(self.urls.len()) });
        }
        if let Some(whole) = extras.large {
            let whole = whole.map_or(0, |whole| u32::try_from(whole).unwrap_or(u32::MAX));
            self.large.push(Large { line, whole });
        }
    }

    /// Whether it takes all lines of another one.
    pub(super) fn has_room_for(&self, other: &Self) -> bool {
        other.start(other.len()) <= self.room()
            && self.len() + other.len() <= LINES
            && self.stamps.take_all(&other.stamps)
    }

    /// Takes the lines of another one, for which there has to be room.
    pub(super) fn absorb(&mut self, other: &Self) {
        let (lines, start) = (self.len(), self.start(self.len()));
        let (line, from) = (offset(lines), offset(start));
        let block = other.block(0..other.len());
        self.text[start..start + block.len()].copy_from_slice(block);
        self.ends.extend(other.ends.iter().map(|end| from + end));
        self.stamps.absorb(lines, &other.stamps);
        let spans = offset(self.spans.len());
        self.spans.extend_from_slice(&other.spans);
        let styled = other.styled.iter();
        self.styled.extend(styled.map(|it| Styled { line: line + it.line, spans_end: spans + it.spans_end }));
        let urls = offset(self.urls.len());
        self.urls.push_str(&other.urls);
        let links = other.links.iter();
        self.links.extend(links.map(|it| Link { line: line + it.line, url_end: urls + it.url_end, ..*it }));
        self.large.extend(other.large.iter().map(|it| Large { line: line + it.line, ..*it }));
    }

    /// Bytes accounted to these lines: their text and what is kept about them.
    pub(super) fn cost(&self, lines: Range<usize>) -> usize {
        let links = self.links_of(&lines);
        self.block(lines.clone()).len()
            + lines.len() * PER_LINE
            + of(&self.styled, &lines, |styled| styled.line).len() * size_of::<Styled>()
            + self.spans_of(&lines).len() * size_of::<Span>()
            + (self.url_start(links.end) - self.url_start(links.start))
            + links.len() * size_of::<Link>()
            + of(&self.large, &lines, |large| large.line).len() * size_of::<Large>()
    }

    /// Bytes it takes, used or not.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.start(self.len()).next_multiple_of(4 << 10) + self.beside()
    }

    /// Bytes it takes beside its text, used or not.
    fn beside(&self) -> usize {
        self.ends.capacity() * size_of::<u32>()
            + self.stamps.capacity()
            + self.styled.capacity() * size_of::<Styled>()
            + self.spans.capacity() * size_of::<Span>()
            + self.links.capacity() * size_of::<Link>()
            + self.urls.capacity()
            + self.large.capacity() * size_of::<Large>()
    }

    fn spans_of(&self, lines: &Range<usize>) -> Range<usize> {
        let styled = of(&self.styled, lines, |styled| styled.line);
        let end = |of: usize| of.checked_sub(1).map_or(0, |at| self.styled[at].spans_end as usize);
        end(styled.start)..end(styled.end)
    }

    fn links_of(&self, lines: &Range<usize>) -> Range<usize> {
        of(&self.links, lines, |link| link.line)
    }

    fn url_start(&self, link: usize) -> usize {
        link.checked_sub(1).map_or(0, |before| self.links[before].url_end as usize)
    }

    /// A chunk of lines as a child wrote them.
    #[cfg(test)]
    pub fn of_lines(lines: &[&[u8]], styles: &mut std::sync::Arc<super::StyleTable>) -> Self {
        use crate::event::{RunId, Timestamp};
        let (mut chunk, mut cleaner) = (Self::with_room(0), super::Cleaner::default());
        let facts =
            Facts { at: Timestamp(0), run: RunId(1), stream: crate::process::Stream::Out, after_exit: false };
        for line in lines {
            let (mut text, mut extras) = (Vec::new(), Extras::default());
            cleaner.clean(line, &mut text, &mut extras, styles);
            chunk.push(&text, &extras, facts);
        }
        chunk
    }
}

/// Which of a list's entries, ascending by line, are of these lines.
fn of<T>(list: &[T], lines: &Range<usize>, line: impl Fn(&T) -> u32) -> Range<usize> {
    if list.is_empty() {
        return 0..0;
    }
    let before = |index: usize| list.partition_point(|entry| (line(entry) as usize) < index);
    before(lines.start)..before(lines.end)
}

/// A chunk holds TEXT bytes, or one line, which MAX_LINE bounds: far from what u32 can count.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
