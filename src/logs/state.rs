//! All logs and their common bounds. Pure: no clock, no tokio.

use std::{collections::HashMap, sync::Arc};

use super::{
    Counts, Group, Headline, Mark, Part, Query, Slice, Snapshot, Which,
    facts::Facts,
    lines::Excess,
    merged::Merged,
    process_log::{Added, ProcessLog, Shared},
    spare::Spare,
};
use crate::event::{ProcessId, RunId, Seq, Timestamp, Url};

/// What the store holds at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Lines of all processes together.
    pub(super) lines: usize,
    /// Their bytes, with what is kept about them.
    pub(super) bytes: usize,
    /// Headlines of one process.
    pub(super) headlines: usize,
    /// A line of more bytes is marked as long.
    pub(super) line: usize,
}

/// The writer's state.
pub(super) struct State {
    limits: Limits,
    logs: HashMap<ProcessId, ProcessLog>,
    merged: Merged,
    shared: Shared,
    counts: Counts,
    bytes: usize,
}

/// What a batch brought, for the events that tell of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Appended {
    pub(super) first: Seq,
    pub(super) last: Seq,
    /// The first new error headline.
    pub(super) error: Option<(Seq, Arc<str>)>,
    pub(super) errors: u32,
    /// All addresses of the run, where there are new ones.
    pub(super) urls: Option<Arc<[Url]>>,
    /// Lines in which no errors were looked for.
    pub(super) unclassified: u64,
    /// What a panic said, if there was one.
    pub(super) panicked: Option<Arc<str>>,
}

/// What a process's scanner had held back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HeldBack {
    pub(super) process: ProcessId,
    pub(super) run: RunId,
    /// The first new error headline.
    pub(super) error: Option<(Seq, Arc<str>)>,
    pub(super) errors: u32,
    /// What a panic said, if there was one.
    pub(super) panicked: Option<Arc<str>>,
}

// === impl State ===

