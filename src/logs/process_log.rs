//! One process's lines, runs and headlines. Pure: no clock, no tokio.

use std::{collections::VecDeque, sync::Arc};

use super::{Chunk, Cleaner, Headline, Part, RunMark, chunk::Facts, style::StyleTable};
use crate::{
    event::{ProcessId, RunId, Seq, Timestamp},
    locate::{Finding, Place, Role, Scanner, Severity},
    process::Stream,
};

/// Starts of runs kept per process.
const RUNS: usize = 100;

/// See the module.
pub(super) struct ProcessLog {
    process: ProcessId,
    /// Oldest first. Only the last one grows, and only while nobody reads it.
    chunks: VecDeque<(Seq, Arc<Chunk>)>,
    /// The oldest line kept. Lines before it may still lie in the first chunk.
    first: Seq,
    /// The newest line.
    last: Seq,
    bytes: usize,
    runs: VecDeque<RunMark>,
    /// The present run, and which start it is.
    run: RunId,
    number: u32,
    headlines: VecDeque<Headline>,
    /// How many of them are kept.
    max_headlines: usize,
    /// Distinct errors of the present run.
    errors: u32,
    scanner: Scanner,
    out: Cleaner,
    err: Cleaner,
}

/// What a batch added.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Added {
    pub(super) first: Seq,
    pub(super) count: u64,
    pub(super) text: u64,
    pub(super) cost: usize,
    /// New headlines, oldest first.
    pub(super) headlines: usize,
}

// === impl ProcessLog ===

impl ProcessLog {
    pub(super) fn new(process: ProcessId, max_headlines: usize) -> Self {
        Self {
            process,
            chunks: VecDeque::new(),
            first: Seq(1),
            last: Seq(0),
            bytes: 0,
            runs: VecDeque::new(),
            run: RunId(0),
            number: 0,
            headlines: VecDeque::new(),
            max_headlines: max_headlines.max(1),
            errors: 0,
            scanner: Scanner::new(),
            out: Cleaner::default(),
            err: Cleaner::default(),
        }
    }

