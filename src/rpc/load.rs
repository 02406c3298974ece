//! Lines that a watched buffer was never sent, or no longer holds: from memory, then from this session's history.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use serde_json::json;

use super::{
    Handles,
    calls::answered,
    dispatch::{blocking, without_nulls},
    frame::{LogPatch, Reply},
    outbox::Ready,
    patch, protocol,
    scope::Scope,
    sieve::patches,
};
use crate::{
    event::{Component, ProcessId, Seq},
    history::Order,
    logs::Which,
    search::{Filter, Found, Look, Past, PastLines, Searcher},
    sync::{Mutex, Notify},
};

/// Lines of a call at most.
const MAX: usize = 10_000;

/// Lines of a patch that come from a history.
const LINES: usize = 500;

/// Calls under way, from when they are asked for until all they loaded has been sent. One more is refused.
const CALLS: usize = 8;

/// What has been loaded and is still to be sent. Bounded by [`CALLS`] and [`MAX`] lines of each.
pub(super) struct Loads {
    searcher: Searcher,
    under_way: Vec<(i64, Weak<Wanted>)>,
    ready: Arc<Mutex<VecDeque<Loaded>>>,
    news: Arc<Notify>,
}

/// In the order it is sent.
enum Loaded {
    Patch(Box<Ready>, Arc<Wanted>),
    Reply(Reply),
}

/// Whether the buffer still shows what the lines go in front of.
type Wanted = AtomicBool;

/// The log of a buffer and its filter.
pub(super) struct Shown {
    pub(super) root: Option<String>,
    pub(super) name: Option<String>,
    pub(super) filter: Filter,
    /// How many lines have passed that; nothing where all do.
    pub(super) total: Option<u64>,
}

// === impl Loads ===

impl Loads {
    pub(super) fn new(searcher: Searcher) -> Self {
        Self { searcher, under_way: Vec::new(), ready: Arc::default(), news: Arc::default() }
    }

    /// Begins to load; the reply comes behind the lines.
    ///
    /// # Errors
    /// Too much is being loaded.
    pub(super) fn begin(
        &mut self,
        handles: &Handles,
        id: u64,
        asked: protocol::Load,
        shown: Shown,
    ) -> Result<(), String> {
        self.under_way.retain(|(_, load)| load.strong_count() > 0);
        if self.under_way.len() >= CALLS {
            return Err("load: too many are under way: try again in a moment".to_owned());
        }
        let wanted = Arc::new(Wanted::new(true));
        self.under_way.push((asked.buf, Arc::downgrade(&wanted)));
        let (handles, searcher) = (handles.clone(), self.searcher.clone());
        let (ready, news) = (Arc::clone(&self.ready), Arc::clone(&self.news));
        let resources = handles.resources.clone();
        let watched = resources.clone();
        let work = async move {
            let call = async move { load(&handles, &searcher, &asked, shown).await };
            let (patches, reply) = match answered(&watched, call).await {
                Ok((patches, more)) => {
                    let lines: usize = patches.iter().map(|(patch, _)| patch.lines.len()).sum();
                    let ok = json!({ "lines": lines, "more": more.then_some(true) });
                    (patches, Reply { id, ok: Some(without_nulls(ok)), err: None })
                }
                Err(said) => (Vec::new(), Reply { id, ok: None, err: Some(said) }),
            };
            let patches =
                patches.into_iter().map(|patch| Loaded::Patch(Box::new(patch), Arc::clone(&wanted)));
            ready.lock().extend(patches.chain([Loaded::Reply(reply)]));
            news.notify_one();
        };
        drop(resources.spawn(Component::Rpc, "load", work));
        Ok(())
    }

    /// A buffer shows something else from now on: what is loaded for it goes nowhere.
    pub(super) fn forget(&self, buf: i64) {
        let of_buf = self.under_way.iter().filter(|(of, _)| *of == buf);
        of_buf.filter_map(|(_, load)| load.upgrade()).for_each(|wanted| wanted.store(false, Relaxed));
    }

    /// Returns when something may have been loaded. Cancel safe.
    pub(super) async fn changed(&self) {
        self.news.notified().await;
    }

    /// What is to be sent: a patch, and the replies up to the next one.
    pub(super) fn take(&self) -> (Option<Ready>, Vec<Reply>) {
        let (mut patch, mut replies, mut ready) = (None, Vec::new(), self.ready.lock());
        while let Some(loaded) = ready.pop_front() {
            match loaded {
                Loaded::Patch(_, wanted) if !wanted.load(Relaxed) => {}
                Loaded::Patch(first, _) if patch.is_none() => patch = Some(*first),
                Loaded::Patch(..) => {
                    ready.push_front(loaded);
                    break;
                }
                Loaded::Reply(reply) => replies.push(reply),
            }
        }
        (patch, replies)
    }

    /// Whether there is more than was taken.
    pub(super) fn is_behind(&self) -> bool {
        !self.ready.lock().is_empty()
    }
}

