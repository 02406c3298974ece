//! The owner of the frames: collects what changed, sends it, waits for the answer, and only then looks again.

use std::{collections::VecDeque, time::Duration};

use nvim_rs::error::CallError;
use rmpv::Value;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::{
    Handles, dispatch, feed,
    filtered::Filtered,
    frame::{EventRow, Frame, LogPatch, Reply},
    health::HealthWatch,
    load::{self, Loads},
    pace, patch, protocol,
    rows::Rows,
    search::Searches,
    session::Editor,
    terminals::Terminals,
    watch::Watch,
};
use crate::{
    bus::{Filter, Mailbox},
    config::Backpressure,
    event::{Component, EventKind, Pressure, ProcessId},
    model::{HAPPENINGS, Happening, Revision, What},
    search::Searcher,
};

/// Changes of health that may wait. There are few, and none is lost: newer ones of a component replace older ones.
const CHANGES: usize = 16;

/// How long an editor that refused a frame is left in peace.
const REFUSED: Duration = Duration::from_secs(1);

/// Style 0 is plain text, which needs no telling.
const PLAIN: usize = 1;

/// Buffers that watch a log, with a filter and without.
const WATCHES: usize = 256;

/// What the rest of the session says to this task.
pub(super) enum ToFlush {
    Watch(u64, protocol::Watch),
    Unwatch(u64, i64),
    Search(u64, protocol::Search),
    Unsearch(u64, i64),
    Load(u64, protocol::Load),
    WatchHealth(u64, i64),
    UnwatchHealth(u64, i64),
    Attach(u64, protocol::Attach),
    Detach(u64, i64),
    Reply(Reply),
    Event(EventRow),
}

/// See the module.
pub(super) struct Flush {
    editor: Editor,
    handles: Handles,
    pressure: watch::Receiver<Pressure>,
    watches: Vec<Watch>,
    terminals: Terminals,
    filtered: Filtered,
    searches: Searches,
    loads: Loads,
    replies: Vec<Reply>,
    /// What the editor has been told of.
    seen: Revision,
    rows: Rows,
    /// The number of the newest happening taken from the model.
    heard: u64,
    /// Happenings that wait for their last line to be shown, and the look of filtered buffers that finds it.
    held: VecDeque<(Happening, u64)>,
    /// Those that wait no more.
    events: Vec<EventRow>,
    /// Components that got better or worse.
    changes: Mailbox,
    health: HealthWatch,
    styles_sent: usize,
    frames: u64,
    /// Something may have changed since the last frame.
    dirty: bool,
}

/// What became of a frame.
enum Sent {
    Taken {
        /// The user was typing.
        typing: bool,
    },
    /// Lua failed as a whole.
    Refused,
    /// The channel is closed.
    Gone,
}

// === impl Flush ===

impl Flush {
    pub(super) fn new(editor: Editor, handles: Handles) -> Self {
        let kinds = Filter::of(&[EventKind::HealthChanged, EventKind::Fault]);
        let changes = handles.bus.subscribe(kinds, Component::Rpc, CHANGES, Backpressure::DropOldest);
        let searcher = Searcher::new(handles.resources.clone());
        let health = HealthWatch::new(handles.health.clone(), handles.resources.clone());
        Self {
            editor,
            pressure: handles.resources.pressure(),
            terminals: Terminals::new(&handles.manager),
            filtered: Filtered::new(searcher.clone()),
            searches: Searches::new(searcher.clone()),
            loads: Loads::new(searcher),
            handles,
            watches: Vec::new(),
            replies: Vec::new(),
            seen: Revision::default(),
            rows: Rows::default(),
            heard: 0,
            held: VecDeque::new(),
            events: Vec::new(),
            changes,
            health,
            styles_sent: PLAIN,
            frames: 0,
            dirty: true,
        }
    }

    /// Runs until the channel closes or nobody can say anything any more.
    pub(super) async fn run(mut self, mut mailbox: mpsc::Receiver<ToFlush>) {
        let mut next_frame = Instant::now();
        while self.wait(&mut mailbox, next_frame).await {
            let begin = Instant::now();
            next_frame = begin + self.interval(0, Duration::ZERO, false);
            let Some(frame) = self.build().await else { continue };
            let lines = frame.logs.iter().map(LogPatch::came).sum();
            let asked = Instant::now();
            match self.send(&frame).await {
                Sent::Taken { typing } => {
                    next_frame = begin + self.interval(lines, asked.elapsed(), typing);
                }
                Sent::Refused => {
                    self.take_back(frame);
                    next_frame = Instant::now() + REFUSED;
                }
                Sent::Gone => return,
            }
        }
    }

    fn interval(&self, lines: u64, took: Duration, typing: bool) -> Duration {
        pace::interval(self.handles.model.health(), *self.pressure.borrow(), lines, took, typing)
    }

