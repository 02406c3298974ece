//! One process's lines, runs and headlines. Pure: no clock, no tokio.

use std::{collections::VecDeque, sync::Arc};

use super::{
    Cleaner, Group, Headline, Kept, Part, RunMark,
    addresses::Addresses,
    facts::Facts,
    intake::Intake,
    lines::{Excess, Lines},
    spare::Spare,
    style::StyleTable,
};
use crate::{
    event::{ProcessId, RunId, Seq, Timestamp, Url},
    locate::{Finding, Place, Role, Scanner, Severity},
    process::Stream,
    resource::catch_panic,
};

/// Starts of runs kept per process.
const RUNS: usize = 100;

/// Groups of stack frames kept per process.
const GROUPS: usize = 200;

/// See the module.
pub(super) struct ProcessLog {
    process: ProcessId,
    lines: Lines,
    runs: VecDeque<RunMark>,
    /// The present run, and which start it is.
    run: RunId,
    number: u32,
    headlines: VecDeque<Headline>,
    groups: VecDeque<Group>,
    /// How many of them are kept.
    max_headlines: usize,
    /// Distinct errors of the present run.
    errors: u32,
    addresses: Addresses,
    scanner: Scanner,
    out: Cleaner,
    err: Cleaner,
}

/// What the logs of all processes have in common.
pub(super) struct Shared {
    pub(super) styles: Arc<StyleTable>,
    pub(super) spare: Spare,
    /// The number of the newest headline.
    pub(super) headline_ids: u64,
    /// Whether errors are looked for.
    pub(super) classify: bool,
    /// A line of more bytes is marked as long.
    pub(super) max_line: usize,
}

/// What a batch added.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Added {
    pub(super) first: Seq,
    pub(super) count: u64,
    pub(super) text: u64,
    pub(super) cost: usize,
    /// Lines longer than usual.
    pub(super) long: u64,
    /// New headlines, oldest first.
    pub(super) headlines: usize,
    /// There are new addresses.
    pub(super) urls: bool,
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
            lines: Lines::new(process),
            runs: VecDeque::new(),
            run: RunId(0),
            number: 0,
            headlines: VecDeque::new(),
            groups: VecDeque::new(),
            max_headlines: max_headlines.max(1),
            errors: 0,
            addresses: Addresses::default(),
            scanner: Scanner::new(),
            out: Cleaner::default(),
            err: Cleaner::default(),
        }
    }

    pub(super) fn process(&self) -> ProcessId {
        self.process
    }

    pub(super) fn first(&self) -> Seq {
        self.lines.first()
    }

    pub(super) fn last(&self) -> Seq {
        self.lines.last()
    }

    pub(super) fn kept(&self) -> u64 {
        self.lines.kept()
    }

    pub(super) fn errors(&self) -> u32 {
        self.errors
    }

    pub(super) fn headlines(&self) -> &VecDeque<Headline> {
        &self.headlines
    }

    pub(super) fn groups(&self) -> &VecDeque<Group> {
        &self.groups
    }

    pub(super) fn begin(&mut self, run: RunId, number: u32, at: Timestamp) {
        self.run = run;
        self.number = number;
        self.errors = 0;
        self.scanner = Scanner::new();
        self.addresses.begin();
        self.out = Cleaner::default();
        self.err = Cleaner::default();
        if self.runs.len() == RUNS {
            self.runs.pop_front();
        }
        self.runs.push_back(RunMark { seq: Seq(self.last().0 + 1), run, number, process: self.process, at });
    }

    /// Adds the lines of a batch, and looks for errors in them if it is to classify.
    pub(super) fn append(
        &mut self,
        text: &[u8],
        cut: &[(u32, u64)],
        facts: Facts,
        shared: &mut Shared,
    ) -> Added {
        let lines = &mut self.lines;
        let (last, bytes, taken) = (lines.last(), lines.bytes(), lines.taken());
        let cleaner = if facts.stream == Stream::Out { &mut self.out } else { &mut self.err };
        let Shared { styles, spare, max_line, .. } = shared;
        let mut intake = Intake { lines, cleaner, styles, spare, facts, max_line: *max_line, long: 0 };
        let panicked = intake.take(text, cut);
        let long = intake.long;
        let mut added = Added {
            first: Seq(last.0 + 1),
            count: lines.last().0 - last.0,
            text: lines.taken() - taken,
            cost: lines.bytes() - bytes,
            long,
            panicked,
            ..Added::default()
        };
        // What an escaped child of an old run prints says nothing about the present one.
        if facts.run == self.run {
            added.unclassified = added.count;
            if shared.classify {
                self.classify(&mut added, &mut shared.headline_ids);
            }
        }
        added
    }

    /// Looks for errors in the lines that were added. After a panic what was found before it counts, and the next batch
    /// is looked at without what came before.
    fn classify(&mut self, added: &mut Added, next_id: &mut u64) {
        let (mut found, first) = (Vec::new(), added.first);
        let Self { lines, scanner, addresses, .. } = self;
        let looked = catch_panic(|| {
            for part in lines.parts(first, lines.last()) {
                #[cfg(test)]
                super::planted::panic_looking(part.block());
                scanner.lines(part.first, part.block(), part.newlines(), &mut found);
                added.urls |= addresses.look(&part);
                added.unclassified -= part.lines.len() as u64;
            }
        });
        if let Err(said) = looked {
            scanner.reset();
            added.panicked = Some(said);
        }
        added.headlines = self.keep(found, self.run, next_id);
        self.keep_groups(next_id);
    }

    fn keep_groups(&mut self, next_id: &mut u64) {
        for frames in self.scanner.take_frames() {
            *next_id += 1;
            if self.groups.len() >= GROUPS {
                self.groups.pop_front();
            }
            self.groups.push_back(Group { id: *next_id, process: self.process, frames });
        }
    }

    /// Addresses the present run has printed.
    pub(super) fn urls(&self) -> Arc<[Url]> {
        self.addresses.urls()
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
        self.keep_groups(next_id);
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
        self.lines.capacity()
    }

    /// The first error among the newest headlines.
    pub(super) fn first_error(&self, newest: usize) -> Option<(Seq, Arc<str>)> {
        let new = self.headlines.iter().skip(self.headlines.len().saturating_sub(newest));
        let mut errors = new.filter(|headline| headline.severity == Severity::Error);
        errors.next().map(|headline| (headline.seq, Arc::clone(&headline.message)))
    }

    pub(super) fn bytes(&self) -> usize {
        self.lines.bytes()
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

    /// Drops the oldest lines until so much has gone. Returns how many lines and bytes went.
    pub(super) fn evict(&mut self, excess: Excess, spare: &mut Spare) -> (u64, usize) {
        self.lines.evict(excess, spare)
    }

    /// What nobody can see any more goes once a batch.
    pub(super) fn forget(&mut self) {
        while self.headlines.front().is_some_and(|headline| headline.seq < self.lines.first()) {
            self.headlines.pop_front();
        }
        while self.groups.front().is_some_and(|group| group.frames.last < self.lines.first()) {
            self.groups.pop_front();
        }
    }

    /// Lines `from..=to`, as far as they are kept.
    pub(super) fn parts(&self, from: Seq, to: Seq) -> impl Iterator<Item = Part> {
        self.lines.parts(from, to)
    }

    /// Everything, for whoever takes long to look at it.
    pub(super) fn kept_now(&self) -> Kept {
        let (first, last) = (self.first(), self.last());
        let parts = self.lines.parts(first, last).collect();
        Kept { process: self.process, first, last, parts, runs: self.runs(first, last).cloned().collect() }
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
