//! Escape sequences of ECMA-48: where one ends, and which of them mean something here.

pub(super) const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const CANCEL: u8 = 0x18;
const SUBSTITUTE: u8 = 0x1a;

/// What stood after an ESC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sequence<'l> {
    /// SGR, with its parameters.
    Colours(&'l [u8]),
    /// OSC 8: what follows is a link to this, or, when it is empty, none.
    Link(&'l [u8]),
    /// Anything else, and what is no sequence.
    Other,
}

/// The sequence that begins before `rest` with an ESC, and what follows it. One that does not end on its line ends with it,
/// so nothing can swallow a log; one that is broken off by a byte that cannot belong to it ends before that.
pub(super) fn sequence(rest: &[u8]) -> (Sequence<'_>, &[u8]) {
    let Some((&kind, body)) = rest.split_first() else { return (Sequence::Other, rest) };
    match kind {
        b'[' => control(body),
        b']' => {
            let end = body.iter().position(|byte| matches!(*byte, BEL | CANCEL | SUBSTITUTE | ESC));
            let (text, tail) = body.split_at(end.unwrap_or(body.len()));
            // One that was cut off says nothing for sure.
            let link = if end.is_some() { link(text) } else { None };
            (
                link.map_or(Sequence::Other, Sequence::Link),
                tail.strip_prefix(&[BEL]).unwrap_or_else(|| ended(tail)),
            )
        }
        b'P' | b'X' | b'^' | b'_' => {
            let end = body.iter().position(|byte| matches!(*byte, CANCEL | SUBSTITUTE | ESC));
            (Sequence::Other, ended(&body[end.unwrap_or(body.len())..]))
        }
        0x20..=0x2f => {
            let end = body.iter().position(|byte| !(0x20..=0x2f).contains(byte)).unwrap_or(body.len());
            let tail = &body[end..];
            let is_final = tail.first().is_some_and(|byte| (0x30..=0x7e).contains(byte));
            (Sequence::Other, &tail[usize::from(is_final)..])
        }
        0x30..=0x7e => (Sequence::Other, body),
        _ => (Sequence::Other, rest),
    }
}

/// A control sequence: parameters, intermediates and the byte that says what it does.
fn control(body: &[u8]) -> (Sequence<'_>, &[u8]) {
    let end = body.iter().position(|byte| !(0x20..=0x3f).contains(byte)).unwrap_or(body.len());
    let (parameters, tail) = body.split_at(end);
    let plain = || parameters.iter().all(|byte| matches!(byte, b'0'..=b';'));
    match tail.split_first() {
        Some((b'm', after)) if plain() => (Sequence::Colours(parameters), after),
        Some((0x40..=0x7e, after)) => (Sequence::Other, after),
        _ => (Sequence::Other, tail),
    }
}

/// What follows a string sequence that ended before `tail`: ST is an ESC and a backslash; any other ESC begins the next one.
fn ended(tail: &[u8]) -> &[u8] {
    tail.strip_prefix(b"\x1b\\").unwrap_or(tail)
}

/// Where `8;parameters;address` points.
fn link(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"8;")?;
    let at = memchr::memchr(b';', rest)?;
    Some(&rest[at + 1..])
}