    /// Waits until there is something to send and its time has come. False when the session is over.
    pub(super) async fn wait(&mut self, mailbox: &mut mpsc::Receiver<ToFlush>, next_frame: Instant) -> bool {
        loop {
            let ready = self.dirty || !self.replies.is_empty() || !self.events.is_empty();
            let look = self.health.due().into_iter().chain(self.rows.due()).min();
            tokio::select! {
                biased;
                message = mailbox.recv() => match message {
                    Some(message) => self.take(message),
                    None => return false,
                },
                () = self.handles.model.changed(), if !self.dirty => self.dirty = true,
                () = self.terminals.changed(), if !self.dirty => self.dirty = true,
                () = self.filtered.changed(), if !self.dirty => self.dirty = true,
                () = self.searches.changed(), if !self.dirty => self.dirty = true,
                () = self.loads.changed(), if !self.dirty => self.dirty = true,
                Some(event) = self.changes.recv() => self.events.extend(patch::health_row(&event)),
                () = sleep_until(look.unwrap_or(next_frame)), if look.is_some() && !self.dirty => self.dirty = true,
                () = sleep_until(next_frame), if ready => return true,
            }
        }
    }

    pub(super) fn take(&mut self, message: ToFlush) {
        match message {
            ToFlush::Reply(reply) => self.replies.push(reply),
            ToFlush::Event(event) => self.events.push(event),
            ToFlush::Watch(id, asked) if !self.has_room(asked.buf) => {
                drop(asked);
                let said = format!("watch: {WATCHES} buffers watch a log already");
                self.answer(id, Err(said));
            }
            ToFlush::Watch(id, asked) if asked.filter.is_some() => {
                let buf = asked.buf;
                let watched = self.filtered.watch(&self.handles, asked);
                // With a wrong filter it shows what it showed.
                if watched.is_ok() {
                    self.watches.retain(|known| known.buf != buf);
                    self.loads.forget(buf);
                }
                self.answer(id, watched);
            }
            ToFlush::Search(id, asked) => {
                let begun = self.searches.begin(&self.handles, &asked);
                self.answer(id, begun);
            }
            ToFlush::Unsearch(id, buf) => {
                self.searches.end(buf);
                self.replies.push(Reply::done(id));
            }
            ToFlush::Load(id, asked) => match self.shown(asked.buf) {
                Some(shown) => {
                    if let Err(said) = self.loads.begin(&self.handles, id, asked, shown) {
                        self.answer(id, Err(said));
                    }
                }
                None => self.answer(id, Err("load: this buffer watches no log".to_owned())),
            },
            ToFlush::Watch(id, asked) => {
                self.filtered.unwatch(asked.buf);
                // With `from` it goes on with what it holds, and what is being loaded goes in front of that.
                if asked.from.is_none() {
                    self.loads.forget(asked.buf);
                }
                let mut watch = Watch::new(asked);
                watch.resolve(&self.handles.model);
                let ok = match watch.process() {
                    Some(process) => serde_json::json!({ "id": process.0 }),
                    None => serde_json::json!({}),
                };
                self.watches.retain(|known| known.buf != watch.buf);
                self.watches.push(watch);
                self.replies.push(Reply { id, ok: Some(ok), err: None });
                self.dirty = true;
            }
            ToFlush::Unwatch(id, buf) => {
                self.watches.retain(|known| known.buf != buf);
                self.filtered.unwatch(buf);
                self.loads.forget(buf);
                self.replies.push(Reply::done(id));
                // A happening may have waited for this buffer.
                self.dirty = true;
            }
            ToFlush::Attach(id, protocol::Attach { buf, id: process }) => {
                let attached = self.terminals.attach(&self.handles.manager, buf, ProcessId(process));
                let ok = attached.is_ok().then(|| serde_json::json!({}));
                self.replies.push(Reply { id, ok, err: attached.err() });
                self.dirty = true;
            }
            ToFlush::Detach(id, buf) => {
                self.terminals.detach(buf);
                self.replies.push(Reply::done(id));
                self.dirty = true;
            }
            ToFlush::WatchHealth(id, buf) => {
                self.health.watch(buf);
                self.replies.push(Reply::done(id));
            }
            ToFlush::UnwatchHealth(id, buf) => {
                self.health.unwatch(buf);
                self.replies.push(Reply::done(id));
            }
        }
    }

    fn answer(&mut self, id: u64, done: Result<(), String>) {
        let ok = done.is_ok().then(|| serde_json::json!({}));
        self.replies.push(Reply { id, ok, err: done.err() });
        self.dirty = true;
    }

    /// Whether a buffer may watch a log.
    fn has_room(&self, buf: i64) -> bool {
        let known = self.watches.iter().any(|known| known.buf == buf) || self.filtered.find(buf).is_some();
        known || self.watches.len() + self.filtered.count() < WATCHES
    }

    /// The log that a buffer watches.
    fn shown(&self, buf: i64) -> Option<load::Shown> {
        let whole = self.watches.iter().find(|watch| watch.buf == buf).map(Watch::log);
        whole.or_else(|| self.filtered.find(buf))
    }