impl State {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            logs: HashMap::new(),
            merged: Merged::new(limits.lines),
            shared: Shared {
                styles: Arc::default(),
                spare: Spare::default(),
                headline_ids: 0,
                classify: true,
                max_line: limits.line,
            },
            counts: Counts::default(),
            bytes: 0,
        }
    }

    /// Returns the last line before the run.
    pub(super) fn begin(&mut self, process: ProcessId, run: RunId, number: u32, at: Timestamp) -> Seq {
        let log = self.logs.entry(process).or_insert_with(|| ProcessLog::new(process, self.limits.headlines));
        log.begin(run, number, at);
        log.last()
    }

    pub(super) fn last(&self, process: ProcessId) -> Seq {
        self.logs.get(&process).map(ProcessLog::last).unwrap_or_default()
    }

    /// The run is over: what had been held back is told now.
    pub(super) fn finish(&mut self, process: ProcessId, run: RunId) -> Option<HeldBack> {
        let log = self.logs.get_mut(&process)?;
        let (new, panicked) = match log.finish(run, &mut self.shared.headline_ids) {
            Ok(new) => (new, None),
            Err(said) => (0, Some(said)),
        };
        let error = log.first_error(new);
        let nothing = error.is_none() && panicked.is_none();
        (!nothing).then(|| HeldBack { process, run, error, errors: log.errors(), panicked })
    }

    /// Begins or ceases to look for errors. Returns what had been held back.
    pub(super) fn set_classify(&mut self, classify: bool) -> Vec<HeldBack> {
        let ceases = std::mem::replace(&mut self.shared.classify, classify) && !classify;
        let runs: Vec<_> =
            self.logs.values().filter(|_| ceases).map(|log| (log.process(), log.run())).collect();
        runs.into_iter().filter_map(|(process, run)| self.finish(process, run)).collect()
    }

    /// Keeps so much from now on; what is over it goes at once.
    pub(super) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        self.merged.set_limit(limits.lines);
        self.shared.max_line = limits.line;
        for log in self.logs.values_mut() {
            log.set_max_headlines(limits.headlines);
        }
        self.evict();
        self.shared.spare.clear();
    }

    /// Bytes kept, with what is kept about the lines.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes the chunks take, used or not.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.logs.values().map(ProcessLog::capacity).sum()
    }

    /// Takes a batch in and evicts what has no room any more.
    pub(super) fn append(
        &mut self,
        process: ProcessId,
        text: &[u8],
        cut: &[(u32, u64)],
        facts: Facts,
    ) -> Appended {
        let log = self.logs.entry(process).or_insert_with(|| ProcessLog::new(process, self.limits.headlines));
        let Added { first, count, text: bytes, cost, long, headlines, urls, unclassified, panicked } =
            log.append(text, cut, facts, &mut self.shared);
        let (last, error, errors) = (log.last(), log.first_error(headlines), log.errors());
        let urls = urls.then(|| log.urls());
        let appended = Appended { first, last, error, errors, urls, unclassified, panicked };
        self.counts.lines += count;
        self.counts.kept += count;
        self.counts.bytes += bytes;
        self.counts.long += long;
        self.bytes += cost;
        self.merged.push(process, first, count);
        self.evict();
        appended
    }

    /// The process that holds most gives its oldest lines, so that a noisy one does not take a quiet one's.
    fn evict(&mut self) {
        let (max_lines, max_bytes) = (self.limits.lines as u64, self.limits.bytes);
        if self.counts.kept <= max_lines && self.bytes <= max_bytes {
            return;
        }
        while self.counts.kept > max_lines || self.bytes > max_bytes {
            let too_many = self.counts.kept > max_lines;
            let most = |log: &&mut ProcessLog| if too_many { log.kept() } else { log.bytes() as u64 };
            let Some(log) = self.logs.values_mut().filter(|log| log.kept() > 0).max_by_key(most) else {
                break;
            };
            // As much at once as surely comes from this one, so that the search for it is rare.
            let excess = if too_many {
                Excess::Lines((self.counts.kept - max_lines).clamp(1, (log.kept() / 2).max(1)))
            } else {
                Excess::Bytes((self.bytes - max_bytes).min(log.bytes() / 2).max(1))
            };
            let (lines, bytes) = log.evict(excess, &mut self.shared.spare);
            self.bytes -= bytes;
            self.counts.kept -= lines;
            self.counts.evicted += lines;
            log.forget();
        }
        let logs = &self.logs;
        self.merged.trim(|process| logs.get(&process).map_or(Seq(u64::MAX), ProcessLog::first));
    }

    pub(super) fn read(&self, query: &Query, marks_after: u64) -> (Slice, u64) {
        let mut slice = match query.which {
            Which::Process(process) => self.read_process(process, query),
            Which::Merged => self.read_merged(query),
        };
        slice.marks = self.marks(query, &slice, marks_after);
        slice.groups = self.groups(query, &slice, marks_after);
        slice.styles = Arc::clone(&self.shared.styles);
        (slice, self.shared.headline_ids)
    }

    pub(super) fn snapshot(&self, which: Which) -> Snapshot {
        let (logs, order, head) = match which {
            Which::Process(process) => {
                let log = self.logs.get(&process);
                (log.into_iter().map(ProcessLog::kept_now).collect(), Vec::new(), self.last(process))
            }
            Which::Merged => (
                self.logs.values().map(ProcessLog::kept_now).collect(),
                self.merged.all(),
                self.merged.head(),
            ),
        };
        Snapshot { which, logs, order, head, styles: Arc::clone(&self.shared.styles) }
    }

    /// A headline is told with its line, or later when it was found later.
    fn marks(&self, query: &Query, slice: &Slice, after: u64) -> Vec<Mark> {
        let marks = self.asked(query.which).flat_map(ProcessLog::headlines);
        let told = marks.filter(|it| is_told(query, slice, it.id > after, it.process, it.seq));
        told.map(|it| Mark { process: it.process, seq: it.seq, severity: it.severity }).collect()
    }

    /// The same for stack frames, with the last of them.
    fn groups(&self, query: &Query, slice: &Slice, after: u64) -> Vec<Group> {
        let groups = self.asked(query.which).flat_map(ProcessLog::groups);
        groups
            .filter(|it| is_told(query, slice, it.id > after, it.process, it.frames.last))
            .cloned()
            .collect()
    }

    fn asked(&self, which: Which) -> impl Iterator<Item = &ProcessLog> {
        self.logs.values().filter(move |log| match which {
            Which::Process(process) => log.process() == process,
            Which::Merged => true,
        })
    }

    fn read_process(&self, process: ProcessId, query: &Query) -> Slice {
        let Some(log) = self.logs.get(&process) else {
            return Slice { next: query.from, ..Slice::default() };
        };
        let head = log.last();
        let from = start(query, head);
        let mut taken = Taken::new(query);
        let mut parts = Vec::new();
        for part in log.parts(from, head) {
            if !taken.add(part, &mut parts) {
                break;
            }
        }
        let next = parts.last().map_or(Seq(head.0 + 1).max(from), end_of);
        let last = Seq(next.0.saturating_sub(1));
        // A run is told with its first line.
        let runs = log.runs(from, last).cloned().collect();
        Slice { parts, next, head, runs, ..Slice::default() }
    }

    fn read_merged(&self, query: &Query) -> Slice {
        let head = self.merged.head();
        let from = start(query, head);
        let mut taken = Taken::new(query);
        let mut parts = Vec::new();
        'all: for stretch in self.merged.since(from) {
            let Some(log) = self.logs.get(&stretch.process) else { continue };
            let skip = from.0.saturating_sub(stretch.first.0);
            let begin = Seq(stretch.from.0 + skip);
            let last = Seq(stretch.from.0 + stretch.count - 1);
            for mut part in log.parts(begin, last) {
                part.position = Seq(part.first.0 - stretch.from.0 + stretch.first.0);
                if !taken.add(part, &mut parts) {
                    break 'all;
                }
            }
        }
        // What is no longer kept is passed over.
        let next = if taken.full { parts.last().map_or(from, end_of) } else { Seq(head.0 + 1) };
        let runs = parts.iter().filter_map(|part| {
            let end = Seq(part.first.0 + part.lines.len() as u64 - 1);
            Some(self.logs.get(&part.process)?.runs(part.first, end).cloned())
        });
        let runs = runs.flatten().collect();
        Slice { parts, next, head, runs, ..Slice::default() }
    }

    pub(super) fn around(&self, process: ProcessId, seq: Seq, before: usize, after: usize) -> Slice {
        let query = Query {
            which: Which::Process(process),
            from: Seq(seq.0.saturating_sub(before as u64)),
            max_lines: before + after + 1,
            max_behind: usize::MAX,
            max_bytes: usize::MAX,
        };
        self.read(&query, u64::MAX).0
    }

    /// Newest run first, each run's by line.
    pub(super) fn headlines(&self) -> Vec<Headline> {
        let mut all: Vec<_> = self.logs.values().flat_map(ProcessLog::headlines).cloned().collect();
        all.sort_by_key(|headline| (std::cmp::Reverse(headline.run), headline.seq));
        all
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }
}

