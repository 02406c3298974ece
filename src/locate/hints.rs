//! Where in a block a line may get a shape: one pass over the bytes, many at a time, instead of a search in each line.

use super::shape;
use std::ops::Range;

/// How many bytes are looked at in one go. What it holds is thrown away and not kept, so it is small.
const WINDOW: usize = 2048;

/// The longest line whose hints can be asked for.
pub(super) const LONGEST: usize = WINDOW;

/// The hints of a block, found as they are asked for.
pub(super) struct Hints<'a> {
    text: &'a [u8],
    /// The part of the text that `marks` is about.
    window: Range<usize>,
    /// 1 for a byte that may make a shape.
    marks: [u8; WINDOW],
}

// === impl Hints ===

impl<'a> Hints<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, window: 0..0, marks: [0; WINDOW] }
    }

    /// The first byte of `range` that may make a shape. Ranges ascend, and none is longer than [`LONGEST`].
    pub(super) fn first(&mut self, range: Range<usize>) -> Option<usize> {
        if range.end > self.window.end {
            self.look(range.start);
        }
        let start = self.window.start;
        let marks = &self.marks[range.start - start..range.end - start];
        memchr::memchr(1, marks).map(|at| range.start + at)
    }

    /// Moves the window.
    fn look(&mut self, start: usize) {
        let text = self.text;
        let end = text.len().min(start + WINDOW);
        self.window = start..end;
        // A line's neighbours are other lines, and so are those of the block.
        let byte = |at: usize| text.get(at).copied().unwrap_or(b'\n');
        let (first, last) = (start.max(1), end.min(text.len().saturating_sub(1)));
        if first < last {
            let count = last - first;
            let marks = &mut self.marks[first - start..last - start];
            let (before, at) = (&text[first - 1..last - 1], &text[first..last]);
            let after = &text[first + 1..=last];
            for index in 0..count {
                marks[index] = u8::from(shape::may_mark(before[index], at[index], after[index]));
            }
        }
        for at in [start, end.saturating_sub(1)] {
            if at < end {
                let before = at.checked_sub(1).map_or(b'\n', byte);
                self.marks[at - start] = u8::from(shape::may_mark(before, byte(at), byte(at + 1)));
            }
        }
    }
}
