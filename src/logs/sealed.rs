//! A chunk that takes no more lines, in one segment: lines, spans, text, one after the other.

use std::{num::NonZeroU32, ops::Range};

use super::{
    chunk::{Line, Span},
    style::StyleId,
};
use crate::{
    event::{RunId, Timestamp},
    process::Stream,
    resource::Segment,
};

/// Bytes of a line: four numbers of 4 bytes, two of 8.
const LINE: usize = 32;

/// Bytes of a span: three numbers of 4.
const SPAN: usize = 12;

/// Bits of a line's flags.
const ERR: u32 = 1;
const AFTER_EXIT: u32 = 2;

/// See the module.
#[derive(Debug)]
pub(super) struct Sealed {
    bytes: Segment,
    lines: usize,
    spans: usize,
}

// === impl Sealed ===

impl Sealed {
    pub(super) fn of(text: &[u8], lines: &[Line], spans: &[Span]) -> Self {
        let size = lines.len() * LINE + spans.len() * SPAN + text.len();
        let bytes = Segment::new(size, |bytes| {
            let (head, rest) = bytes.split_at_mut(lines.len() * LINE);
            let (middle, tail) = rest.split_at_mut(spans.len() * SPAN);
            for (slot, line) in head.chunks_exact_mut(LINE).zip(lines) {
                let flags = if line.stream == Stream::Err { ERR } else { 0 }
                    | if line.after_exit { AFTER_EXIT } else { 0 };
                let whole = line.whole.map_or(0, NonZeroU32::get);
                put(slot, [line.end, line.spans_end, whole, flags]);
                slot[16..24].copy_from_slice(&line.at.0.to_le_bytes());
                slot[24..32].copy_from_slice(&line.run.0.to_le_bytes());
            }
            for (slot, span) in middle.chunks_exact_mut(SPAN).zip(spans) {
                put(slot, [span.start, span.end, u32::from(span.style.0)]);
            }
            tail.copy_from_slice(text);
        });
        Self { bytes, lines: lines.len(), spans: spans.len() }
    }

    pub(super) fn len(&self) -> usize {
        self.lines
    }

    /// Bytes it takes.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn line(&self, index: usize) -> Line {
        let slot = &self.bytes[..self.lines * LINE][index * LINE..][..LINE];
        let flags = number(slot, 3);
        Line {
            end: number(slot, 0),
            spans_end: number(slot, 1),
            at: Timestamp(long(&slot[16..24])),
            run: RunId(long(&slot[24..32])),
            stream: if flags & ERR == 0 { Stream::Out } else { Stream::Err },
            whole: NonZeroU32::new(number(slot, 2)),
            after_exit: flags & AFTER_EXIT != 0,
        }
    }

    pub(super) fn text(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[self.lines * LINE + self.spans * SPAN..][range]
    }

    pub(super) fn spans(&self, range: Range<usize>) -> Vec<Span> {
        let spans = &self.bytes[self.lines * LINE..][range.start * SPAN..range.end * SPAN];
        let style = |slot| StyleId(u16::try_from(number(slot, 2)).unwrap_or_default());
        let span = |slot| Span { start: number(slot, 0), end: number(slot, 1), style: style(slot) };
        spans.chunks_exact(SPAN).map(span).collect()
    }
}

fn put<const N: usize>(slot: &mut [u8], numbers: [u32; N]) {
    for (place, number) in slot.chunks_exact_mut(4).zip(numbers) {
        place.copy_from_slice(&number.to_le_bytes());
    }
}

/// The number of 4 bytes at this position of a slot.
fn number(slot: &[u8], at: usize) -> u32 {
    let bytes = slot[at * 4..].first_chunk().copied();
    u32::from_le_bytes(bytes.unwrap_or_default())
}

fn long(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.first_chunk().copied().unwrap_or_default())
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::logs::{Chunk, StyleTable, chunk::Facts};

    /// Lines of every kind: plain, coloured, empty, cut, from either pipe, before and after the exit.
    fn chunk() -> Chunk {
        let (mut chunk, mut styles) = (Chunk::default(), Arc::<StyleTable>::default());
        let mut cleaner = crate::logs::Cleaner::default();
        let lines: [&[u8]; 5] =
            [b"plain", b"", b"\x1b[31mred\x1b[0m and \x1b[1mbold\x1b[0m", b"\xff no text", b"last"];
        for (at, line) in lines.into_iter().cycle().take(600).enumerate() {
            let facts = Facts {
                at: Timestamp(u64::MAX - at as u64),
                run: RunId(1 << 40 | at as u64),
                stream: if at % 2 == 0 { Stream::Out } else { Stream::Err },
                after_exit: at % 3 == 0,
            };
            let whole = (at % 7 == 0).then_some(5_000_000_000 + at as u64);
            chunk.push(facts, whole, |text, spans| cleaner.clean(line, text, spans, &mut styles));
        }
        chunk
    }

    #[test]
    fn a_sealed_chunk_reads_as_it_did_before() {
        let (open, mut sealed) = (chunk(), chunk());
        sealed.seal();
        sealed.seal();
        assert!(sealed.is_full() && !open.is_full());
        assert_eq!(sealed.len(), open.len());
        assert!((0..open.len()).any(|index| open.spans(index).len() == 2), "there are colours");
        for index in 0..open.len() {
            assert_eq!(sealed.text(index), open.text(index));
            assert_eq!(sealed.spans(index), open.spans(index));
            assert_eq!(sealed.line(index), open.line(index));
            assert_eq!(sealed.cost(index), open.cost(index));
        }
    }

    #[test]
    fn a_chunk_without_a_line_can_be_sealed() {
        let mut chunk = Chunk::default();
        chunk.seal();
        assert!(chunk.is_empty() && chunk.is_full());
    }
}
