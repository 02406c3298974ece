//! The task of a filtered buffer: looks at what is new, whenever it is sent to, and keeps what passes ready as patches.

use std::{
    collections::{HashMap, VecDeque},
    path::Path,
    sync::{Arc, atomic::Ordering::Release},
};

use super::{
    Handles,
    filtered::Asked,
    frame::{LogPatch, RunRow},
    outbox::{Outbox, add_marks},
    patch::{self, LIMIT_BYTES},
    scope::Scope,
    sent::{Place, Sent},
};
use crate::{
    event::{Component, ProcessId, Seq},
    locate::Level,
    logs::{Line, Mark, Part, Query, RunMark, Slice, StyleTable, Which},
    search::{Block, Facts, Filter, Look, Searcher},
    sync::Notify,
};

/// Lines of a patch.
const LINES: usize = 500;

/// Lines that are looked at between two questions to the store.
const STEP: usize = 64 << 10;

/// The task of a buffer.
pub(super) struct Sieve {
    handles: Handles,
    searcher: Searcher,
    asked: Asked,
    outbox: Arc<Outbox>,
    /// Lines that passed so far.
    passed: u64,
    /// The buffer is to be emptied.
    fresh: bool,
    /// Runs that have begun and of which no line has passed.
    runs: Vec<RunMark>,
    sent: Sent,
}

/// How far a log has been looked at.
struct Reached {
    which: Which,
    next: Seq,
    marks: u64,
}

// === impl Sieve ===

impl Sieve {
    pub(super) fn new(handles: Handles, searcher: Searcher, asked: Asked, outbox: Arc<Outbox>) -> Self {
        let sent = Sent::new(asked.max);
        Self { handles, searcher, asked, outbox, passed: 0, fresh: true, runs: Vec::new(), sent }
    }

    /// Looks whenever it is sent to.
    pub(super) async fn run(mut self, news: Arc<Notify>) {
        let mut reached = None;
        loop {
            let look = self.outbox.wanted().await;
            if reached.is_none() {
                reached = self.begin().await;
            }
            if let Some(reached) = &mut reached {
                self.follow(reached).await;
            }
            self.outbox.passed.store(self.passed, Release);
            self.outbox.looked(look);
            news.notify_one();
        }
    }

    /// What is kept when it begins: the newest lines that pass, and how many do. Nothing when there is no such log yet.
    async fn begin(&mut self) -> Option<Reached> {
        let Asked { root, name, filter, max, .. } = &self.asked;
        let scope = Scope::of(&self.handles, root.as_deref(), name.as_deref()).ok()?;
        if name.is_some() && scope.which == Which::Merged {
            return None;
        }
        let look = Arc::new(scope.look(&self.handles, filter.clone()).await.ok()?);
        let (mut newest, mut total, max) = (Vec::new(), 0, *max);
        let window = |found: Vec<_>| {
            total += found.len() as u64;
            newest.extend(found.into_iter().rev().take(max - newest.len()));
            true
        };
        self.searcher.newest_first(&look, Seq(u64::MAX), window).await;
        newest.reverse();
        let next = Seq(look.snapshot().head.0 + 1);
        let runs = look.snapshot().logs.iter().flat_map(|log| log.runs.iter().cloned());
        self.runs = runs.collect();
        let styles = Arc::clone(&look.snapshot().styles);
        let skipped = total - newest.len() as u64;
        let parts = look.parts(&newest);
        let kept = look.snapshot().len();
        self.passed = total;
        self.push(scope.which, parts, skipped, signed(kept - total), &styles);
        // Marks of what is shown already.
        let query = Query { which: scope.which, from: next, max_lines: 1, max_behind: 0, max_bytes: 0 };
        let (slice, _) = self.handles.logs.read(query, 0).await.ok()?;
        self.mark(scope.which, &slice.marks);
        Some(Reached { which: scope.which, next, marks: 0 })
    }

    /// What has come since, up to what there was when it began: the next look is for what comes meanwhile.
    async fn follow(&mut self, reached: &mut Reached) {
        let mut head = None;
        loop {
            let query = Query {
                which: reached.which,
                from: reached.next,
                max_lines: STEP,
                max_behind: usize::MAX,
                max_bytes: usize::MAX,
            };
            // The store is gone only while the host ends.
            let Ok((slice, marks)) = self.handles.logs.read(query, reached.marks).await else { return };
            let (from, end) = (reached.next, slice.next > *head.get_or_insert(slice.head));
            (reached.next, reached.marks) = (slice.next, marks);
            let lost = slice.parts.first().map_or(0, |part| part.position.0.saturating_sub(from.0));
            let (sent, which) = (Arc::new(slice), reached.which);
            if !sent.parts.is_empty() {
                let Some((parts, seen)) = self.sieved(&sent, which).await else { return };
                let count: u64 = parts.iter().map(|part| part.lines.len() as u64).sum();
                self.passed += count;
                self.runs.extend(sent.runs.iter().cloned());
                self.push(which, parts, lost, signed(seen - count), &sent.styles);
            }
            let left = self.late(which, &sent).await;
            self.mark(which, &left);
            if end {
                return;
            }
        }
    }

