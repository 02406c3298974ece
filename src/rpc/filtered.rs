//! Watched buffers that show only the lines that pass a filter.
//!
//! Each has a task beside the frames that looks at what is new and keeps patches ready, so that a filter that is slow, or
//! lets nothing pass of a flood, holds up no other buffer. *Bounded:* the lines that are ready (the buffer's `max`).
//! *Lost:* of more the oldest, counted in the patch; lines that the store let go before they were looked at, likewise.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Release},
        },
    },
};

use super::{Handles, frame::LogPatch, load, protocol, sieve::Sieve};
use crate::{
    event::Component,
    logs::StyleTable,
    model::Revision,
    resource::Task,
    search::{Filter, Searcher},
    sync::{Mutex, Notify},
};

/// A buffer is never sent more than this many lines at first, whatever it asks for.
const MAX: usize = 100_000;

/// A patch, and what the style numbers in it mean.
pub(super) type Ready = (LogPatch, Arc<StyleTable>);

/// See the module.
pub(super) struct Filtered {
    searcher: Searcher,
    shown: Vec<Shown>,
    /// One of them has something ready, or has looked at everything.
    news: Arc<Notify>,
}

/// One of those buffers. Dropping it ends its task.
struct Shown {
    asked: Asked,
    outbox: Arc<Outbox>,
    /// What the model knew when the task was last sent to look.
    told: Option<Revision>,
    task: Task<()>,
}

/// What a buffer asked for.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) buf: i64,
    pub(super) root: Option<String>,
    pub(super) name: Option<String>,
    pub(super) max: usize,
    pub(super) filter: Filter,
}

/// What a task has ready, and whether it is to look again.
#[derive(Default)]
pub(super) struct Outbox {
    pub(super) ready: Mutex<VecDeque<Ready>>,
    pub(super) look: Notify,
    /// How often it has been sent to look, and how often it had been when it last came back.
    pub(super) sent: AtomicU64,
    pub(super) back: AtomicU64,
    /// Lines that have passed.
    pub(super) passed: AtomicU64,
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl Filtered ===

impl Filtered {
    pub(super) fn new(searcher: Searcher) -> Self {
        Self { searcher, shown: Vec::new(), news: Arc::default() }
    }

    /// Begins to watch, in the place of what this buffer watches.
    ///
    /// # Errors
    /// What is wrong with the filter.
    pub(super) fn watch(&mut self, handles: &Handles, watch: protocol::Watch) -> Result<(), String> {
        let filter =
            Filter::parse(watch.filter.as_deref().unwrap_or_default()).map_err(|it| it.to_string())?;
        self.unwatch(watch.buf);
        let max = watch.max.clamp(1, MAX);
        let shown =
            self.begin(handles, Asked { buf: watch.buf, root: watch.root, name: watch.name, max, filter });
        self.shown.push(shown);
        Ok(())
    }

    fn begin(&self, handles: &Handles, asked: Asked) -> Shown {
        let outbox: Arc<Outbox> = Arc::default();
        let sieve = Sieve::new(handles.clone(), self.searcher.clone(), asked.clone(), Arc::clone(&outbox));
        let work = sieve.run(Arc::clone(&self.news));
        let task = handles.resources.spawn(Component::Rpc, "filter", work);
        Shown { asked, outbox, told: None, task }
    }

    pub(super) fn unwatch(&mut self, buf: i64) {
        self.shown.retain(|shown| shown.asked.buf != buf);
    }

    /// The log that a buffer shows, if it is one of them.
    pub(super) fn find(&self, buf: i64) -> Option<load::Shown> {
        let Shown { asked, outbox, .. } = self.shown.iter().find(|shown| shown.asked.buf == buf)?;
        let Asked { root, name, filter, .. } = asked.clone();
        Some(load::Shown { root, name, filter, total: Some(outbox.passed.load(Acquire)) })
    }

    /// Returns when one of them may have something ready. Cancel safe.
    pub(super) async fn changed(&self) {
        self.news.notified().await;
    }

    /// What is to be sent, a patch of each; `now` is what the model knows.
    pub(super) fn take(&mut self, now: Revision) -> Vec<Ready> {
        let patches = self.shown.iter_mut().filter_map(|shown| {
            if shown.told != Some(now) {
                shown.told = Some(now);
                shown.outbox.sent.fetch_add(1, Release);
                shown.outbox.look.notify_one();
            }
            shown.outbox.ready.lock().pop_front()
        });
        patches.collect()
    }

    /// Whether there is more than was taken.
    pub(super) fn is_behind(&self) -> bool {
        self.shown.iter().any(|shown| !shown.outbox.ready.lock().is_empty())
    }

    /// Whether lines are still to be looked at or to be sent.
    pub(super) fn lacks(&self) -> bool {
        let looks = |Shown { outbox, task, .. }: &Shown| {
            outbox.back.load(Acquire) < outbox.sent.load(Acquire) && !task.is_finished()
        };
        self.shown.iter().any(looks) || self.is_behind()
    }

    /// Has everything told again.
    pub(super) fn again(&mut self, handles: &Handles) {
        let asked: Vec<_> = self.shown.drain(..).map(|shown| shown.asked.clone()).collect();
        self.shown = asked.into_iter().map(|asked| self.begin(handles, asked)).collect();
    }

    /// Has everything told again to one of them, if it is one.
    pub(super) fn reset(&mut self, handles: &Handles, buf: i64) -> bool {
        let Some(at) = self.shown.iter().position(|shown| shown.asked.buf == buf) else { return false };
        self.shown[at] = self.begin(handles, self.shown[at].asked.clone());
        true
    }
}