/// Whether what was found on a line is told with this slice: its line is in it, or it is `new` and its line was read before.
fn is_told(query: &Query, slice: &Slice, new: bool, process: ProcessId, seq: Seq) -> bool {
    match query.which {
        Which::Process(asked) => process == asked && seq < slice.next && (new || seq >= query.from),
        Which::Merged => new || slice.parts.iter().any(|part| part.process == process && part.holds(seq)),
    }
}

/// Where a query begins, given the newest line.
fn start(query: &Query, head: Seq) -> Seq {
    let behind = (head.0 + 1).saturating_sub(query.from.0);
    if behind > query.max_behind as u64 {
        Seq(head.0 + 1 - query.max_behind as u64)
    } else {
        query.from.max(Seq(1))
    }
}

fn end_of(part: &Part) -> Seq {
    Seq(part.position.0 + part.lines.len() as u64)
}

/// What is still wanted of a query.
struct Taken {
    lines: usize,
    bytes: usize,
    full: bool,
}

// === impl Taken ===

impl Taken {
    fn new(query: &Query) -> Self {
        Self { lines: query.max_lines, bytes: query.max_bytes, full: false }
    }

    /// Adds as much of `part` as there is room for, at least one line overall; false when that was not all.
    fn add(&mut self, mut part: Part, parts: &mut Vec<Part>) -> bool {
        let mut count = 0;
        for index in part.lines.clone() {
            let size = part.chunk.cost(index..index + 1);
            if self.lines == 0 || (self.bytes < size && !(parts.is_empty() && count == 0)) {
                self.full = true;
                break;
            }
            self.lines -= 1;
            self.bytes = self.bytes.saturating_sub(size);
            count += 1;
        }
        part.lines.end = part.lines.start + count;
        if count > 0 {
            parts.push(part);
        }
        !self.full
    }
}
