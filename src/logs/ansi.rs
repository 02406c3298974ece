//! From what a child wrote to what a person reads: removes escape sequences, keeps colours as spans, applies
//! carriage returns and backspaces.
//!
//! Sequences are those of ECMA-48: CSI (`ESC [` parameters, intermediates, final byte), the string
//! sequences OSC, DCS, SOS, PM and APC up to ST or BEL, and two- and three-byte escapes. Only SGR has a meaning
//! here. A sequence that does not end on its line ends with it, so nothing can swallow a log.

use std::sync::Arc;

use memchr::{memchr, memchr3};

use super::style::{Colour, Span, Style, StyleId, StyleTable};

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const BACKSPACE: u8 = 0x08;

/// Cleans the lines of one stream; a colour stays on across lines until it is switched off, as in a terminal.
#[derive(Debug, Default)]
pub struct Cleaner {
    style: Style,
}

/// Where cleaned text goes. `spans` are relative to the start of the line.
struct Sink<'a> {
    text: &'a mut Vec<u8>,
    spans: &'a mut Vec<Span>,
    start: usize,
    first_span: usize,
    /// Where the present style began.
    from: usize,
    id: StyleId,
}

/// Where the first byte stands that makes a line more than plain text.
pub(super) fn first_control(text: &[u8]) -> Option<usize> {
    memchr3(ESC, b'\r', BACKSPACE, text)
}

// === impl Cleaner ===

impl Cleaner {
    /// Whether a line without control bytes is kept as it is.
    pub(super) fn is_plain(&self) -> bool {
        self.style == Style::default()
    }

    /// Appends the clean form of `line` (no newline) to `text` and its coloured parts to `spans`.
    pub fn clean(
        &mut self,
        line: &[u8],
        text: &mut Vec<u8>,
        spans: &mut Vec<Span>,
        styles: &mut Arc<StyleTable>,
    ) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.is_plain() && first_control(line).is_none() {
            text.extend_from_slice(line);
            return;
        }
        let id = number(styles, self.style);
        let (start, first_span) = (text.len(), spans.len());
        let mut sink = Sink { text, spans, start, first_span, from: start, id };
        let mut rest = line;
        while let Some(at) = first_control(rest) {
            sink.text.extend_from_slice(&rest[..at]);
            let control = rest[at];
            rest = &rest[at + 1..];
            match control {
                b'\r' => sink.restart(rest),
                BACKSPACE => sink.back(),
                _ => rest = self.escape(rest, &mut sink, styles),
            }
        }
        sink.text.extend_from_slice(rest);
        sink.close(StyleId::default());
    }

    /// The text of one line without anything that is not text: for callers who have no use for colours.
    pub fn plain(line: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(line.len());
        Self::default().clean(line, &mut text, &mut Vec::new(), &mut Arc::default());
        text
    }

    /// `rest` follows an ESC. Returns what follows the sequence.
    fn escape<'l>(&mut self, rest: &'l [u8], sink: &mut Sink<'_>, styles: &mut Arc<StyleTable>) -> &'l [u8] {
        let (colours, after) = sequence(rest);
        if let Some(parameters) = colours {
            apply(&mut self.style, parameters);
            sink.close(number(styles, self.style));
        }
        after
    }
}

/// The sequence that begins before `rest` with an ESC: its parameters if it is SGR, and what follows it.
fn sequence(rest: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let Some((&kind, body)) = rest.split_first() else { return (None, rest) };
    match kind {
        b'[' => {
            let end = body.iter().position(|byte| !(0x20..=0x3f).contains(byte)).unwrap_or(body.len());
            let (parameters, tail) = body.split_at(end);
            match tail.split_first() {
                Some((b'm', after)) => (Some(parameters), after),
                Some((0x40..=0x7e, after)) => (None, after),
                // Broken off by something else, which is text or the next sequence.
                _ => (None, tail),
            }
        }
        b']' | b'P' | b'X' | b'^' | b'_' => (None, after_string(body)),
        0x20..=0x2f => {
            let end = body.iter().position(|byte| !(0x20..=0x2f).contains(byte)).unwrap_or(body.len());
            (None, body.get(end + 1..).unwrap_or_default())
        }
        0x30..=0x7e => (None, body),
        _ => (None, rest),
    }
}

/// Whether anything but sequences and backspaces stands in `piece`.
fn prints(mut piece: &[u8]) -> bool {
    loop {
        match piece.split_first() {
            None => return false,
            Some((&ESC, rest)) => piece = sequence(rest).1,
            Some((&BACKSPACE, rest)) => piece = rest,
            Some(_) => return true,
        }
    }
}