    pub(super) fn process(&self) -> ProcessId {
        self.process
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

    pub(super) fn errors(&self) -> u32 {
        self.errors
    }

    pub(super) fn headlines(&self) -> &VecDeque<Headline> {
        &self.headlines
    }

    pub(super) fn begin(&mut self, run: RunId, number: u32, at: Timestamp) {
        self.run = run;
        self.number = number;
        self.errors = 0;
        self.scanner = Scanner::new();
        self.out = Cleaner::default();
        self.err = Cleaner::default();
        if self.runs.len() == RUNS {
            self.runs.pop_front();
        }
        self.runs.push_back(RunMark { seq: Seq(self.last.0 + 1), run, number, process: self.process, at });
    }

    /// Adds the lines of a batch.
    pub(super) fn append(
        &mut self,
        text: &[u8],
        cut: &[(u32, u64)],
        facts: Facts,
        styles: &mut Arc<StyleTable>,
        next_id: &mut u64,
    ) -> Added {
        let mut added = Added { first: Seq(self.last.0 + 1), ..Added::default() };
        let mut found = Vec::new();
        let mut start = 0;
        let mut cut = cut.iter().copied().peekable();
        for (number, end) in (0_u32..).zip(memchr::memchr_iter(b'\n', text)) {
            let whole = cut.next_if(|(line, _)| *line == number).map(|(_, whole)| whole);
            let raw = &text[start..end];
            start = end + 1;
            self.last.0 += 1;
            let last = self.last;
            let cleaner = if facts.stream == Stream::Out { &mut self.out } else { &mut self.err };
            let chunk = open_chunk(&mut self.chunks, last);
            chunk.push(facts, whole, |text, spans| cleaner.clean(raw, text, spans, styles));
            let index = chunk.len() - 1;
            let cost = chunk.cost(index);
            added.cost += cost;
            added.text += chunk.text(index).len() as u64;
            added.count += 1;
            // What an escaped child of an old run prints says nothing about the present one.
            if facts.run == self.run {
                self.scanner.line(last, &String::from_utf8_lossy(chunk.text(index)), &mut found);
            }
        }
        self.bytes += added.cost;
        added.headlines = self.keep(found, facts.run, next_id);
        added
    }

    /// The run is over: what the scanner still held back is told. Returns how many headlines that were.
    pub(super) fn finish(&mut self, run: RunId, next_id: &mut u64) -> usize {
        let mut found = Vec::new();
        if run == self.run {
            self.scanner.finish(&mut found);
        }
        self.keep(found, run, next_id)
    }

    /// The first error among the newest headlines.
    pub(super) fn first_error(&self, newest: usize) -> Option<(Seq, Arc<str>)> {
        let new = self.headlines.iter().skip(self.headlines.len().saturating_sub(newest));
        let mut errors = new.filter(|headline| headline.severity == Severity::Error);
        errors.next().map(|headline| (headline.seq, Arc::clone(&headline.message)))
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn keep(&mut self, found: Vec<Finding>, run: RunId, next_id: &mut u64) -> usize {
        let mut new = 0;
        for finding in found.into_iter().filter(|finding| finding.role == Role::Headline) {
            // A headline is told again when its place has become known.
            if let Some(known) =
                self.headlines.iter_mut().rev().take(8).find(|known| known.seq == finding.seq)
            {
                known.place = finding.place.or(known.place.take());
                continue;
            }
            let again = self.headlines.iter().rev().take_while(|known| known.run == run).any(|known| {
                let same_words = *known.message == *finding.message && known.place.is_some();
                known.group == finding.group || (same_words && is_same_place(&known.place, &finding.place))
            });
            if finding.severity == Severity::Error && !again {
                self.errors += 1;
            }
            *next_id += 1;
            if self.headlines.len() == self.max_headlines {
                self.headlines.pop_front();
            }
            new += 1;
            self.headlines.push_back(Headline {
                id: *next_id,
                process: self.process,
                run,
                number: self.number,
                seq: finding.seq,
                severity: finding.severity,
                message: finding.message.into(),
                rule: finding.rule,
                place: finding.place,
                group: finding.group,
            });
        }
        new
    }

    /// Drops the oldest line; its cost comes back.
    pub(super) fn evict(&mut self) -> usize {
        let Some((first, chunk)) = self.chunks.front() else { return 0 };
        let index = usize::try_from(self.first.0 - first.0).unwrap_or(usize::MAX);
        let cost = chunk.cost(index);
        if index + 1 == chunk.len() {
            self.chunks.pop_front();
        }
        self.first.0 += 1;
        self.bytes -= cost;
        cost
    }

    /// What nobody can see any more goes once a batch.
    pub(super) fn forget(&mut self) {
        while self.headlines.front().is_some_and(|headline| headline.seq < self.first) {
            self.headlines.pop_front();
        }
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

    /// Runs whose first line lies in `from..=to`.
    pub(super) fn runs(&self, from: Seq, to: Seq) -> impl Iterator<Item = &RunMark> {
        self.runs.iter().filter(move |run| from <= run.seq && run.seq <= to)
    }
}

/// Whether two places are one, wherever on their lines they stand.
fn is_same_place(one: &Option<Place>, other: &Option<Place>) -> bool {
    let essence =
        |place: &Option<Place>| place.as_ref().map(|place| (place.file.clone(), place.line, place.col));
    essence(one) == essence(other)
}

/// The chunk that takes the line `next`.
fn open_chunk(chunks: &mut VecDeque<(Seq, Arc<Chunk>)>, next: Seq) -> &mut Chunk {
    let usable =
        chunks.back_mut().is_some_and(|(_, chunk)| Arc::get_mut(chunk).is_some_and(|chunk| !chunk.is_full()));
    if !usable {
        chunks.push_back((next, Arc::default()));
    }
    let (_, chunk) = chunks.back_mut().expect("one was pushed if there was none");
    Arc::get_mut(chunk).expect("nobody else holds a chunk that has just been made or just been checked")
}
