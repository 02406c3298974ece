//! Searches: what a buffer asked for, how far it has been looked through, and what is to be sent next.
//!
//! A search works beside the frames, on a snapshot: neither they nor the log store wait for it. What it finds is copied,
//! because the store lets go of lines meanwhile. *Bounded:* lines and bytes of what one search keeps; one search a buffer.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::mpsc;

use super::{
    Handles,
    frame::HitPatch,
    patch::{self, LIMIT_LINE},
    protocol,
    scope::Scope,
};
use crate::{
    event::{Component, ProcessId, Seq, Timestamp},
    history::{Order, ReadError},
    resource::Task,
    search::{Filter, Found, Look, Past, PastLines, Searcher},
    sync::{Mutex, Notify},
};

/// Searches of a session. Of more the one that began first ends, and its buffer keeps what it was sent.
const SEARCHES: usize = 16;

/// Lines of a search at most.
const MAX: usize = 10_000;

/// Bytes of text that a search keeps. One that finds more ends there.
const BYTES: usize = 8 << 20;

/// Lines of a patch, and bytes.
const PATCH: (usize, usize) = (2000, 1 << 20);

/// How often what was found is sent while a search goes on.
const OFTEN: Duration = Duration::from_millis(16);

/// Ranges of a line that are told.
const MATCHES: usize = 8;

/// See the module.
pub(super) struct Searches {
    searcher: Searcher,
    running: Vec<Search>,
    /// One of them has found something.
    news: Arc<Notify>,
}

/// One search. Dropping it ends the work.
struct Search {
    buf: i64,
    found: Arc<Mutex<Vec<HitPatch>>>,
    /// How many of those have been sent.
    sent: usize,
    task: Task<()>,
}

// === impl Search ===

impl Drop for Search {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl Searches ===

impl Searches {
    pub(super) fn new(searcher: Searcher) -> Self {
        Self { searcher, running: Vec::new(), news: Arc::default() }
    }

    /// Begins a search in the place of one that this buffer has.
    ///
    /// # Errors
    /// Why it cannot be searched so, worded for the user.
    pub(super) fn begin(&mut self, handles: &Handles, asked: &protocol::Search) -> Result<(), String> {
        let filter = Filter::parse(&asked.query).map_err(|wrong| wrong.to_string())?;
        if filter.is_empty() {
            return Err("nothing to search for: give words, /a regex/ or level:error".to_owned());
        }
        let scope = Scope::of(handles, asked.root.as_deref(), asked.name.as_deref())?;
        let buf = asked.buf;
        self.end(buf);
        let over = (self.running.len() + 1).saturating_sub(SEARCHES);
        self.running.drain(..over);
        let found: Arc<Mutex<Vec<HitPatch>>> = Arc::default();
        let hits = Hits {
            next: HitPatch { buf, reset: true, ..HitPatch::default() },
            rows: Vec::new(),
            bytes: 0,
            room: (asked.max.clamp(1, MAX), BYTES),
            total: 0,
            filter: filter.clone(),
            last: None,
            found: Arc::clone(&found),
            news: Arc::clone(&self.news),
        };
        let work = look(handles.clone(), self.searcher.clone(), filter, scope, asked.previous, hits);
        let task = handles.resources.spawn(Component::Rpc, "search", work);
        self.running.push(Search { buf, found, sent: 0, task });
        Ok(())
    }

    /// Ends the search of a buffer and forgets what it found.
    pub(super) fn end(&mut self, buf: i64) {
        self.running.retain(|search| search.buf != buf);
    }

    /// Returns when one of them may have found something. Cancel safe.
    pub(super) async fn changed(&self) {
        self.news.notified().await;
    }

    /// What is to be sent: a patch of each.
    pub(super) fn take(&mut self) -> Vec<HitPatch> {
        let patches = self.running.iter_mut().filter_map(|search| {
            let patch = search.found.lock().get(search.sent).cloned()?;
            search.sent += 1;
            Some(patch)
        });
        patches.collect()
    }

    /// Whether there is more than was taken.
    pub(super) fn is_behind(&self) -> bool {
        self.running.iter().any(|search| search.found.lock().len() > search.sent)
    }

    /// Has everything told again.
    pub(super) fn again(&mut self) {
        self.running.iter_mut().for_each(|search| search.sent = 0);
    }

