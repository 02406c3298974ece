//! Where in a block a line may get a shape: one pass over the bytes, many at a time, instead of a search in each line.

use super::shape;
use std::ops::Range;

/// How many bytes are looked at in one go. What is found is thrown away and not kept, so it is little.
const WINDOW: usize = 2048;

/// The longest line whose hints can be asked for.
pub(super) const LONGEST: usize = WINDOW;

/// Bytes whose hints are one number, a bit for each.
const GROUP: usize = u64::BITS as usize;

/// A group with the byte before it and the one behind it.
type Around = [u8; GROUP + 2];

/// The hints of a block, found as they are asked for.
pub(super) struct Hints<'a> {
    text: &'a [u8],
    /// The part of the text that `marks` is about.
    window: Range<usize>,
    /// 1 for a byte that may make a shape, the lowest bit first.
    marks: [u64; WINDOW / GROUP],
}

// === impl Hints ===

impl<'a> Hints<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, window: 0..0, marks: [0; WINDOW / GROUP] }
    }

    /// The first byte of `range` that may make a shape. Ranges ascend, and none is longer than [`LONGEST`].
    #[inline]
    pub(super) fn first(&mut self, range: Range<usize>) -> Option<usize> {
        if range.end > self.window.end {
            self.look(range.start);
        }
        let start = self.window.start;
        let (first, end) = (range.start - start, range.end - start);
        let mut group = first / GROUP;
        // Bits before the range do not count.
        let mut marks = self.marks.get(group)? & (u64::MAX << (first % GROUP));
        while marks == 0 {
            group += 1;
            if group * GROUP >= end {
                return None;
            }
            marks = self.marks[group];
        }
        let found = group * GROUP + marks.trailing_zeros() as usize;
        (found < end).then_some(start + found)
    }

    /// Moves the window. Apart, so that asking for hints is little code.
    #[inline(never)]
    fn look(&mut self, start: usize) {
        let text = self.text;
        self.window = start..text.len().min(start + WINDOW);
        let mut at = start;
        for marks in &mut self.marks {
            let whole = text.get(at.wrapping_sub(1)..).and_then(<[u8]>::first_chunk);
            *marks = if let Some(whole) = whole { marks_in(whole) } else { marks_in(&at_an_end(text, at)) };
            at += GROUP;
            if at >= self.window.end {
                break;
            }
        }
    }
}

/// A group at the front or at the end of the text: what is missing there is newlines, as between all lines.
fn at_an_end(text: &[u8], at: usize) -> Around {
    let mut around = [b'\n'; GROUP + 2];
    let front = at.saturating_sub(1);
    let part = &text[front..text.len().min(at + GROUP + 1)];
    let skipped = front + 1 - at;
    around[skipped..skipped + part.len()].copy_from_slice(part);
    around
}

/// Written so that the compiler looks at many bytes at once: each mark is the bit it gets among eight, whose sum it knows a
/// way to take.
fn marks_in(around: &Around) -> u64 {
    let mut marks = [0_u8; GROUP];
    for (at, mark) in marks.iter_mut().enumerate() {
        let is_mark = shape::may_mark(around[at], around[at + 1], around[at + 2]);
        *mark = if is_mark { 1 << (at % 8) } else { 0 };
    }
    let mut sums = [0; GROUP / 8];
    for (sum, eight) in sums.iter_mut().zip(marks.as_chunks::<8>().0) {
        *sum = eight.iter().sum();
    }
    u64::from_le_bytes(sums)
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use proptest::prelude::*;

    use super::{shape::Shape, *};

    #[test]
    fn every_byte_that_may_make_a_shape_is_found_wherever_it_stands() {
        // Each length has its marks at other places of a group, and the ends of the text at others.
        for length in 0..300 {
            let line: String = "a.ts:3 (4 line 5".chars().cycle().take(length).collect();
            let text = line.as_bytes();
            let byte = |at: usize| text.get(at).copied().unwrap_or(b'\n');
            let expected: Vec<usize> = (0..length)
                .filter(|at| shape::may_mark(at.checked_sub(1).map_or(b'\n', byte), byte(*at), byte(at + 1)))
                .collect();
            for from in [0, 1, 63, 64, 65] {
                let (mut hints, mut found, mut at) = (Hints::new(text), Vec::new(), from);
                while let Some(mark) = (at < length).then(|| hints.first(at..length)).flatten() {
                    found.push(mark);
                    at = mark + 1;
                }
                let expected: Vec<usize> = expected.iter().copied().filter(|at| *at >= from).collect();
                assert_eq!(found, expected, "{length} bytes from {from}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_pointed_at_and_the_ends_have_every_shape(
            words in prop::collection::vec(prop::sample::select(WORDS), 0..12),
        ) {
            let text = words.concat();
            let (mut hints, mut at) = (Hints::new(text.as_bytes()), 0);
            let mut shape = Shape::of_ends(text.as_bytes());
            while let Some(mark) = hints.first(at..text.len()) {
                shape = shape | Shape::of_byte(text.as_bytes(), mark);
                at = mark + 1;
            }
            prop_assert_eq!(shape, Shape::of(&text), "{}", text);
        }
    }

    /// What shapes are made of, and what stands beside them.
    const WORDS: &[&str] = &[
        ":",
        ":",
        "(",
        "(",
        " ",
        " ",
        "[",
        "]",
        "\"",
        ")",
        "/",
        ".",
        "3",
        "12",
        "line",
        "line ",
        "one 1",
        "é",
        "\u{a0}",
        "a.go",
        "a.ts",
        "Makefile",
        "error",
        "Error",
        "ERROR",
        "warning",
        "panic",
        "fatal",
        "unable",
        "Exception",
        "R",
        "x",
        "'",
        "\t",
        "-",
        "~",
    ];
}
