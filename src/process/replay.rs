//! What a terminal printed last, as it was printed: what a buffer that shows the terminal is fed from. Pure.
//!
//! *Bounded:* [`KEPT`] bytes. *Lost:* older ones; each reader is told how many it has missed.

use std::collections::VecDeque;

use memchr::memchr;

/// Bytes that are kept for who comes later or falls behind.
pub(super) const KEPT: usize = 128 << 10;

/// More than any sequence of a mode has.
const LONGEST: usize = 48;

const ESC: u8 = 0x1b;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Replay {
    kept: VecDeque<u8>,
    /// Bytes of this run so far.
    head: u64,
    /// Counts the runs: a reader of an earlier one begins anew.
    round: u64,
    screen: Screen,
}

/// Where a reader stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Position {
    /// None at first.
    round: Option<u64>,
    next: u64,
}

/// What a reader gets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Piece {
    /// As printed.
    pub bytes: Vec<u8>,
    /// The terminal is to be emptied first: `bytes` continue nothing.
    pub reset: bool,
    /// Bytes before these that nobody has any more.
    pub lost: u64,
}

/// Follows which of its two screens a program uses.
#[derive(Debug, Default)]
struct Screen {
    /// A sequence that has not ended.
    rest: Vec<u8>,
    alternate: bool,
}

// === impl Replay ===

impl Replay {
    /// A new run: nothing has been printed.
    pub(super) fn begin(&mut self) {
        *self = Self { round: self.round + 1, ..Self::default() };
    }

    /// Takes what was printed.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.screen.push(bytes);
        self.head += bytes.len() as u64;
        let bytes = &bytes[bytes.len().saturating_sub(KEPT)..];
        let over = (self.kept.len() + bytes.len()).saturating_sub(KEPT);
        self.kept.drain(..over);
        self.kept.extend(bytes);
    }

    /// Whether the program draws on the alternate screen now.
    pub(super) fn is_alternate(&self) -> bool {
        self.screen.alternate
    }

    /// Up to `limit` bytes from a reader's position on; none when there is nothing new.
    pub(super) fn read(&self, position: &mut Position, limit: usize) -> Option<Piece> {
        let fresh = position.round != Some(self.round);
        if fresh {
            *position = Position { round: Some(self.round), next: 0 };
        }
        if !fresh && position.next == self.head {
            return None;
        }
        let first = self.head - self.kept.len() as u64;
        let lost = first.saturating_sub(position.next);
        let from = position.next.max(first);
        let skipped = usize::try_from(from - first).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        if lost > 0 && self.screen.alternate {
            // What switched to it may be among what is lost.
            bytes.extend_from_slice(b"\x1b[?1049h");
        }
        let before = bytes.len();
        bytes.extend(self.kept.iter().skip(skipped).take(limit));
        position.next = from + (bytes.len() - before) as u64;
        Some(Piece { bytes, reset: fresh || lost > 0, lost })
    }
}

// === impl Position ===

impl Position {
    /// Has everything told again.
    pub(super) fn rewind(&mut self) {
        self.round = None;
    }
}

// === impl Screen ===

impl Screen {
    fn push(&mut self, bytes: &[u8]) {
        if self.rest.is_empty() {
            return self.scan(bytes);
        }
        // The sequence goes on, and is short.
        let head = bytes.len().min(LONGEST);
        let mut joined = std::mem::take(&mut self.rest);
        joined.extend_from_slice(&bytes[..head]);
        self.scan(&joined);
        if head < bytes.len() {
            let rest = std::mem::take(&mut self.rest);
            // What is unfinished after so much is no mode.
            let from = head - rest.len().min(head);
            self.scan(&bytes[from..]);
        }
    }

    /// Looks for `ESC [ ? numbers h` and `… l`, of which 47, 1047 and 1049 are the alternate screen.
    fn scan(&mut self, mut bytes: &[u8]) {
        while let Some(at) = memchr(ESC, bytes) {
            let sequence = &bytes[at..];
            let body = sequence.strip_prefix(b"\x1b[?");
            let end = body.and_then(|body| body.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';')));
            match (body, end) {
                (Some(body), Some(end)) => {
                    let mut modes = body[..end].split(|&byte| byte == b';');
                    if matches!(body[end], b'h' | b'l') && modes.any(is_alternate_screen) {
                        self.alternate = body[end] == b'h';
                    }
                    bytes = &body[end..];
                }
                (None, _) if !b"\x1b[?".starts_with(sequence) => bytes = &sequence[1..],
                (Some(_) | None, _) => {
                    if sequence.len() <= LONGEST {
                        self.rest = sequence.to_vec();
                    }
                    return;
                }
            }
        }
    }
}

