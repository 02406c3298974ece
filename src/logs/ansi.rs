//! From what a child wrote to what a person reads: removes escape sequences, keeps colours as spans and links as links,
//! applies carriage returns and backspaces.
//!
//! Of the sequences SGR and OSC 8 have a meaning here; all others are removed. A colour stays on across lines until it is
//! switched off, as in a terminal; a link ends with its line at the latest.

use std::sync::Arc;

use memchr::{memchr, memchr3};

use super::{
    chunk::Extras,
    sequence::{ESC, Sequence, sequence},
    sgr,
    style::{Span, Style, StyleId, StyleTable},
};
use crate::locate::MAX_URL;

const BACKSPACE: u8 = 0x08;

/// Links of one line that are kept.
const LINKS: usize = 64;

/// Cleans the lines of one stream.
#[derive(Debug, Default)]
pub struct Cleaner {
    style: Style,
}

/// Where a cleaned line goes.
struct Sink<'a> {
    text: &'a mut Vec<u8>,
    extras: &'a mut Extras,
    /// Where the present style began.
    from: usize,
    style: StyleId,
    /// Where the present link began, and what it points to.
    link: Option<(usize, String)>,
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

    /// Puts the clean form of `line` (no newline) into `text`, which is empty, and what it has beside its text into
    /// `extras`.
    pub(super) fn clean(
        &mut self,
        line: &[u8],
        text: &mut Vec<u8>,
        extras: &mut Extras,
        styles: &mut Arc<StyleTable>,
    ) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.is_plain() && first_control(line).is_none() {
            text.extend_from_slice(line);
            return;
        }
        let style = number(styles, self.style);
        let mut sink = Sink { text, extras, from: 0, style, link: None };
        let mut rest = line;
        while let Some(at) = first_control(rest) {
            sink.text.extend_from_slice(&rest[..at]);
            let control = rest[at];
            rest = &rest[at + 1..];
            match control {
                b'\r' => sink.restart(rest),
                BACKSPACE => sink.back(),
                _ => {
                    let (found, after) = sequence(rest);
                    match found {
                        Sequence::Colours(parameters) => {
                            sgr::apply(&mut self.style, parameters);
                            sink.colour(number(styles, self.style));
                        }
                        Sequence::Link(url) => sink.link(url),
                        Sequence::Other => {}
                    }
                    rest = after;
                }
            }
        }
        sink.text.extend_from_slice(rest);
        sink.colour(StyleId::default());
        sink.link(b"");
    }

    /// The text of one line (no newline) and its coloured parts, for lines that are not kept. Styles are numbered in `styles`.
    pub fn coloured(&mut self, line: &[u8], styles: &mut Arc<StyleTable>) -> (Vec<u8>, Vec<Span>) {
        let (mut text, mut extras) = (Vec::with_capacity(line.len()), Extras::default());
        self.clean(line, &mut text, &mut extras, styles);
        (text, extras.spans)
    }

    /// The text of one line without anything that is not text: for callers who have no use for colours.
    pub fn plain(line: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(line.len());
        Self::default().clean(line, &mut text, &mut Extras::default(), &mut Arc::default());
        text
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

/// The number of a style; the table is copied only when the style is new and somebody holds the table.
fn number(styles: &mut Arc<StyleTable>, style: Style) -> StyleId {
    if style == Style::default() {
        return StyleId::default();
    }
    match styles.find(&style) {
        Some(id) => id,
        None => Arc::make_mut(styles).number(style),
    }
}

/// What can be kept of an address.
fn address(url: &[u8]) -> Option<String> {
    let fits =
        !url.is_empty() && url.len() <= MAX_URL && url.iter().all(|byte| *byte >= 0x20 && *byte != 0x7f);
    fits.then(|| String::from_utf8(url.to_vec()).ok()).flatten()
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

// === impl Sink ===

impl Sink<'_> {
    /// Ends the present style here; `next` begins.
    fn colour(&mut self, next: StyleId) {
        let (start, end) = (offset(self.from), offset(self.text.len()));
        if self.style != StyleId::default() && start < end {
            match self.extras.spans.last_mut() {
                Some(last) if last.end == start && last.style == self.style => last.end = end,
                _ => self.extras.spans.push(Span { start, end, style: self.style }),
            }
        }
        self.from = self.text.len();
        self.style = next;
    }

    /// Ends the present link here; one to `url` begins.
    fn link(&mut self, url: &[u8]) {
        if let Some((start, url)) = self.link.take()
            && start < self.text.len()
            && self.extras.links.len() < LINKS
        {
            self.extras.links.push((offset(start), offset(self.text.len()), url));
        }
        self.link = address(url).map(|url| (self.text.len(), url));
    }

    /// A carriage return: what follows is written over the line. A progress line keeps its last state, so the
    /// line starts anew, unless nothing is printed before the next return.
    fn restart(&mut self, rest: &[u8]) {
        let piece = memchr(b'\r', rest).map_or(rest, |end| &rest[..end]);
        if prints(piece) {
            self.text.clear();
            self.cut();
        }
    }

    /// A backspace takes one character back, whatever its length in bytes.
    fn back(&mut self) {
        while self.text.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
        self.cut();
    }

    /// Some of the text has gone, and what belonged to it goes, too.
    fn cut(&mut self) {
        let end = offset(self.text.len());
        while let Some(span) = self.extras.spans.last_mut() {
            span.end = span.end.min(end);
            if span.start < span.end {
                break;
            }
            self.extras.spans.pop();
        }
        while let Some((start, link_end, _)) = self.extras.links.last_mut() {
            *link_end = end.min(*link_end);
            if start < link_end {
                break;
            }
            self.extras.links.pop();
        }
        self.from = self.from.min(self.text.len());
        if let Some((start, _)) = &mut self.link {
            *start = self.text.len().min(*start);
        }
    }
}