/// The patches, oldest first, and whether older lines are left.
async fn load(
    handles: &Handles,
    searcher: &Searcher,
    asked: &protocol::Load,
    shown: Shown,
) -> Result<(Vec<Ready>, bool), String> {
    let Shown { root, name, filter, total } = shown;
    let scope = Scope::of(handles, root.as_deref(), name.as_deref())?;
    let look = Arc::new(scope.look(handles, filter).await?);
    let merged = scope.which == Which::Merged;
    let (before, wanted) = (Seq(asked.before), asked.count.clamp(1, MAX));
    let (process, position) = match scope.which {
        Which::Process(process) => (process, Some(before)),
        Which::Merged => {
            let process = ProcessId(asked.id.ok_or("load: the merged log needs the process of the line")?);
            (process, look.position(process, before))
        }
    };
    // Of the merged log memory has gaps where one process printed more than others: from there on the history has all.
    let whole = look.whole_from(|process| scope.labels.contains_key(&process)).filter(|_| merged);
    let (mut end, floor) = (position.unwrap_or(Seq(0)), whole.map_or(Seq(0), |(floor, ..)| floor));
    let (mut newest, mut more) = (Vec::new(), false);
    let mut all = in_memory(searcher, &look, (floor, end), wanted, &mut newest).await;
    let mut older = Vec::new();
    if newest.len() < wanted
        && let Some(mut past) = scope.past(handles, &look, false, Order::NewestFirst).await?
    {
        let first = match whole {
            Some((floor, process, seq)) if floor <= end => (process, seq),
            _ if merged => (process, before),
            _ => (process, past.kept.get(&process).copied().unwrap_or(before).min(before)),
        };
        past.kept = HashMap::from([first]);
        past.before = merged.then_some(first);
        let (filter, lacking) = (look.filter().clone(), wanted - newest.len());
        let read = move || older_lines(past, filter, lacking);
        (older, more) = blocking(handles, "load", read).await??;
    }
    if older.is_empty() && newest.len() < wanted {
        // Nothing of this was recorded.
        end = end.min(floor);
        all = in_memory(searcher, &look, (Seq(0), end), wanted, &mut newest).await;
    }
    newest.reverse();
    more |= !all;
    if newest.is_empty() && older.is_empty() {
        return Err("nothing older is kept".to_owned());
    }
    let mut first = LogPatch {
        buf: asked.buf,
        before: Some(before.0),
        total: total.unwrap_or(look.snapshot().head.0),
        ..LogPatch::default()
    };
    match scope.which {
        Which::Process(process) => first.id = Some(process.0),
        Which::Merged => first.before_id = Some(process.0),
    }
    let mut all = past_patches(&older, merged, &first);
    let parts = look.parts(&newest);
    all.extend(
        patches(handles, parts, merged, &first)
            .into_iter()
            .map(|it| (it, Arc::clone(&look.snapshot().styles))),
    );
    Ok((all, more))
}

/// Appends the newest lines between two positions that pass, up to so many, the newest first. Returns whether there are no
/// more.
async fn in_memory(
    searcher: &Searcher,
    look: &Arc<Look>,
    (from, end): (Seq, Seq),
    wanted: usize,
    newest: &mut Vec<Found>,
) -> bool {
    let mut more = false;
    let window = |mut found: Vec<Found>| {
        found.retain(|found| found.position >= from);
        more |= found.len() > wanted - newest.len();
        newest.extend(found.into_iter().rev().take(wanted - newest.len()));
        newest.len() < wanted
    };
    searcher.newest_first(look, end, window).await && !more
}

/// The newest lines of histories that pass, oldest first, and whether there are more.
fn older_lines(past: Past, filter: Filter, mut wanted: usize) -> Result<(Vec<PastLines>, bool), String> {
    let (mut older, mut more) = (Vec::new(), false);
    for lines in past.lines(filter).map_err(|error| error.to_string())? {
        let mut lines = lines.map_err(|error| error.to_string())?;
        // A line of a process that is not known any more has no number to jump by.
        if lines.process.is_none() {
            continue;
        }
        let spare = lines.lines.len().saturating_sub(wanted);
        more |= spare > 0 || wanted == 0;
        if wanted == 0 {
            break;
        }
        lines.lines.drain(..spare);
        wanted -= lines.lines.len();
        older.push(lines);
    }
    older.reverse();
    Ok((older, more))
}

/// Lines of histories have no colours.
fn past_patches(older: &[PastLines], merged: bool, first: &LogPatch) -> Vec<Ready> {
    let mut all = vec![LogPatch { ..first.clone() }];
    for lines in older {
        for line in &lines.lines {
            if all.last().is_none_or(|patch| patch.lines.len() >= LINES) {
                all.push(first.clone());
            }
            let Some(patch) = all.last_mut() else { continue };
            let row = u32::try_from(patch.lines.len()).unwrap_or(u32::MAX);
            patch::extend_run(&mut patch.seqs, line.seq.0, 1, |last, count| last + count);
            if merged {
                let process = lines.process.map_or(0, |process| u64::from(process.0));
                patch::extend_run(&mut patch.ids, process, 1, |last, _| last);
            }
            patch::extend_run(&mut patch.times, lines.at.0, 1, |last, _| last);
            let head = &line.text[..line.text.len().min(patch::LIMIT_LINE)];
            if head.len() < line.text.len() {
                patch.clipped.extend([row, u32::try_from(line.text.len()).unwrap_or(u32::MAX)]);
            }
            patch.lines.push(patch::shown(head, &[]).0);
        }
    }
    all.retain(|patch| !patch.lines.is_empty());
    all.into_iter().map(|patch| (patch, Arc::default())).collect()
}