    /// The lines of a slice that pass, and how many there were.
    async fn sieved(&self, slice: &Arc<Slice>, which: Which) -> Option<(Vec<Part>, u64)> {
        let filter = self.asked.filter.clone();
        let mut admitted: Vec<ProcessId> = slice.parts.iter().map(|part| part.process).collect();
        admitted.sort_unstable();
        admitted.dedup();
        admitted.retain(|process| self.admits(which, *process));
        let slice = Arc::clone(slice);
        let work = move || sieve(&filter, &slice, &admitted);
        self.handles.resources.blocking(Component::Rpc, "filter", work).await
    }

    /// Whether lines of a process can pass.
    fn admits(&self, which: Which, process: ProcessId) -> bool {
        let root = self.asked.root.as_deref().map(Path::new);
        self.handles.model.row(process).is_some_and(|row| {
            let here = which != Which::Merged || root.is_none_or(|root| row.info.root == root);
            here && self.asked.filter.admits(&row.info.label())
        })
    }

    /// What has turned out to be an error after its line had been looked at: where that makes a line pass it is sent now,
    /// in front of those behind it. Returns the marks that are still to be told.
    async fn late(&mut self, which: Which, slice: &Slice) -> Vec<Mark> {
        let in_slice =
            |mark: &Mark| slice.parts.iter().any(|part| part.process == mark.process && part.holds(mark.seq));
        let (mut left, late): (Vec<_>, Vec<_>) =
            slice.marks.iter().copied().partition(|mark| !self.asked.filter.asks_level() || in_slice(mark));
        if late.is_empty() {
            return left;
        }
        // The store is gone only while the host ends.
        let Ok(snapshot) = self.handles.logs.snapshot(which).await else { return left };
        let look = Look::new(Filter::default(), snapshot, &[], |_| Some(Arc::default()));
        let mut lines = Vec::new();
        for mark in late {
            match self.passes_now(which, &look, &mark) {
                Some(part) => lines.push((mark, part)),
                None => left.push(mark),
            }
        }
        lines.sort_unstable_by_key(|(_, part)| part.position);
        let place = |(_, part): &(Mark, Part)| self.sent.place(part.position);
        let groups: Vec<_> = lines
            .chunk_by(|one, next| place(one) == place(next))
            .map(|group| (place(&group[0]), group))
            .collect();
        for (place, group) in groups {
            let (marks, parts): (Vec<_>, Vec<_>) = group.iter().cloned().unzip();
            let count = parts.len() as u64;
            self.passed += count;
            parts.iter().for_each(|part| self.sent.add(part));
            let styles = &look.snapshot().styles;
            let Place::Before(before_process, before) = place else {
                self.push(which, parts, 0, -signed(count), styles);
                left.extend(marks);
                continue;
            };
            let merged = which == Which::Merged;
            let first = LogPatch {
                before: Some(before.0),
                before_id: merged.then_some(before_process.0),
                late: true,
                ..self.empty(which)
            };
            let mut made = patches(&self.handles, parts, merged, &first);
            if let Some(first) = made.first_mut() {
                first.passed_over = -signed(count);
                add_marks(first, which, &marks);
            }
            made.into_iter().for_each(|patch| self.outbox.add(patch, styles, self.asked.max));
        }
        left
    }

    /// The line of a mark, if it passes with what that says of it and was not sent.
    fn passes_now(&self, which: Which, look: &Look, mark: &Mark) -> Option<Part> {
        let (part, index) = look.snapshot().of(mark.process)?.find(mark.seq)?;
        let Line { at, stream, .. } = part.chunk.line(index);
        let facts = Facts { at, stream, level: Some(mark.severity.into()) };
        let position = look.position(mark.process, mark.seq)?;
        let wanted = self.admits(which, mark.process)
            && self.asked.filter.passes(part.chunk.text(index), &facts)
            && !matches!(self.sent.place(position), Place::Held | Place::Gone);
        wanted.then(|| Part { lines: index..index + 1, first: mark.seq, position, ..part.clone() })
    }

    /// A patch without lines.
    fn empty(&self, which: Which) -> LogPatch {
        let id = match which {
            Which::Process(process) => Some(process.0),
            Which::Merged => None,
        };
        LogPatch { buf: self.asked.buf, id, total: self.passed, ..LogPatch::default() }
    }