fn is_alternate_screen(mode: &[u8]) -> bool {
    matches!(mode, b"47" | b"1047" | b"1049")
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alternate(pieces: &[&[u8]]) -> bool {
        let mut replay = Replay::default();
        pieces.iter().for_each(|piece| replay.push(piece));
        replay.is_alternate()
    }

    #[test]
    fn the_alternate_screen_is_seen_in_one_piece_or_many() {
        let sequence = b"text\x1b[1m\x1b[?25l\x1b[?12;1049;25hmore\x1b[0m";
        assert!(alternate(&[sequence]));
        for at in 0..sequence.len() {
            assert!(alternate(&[&sequence[..at], &sequence[at..]]), "cut at {at}");
        }
        let single: Vec<&[u8]> = sequence.chunks(1).collect();
        assert!(alternate(&single));
        assert!(alternate(&[b"\x1b[?47h"]) && alternate(&[b"\x1b[?1047h"]));
        assert!(!alternate(&[b"\x1b[?1049h", b"\x1b[?1049l"]));
        assert!(!alternate(&[b"\x1b[1049h\x1b[?10490h\x1b[?1049 h\x1b]?1049h"]));
        let endless = [b"\x1b[?".as_slice(), &[b'1'; 4000], b"\x1b[?1049h"].concat();
        assert!(alternate(&[&endless]));
    }

    #[test]
    fn who_comes_late_or_falls_behind_is_told_what_is_lost() {
        let mut replay = Replay::default();
        replay.begin();
        let mut early = Position::default();
        let empty = replay.read(&mut early, 10).expect("the beginning");
        assert_eq!(empty, Piece { bytes: Vec::new(), reset: true, lost: 0 });
        assert_eq!(replay.read(&mut early, 10), None);
        replay.push(b"0123456789abc");
        assert_eq!(replay.read(&mut early, 10).expect("ten").bytes, b"0123456789");
        assert_eq!(replay.read(&mut early, 10).expect("three").bytes, b"abc");
        replay.push(&[b'x'; KEPT + 5]);
        let mut late = Position::default();
        let piece = replay.read(&mut late, 10).expect("what is kept");
        assert_eq!((piece.reset, piece.lost, piece.bytes.len()), (true, 18, 10));
        let piece = replay.read(&mut early, 10).expect("what is kept");
        assert_eq!((piece.reset, piece.lost), (true, 5));
        replay.begin();
        replay.push(b"next run");
        let piece = replay.read(&mut early, 10).expect("the next run");
        assert_eq!(piece, Piece { bytes: b"next run".to_vec(), reset: true, lost: 0 });
        early.rewind();
        assert_eq!(replay.read(&mut early, 10), Some(piece));
    }

    #[test]
    fn a_cut_replay_begins_on_the_screen_the_program_is_on() {
        let mut replay = Replay::default();
        replay.push(b"\x1b[?1049h");
        replay.push(&[b'x'; KEPT]);
        let piece = replay.read(&mut Position::default(), 2).expect("what is kept");
        assert_eq!((piece.bytes.as_slice(), piece.lost), (b"\x1b[?1049hxx".as_slice(), 8));
    }

    proptest! {
        #[test]
        fn pieces_are_what_was_printed_and_no_more_is_kept_than_may_be(
            printed in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..90),
            limit in 1_usize..5000,
        ) {
            let (mut replay, mut position) = (Replay::default(), Position::default());
            let (mut got, mut lost) = (0, 0);
            let all = printed.concat();
            for block in &printed {
                replay.push(block);
                prop_assert!(replay.kept.len() <= KEPT);
                if let Some(piece) = replay.read(&mut position, limit) {
                    lost += usize::try_from(piece.lost).expect("small");
                    let bytes = piece.bytes.strip_prefix(b"\x1b[?1049h").unwrap_or(&piece.bytes);
                    prop_assert_eq!(bytes, &all[got + lost..][..bytes.len()]);
                    got += bytes.len();
                }
            }
        }
    }
}
