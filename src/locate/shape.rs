//! The cheap first look at a line: which shapes are in it. Most log lines have none and cost nothing more.

use memchr::{memchr2_iter, memmem};
use std::{ops::BitOr, sync::LazyLock};

/// A set of shapes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shape(u16);

// === impl Shape ===

impl Shape {
    /// No shape.
    pub(super) const NONE: Self = Self(0);
    /// A file name with a number behind it: `a.ts:3`, `a.ts(3`, `a.ts (3`, `a.java:[3`.
    pub(super) const FILE_NUMBER: Self = Self(1);
    /// A file name, a blank, and `3:5`.
    pub(super) const FILE_BLANK: Self = Self(1 << 1);
    /// `line 3`.
    pub(super) const LINE_WORD: Self = Self(1 << 2);
    /// A colon behind a word that ends as `Error`, `warning` or `Exception` do, or behind a bracket.
    pub(super) const TROUBLE: Self = Self(1 << 3);
    /// `(3:5`.
    pub(super) const PAREN: Self = Self(1 << 4);
    /// The line ends with a file name.
    pub(super) const ENDS_FILE: Self = Self(1 << 5);
    /// The line starts, after blanks, with `3:5`.
    pub(super) const STARTS_POSITION: Self = Self(1 << 6);
    /// The first character after the blanks is not ASCII.
    pub(super) const SYMBOL: Self = Self(1 << 7);
    /// A heading waits for positions.
    pub(super) const IN_HEADING: Self = Self(1 << 8);
    /// A trace with its newest frame last is open.
    pub(super) const IN_TRACE: Self = Self(1 << 9);
    /// A title waits for its place.
    pub(super) const IN_TITLE: Self = Self(1 << 10);
    /// A lead waits for its headline.
    pub(super) const IN_LEAD: Self = Self(1 << 11);
    /// A headline is near.
    pub(super) const IN_STORY: Self = Self(1 << 12);

    /// `.go:`.
    pub(super) const GO: Self = Self(1 << 13);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn has(self, needed: Self) -> bool {
        self.0 & needed.0 == needed.0
    }

    /// The shapes in a text.
    pub(super) fn of(text: &str) -> Self {
        static LINE: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("line "));
        let bytes = text.as_bytes();
        let mut shape = Self::NONE;
        for at in memchr2_iter(b':', b'(', bytes) {
            let next = bytes.get(at + 1).copied().unwrap_or(b' ');
            if bytes[at] == b':' && ends_in_trouble(&bytes[..at]) {
                shape = shape | Self::TROUBLE;
            }
            // Behind a blank stands a number in dash's `a.sh: 2: msg` and in `a.kt: (3, 5)`.
            let blank =
                next == b' ' && bytes.get(at + 2).is_some_and(|byte| *byte == b'(' || byte.is_ascii_digit());
            if !(next.is_ascii_digit() || next == b'[' || blank) {
                continue;
            }
            if bytes[at] == b'(' {
                shape = shape | Self::PAREN;
            }
            if bytes[..at].ends_with(b".go") {
                shape = shape | Self::GO;
            }
            let before = bytes[..at].strip_suffix(b" ").unwrap_or(&bytes[..at]);
            if ends_in_file(before) {
                shape = shape | Self::FILE_NUMBER;
            } else if bytes[at] == b':' && spaced(&bytes[..at]) {
                shape = shape | Self::FILE_BLANK;
            }
        }
        if LINE.find(bytes).is_some_and(|at| bytes.get(at + 5).is_some_and(u8::is_ascii_digit)) {
            shape = shape | Self::LINE_WORD;
        }
        let trimmed = text.trim_ascii_start().as_bytes();
        match trimmed.first() {
            Some(byte) if byte.is_ascii_digit() => {
                let digits = trimmed.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if trimmed.get(digits) == Some(&b':')
                    && trimmed.get(digits + 1).is_some_and(u8::is_ascii_digit)
                {
                    shape = shape | Self::STARTS_POSITION;
                }
            }
            Some(byte) if !byte.is_ascii() => shape = shape | Self::SYMBOL,
            _ => {}
        }
        if ends_in_file(text.trim_ascii_end().as_bytes()) {
            shape = shape | Self::ENDS_FILE;
        }
        shape
    }
}

impl BitOr for Shape {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}

/// Whether a text ends in a name such as `page.tsx` or `Makefile`. An extension starts with a letter, so that
/// neither an address nor a version is one.
fn ends_in_file(bytes: &[u8]) -> bool {
    let word = bytes
        .iter()
        .rev()
        .take(16)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(byte))
        .count();
    let (head, tail) = bytes.split_at(bytes.len() - word);
    if word == 0 || word > 15 {
        return false;
    }
    match head.last() {
        Some(b'.') => {
            tail.len() <= 12
                && tail[0].is_ascii_alphabetic()
                && head.len() > 1
                && !head[head.len() - 2].is_ascii_whitespace()
        }
        _ => NAMED.contains(&tail),
    }
}

/// Files that have no extension.
const NAMED: &[&[u8]] = &[
    b"Makefile",
    b"makefile",
    b"GNUmakefile",
    b"Dockerfile",
    b"Containerfile",
    b"Rakefile",
    b"Gemfile",
    b"Justfile",
    b"justfile",
    b"Procfile",
    b"Vagrantfile",
    b"Jenkinsfile",
    b"Podfile",
    b"Brewfile",
    b"Guardfile",
    b"Snakefile",
    b"SConstruct",
    b"BUILD",
    b"WORKSPACE",
    b"Kconfig",
    b"Earthfile",
    b"Tiltfile",
    b"Fastfile",
    b"Capfile",
];

/// Whether a text ends in a file name, blanks and digits.
fn spaced(bytes: &[u8]) -> bool {
    let digits = bytes.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let head = &bytes[..bytes.len() - digits];
    digits > 0 && head.last() == Some(&b' ') && ends_in_file(head.trim_ascii_end())
}

/// Whether the word before a colon speaks of trouble.
fn ends_in_trouble(bytes: &[u8]) -> bool {
    [&b"rror"[..], b"ning", b"tion", b"]", b"RROR", b"atal", b"panic", b"able"]
        .iter()
        .any(|end| bytes.ends_with(end))
}
