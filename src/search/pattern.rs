//! One thing that has to occur in a line, or must not.

use grep_matcher::{LineMatchKind, Matcher};
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use regex_syntax::ParserBuilder;

use super::filter::Block;

/// Bytes a compiled regex may take, and as many its cache.
const SIZE: usize = 4 << 20;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    matcher: RegexMatcher,
    /// It says where the text begins or ends, which is not where a line does: lines are looked at one by one.
    by_line: bool,
}

// === impl Pattern ===

impl Pattern {
    /// Text that occurs as it is, with no capital letter also in capitals.
    pub(super) fn text(text: &str) -> Result<Self, String> {
        // Nothing of a word is syntax, so what is not ASCII has its capitals and other bytes have none.
        Self::build(&regex_syntax::escape(text), !text.is_ascii())
    }

    /// A regex.
    ///
    /// # Errors
    /// What is wrong with it, and how many characters before that.
    pub(super) fn regex(regex: &str) -> Result<Self, (String, usize)> {
        if let Err(error) = ParserBuilder::new().utf8(false).multi_line(true).build().parse(regex) {
            return Err(match error {
                regex_syntax::Error::Parse(error) => {
                    (error.kind().to_string(), before(regex, error.span().start.offset))
                }
                regex_syntax::Error::Translate(error) => {
                    (error.kind().to_string(), before(regex, error.span().start.offset))
                }
                other => (first_line(&other.to_string()), 0),
            });
        }
        Self::build(regex, true).map_err(|what| (what, 0))
    }

    fn build(regex: &str, unicode: bool) -> Result<Self, String> {
        let matcher = RegexMatcherBuilder::new()
            .multi_line(true)
            .unicode(unicode)
            .case_smart(true)
            .line_terminator(Some(b'\n'))
            .size_limit(SIZE)
            .dfa_size_limit(SIZE)
            .build(regex)
            .map_err(|error| match error.kind() {
                grep_regex::ErrorKind::NotAllowed(_) => "a line has no line break in it".to_owned(),
                _ => first_line(&error.to_string()),
            })?;
        let by_line = matcher.line_terminator().is_none();
        Ok(Self { matcher, by_line })
    }

    /// Whether it occurs in a line, which is given without its end.
    pub(super) fn is_in(&self, line: &[u8]) -> bool {
        // What cannot fail has an error type without a value.
        self.matcher.is_match(line).unwrap_or(false)
    }

    /// Where it occurs in a line, from a byte on.
    pub(super) fn find(&self, line: &[u8], from: usize) -> Option<(usize, usize)> {
        let found = self.matcher.find_at(line, from).ok().flatten()?;
        Some((found.start(), found.end()))
    }

    /// The lines of a block in which it occurs, in order. `each` says which line to go on with, if any.
    pub(super) fn lines(&self, block: &Block<'_>, mut each: impl FnMut(usize)) {
        if self.by_line {
            (0..block.len()).filter(|&index| self.is_in(block.line(index))).for_each(each);
            return;
        }
        let (text, mut from, mut next) = (block.text(), 0, 0);
        while let Ok(Some(found)) = self.matcher.find_candidate_line(&text[from..]) {
            let (at, sure) = match found {
                LineMatchKind::Confirmed(at) => (at, true),
                LineMatchKind::Candidate(at) => (at, false),
            };
            // Behind the last line there is nothing in which something could occur.
            let Some(index) = block.line_at(from + at, next) else { return };
            if sure || self.is_in(block.line(index)) {
                each(index);
            }
            next = index + 1;
            from = block.end(index);
        }
    }
}

/// How many characters of the text come before a byte.
fn before(text: &str, at: usize) -> usize {
    text.char_indices().take_while(|(offset, _)| *offset < at).count()
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
