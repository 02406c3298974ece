//! One process's lines, runs and headlines. Pure: no clock, no tokio.

use std::{collections::VecDeque, sync::Arc};

use super::{Chunk, Cleaner, Headline, Part, RunMark, chunk::Facts, style::StyleTable};
use crate::{
    event::{ProcessId, RunId, Seq, Timestamp},
    locate::{Finding, Place, Role, Scanner, Severity},
    process::Stream,
    resource::catch_panic,
};

/// Starts of runs kept per process.
const RUNS: usize = 100;

/// How many chunks are looked at for one to seal when a new one is begun: readers hold one for the time of an answer,
/// so it is mostly the last one.
const LEFT: usize = 8;

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
    /// Lines in which no errors were looked for though they are of the present run.
    pub(super) unclassified: u64,
    /// What a panic said, if there was one. The lines are kept all the same.
    pub(super) panicked: Option<Arc<str>>,
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

    /// Adds the lines of a batch, and looks for errors in them if it is to classify.
    pub(super) fn append(
        &mut self,
        text: &[u8],
        cut: &[(u32, u64)],
        facts: Facts,
        classify: bool,
        styles: &mut Arc<StyleTable>,
        next_id: &mut u64,
    ) -> Added {
        let mut added = Added { first: Seq(self.last.0 + 1), ..Added::default() };
        let mut start = 0;
        let mut cut = cut.iter().copied().peekable();
        for (number, end) in (0_u32..).zip(memchr::memchr_iter(b'\n', text)) {
            let whole = cut.next_if(|(line, _)| *line == number).map(|(_, whole)| whole);
            let raw = &text[start..end];
            start = end + 1;
            let cleaner = if facts.stream == Stream::Out { &mut self.out } else { &mut self.err };
            let chunk = open_chunk(&mut self.chunks, Seq(self.last.0 + 1));
            let cleaned = catch_panic(|| {
                chunk.push(facts, whole, |text, spans| {
                    #[cfg(test)]
                    super::planted::panic_cleaning(raw);
                    cleaner.clean(raw, text, spans, styles);
                });
            });
            if let Err(said) = cleaned {
                *cleaner = Cleaner::default();
                chunk.push(facts, whole, |text, _| text.extend_from_slice(raw));
                added.panicked = Some(said);
            }
            self.last.0 += 1;
            let index = chunk.len() - 1;
            added.cost += chunk.cost(index);
            added.text += chunk.text(index).len() as u64;
            added.count += 1;
        }
        self.bytes += added.cost;
        // What an escaped child of an old run prints says nothing about the present one.
        if facts.run == self.run {
            added.unclassified = added.count;
            if classify {
                self.classify(&mut added, next_id);
            }
        }
        added
    }

    /// Looks for errors in the lines that were added. After a panic what was found before it counts, and the next batch
    /// is looked at without what came before.
    fn classify(&mut self, added: &mut Added, next_id: &mut u64) {
        let (mut found, first) = (Vec::new(), added.first);
        let Self { chunks, scanner, .. } = self;
        let start = chunks.partition_point(|(begin, chunk)| begin.0 + chunk.len() as u64 <= first.0);
        let looked = catch_panic(|| {
            for (begin, chunk) in chunks.range(start..) {
                let skipped = usize::try_from(first.0.saturating_sub(begin.0)).unwrap_or(usize::MAX);
                for (index, seq) in (0..chunk.len()).zip(begin.0..).skip(skipped) {
                    let line = String::from_utf8_lossy(chunk.text(index));
                    #[cfg(test)]
                    super::planted::panic_looking(&line);
                    scanner.line(Seq(seq), &line, &mut found);
                    added.unclassified -= 1;
                }
            }
        });
        if let Err(said) = looked {
            scanner.reset();
            added.panicked = Some(said);
        }
        added.headlines = self.keep(found, self.run, next_id);
    }

    /// The run is over, or nobody looks for errors from now on: what the scanner still held back is told. Returns how
    /// many headlines that were.
    ///
    /// # Errors
    /// What a panic said.
    pub(super) fn finish(&mut self, run: RunId, next_id: &mut u64) -> Result<usize, Arc<str>> {
        let mut found = Vec::new();
        let scanner = &mut self.scanner;
        let finished = catch_panic(|| {
            if run == self.run {
                scanner.finish(&mut found);
            }
        });
        if finished.is_err() {
            self.scanner.reset();
        }
        let kept = self.keep(found, run, next_id);
        finished.map(|()| kept)
    }

    pub(super) fn run(&self) -> RunId {
        self.run
    }

    /// Keeps so many headlines from now on.
    pub(super) fn set_max_headlines(&mut self, max: usize) {
        self.max_headlines = max.max(1);
        self.headlines.drain(..self.headlines.len().saturating_sub(self.max_headlines));
        self.headlines.shrink_to(self.max_headlines);
    }

    /// Bytes its chunks take, used or not.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.chunks.iter().map(|(_, chunk)| chunk.capacity()).sum()
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
            if self.headlines.len() >= self.max_headlines {
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
        for (_, chunk) in chunks.iter_mut().rev().take(LEFT) {
            if let Some(chunk) = Arc::get_mut(chunk) {
                chunk.seal();
            }
        }
        chunks.push_back((next, Arc::default()));
    }
    let (_, chunk) = chunks.back_mut().expect("one was pushed if there was none");
    Arc::get_mut(chunk).expect("nobody else holds a chunk that has just been made or just been checked")
}