    /// Everything that changed since the last frame, or nothing.
    pub(super) async fn build(&mut self) -> Option<Frame> {
        self.dirty = false;
        let view = self.handles.model.view(self.seen, self.heard);
        self.seen = view.revision;
        self.heard = view.happenings.last().map_or(self.heard, |newest| newest.number);
        let mut logs = self.read_logs().await;
        let (loaded, replies) = self.loads.take();
        self.replies.extend(replies);
        let ready = self.filtered.take(self.seen).into_iter().chain(loaded);
        let look = self.filtered.look();
        self.held.extend(view.happenings.into_iter().map(|happening| (happening, look)));
        logs.extend(ready.map(|(mut patch, styles)| {
            patch.styles = styles.since(self.styles_sent).map(patch::style_row).collect();
            self.styles_sent = self.styles_sent.max(styles.len());
            patch
        }));
        let hits = self.searches.take();
        // More is ready at once; it goes into the next frame.
        let terms = self.terminals.take();
        self.dirty |= self.watches.iter().any(Watch::has_more) || self.terminals.is_behind();
        self.dirty |= self.filtered.is_behind() || self.searches.is_behind() || self.loads.is_behind();
        self.release();
        let (events, replies) = (std::mem::take(&mut self.events), std::mem::take(&mut self.replies));
        let procs = self.rows.pass(view.rows.iter().map(patch::proc_row).collect(), Instant::now());
        let health = self.health.take().map(dispatch::without_nulls);
        let nothing = logs.is_empty()
            && hits.is_empty()
            && terms.is_empty()
            && procs.is_empty()
            && events.is_empty()
            && replies.is_empty();
        if nothing && health.is_none() {
            return None;
        }
        self.frames += 1;
        Some(Frame { rev: self.frames, logs, hits, terms, procs, events, health, replies })
    }

    async fn read_logs(&mut self) -> Vec<LogPatch> {
        let mut patches = Vec::new();
        let Self { watches, handles, styles_sent, .. } = self;
        for watch in watches {
            patches.extend(feed::read(watch, handles, styles_sent).await);
        }
        patches
    }

    /// Readies the happenings whose lines are shown, in order: one that waits holds back those behind it.
    fn release(&mut self) {
        let waits = |(happening, look): &(Happening, u64)| match happening.what {
            What::Exited { .. } => {
                self.watches.iter().any(|watch| watch.lacks(happening.process))
                    || self.terminals.lacks(happening.process)
                    || self.filtered.lacks(*look)
            }
            What::Started | What::Error { .. } | What::Url(_) => false,
        };
        let ready = self.held.iter().take_while(|held| !waits(held)).count();
        self.events.extend(self.held.drain(..ready).map(|(happening, _)| patch::event_row(happening)));
    }

    /// Sends a frame and waits for its answer, however long that takes: the editor may be in a prompt.
    async fn send(&mut self, frame: &Frame) -> Sent {
        let bytes = match rmp_serde::to_vec_named(frame) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(%error, "A frame could not be written.");
                return Sent::Taken { typing: false };
            }
        };
        let argument = vec![Value::Binary(bytes)];
        match self.editor.exec_lua("return require('brummer.rpc').frame(...)", argument).await {
            Ok(answer) => {
                self.acknowledge(&answer);
                Sent::Taken { typing: answer.as_str() == Some("typing") }
            }
            Err(error) if matches!(*error, CallError::NeovimError(..)) => {
                tracing::error!(%error, "The editor did not take a frame.");
                Sent::Refused
            }
            Err(_) => Sent::Gone,
        }
    }

    /// A frame was refused: everything in it is said again, of happenings the newest.
    pub(super) fn take_back(&mut self, frame: Frame) {
        let Frame { events, replies, .. } = frame;
        self.events.splice(0..0, events);
        self.events.drain(..self.events.len().saturating_sub(HAPPENINGS));
        self.replies.splice(0..0, replies);
        self.watches.iter_mut().for_each(Watch::reset);
        self.terminals.again();
        self.filtered.again(&self.handles);
        self.searches.again();
        self.health.again();
        self.seen = Revision::default();
        self.rows.forget();
        self.styles_sent = PLAIN;
        self.dirty = true;
    }

    /// The answer is `true`, `"typing"` or the buffers that want everything again.
    fn acknowledge(&mut self, answer: &Value) {
        let Some(buffers) = answer.as_array() else { return };
        for buffer in buffers.iter().filter_map(Value::as_i64) {
            self.dirty |= self.terminals.reset(buffer);
            self.dirty |= self.filtered.reset(&self.handles, buffer) || self.searches.reset(buffer);
        }
        for watch in &mut self.watches {
            if buffers.iter().any(|buffer| buffer.as_i64() == Some(watch.buf)) {
                watch.reset();
                self.dirty = true;
            }
        }
    }
}
