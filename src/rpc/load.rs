//! Lines that a watched buffer was never sent, or no longer holds: from memory, then from this session's history.

use std::{collections::VecDeque, sync::Arc};

use serde_json::json;

use super::{
    Handles,
    calls::answered,
    dispatch::{blocking, without_nulls},
    filtered::Ready,
    frame::{LogPatch, Reply},
    patch, protocol,
    search::Scope,
    sieve::patches,
};
use crate::{
    event::{Component, ProcessId, Seq},
    history::Order,
    logs::Which,
    search::{Filter, Past, PastLines, Searcher},
    sync::{Mutex, Notify},
};

/// Lines of a call at most.
const MAX: usize = 10_000;

/// Lines of a patch that come from a history.
const LINES: usize = 500;

/// What has been loaded and is still to be sent. Bounded by the calls under way, and [`MAX`] lines of each.
pub(super) struct Loads {
    searcher: Searcher,
    ready: Arc<Mutex<VecDeque<Loaded>>>,
    news: Arc<Notify>,
}

/// In the order it is sent.
enum Loaded {
    Patch(Box<Ready>),
    Reply(Reply),
}

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
        Self { searcher, ready: Arc::default(), news: Arc::default() }
    }

    /// Begins to load; the reply comes behind the lines.
    pub(super) fn begin(&self, handles: &Handles, id: u64, asked: protocol::Load, shown: Shown) {
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
            let patches = patches.into_iter().map(|patch| Loaded::Patch(Box::new(patch)));
            ready.lock().extend(patches.chain([Loaded::Reply(reply)]));
            news.notify_one();
        };
        drop(resources.spawn(Component::Rpc, "load", work));
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
                Loaded::Patch(first) if patch.is_none() => patch = Some(*first),
                Loaded::Patch(second) => {
                    ready.push_front(Loaded::Patch(second));
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
    let (before, wanted) = (Seq(asked.before), asked.count.clamp(1, MAX));
    let (process, position) = match scope.which {
        Which::Process(process) => (process, Some(before)),
        Which::Merged => {
            let process = ProcessId(asked.id.ok_or("load: the merged log needs the process of the line")?);
            (process, look.position(process, before))
        }
    };
    let (mut newest, mut more) = (Vec::new(), false);
    let window = |found: Vec<_>| {
        more |= found.len() > wanted - newest.len();
        newest.extend(found.into_iter().rev().take(wanted - newest.len()));
        newest.len() < wanted
    };
    let all = searcher.newest_first(&look, position.unwrap_or(Seq(0)), window).await;
    newest.reverse();
    let lacking = wanted - newest.len();
    let mut older = Vec::new();
    if lacking > 0 && all {
        let mut pasts = scope.past(handles, &look, false, Order::NewestFirst);
        for past in &mut pasts {
            let kept = past.kept.entry(process).or_insert(before);
            *kept = before.min(*kept);
        }
        let filter = look.filter().clone();
        let read = move || older_lines(pasts, &filter, lacking);
        (older, more) = blocking(handles, "load", read).await??;
    }
    more |= !all;
    if newest.is_empty() && older.is_empty() {
        return Err("nothing older is kept".to_owned());
    }
    let merged = scope.which == Which::Merged;
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

/// The newest lines of histories that pass, oldest first, and whether there are more.
fn older_lines(
    pasts: Vec<Past>,
    filter: &Filter,
    mut wanted: usize,
) -> Result<(Vec<PastLines>, bool), String> {
    let mut older = Vec::new();
    for past in pasts {
        for lines in past.lines(filter.clone()).map_err(|error| error.to_string())? {
            let mut lines = lines.map_err(|error| error.to_string())?;
            // A line of a process that is not known any more has no number to jump by.
            if lines.process.is_none() {
                continue;
            }
            let spare = lines.lines.len().saturating_sub(wanted);
            lines.lines.drain(..spare);
            wanted -= lines.lines.len();
            if !lines.lines.is_empty() {
                older.push(lines);
            }
            if wanted == 0 {
                older.reverse();
                return Ok((older, true));
            }
        }
    }
    older.reverse();
    Ok((older, false))
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
