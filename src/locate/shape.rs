//! The cheap first look at a line: which shapes are in it. Most log lines have none and cost nothing more.

use super::prefix;
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
    /// The line starts, after blanks, with `3) `.
    pub(super) const STARTS_ITEM: Self = Self(1 << 14);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn has(self, needed: Self) -> bool {
        self.0 & needed.0 == needed.0
    }

    /// Whether both have a shape in common.
    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it is one shape.
    pub(super) fn is_one(self) -> bool {
        self.0.is_power_of_two()
    }

    /// The shapes in a text.
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut shape = Self::of_ends(bytes);
        for at in memchr2_iter(b':', b'(', bytes) {
            shape = shape | Self::of_mark(bytes, at);
        }
        if line_word(bytes) {
            shape = shape | Self::LINE_WORD;
        }
        shape
    }

    /// The shapes that the first and the last word of a text make.
    pub(super) fn of_ends(text: &[u8]) -> Self {
        let mut shape = Self::NONE;
        let trimmed = text.trim_ascii_start();
        match trimmed.first() {
            Some(byte) if byte.is_ascii_digit() => {
                let digits = prefix::digits(trimmed);
                match trimmed.get(digits..digits + 2) {
                    Some([b':', next]) if next.is_ascii_digit() => shape = shape | Self::STARTS_POSITION,
                    Some(b") ") => shape = shape | Self::STARTS_ITEM,
                    _ => {}
                }
            }
            Some(byte) if !byte.is_ascii() => shape = shape | Self::SYMBOL,
            _ => {}
        }
        if ends_in_file(text.trim_ascii_end()) {
            shape = shape | Self::ENDS_FILE;
        }
        shape
    }

    /// The shapes that a colon or an opening bracket makes with what stands around it.
    fn of_mark(bytes: &[u8], at: usize) -> Self {
        let mut shape = Self::NONE;
        let next = bytes.get(at + 1).copied().unwrap_or(b' ');
        if bytes[at] == b':' && ends_in_trouble(&bytes[..at]) {
            shape = shape | Self::TROUBLE;
        }
        // Behind a blank stands a number in dash's `a.sh: 2: msg` and in `a.kt: (3, 5)`.
        let blank =
            next == b' ' && bytes.get(at + 2).is_some_and(|byte| *byte == b'(' || byte.is_ascii_digit());
        if !(next.is_ascii_digit() || next == b'[' || blank) {
            return shape;
        }
        // Clocks are everywhere: digits with neither a word, a dot nor a blank before them.
        let digits = bytes[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 && matches!(bytes[..at - digits].last(), None | Some(b':' | b'/' | b'[' | b'"')) {
            return if bytes[at] == b'(' { shape | Self::PAREN } else { shape };
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
        shape
    }

    /// The shapes that a byte makes which [`may_mark`] pointed out. With those of the ends they are all.
    pub(super) fn of_byte(bytes: &[u8], at: usize) -> Self {
        match bytes[at] {
            b' ' if bytes[..at].ends_with(b"line") && line_word(bytes) => Self::LINE_WORD,
            b':' | b'(' => Self::of_mark(bytes, at),
            _ => Self::NONE,
        }
    }
}

/// Whether a byte, given its neighbours, may make a shape: every one that [`Shape::of`] would find, and few more.
/// Without branches and with few comparisons, so that the compiler can look at many bytes at once; those with a sign cost
/// least.
#[inline(always)]
pub(super) fn may_mark(before: u8, byte: u8, after: u8) -> bool {
    // Digits, blanks and `[` are low; of the ends of words of trouble, `R` is the lowest.
    let low = after.cast_signed() <= b'['.cast_signed();
    let high = before.cast_signed() >= b'R'.cast_signed();
    // Behind a key of JSON is neither a name's number nor trouble.
    let colon = (byte == b':') & (((before != b'"') & low) | high);
    let bracket = (byte == b'(') & low;
    let line = (before == b'e') & (byte == b' ') & low;
    colon | bracket | line
}

/// Whether the first `line ` has a number behind it.
fn line_word(bytes: &[u8]) -> bool {
    static LINE: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("line "));
    LINE.find(bytes).is_some_and(|at| bytes.get(at + 5).is_some_and(u8::is_ascii_digit))
}

impl BitOr for Shape {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}

/// The bytes of the last part of a file's name.
const IN_NAME: [bool; 256] = {
    let (mut part, mut byte) = ([false; 256], 0_u8);
    while byte < 128 {
        part[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'-');
        byte += 1;
    }
    part
};

/// Whether a text ends in a name such as `page.tsx` or `Makefile`. An extension starts with a letter, so that
/// neither an address nor a version is one.
fn ends_in_file(bytes: &[u8]) -> bool {
    let word = bytes.iter().rev().take(16).take_while(|byte| IN_NAME[usize::from(**byte)]).count();
    if word == 0 || word > 15 {
        return false;
    }
    let (head, tail) = bytes.split_at(bytes.len() - word);
    match head {
        [.., before, b'.'] => {
            tail.len() <= 12 && tail[0].is_ascii_alphabetic() && !before.is_ascii_whitespace()
        }
        [b'.'] => false,
        // Their first letters are few, and most words have another.
        _ => (tail[0].is_ascii_uppercase() || matches!(tail[0], b'm' | b'j')) && is_named(tail),
    }
}

/// Files that have no extension.
fn is_named(word: &[u8]) -> bool {
    matches!(
        word,
        b"Makefile"
            | b"makefile"
            | b"GNUmakefile"
            | b"Dockerfile"
            | b"Containerfile"
            | b"Rakefile"
            | b"Gemfile"
            | b"Justfile"
            | b"justfile"
            | b"Procfile"
            | b"Vagrantfile"
            | b"Jenkinsfile"
            | b"Podfile"
            | b"Brewfile"
            | b"Guardfile"
            | b"Snakefile"
            | b"SConstruct"
            | b"BUILD"
            | b"WORKSPACE"
            | b"Kconfig"
            | b"Earthfile"
            | b"Tiltfile"
            | b"Fastfile"
            | b"Capfile"
    )
}

/// Whether a text ends in a file name, blanks and digits.
fn spaced(bytes: &[u8]) -> bool {
    let digits = bytes.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let head = &bytes[..bytes.len() - digits];
    digits > 0 && head.last() == Some(&b' ') && ends_in_file(head.trim_ascii_end())
}

/// Whether the word before a colon speaks of trouble.
fn ends_in_trouble(bytes: &[u8]) -> bool {
    match bytes {
        [.., b']'] => true,
        [.., b'r', b'r', b'o', b'r'] | [.., b'n', b'i', b'n', b'g'] | [.., b't', b'i', b'o', b'n'] => true,
        [.., b'R', b'R', b'O', b'R'] | [.., b'a', b't', b'a', b'l'] | [.., b'a', b'b', b'l', b'e'] => true,
        _ => bytes.ends_with(b"panic"),
    }
}