    /// Has everything told again to one buffer, if it searches.
    pub(super) fn reset(&mut self, buf: i64) -> bool {
        let search = self.running.iter_mut().find(|search| search.buf == buf);
        search.map(|search| search.sent = 0).is_some()
    }
}

/// Looks through memory, and then through the histories until enough is found.
async fn look(
    handles: Handles,
    searcher: Searcher,
    filter: Filter,
    scope: Scope,
    previous: bool,
    mut hits: Hits,
) {
    let look = match scope.look(&handles, filter).await {
        Ok(look) => Arc::new(look),
        Err(error) => return hits.done(false, Some(error)),
    };
    let window = |found: Vec<Found>| {
        hits.window(&look, &found, &scope.labels);
        true
    };
    let all = searcher.newest_first(&look, Seq(u64::MAX), window).await;
    let mut error = (!all).then(|| "brummer failed inside this search: see its log file".to_owned());
    let mut more = hits.is_full();
    let past = match more {
        true => Ok(None),
        false => scope.past(&handles, &look, previous, Order::NewestFirst).await,
    };
    let past = past.unwrap_or_else(|said| {
        error.get_or_insert(said);
        None
    });
    if let Some(past) = past {
        let filter = hits.filter.clone();
        // Memory is not held while files are read.
        drop(look);
        let (tell, mut told) = mpsc::channel(4);
        let read = move || read(past, filter, &tell);
        drop(handles.resources.blocking(Component::Rpc, "search in history", read));
        while let Some(lines) = told.recv().await {
            match lines {
                Ok(lines) => hits.past(&lines),
                Err(said) => error = Some(said),
            }
            if hits.is_full() {
                more = true;
                break;
            }
        }
    }
    hits.done(more, error);
}

/// Reads histories until nobody wants more.
fn read(past: Past, filter: Filter, tell: &mpsc::Sender<Result<PastLines, String>>) {
    let tell = |lines: Result<PastLines, ReadError>| {
        tell.blocking_send(lines.map_err(|error| error.to_string())).is_ok()
    };
    match past.lines(filter) {
        Ok(mut lines) => {
            // Until there are no more, or nobody listens.
            while lines.next().is_some_and(tell) {}
        }
        Err(error) => {
            tell(Err(error));
        }
    }
}

/// Gathers what is found, the newest first, into patches.
struct Hits {
    /// What goes into the next patch besides its lines.
    next: HitPatch,
    /// Its lines, the newest first.
    rows: Vec<Row>,
    /// Bytes of those.
    bytes: usize,
    /// Lines and bytes there is room for.
    room: (usize, usize),
    total: u64,
    filter: Filter,
    /// When the last patch was made.
    last: Option<Instant>,
    found: Arc<Mutex<Vec<HitPatch>>>,
    news: Arc<Notify>,
}

/// A line as it is sent.
struct Row {
    label: Arc<str>,
    process: u32,
    seq: Seq,
    at: Timestamp,
    line: String,
    matches: Vec<(u32, u32)>,
    clipped: Option<u32>,
}

// === impl Hits ===

impl Hits {
    /// The lines of a window, oldest first.
    fn window(&mut self, look: &Look, found: &[Found], labels: &HashMap<ProcessId, Arc<str>>) {
        self.total += found.len() as u64;
        for hit in found.iter().rev() {
            if self.is_full() {
                break;
            }
            let (process, chunk, index) = look.line(hit);
            let Some(label) = labels.get(&process) else { continue };
            let row = row(&self.filter, chunk.text(index));
            let at = chunk.line(index).at;
            self.add(Row { label: Arc::clone(label), process: process.0, seq: hit.seq, at, ..row });
        }
        self.tell_often();
    }

    fn past(&mut self, lines: &PastLines) {
        self.total += lines.lines.len() as u64;
        for line in lines.lines.iter().rev() {
            if self.is_full() {
                break;
            }
            let row = row(&self.filter, &line.text);
            let process = lines.process.map_or(0, |process| process.0);
            self.add(Row { label: Arc::clone(&lines.label), process, seq: line.seq, at: lines.at, ..row });
        }
        self.tell_often();
    }

    fn is_full(&self) -> bool {
        self.room.0 == 0 || self.room.1 == 0
    }

    fn add(&mut self, row: Row) {
        self.room.0 -= 1;
        let bytes = row.line.len();
        self.room.1 = self.room.1.saturating_sub(bytes);
        self.rows.push(row);
        self.bytes += bytes;
        if self.rows.len() >= PATCH.0 || self.bytes >= PATCH.1 {
            self.tell();
        }
    }

    /// The first lines are told at once.
    fn tell_often(&mut self) {
        if self.last.is_none_or(|last| last.elapsed() >= OFTEN) {
            self.tell();
        }
    }

    /// Makes a patch of what there is.
    fn tell(&mut self) {
        if self.rows.is_empty() && !self.next.done {
            return;
        }
        (self.bytes, self.last) = (0, Some(Instant::now()));
        let after = HitPatch { buf: self.next.buf, ..HitPatch::default() };
        let mut patch = std::mem::replace(&mut self.next, after);
        patch.total = self.total;
        for (at, row) in (0_u32..).zip(self.rows.drain(..).rev()) {
            patch::extend_run(&mut patch.seqs, row.seq.0, 1, |last, count| last + count);
            patch::extend_run(&mut patch.ids, u64::from(row.process), 1, |last, _| last);
            patch::extend_run(&mut patch.times, row.at.0, 1, |last, _| last);
            match patch.names.last_mut() {
                Some((name, count)) if **name == *row.label => *count += 1,
                _ => patch.names.push((row.label.as_ref().to_owned(), 1)),
            }
            patch.matches.extend(row.matches.iter().flat_map(|(start, end)| [at, *start, *end]));
            patch.clipped.extend(row.clipped.into_iter().flat_map(|whole| [at, whole]));
            patch.lines.push(row.line);
        }
        self.found.lock().push(patch);
        self.news.notify_one();
    }

    fn done(mut self, more: bool, error: Option<String>) {
        (self.next.done, self.next.more, self.next.error) = (true, more, error);
        self.tell();
    }
}

/// A line and what passed in it.
fn row(filter: &Filter, text: &[u8]) -> Row {
    let head = &text[..text.len().min(LIMIT_LINE)];
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let ranges: Vec<_> =
        filter.matches(head, MATCHES).into_iter().map(|(start, end)| (offset(start), offset(end))).collect();
    let (line, matches) = patch::shown(head, &ranges);
    Row {
        label: Arc::default(),
        process: 0,
        seq: Seq(0),
        at: Timestamp(0),
        line,
        matches,
        clipped: (text.len() > LIMIT_LINE).then(|| offset(text.len())),
    }
}