/// What follows a string sequence: after BEL, or after ST, which is `ESC \`.
fn after_string(body: &[u8]) -> &[u8] {
    let mut from = 0;
    while let Some(at) = memchr::memchr2(BEL, ESC, &body[from..]).map(|at| from + at) {
        if body[at] == BEL {
            return &body[at + 1..];
        }
        if body.get(at + 1) == Some(&b'\\') {
            return &body[at + 2..];
        }
        from = at + 1;
    }
    &[]
}

/// The number of a style; the table is copied only when the style is new and somebody holds the table.
fn number(styles: &mut Arc<StyleTable>, style: Style) -> StyleId {
    match styles.find(&style) {
        Some(id) => id,
        None => Arc::make_mut(styles).number(style),
    }
}

/// Applies the parameters of an SGR sequence.
fn apply(style: &mut Style, parameters: &[u8]) {
    // `38:2::r:g:b` and `38;2;r;g;b` are both in use; the colon form may have an empty colour space.
    let mut groups = parameters.split(|&byte| byte == b';');
    while let Some(group) = groups.next() {
        let mut parts = group.split(|&byte| byte == b':').map(value);
        let code = parts.next().unwrap_or(0);
        let subs: Vec<u16> = parts.collect();
        match code {
            0 => *style = Style::default(),
            1 => style.bold = true,
            2 => style.dim = true,
            3 => style.italic = true,
            4 => style.underline = subs.first() != Some(&0),
            7 => style.reverse = true,
            9 => style.strike = true,
            21 => style.underline = true,
            22 => (style.bold, style.dim) = (false, false),
            23 => style.italic = false,
            24 => style.underline = false,
            27 => style.reverse = false,
            29 => style.strike = false,
            30..=37 => style.fg = palette(code - 30),
            39 => style.fg = None,
            40..=47 => style.bg = palette(code - 40),
            49 => style.bg = None,
            90..=97 => style.fg = palette(code - 90 + 8),
            100..=107 => style.bg = palette(code - 100 + 8),
            38 | 48 => {
                let colour = if subs.is_empty() {
                    long_colour(&mut groups.by_ref().map(value))
                } else if subs.len() >= 5 {
                    long_colour(&mut [subs[0], subs[2], subs[3], subs[4]].into_iter())
                } else {
                    long_colour(&mut subs.into_iter())
                };
                if colour.is_some() {
                    *(if code == 38 { &mut style.fg } else { &mut style.bg }) = colour;
                }
            }
            _ => {}
        }
    }
}

fn long_colour(parameters: &mut dyn Iterator<Item = u16>) -> Option<Colour> {
    match parameters.next()? {
        5 => palette(parameters.next()?),
        2 => {
            let mut channel = || u8::try_from(parameters.next()?).ok();
            Some(Colour::Rgb(channel()?, channel()?, channel()?))
        }
        _ => None,
    }
}

fn palette(index: u16) -> Option<Colour> {
    u8::try_from(index).ok().map(Colour::Palette)
}

/// A parameter's number; an empty one is 0, and a foolish one is no code.
fn value(digits: &[u8]) -> u16 {
    digits
        .iter()
        .try_fold(0_u16, |sum, digit| match digit {
            b'0'..=b'9' => sum.checked_mul(10)?.checked_add(u16::from(digit - b'0')),
            _ => None,
        })
        .unwrap_or(u16::MAX)
}

// === impl Sink ===

impl Sink<'_> {
    /// Ends the present style here; `next` begins.
    fn close(&mut self, next: StyleId) {
        let (from, to) = (self.from - self.start, self.text.len() - self.start);
        if self.id != StyleId::default() && from < to {
            let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            self.spans.push(Span { start: offset(from), end: offset(to), style: self.id });
        }
        self.from = self.text.len();
        self.id = next;
    }

    /// A carriage return: what follows is written over the line. A progress line keeps its last state, so the
    /// line starts anew, unless nothing is printed before the next return.
    fn restart(&mut self, rest: &[u8]) {
        let piece = memchr(b'\r', rest).map_or(rest, |end| &rest[..end]);
        if prints(piece) {
            self.text.truncate(self.start);
            self.spans.truncate(self.first_span);
            self.from = self.start;
        }
    }

    /// A backspace takes one character back, whatever its length in bytes.
    fn back(&mut self) {
        while self.text.len() > self.start {
            if self.text.pop().is_some_and(|byte| byte & 0xc0 != 0x80) {
                break;
            }
        }
        let length = u32::try_from(self.text.len() - self.start).unwrap_or(u32::MAX);
        while let Some(span) = self.spans.get_mut(self.first_span..).and_then(<[Span]>::last_mut) {
            span.end = span.end.min(length);
            if span.start < span.end {
                break;
            }
            self.spans.pop();
        }
        self.from = self.from.min(self.text.len());
    }
}
