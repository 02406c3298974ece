//! A subscriber's own queue, read at its own pace. It keeps the rules of a lane: order per key, High
//! lossless, no priority starves.

use std::{fmt, pin::pin, sync::Arc};

use tokio::sync::Notify;

use super::{
    letter::Letter,
    queue::{Account, Item, Publisher, Push, Queue},
    registry::Subscription,
};
use crate::{config::Backpressure, event::Event, metrics::BusMetrics, sync::Mutex};

/// Where one task reads the events it asked for. Dropping it unsubscribes, and what it holds is gone.
pub struct Mailbox {
    inbox: Arc<Inbox>,
    _subscription: Subscription,
}

/// The part of a mailbox that workers put events into.
pub(super) struct Inbox {
    state: Mutex<State>,
    /// For the one reader; a wake-up given while it is busy is kept.
    ready: Notify,
}

struct State {
    queue: Queue<Letter>,
    /// Nothing more will come.
    closed: bool,
}

// === impl Mailbox ===

impl Mailbox {
    pub(super) fn new(inbox: Arc<Inbox>, subscription: Subscription) -> Self {
        Self { inbox, _subscription: subscription }
    }

    /// The next event; `None` when the bus has stopped and all was read. An event is not lost when the
    /// future is dropped.
    pub async fn recv(&mut self) -> Option<Event> {
        loop {
            let ready = pin!(self.inbox.ready.notified());
            match self.inbox.take() {
                (Some(event), _) => return Some(event),
                (None, true) => return None,
                (None, false) => ready.await,
            }
        }
    }

    /// The next event, if one is there.
    pub fn try_recv(&mut self) -> Option<Event> {
        self.inbox.take().0
    }

    /// The books of this mailbox: published is what was put in, delivered what was read.
    pub fn account(&self) -> [Account; 3] {
        self.inbox.state.lock().queue.account()
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailbox(..)")
    }
}

// === impl Inbox ===

impl Inbox {
    pub(super) fn new(capacity: usize, policy: Backpressure) -> Self {
        let policy = match policy {
            // Nobody can wait here: the worker has others to serve.
            Backpressure::Block => Backpressure::DropNewest,
            policy => policy,
        };
        let queue = Queue::new([capacity; 3], policy);
        Self { state: Mutex::new(State { queue, closed: false }), ready: Notify::new() }
    }

    /// Never waits. High is always taken.
    pub(super) fn put(&self, event: Event, metrics: &BusMetrics) {
        let pushed = self.state.lock().queue.push(Letter::new(event), Publisher::Handler);
        self.ready.notify_one();
        match pushed {
            Push::Queued | Push::Coalesced(_) => {}
            Push::Evicted(lost) | Push::Dropped(lost) | Push::Full(lost) => {
                metrics.dropped_subscriber_full[lost.priority().index()].increment();
            }
        }
    }

    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.ready.notify_one();
    }

    /// The next event, and whether none will follow it once there is none.
    fn take(&self) -> (Option<Event>, bool) {
        let mut state = self.state.lock();
        let letter = state.queue.pop();
        if let Some(letter) = &letter {
            state.queue.delivered(letter.priority());
        }
        let closed = state.closed;
        drop(state);
        (letter.map(Letter::open), closed)
    }
}
