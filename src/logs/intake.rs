//! A batch on its way into a log: what is plain goes in at once, however many lines it is; only lines with escapes, carriage
//! returns or backspaces, and those under a colour that is still on, are looked at one by one.

use std::sync::Arc;

use memchr::{memchr, memrchr};

use super::{
    Cleaner, ansi::first_control, chunk::Extras, facts::Facts, lines::Lines, spare::Spare, style::StyleTable,
};
use crate::resource::catch_panic;

/// See the module.
pub(super) struct Intake<'a> {
    pub(super) lines: &'a mut Lines,
    pub(super) cleaner: &'a mut Cleaner,
    pub(super) styles: &'a mut Arc<StyleTable>,
    pub(super) spare: &'a mut Spare,
    pub(super) facts: Facts,
    /// A line of more bytes is marked as long.
    pub(super) max_line: usize,
    /// How many were.
    pub(super) long: u64,
}

/// What of a batch has not been stored.
struct Rest<'t, 'c> {
    text: &'t [u8],
    /// The number of its first line in the batch. Counted only where lines have been cut.
    number: u32,
    /// Lines that have been cut, and how long they were.
    cut: &'c [(u32, u64)],
}

/// Room that is used for line after line.
#[derive(Default)]
struct Scratch {
    text: Vec<u8>,
    extras: Extras,
}

// === impl Intake ===

impl Intake<'_> {
    /// Stores a batch. Returns what a panic said, if there was one: the line that caused it is stored as it came.
    pub(super) fn take(&mut self, text: &[u8], cut: &[(u32, u64)]) -> Option<Arc<str>> {
        let mut rest = Rest { text, number: 0, cut };
        let by_line = !cut.is_empty() || has_long_line(text, self.max_line);
        let mut said = None;
        while let Err(panicked) = catch_panic(|| self.all(&mut rest, by_line)) {
            *self.cleaner = Cleaner::default();
            let (line, large) = rest.peek(self.max_line);
            self.long += u64::from(large.is_some());
            self.lines.push(line, &Extras { large, ..Extras::default() }, self.facts, self.spare);
            rest.skip(line.len() + 1);
            said = Some(panicked);
        }
        said
    }

    fn all(&mut self, rest: &mut Rest<'_, '_>, by_line: bool) {
        let mut scratch = Scratch::default();
        while !rest.text.is_empty() {
            if !by_line && self.cleaner.is_plain() {
                let text = rest.text;
                let plain = first_control(text)
                    .map_or(text.len(), |at| memrchr(b'\n', &text[..at]).map_or(0, |end| end + 1));
                self.lines.extend(&text[..plain], self.facts, self.spare);
                rest.text = &text[plain..];
                if rest.text.is_empty() {
                    break;
                }
            }
            let (line, large) = rest.peek(self.max_line);
            self.line(line, large, &mut scratch);
            rest.skip(line.len() + 1);
        }
    }

    fn line(&mut self, raw: &[u8], large: Option<Option<u64>>, scratch: &mut Scratch) {
        #[cfg(test)]
        super::planted::panic_cleaning(raw);
        let Scratch { text, extras } = scratch;
        text.clear();
        extras.clear();
        extras.large = large;
        self.cleaner.clean(raw, text, extras, self.styles);
        self.long += u64::from(large.is_some());
        self.lines.push(text, extras, self.facts, self.spare);
    }
}

// === impl Rest ===

impl<'t> Rest<'t, '_> {
    /// The next line, and whether it is longer than usual.
    fn peek(&self, max_line: usize) -> (&'t [u8], Option<Option<u64>>) {
        let line = &self.text[..memchr(b'\n', self.text).unwrap_or(self.text.len())];
        let cut = self.cut.first().filter(|(number, _)| *number == self.number).map(|(_, whole)| *whole);
        let large = if cut.is_some() || line.len() > max_line { Some(cut) } else { None };
        (line, large)
    }

    /// The next line, of so many bytes, is stored.
    fn skip(&mut self, bytes: usize) {
        self.text = self.text.get(bytes..).unwrap_or_default();
        if let [(number, _), rest @ ..] = self.cut
            && *number == self.number
        {
            self.cut = rest;
        }
        self.number += 1;
    }
}

/// Whether a line is longer than this. Looks for a newline in every so many bytes, not at every line.
fn has_long_line(mut text: &[u8], max_line: usize) -> bool {
    while text.len() > max_line + 1 {
        let Some(last) = memrchr(b'\n', &text[..=max_line]) else { return true };
        text = &text[last + 1..];
    }
    false
}
