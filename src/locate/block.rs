//! Many lines at once. Most lines of a log say nothing to any rule: they are known by a few bytes, passed over, and read
//! only when a later line needs to know what they were.

use super::{
    Finding, Scanner, family,
    hints::{self, Hints},
    matching, prefix,
    scanner::LOOKED_AT,
    shape::Shape,
};
use crate::event::Seq;
use std::ops::Range;

/// The longest line that is passed over. However wrong its UTF-8, what is read of a longer one would not be all of it.
const SHORT: usize = LOOKED_AT / 3;

const _: () = assert!(SHORT <= hints::LONGEST, "a line that may be passed over has its hints in one window");

/// A block while it is read.
struct Pass<'a> {
    scanner: &'a mut Scanner,
    block: &'a [u8],
    hints: Hints<'a>,
    found: &'a mut Vec<Finding>,
}

// === impl Scanner ===

impl Scanner {
    /// Reads whole lines, each ended by a newline (the last one need not be), which must hold no escapes; `first` is
    /// the number of the first. The findings are those of [`Scanner::line`] called for each. What is not UTF-8 is
    /// read as if each wrong part were one `U+FFFD`.
    pub fn block(&mut self, first: Seq, text: &[u8], found: &mut Vec<Finding>) {
        let open = text.last().is_some_and(|last| *last != b'\n');
        let ends = memchr::memchr_iter(b'\n', text).chain(open.then_some(text.len()));
        self.lines(first, text, ends, found);
    }

    /// The same where the ends of the lines are known: the positions of their newlines, the last perhaps that of the
    /// end of the text.
    pub fn lines(
        &mut self,
        first: Seq,
        text: &[u8],
        ends: impl IntoIterator<Item = usize>,
        found: &mut Vec<Finding>,
    ) {
        let mut pass = Pass { scanner: self, block: text, hints: Hints::new(text), found };
        let mut start = 0;
        for (seq, end) in (first.0..).zip(ends) {
            pass.line(Seq(seq), start..end);
            start = end + 1;
        }
        // The text is gone after this.
        for lane in self.lanes_mut() {
            lane.settle(text);
        }
    }
}

// === impl Pass ===

impl Pass<'_> {
    fn line(&mut self, seq: Seq, range: Range<usize>) {
        if self.glance(seq, range.clone()).is_none() {
            self.read(seq, range);
        }
    }

    /// Passes over a line without findings, or reads one that has some; `None` where it must be read in full.
    fn glance(&mut self, seq: Seq, range: Range<usize>) -> Option<()> {
        let mut line = &self.block[range.clone()];
        while let [head @ .., b'\r'] = line {
            line = head;
        }
        let range = range.start..range.start + line.len();
        let peeled = prefix::peel(line);
        if line.len() > SHORT || !peeled.tag.is_ascii() {
            return None;
        }
        let index = self.scanner.lane(peeled.tag);
        let open = self.scanner.folding.is_open();
        let lane = &mut self.scanner.lanes_mut()[index];
        let state = lane.calm_shape()?;
        if open {
            return None;
        }
        let body = &line[peeled.start..];
        let blanks = body.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let Some(first) = body.get(blanks) else {
            lane.pass_blank(body.is_empty());
            return Some(());
        };
        // There are rarer blanks.
        if *first <= b' ' {
            return None;
        }
        if !first.is_ascii() && std::str::from_utf8(body).ok()?.trim_start().len() != body.len() - blanks {
            return None;
        }
        let mut shape = Shape::of_ends(body);
        let (mut from, start) = (range.start + peeled.start, range.start + peeled.start);
        while let Some(at) = self.hints.first(from..range.end) {
            shape = shape | Shape::of_byte(body, at - start);
            from = at + 1;
        }
        let may_be_heading = shape.has(Shape::ENDS_FILE);
        if !family::may_match(&body[blanks..], shape | state) {
            lane.pass(seq, range, may_be_heading);
            return Some(());
        }
        // A heading that was passed over may be above this.
        if shape.has(Shape::STARTS_POSITION) {
            lane.settle(self.block);
        }
        let text = std::str::from_utf8(line).ok()?;
        lane.now += 1;
        lane.age();
        let matched =
            matching::recognise(text, peeled.start, &text[peeled.start + blanks..], shape | lane.shape());
        if matched.is_some() {
            lane.settle(self.block);
            let body = &text[peeled.start..];
            self.scanner.with(index, seq, self.found, |mut reader| reader.tell(matched, body));
        } else {
            lane.passed(seq, range, may_be_heading);
            lane.settled();
        }
        Some(())
    }

    fn read(&mut self, seq: Seq, range: Range<usize>) {
        let line = &self.block[range];
        // Whatever is wrong in it, no more bytes than these are looked at.
        let text = String::from_utf8_lossy(&line[..line.len().min(LOOKED_AT + 4)]);
        self.scanner.read(seq, &text, self.block, self.found);
    }
}
