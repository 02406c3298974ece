//! Looks through what a log keeps: window by window, so that what is found can be shown, and the work ended, before
//! all of it has been looked through. Pure: no clock, no tokio.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
};

use super::{Block, Facts, Filter};
use crate::{
    event::{ProcessId, Seq},
    locate::Level,
    logs::{Chunk, Headline, Line, Part, Snapshot, Stretch, Which},
};

/// Lines of a window: some milliseconds of work.
const WINDOW: u64 = if cfg!(test) { 64 } else { 64 << 10 };

/// What is looked for, and where.
pub struct Look {
    filter: Filter,
    /// What is kept, as it was when the search began.
    snapshot: Snapshot,
    /// Whose lines may pass, and where they lie in the snapshot.
    logs: HashMap<ProcessId, usize>,
    /// How bad headlines are, if that is asked for.
    levels: HashMap<(ProcessId, Seq), Level>,
    /// The lines in their order: one stretch in the log of a process.
    order: Vec<Stretch>,
}

/// A line that passed: where it lies in the snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// Its number in the log that was looked through.
    pub position: Seq,
    /// Its number in its process's log.
    pub seq: Seq,
    log: usize,
    part: usize,
    line: usize,
}

/// Lines of one process, and how far their numbers in the log are from those in the process's.
struct Piece {
    log: usize,
    seqs: Range<u64>,
    first: u64,
}

// === impl Look ===

impl Look {
    /// Looks for what passes `filter` in the logs that `wanted` names: it says what a process is called, or nothing.
    pub fn new(
        filter: Filter,
        snapshot: Snapshot,
        headlines: &[Headline],
        wanted: impl Fn(ProcessId) -> Option<Arc<str>>,
    ) -> Self {
        let admitted = snapshot.logs.iter().enumerate().filter_map(|(at, log)| {
            let label = wanted(log.process)?;
            filter.admits(&label).then_some((log.process, at))
        });
        let logs = admitted.collect();
        let levels = headlines.iter().filter(|_| filter.asks_level());
        let levels = levels.map(|it| ((it.process, it.seq), it.severity.into())).collect();
        let order = match (snapshot.which, snapshot.logs.first()) {
            (Which::Process(process), Some(log)) => {
                let count = log.last.0 + 1 - log.first.0;
                vec![Stretch { first: log.first, process, from: log.first, count }]
            }
            (Which::Process(_), None) => Vec::new(),
            (Which::Merged, _) => snapshot.order.clone(),
        };
        Self { filter, snapshot, logs, levels, order }
    }

    /// What is looked for.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What is looked through.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The number of a process's line in the log, if the log has it.
    pub fn position(&self, process: ProcessId, seq: Seq) -> Option<Seq> {
        let holds =
            |it: &&Stretch| it.process == process && (it.from.0..it.from.0 + it.count).contains(&seq.0);
        let stretch = self.order.iter().rev().find(holds)?;
        Some(Seq(stretch.first.0 + (seq.0 - stretch.from.0)))
    }

    /// From where on every line that is asked for is kept: the position of the first, its process and its number there.
    /// `asked` says of which processes that has to be so.
    pub fn whole_from(&self, asked: impl Fn(ProcessId) -> bool) -> Option<(Seq, ProcessId, Seq)> {
        let (mut whole, mut next) = (None, None);
        for it in self.order.iter().rev() {
            let forgotten = next.is_some_and(|next| it.first.0 + it.count != next);
            if forgotten {
                break;
            }
            next = Some(it.first.0);
            if !asked(it.process) {
                continue;
            }
            let kept = self.snapshot.of(it.process).map_or(u64::MAX, |log| log.first.0);
            let gone = kept.saturating_sub(it.from.0);
            if gone < it.count {
                whole = Some((Seq(it.first.0 + gone), it.process, Seq(it.from.0 + gone)));
            }
            if gone > 0 {
                break;
            }
        }
        whole
    }

    /// Where the lines are that lie before a position, as windows, the newest first.
    pub fn windows(
        &self,
        before: Seq,
    ) -> impl DoubleEndedIterator<Item = Range<u64>> + ExactSizeIterator + use<> {
        let first = self.order.first().map_or(0, |stretch| stretch.first.0);
        let end = self.order.last().map_or(first, |stretch| stretch.first.0 + stretch.count).min(before.0);
        let count = u32::try_from(end.saturating_sub(first).div_ceil(WINDOW)).unwrap_or(u32::MAX);
        (0..count).map(move |at| {
            let end = end - u64::from(at) * WINDOW;
            first.max(end.saturating_sub(WINDOW))..end
        })
    }

