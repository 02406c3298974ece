//! Cuts what is read into whole lines. Pure.

use memchr::{memchr, memrchr};

use crate::process::MAX_LINE;

/// How much room there is for a read: the size of a default pipe.
pub(super) const BLOCK: usize = 64 << 10;

/// Lines of up to so many bytes together are copied, so that a child that prints little now and then does not cost a
/// block each time.
const LITTLE: usize = BLOCK / 8;

/// Owns the block that is read into and hands it over as it is: only an unfinished last line is moved to the next one. Holds
/// at most [`MAX_LINE`] bytes and two blocks.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// The head of the unfinished line, and behind it what has been read since.
    buffer: Vec<u8>,
    /// So much of it is that head and has no newline.
    head: usize,
    /// Bytes of that line that were not kept.
    lost: u64,
}

/// Whole lines, each ending with a newline, and which of them had to be cut (see
/// [`OutputBatch::Lines`](crate::process::OutputBatch::Lines)).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) text: Vec<u8>,
    pub(super) cut: Vec<(u32, u64)>,
}

// === impl Splitter ===

impl Splitter {
    /// Where to append what is read, with room for a good part of a block. Then comes [`Splitter::take`].
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        if self.buffer.capacity() - self.buffer.len() < BLOCK / 4 {
            // Not twice as much each time: a read stays far below the limit of a line.
            self.buffer.reserve_exact(BLOCK);
        }
        &mut self.buffer
    }

    /// The lines that are complete now.
    pub(super) fn take(&mut self) -> Lines {
        let Some(first) = memchr(b'\n', &self.buffer[self.head..]) else {
            self.lost += self.buffer.len().saturating_sub(MAX_LINE) as u64;
            self.buffer.truncate(MAX_LINE);
            self.head = self.buffer.len();
            return Lines::default();
        };
        // A read is shorter than a line may be, so only the line that began before it can be too long.
        let cut = self.cut_first(self.head + first);
        let end = memrchr(b'\n', &self.buffer).map_or(0, |last| last + 1);
        let text = self.hand_over(end);
        (self.head, self.lost) = (self.buffer.len(), 0);
        Lines { text, cut }
    }

    /// The unfinished last line, at the end of the pipe.
    pub(super) fn finish(&mut self) -> Lines {
        if self.buffer.is_empty() {
            return Lines::default();
        }
        self.buffer.push(b'\n');
        self.take()
    }

    /// The line that has no end yet, if one has begun.
    pub(super) fn unfinished(&self) -> Option<&[u8]> {
        (!self.buffer.is_empty()).then_some(self.buffer.as_slice())
    }

    /// Takes out what the first line, which ends at `end`, has beyond the limit.
    fn cut_first(&mut self, end: usize) -> Vec<(u32, u64)> {
        self.lost += end.saturating_sub(MAX_LINE) as u64;
        if self.lost == 0 {
            return Vec::new();
        }
        self.buffer.drain(MAX_LINE..end);
        vec![(0, MAX_LINE as u64 + self.lost)]
    }

    /// The buffer up to `end`; what is behind it stays.
    fn hand_over(&mut self, end: usize) -> Vec<u8> {
        if end <= LITTLE && self.buffer.capacity() <= 2 * BLOCK {
            let text = self.buffer[..end].to_vec();
            self.buffer.drain(..end);
            return text;
        }
        let rest = &self.buffer[end..];
        let mut next = Vec::with_capacity(rest.len() + BLOCK);
        next.extend_from_slice(rest);
        let mut text = std::mem::replace(&mut self.buffer, next);
        text.truncate(end);
        text
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All lines of these blocks, and the cuts with the numbers of all lines.
    fn split(blocks: &[&[u8]]) -> Lines {
        let mut splitter = Splitter::default();
        let mut all = Lines::default();
        let mut add = |lines: Lines| {
            let before = u32::try_from(memchr::memchr_iter(b'\n', &all.text).count()).expect("few lines");
            all.cut.extend(lines.cut.into_iter().map(|(line, bytes)| (before + line, bytes)));
            all.text.extend(lines.text);
        };
        for block in blocks {
            splitter.room().extend_from_slice(block);
            add(splitter.take());
            assert!(!splitter.unfinished().unwrap_or_default().contains(&b'\n'));
            assert!(splitter.buffer.len() <= MAX_LINE && splitter.buffer.capacity() <= MAX_LINE + 2 * BLOCK);
        }
        add(splitter.finish());
        assert_eq!(splitter.unfinished(), None);
        all
    }

    /// What [`split`] is to give: joined, cut at newlines, each line with its limit.
    fn model(blocks: &[&[u8]]) -> Lines {
        let whole = blocks.concat();
        let mut all = Lines::default();
        let lines = whole.strip_suffix(b"\n").unwrap_or(&whole).split(|&byte| byte == b'\n');
        for (line, number) in lines.zip(0..).take(if whole.is_empty() { 0 } else { usize::MAX }) {
            all.text.extend_from_slice(&line[..line.len().min(MAX_LINE)]);
            all.text.push(b'\n');
            if line.len() > MAX_LINE {
                all.cut.push((number, line.len() as u64));
            }
        }
        all
    }

    #[test]
    fn whatever_is_read_is_cut_into_its_lines() {
        crate::fuzz::feed("splitter", |input| {
            // Blocks of sizes that the input itself gives.
            let (mut blocks, mut rest) = (Vec::new(), input);
            while let Some(size) = rest.first() {
                let (block, tail) = rest.split_at(rest.len().min(usize::from(*size) + 1));
                blocks.push(block);
                rest = tail;
            }
            assert_eq!(split(&blocks), model(&blocks));
        });
    }

    #[test]
    fn a_line_may_arrive_in_many_blocks_and_end_without_a_newline() {
        assert_eq!(split(&[b"a", b"b\nc", b"", b"d\n\ne"]).text, b"ab\ncd\n\ne\n");
        assert_eq!(split(&[]), Lines::default());
    }

    #[test]
    fn of_a_line_over_the_limit_the_head_is_kept_and_the_length_known() {
        let block = vec![b'x'; BLOCK];
        let mut splitter = Splitter::default();
        for _ in 0..(10 << 20) / BLOCK {
            splitter.room().extend_from_slice(&block);
            assert_eq!(splitter.take(), Lines::default());
            assert!(splitter.buffer.len() <= MAX_LINE, "the unfinished line is bounded");
        }
        splitter.room().extend_from_slice(b"end\nnext\n");
        let lines = splitter.take();
        assert_eq!(lines.cut, [(0, (10 << 20) + 3)]);
        assert_eq!((lines.text.len(), lines.text.ends_with(b"x\nnext\n")), (MAX_LINE + 6, true));
        splitter.room().extend_from_slice(b"short\n");
        assert_eq!(splitter.take(), Lines { text: b"short\n".to_vec(), cut: Vec::new() }, "another line");
    }

    #[test]
    fn what_was_read_is_handed_over_without_a_copy() {
        let mut splitter = Splitter::default();
        let block = b"a line of some length\n".repeat(2000);
        splitter.room().extend_from_slice(&block);
        let at = splitter.room().as_ptr();
        assert_eq!(splitter.take().text.as_ptr(), at);
    }

    #[test]
    fn around_the_limit_every_length_is_exact() {
        for length in [MAX_LINE - 1, MAX_LINE, MAX_LINE + 1, MAX_LINE + BLOCK] {
            let mut text = vec![b'y'; length];
            text.extend_from_slice(b"\nnext");
            for size in [BLOCK, BLOCK - 1, 12_345] {
                let blocks: Vec<&[u8]> = text.chunks(size).collect();
                assert!(split(&blocks) == model(&blocks), "a line of {length} in blocks of {size}");
            }
        }
    }

    /// Lines of any length, long ones among them, in blocks of any size up to a whole one.
    fn blocks() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let piece = prop_oneof![
            4 => prop::collection::vec(any::<u8>(), 0..40),
            4 => prop::collection::vec(prop::sample::select(&b"ab\n"[..]), 0..200),
            2 => (0..=BLOCK).prop_map(|length| vec![b'x'; length]),
        ];
        prop::collection::vec(piece, 0..60)
    }

    proptest! {
        #[test]
        fn cutting_is_joining_and_splitting_at_newlines(blocks in blocks()) {
            let refs: Vec<&[u8]> = blocks.iter().map(Vec::as_slice).collect();
            // Not with `assert_eq`: nobody reads megabytes.
            prop_assert!(split(&refs) == model(&refs));
        }
    }
}