    /// Makes patches of lines and keeps them ready.
    fn push(&mut self, which: Which, parts: Vec<Part>, skipped: u64, over: i64, styles: &Arc<StyleTable>) {
        let merged = which == Which::Merged;
        let runs = self.begun(&parts, merged);
        parts.iter().for_each(|part| self.sent.add(part));
        let mut made = patches(&self.handles, parts, merged, &self.empty(which));
        if made.is_empty() && (self.fresh || over != 0 || skipped > 0) {
            made.push(self.empty(which));
        }
        if let Some(first) = made.first_mut() {
            (first.reset, first.skipped, first.passed_over) =
                (std::mem::take(&mut self.fresh), skipped, over);
            first.runs = runs;
        }
        made.into_iter().for_each(|patch| self.outbox.add(patch, styles, self.asked.max));
    }

    /// A run is told with the first of its lines that passes.
    fn begun(&mut self, parts: &[Part], merged: bool) -> Vec<RunRow> {
        let mut rows = Vec::new();
        for part in parts {
            let end = part.first.0 + part.lines.len() as u64;
            let begun = |run: &RunMark| run.process == part.process && run.seq.0 < end;
            let Some(at) = self.runs.iter().rposition(begun) else { continue };
            let mut run = self.runs[at].clone();
            run.seq = run.seq.max(part.first);
            self.runs.retain(|run| !begun(run));
            let ended = |process, number| self.handles.model.ended(process, number);
            rows.push(patch::run_row(&run, merged, ended));
        }
        rows
    }

    /// Error headlines, also on lines that did not pass: of those the buffer knows nothing.
    fn mark(&self, which: Which, marks: &[Mark]) {
        if !marks.is_empty() {
            self.outbox.mark(which, marks, || self.empty(which));
        }
    }
}

/// Lines that are counted are far fewer than that.
fn signed(lines: u64) -> i64 {
    i64::try_from(lines).unwrap_or(i64::MAX)
}

/// Lines as patches like `first`. Lines that cannot be shown are passed over.
pub(super) fn patches(handles: &Handles, parts: Vec<Part>, merged: bool, first: &LogPatch) -> Vec<LogPatch> {
    let mut parts: VecDeque<Part> = parts.into();
    let mut patches = Vec::new();
    while !parts.is_empty() {
        let make = || {
            let (mut patch, mut bytes) = (first.clone(), 0);
            while let Some(part) = parts.pop_front() {
                let (now, later) = cut(part, LINES - patch.lines.len(), &mut bytes);
                if let Some(later) = later {
                    parts.push_front(later);
                }
                let Some(now) = now else { break };
                patch::add_part(&mut patch, &now, merged);
            }
            patch
        };
        patches.extend(handles.resources.recover(Component::Rpc, "lines", make));
    }
    patches
}

/// As much of a part as there is room for, at least one line where nothing else is in, and the rest.
fn cut(mut part: Part, lines: usize, bytes: &mut usize) -> (Option<Part>, Option<Part>) {
    let mut count = 0;
    for index in part.lines.clone().take(lines) {
        let size = part.chunk.text(index).len().min(patch::LIMIT_LINE);
        if *bytes > 0 && *bytes + size > LIMIT_BYTES {
            break;
        }
        *bytes += size;
        count += 1;
    }
    if count == part.lines.len() {
        return (Some(part), None);
    }
    let mut rest = part.clone();
    rest.lines.start += count;
    rest.first.0 += count as u64;
    rest.position.0 += count as u64;
    part.lines.end = part.lines.start + count;
    ((count > 0).then_some(part), Some(rest))
}

/// The lines of a slice that pass, and how many there were.
fn sieve(filter: &Filter, slice: &Slice, admitted: &[ProcessId]) -> (Vec<Part>, u64) {
    let (mut passed, mut seen, mut found) = (Vec::<Part>::new(), 0, Vec::new());
    let levels = slice.marks.iter().map(|mark| ((mark.process, mark.seq), Level::from(mark.severity)));
    let levels: HashMap<_, _> = levels.collect();
    for part in &slice.parts {
        seen += part.lines.len() as u64;
        if !admitted.contains(&part.process) {
            continue;
        }
        let chunk = &part.chunk;
        let base = u32::try_from(chunk.start(part.lines.start)).unwrap_or(u32::MAX);
        let block = Block::new(part.block(), &chunk.ends()[part.lines.clone()], base);
        let facts = |index: usize| {
            let Line { at, stream, .. } = chunk.line(part.lines.start + index);
            let seq = Seq(part.first.0 + index as u64);
            Facts { at, stream, level: levels.get(&(part.process, seq)).copied() }
        };
        found.clear();
        filter.lines(&block, &facts, &mut found);
        for &index in &found {
            let line = part.lines.start + index;
            if let Some(last) = passed.last_mut()
                && Arc::ptr_eq(&last.chunk, chunk)
                && last.lines.end == line
            {
                last.lines.end += 1;
                continue;
            }
            let (first, position) = (part.first.0 + index as u64, part.position.0 + index as u64);
            passed.push(Part {
                lines: line..line + 1,
                first: Seq(first),
                position: Seq(position),
                ..part.clone()
            });
        }
    }
    (passed, seen)
}
