//! One process's lines, in chunks. Pure: no clock, no tokio.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use super::{Chunk, Part, chunk::Extras, facts::Facts, spare::Spare};
use crate::event::{ProcessId, Seq};

/// See the module.
pub(super) struct Lines {
    process: ProcessId,
    /// Oldest first, with the number of each one's first line. Only the last one grows, and only while nobody reads it.
    chunks: VecDeque<(Seq, Arc<Chunk>)>,
    /// The oldest line kept. Lines before it may still lie in the first chunk.
    first: Seq,
    /// The newest line.
    last: Seq,
    /// Bytes of text taken in so far, without newlines.
    taken: u64,
    /// What the lines from `first` on are accounted.
    bytes: usize,
}

/// How much is to go.
#[derive(Clone, Copy, Debug)]
pub(super) enum Excess {
    Lines(u64),
    Bytes(usize),
}

// === impl Lines ===

impl Lines {
    pub(super) fn new(process: ProcessId) -> Self {
        Self { process, chunks: VecDeque::new(), first: Seq(1), last: Seq(0), taken: 0, bytes: 0 }
    }

    pub(super) fn first(&self) -> Seq {
        self.first
    }

    pub(super) fn last(&self) -> Seq {
        self.last
    }

    pub(super) fn kept(&self) -> u64 {
        self.last.0 + 1 - self.first.0
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes its chunks take, used or not.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.chunks.iter().map(|(_, chunk)| chunk.capacity()).sum()
    }

    /// Adds lines that are plain, each with its newline.
    pub(super) fn extend(&mut self, mut text: &[u8], facts: Facts, spare: &mut Spare) {
        while !text.is_empty() {
            let line = memchr::memchr(b'\n', text).map_or(text.len(), |end| end + 1);
            let (count, bytes, taken) = {
                let chunk = self.open(line, &facts, spare);
                let before = chunk.len();
                let taken = chunk.extend(text, facts);
                (chunk.len() - before, chunk.cost(before..chunk.len()), taken)
            };
            self.last.0 += count as u64;
            self.taken += (taken - count) as u64;
            self.bytes += bytes;
            text = &text[taken..];
        }
    }

    /// Adds one line, without its newline.
    pub(super) fn push(&mut self, text: &[u8], extras: &Extras, facts: Facts, spare: &mut Spare) {
        let chunk = self.open(text.len() + 1, &facts, spare);
        chunk.push(text, extras, facts);
        self.bytes += chunk.cost(chunk.len() - 1..chunk.len());
        self.taken += text.len() as u64;
        self.last.0 += 1;
    }

    /// The chunk that takes a line of so many bytes.
    fn open(&mut self, bytes: usize, facts: &Facts, spare: &mut Spare) -> &mut Chunk {
        while self.rejoin(spare) {}
        let last = self.chunks.back_mut().and_then(|(_, chunk)| Arc::get_mut(chunk));
        let usable = match last {
            Some(chunk) if chunk.takes(bytes, facts) => true,
            Some(chunk) => {
                chunk.leave();
                false
            }
            None => false,
        };
        if !usable {
            self.chunks.push_back((Seq(self.last.0 + 1), Arc::new(spare.chunk(bytes))));
        }
        let (_, chunk) = self.chunks.back_mut().expect("one was pushed if there was none");
        Arc::get_mut(chunk).expect("nobody else holds a chunk that has just been made or just been checked")
    }

    /// Readers held the last chunk when lines came, so that these went into a new one: as soon as nobody holds either, they are
    /// one again. Otherwise each look at a log would leave a chunk of a few lines. Says whether that was so.
    fn rejoin(&mut self, spare: &mut Spare) -> bool {
        let before = self.chunks.len().saturating_sub(2);
        let mut both = self.chunks.range_mut(before..);
        let (Some((_, kept)), Some((_, last))) = (both.next(), both.next()) else { return false };
        if let (Some(kept), Some(last)) = (Arc::get_mut(kept), Arc::get_mut(last))
            && kept.has_room_for(last)
        {
            kept.absorb(last);
            if let Some((_, last)) = self.chunks.pop_back() {
                spare.give(last);
            }
            return true;
        }
        false
    }

    /// Drops the oldest lines until so much has gone, or all. Returns how many lines and bytes went. Costs what the chunks
    /// cost that go, not their lines.
    pub(super) fn evict(&mut self, excess: Excess, spare: &mut Spare) -> (u64, usize) {
        let (mut lines, mut bytes) = (0, 0);
        while let Some((begin, chunk)) = self.chunks.front() {
            let index = usize::try_from(self.first.0 - begin.0).unwrap_or(usize::MAX);
            let rest = index..chunk.len();
            let go = match excess {
                Excess::Lines(wanted) => {
                    rest.len().min(usize::try_from(wanted - lines).unwrap_or(usize::MAX))
                }
                Excess::Bytes(wanted) => {
                    least(rest.clone(), |part| chunk.cost(part) >= wanted.saturating_sub(bytes))
                }
            };
            if go == 0 {
                break;
            }
            bytes += chunk.cost(index..index + go);
            lines += go as u64;
            self.first.0 += go as u64;
            if go < rest.len() {
                break;
            }
            if let Some((_, chunk)) = self.chunks.pop_front() {
                spare.give(chunk);
            }
        }
        self.bytes -= bytes;
        (lines, bytes)
    }

    /// Lines `from..=to`, as far as they are kept.
    pub(super) fn parts(&self, from: Seq, to: Seq) -> impl Iterator<Item = Part> {
        let (from, to) = (from.max(self.first), to.min(self.last));
        let start = self.chunks.partition_point(|(first, chunk)| first.0 + chunk.len() as u64 <= from.0);
        self.chunks.range(start..).take_while(move |(first, _)| *first <= to && from <= to).map(
            move |(first, chunk)| {
                let position = |seq: u64| usize::try_from(seq - first.0).unwrap_or(usize::MAX);
                let begin = from.max(*first);
                let end = position(to.0 + 1).min(chunk.len());
                Part {
                    process: self.process,
                    chunk: Arc::clone(chunk),
                    lines: position(begin.0)..end,
                    first: begin,
                    position: begin,
                }
            },
        )
    }
}

/// How many of these lines, from the first on, it takes until it is enough; all when it never is.
fn least(lines: Range<usize>, enough: impl Fn(Range<usize>) -> bool) -> usize {
    if enough(lines.start..lines.start) {
        return 0;
    }
    let (mut few, mut many) = (0, lines.len());
    while many - few > 1 {
        let middle = usize::midpoint(few, many);
        if enough(lines.start..lines.start + middle) { many = middle } else { few = middle }
    }
    many
}