    /// The lines of a window that pass, in order.
    pub fn window(&self, positions: Range<u64>) -> Vec<Found> {
        let mut found = Vec::new();
        // Of one process these come one after the other, however often others came between, so that they are looked
        // through together.
        let mut pieces: BTreeMap<usize, Vec<Piece>> = BTreeMap::new();
        let start = self.order.partition_point(|it| it.first.0 + it.count <= positions.start);
        for stretch in self.order[start..].iter().take_while(|it| it.first.0 < positions.end) {
            let Some(&log) = self.logs.get(&stretch.process) else { continue };
            let skipped = positions.start.saturating_sub(stretch.first.0);
            let end = stretch.count.min(positions.end - stretch.first.0);
            let seqs = stretch.from.0 + skipped..stretch.from.0 + end;
            pieces.entry(log).or_default().push(Piece { log, seqs, first: stretch.first.0 + skipped });
        }
        let alone = pieces.len() < 2;
        for pieces in pieces.values() {
            self.of_one(pieces, &mut found);
        }
        if !alone {
            found.sort_unstable_by_key(|found| found.position);
        }
        found
    }

    /// The lines of one process that pass.
    fn of_one(&self, pieces: &[Piece], found: &mut Vec<Found>) {
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return };
        let kept = &self.snapshot.logs[first.log];
        let (from, to) = (first.seqs.start.max(kept.first.0), last.seqs.end);
        let (mut indexes, mut pieces) = (Vec::new(), pieces.iter().peekable());
        let start = kept.parts.partition_point(|part| part.first.0 + part.lines.len() as u64 <= from);
        for (at, part) in kept.parts.iter().enumerate().skip(start).take_while(|(_, part)| part.first.0 < to)
        {
            let place =
                |seq: u64| part.lines.start + usize::try_from(seq - part.first.0).unwrap_or(usize::MAX);
            let end = part.first.0 + part.lines.len() as u64;
            let lines = place(from.max(part.first.0))..place(to.min(end));
            indexes.clear();
            self.of_part(part, lines.clone(), &mut indexes);
            for index in &indexes {
                let line = lines.start + index;
                let seq = part.first.0 + (line - part.lines.start) as u64;
                while pieces.peek().is_some_and(|piece| piece.seqs.end <= seq) {
                    pieces.next();
                }
                // What the order has forgotten is not of this log any more.
                let Some(piece) = pieces.peek().filter(|piece| piece.seqs.start <= seq) else { continue };
                let position = Seq(piece.first + (seq - piece.seqs.start));
                found.push(Found { position, seq: Seq(seq), log: piece.log, part: at, line });
            }
        }
    }

    /// Which of these lines of a part pass, counted from the first of them.
    fn of_part(&self, part: &Part, lines: Range<usize>, found: &mut Vec<usize>) {
        let chunk = &part.chunk;
        let times = chunk.times(lines.clone()).filter(|_| !lines.is_empty());
        if times.is_none_or(|(first, last)| !self.filter.admits_times(first, last)) {
            return;
        }
        let base = u32::try_from(chunk.start(lines.start)).unwrap_or(u32::MAX);
        let block = Block::new(chunk.block(lines.clone()), &chunk.ends()[lines.clone()], base);
        let facts = |index: usize| {
            let Line { at, stream, .. } = chunk.line(lines.start + index);
            let seq = Seq(part.first.0 + (lines.start + index - part.lines.start) as u64);
            Facts { at, stream, level: self.levels.get(&(part.process, seq)).copied() }
        };
        self.filter.lines(&block, &facts, found);
    }

    /// The chunk that holds a line, and the line in it.
    pub fn line(&self, found: &Found) -> (ProcessId, &Arc<Chunk>, usize) {
        let log = &self.snapshot.logs[found.log];
        (log.process, &log.parts[found.part].chunk, found.line)
    }

    /// The lines as parts, those that come one after the other together.
    pub fn parts(&self, found: &[Found]) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for line in found {
            let (process, chunk, index) = self.line(line);
            if let Some(last) = parts.last_mut()
                && Arc::ptr_eq(&last.chunk, chunk)
                && last.lines.end == index
                && last.position.0 + last.lines.len() as u64 == line.position.0
            {
                last.lines.end += 1;
                continue;
            }
            let (chunk, lines) = (Arc::clone(chunk), index..index + 1);
            parts.push(Part { process, chunk, lines, first: line.seq, position: line.position });
        }
        parts
    }
}
