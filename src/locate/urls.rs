//! Web addresses in what a program prints.

use memchr::memmem;
use std::{ops::Range, sync::LazyLock};

/// The longest address told, in bytes; a longer one is data, not something to open.
pub const MAX_URL: usize = 2048;

/// The addresses in a line or in a block of lines, as bytes of `text`, in order. An address begins with `http://` or
/// `https://` and ends before what belongs to the sentence around it: a full stop, a comma, a bracket that was opened
/// before it. One that is longer than [`MAX_URL`] is left out, and so is what is not UTF-8.
pub fn urls(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    static SCHEME: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("://"));
    let mut least = 0;
    SCHEME.find_iter(text).filter_map(move |colon| {
        let head = &text[least..colon];
        let scheme = [&b"https"[..], b"http"].into_iter().find(|scheme| {
            head.len() >= scheme.len() && head[head.len() - scheme.len()..].eq_ignore_ascii_case(scheme)
        })?;
        let start = colon - scheme.len();
        // `xhttp://` is another scheme.
        if text[..start].last().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)) {
            return None;
        }
        let rest = &text[colon + 3..];
        let length = rest.iter().position(|byte| !is_part(*byte)).unwrap_or(rest.len());
        let end = colon + 3 + length;
        least = end;
        let host = rest
            .first()
            .is_some_and(|first| first.is_ascii_alphanumeric() || *first == b'[' || *first >= 0x80);
        // Decided first, so that what is cut off of the end is bounded.
        if !host || end - start > MAX_URL {
            return None;
        }
        let end = trimmed(text, start, end);
        (end > colon + 3 && std::str::from_utf8(&text[start..end]).is_ok()).then_some(start..end)
    })
}

/// Whether a byte can be part of an address. Letters of other scripts can.
fn is_part(byte: u8) -> bool {
    byte > b' '
        && byte != 0x7f
        && !matches!(byte, b'"' | b'<' | b'>' | b'`' | b'|' | b'\\' | b'^' | b'{' | b'}')
}

/// The end of an address without what belongs to the sentence.
fn trimmed(text: &[u8], start: usize, mut end: usize) -> usize {
    while end > start {
        let part = &text[start..end];
        let count = |wanted: u8| part.iter().filter(|byte| **byte == wanted).count();
        let goes = match part[part.len() - 1] {
            b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b'*' | b'_' | b'~' => true,
            b')' => count(b')') > count(b'('),
            b']' => count(b']') > count(b'['),
            _ => false,
        };
        if !goes {
            break;
        }
        end -= 1;
    }
    end
}
