//! Watched buffers that show only the lines that pass a filter.
//!
//! Each has a task beside the frames that looks at what is new and keeps patches ready, so that a filter that is slow, or
//! lets nothing pass of a flood, holds up no other buffer. *Bounded:* the lines that are ready (the buffer's `max`).
//! *Lost:* of more the oldest, counted in the patch; lines that the store let go before they were looked at, likewise.

use std::sync::{Arc, atomic::Ordering::Acquire};

use super::{
    Handles, load,
    outbox::{Outbox, Ready},
    protocol,
    sieve::Sieve,
};
use crate::{
    event::Component,
    model::Revision,
    resource::Task,
    search::{Filter, Searcher},
    sync::Notify,
};

/// A buffer is never sent more than this many lines at first, whatever it asks for.
const MAX: usize = 100_000;

/// See the module.
pub(super) struct Filtered {
    searcher: Searcher,
    shown: Vec<Shown>,
    /// One of them has something ready, or has looked at everything.
    news: Arc<Notify>,
    /// What the model knew when they were last sent to look, and which look that is.
    now: Option<Revision>,
    look: u64,
}

/// One of those buffers. Dropping it ends its task.
struct Shown {
    asked: Asked,
    outbox: Arc<Outbox>,
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

impl Drop for Shown {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl Filtered ===

impl Filtered {
    pub(super) fn new(searcher: Searcher) -> Self {
        Self { searcher, shown: Vec::new(), news: Arc::default(), now: None, look: 0 }
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
        Shown { asked, outbox, task }
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

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.shown.len()
    }

    /// Returns when one of them may have something ready. Cancel safe.
    pub(super) async fn changed(&self) {
        self.news.notified().await;
    }

    /// What is to be sent, a patch of each; `now` is what the model knows.
    pub(super) fn take(&mut self, now: Revision) -> Vec<Ready> {
        if self.now != Some(now) {
            (self.now, self.look) = (Some(now), self.look + 1);
        }
        let looked = self.shown.iter().filter_map(|shown| {
            shown.outbox.want(self.look);
            shown.outbox.take()
        });
        looked.collect()
    }

    /// The look that will have found everything that was printed before what the model knew at the last `take`.
    pub(super) fn look(&self) -> u64 {
        self.look
    }

    /// Whether there is more than was taken.
    pub(super) fn is_behind(&self) -> bool {
        self.shown.iter().any(|shown| !shown.outbox.is_empty())
    }

    /// Whether something that a look has found, or will find, is still to be sent.
    pub(super) fn lacks(&self, look: u64) -> bool {
        let ended = |shown: &Shown| shown.task.is_finished() && shown.outbox.is_empty();
        self.shown.iter().any(|shown| shown.outbox.lacks(look) && !ended(shown))
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
