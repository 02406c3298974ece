//! A subscriber's own queue, read at its own pace. It keeps the rules of a lane: order per key, High
//! lossless, no priority starves.

use std::{fmt, pin::pin, sync::Arc};

use super::{
    account::Account,
    ceiling::Ceiling,
    letter::Letter,
    queue::{Item, Publisher, Push, Queue},
    registry::Subscription,
};
use crate::{
    config::Backpressure,
    event::{Event, Priority},
    metrics::BusMetrics,
    sync::{Mutex, Notify},
};

/// Where one task reads the events it asked for. Dropping it unsubscribes, and what it holds is gone.
pub struct Mailbox {
    inbox: Arc<Inbox>,
    _subscription: Subscription,
}

/// The part of a mailbox that workers put events into.
pub(super) struct Inbox {
    state: Mutex<State>,
    /// For the one reader; a wake-up given while it is busy is kept.
    pub(super) ready: Notify,
    /// Medium and Low events take a place here, because all mailboxes together are bounded.
    ceiling: Arc<Ceiling>,
}

struct State {
    queue: Queue<Letter>,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Nothing more will come.
    Closed,
    /// Its reader has gone; what still comes is for nobody.
    Gone,
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
        self.inbox.account()
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailbox(..)")
    }
}

// === impl Inbox ===

impl Inbox {
    pub(super) fn new(shares: [usize; 3], policy: Backpressure, ceiling: Arc<Ceiling>) -> Self {
        let policy = match policy {
            // Nobody can wait here: the worker has others to serve.
            Backpressure::Block => Backpressure::DropNewest,
            policy => policy,
        };
        let state = State { queue: Queue::new(shares, policy), phase: Phase::Open };
        Self { state: Mutex::new(state), ready: Notify::new(), ceiling }
    }

    /// Never waits. High is always taken.
    pub(super) fn put(&self, event: &Event, metrics: &BusMetrics) {
        let letter = Letter::new(event.clone(), 0);
        let bounded = letter.priority() != Priority::High;
        let mut state = self.state.lock();
        if state.phase == Phase::Gone {
            return;
        }
        let room = bounded && state.queue.has_room(letter.priority());
        let place = room && self.ceiling.take();
        let pushed = state.queue.push_within(letter, Publisher::Handler, place);
        drop(state);
        self.ready.notify_one();
        match pushed {
            Push::Queued | Push::Coalesced(_) => {}
            // One came for one that went, or none came: the place is not needed.
            Push::Evicted(lost) | Push::Dropped(lost) | Push::Full(lost) => {
                let at = lost.priority().index();
                if room {
                    metrics.dropped_ceiling[at].increment();
                } else {
                    metrics.dropped_subscriber_full[at].increment();
                }
            }
        }
    }

    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Closed;
        }
        drop(state);
        self.ready.notify_one();
    }

    /// Nobody will read it any more; what it holds is dropped. Gives how many that were, by priority.
    pub(super) fn clear(&self) -> [usize; 3] {
        let mut state = self.state.lock();
        state.phase = Phase::Gone;
        let left = state.queue.discard();
        drop(state);
        self.ready.notify_one();
        let mut counts = [0; 3];
        for letter in &left {
            counts[letter.priority().index()] += 1;
        }
        self.ceiling.give(counts[1] + counts[2]);
        counts
    }

    /// The next event, and whether none will follow it once there is none.
    pub(super) fn take(&self) -> (Option<Event>, bool) {
        let mut state = self.state.lock();
        let letter = state.queue.pop();
        let counts = letter.as_ref().map_or([0; 3], one);
        state.queue.delivered(counts);
        let closed = state.phase != Phase::Open;
        drop(state);
        self.give_back(counts);
        (letter.map(Letter::into_event), closed)
    }

    /// The same for a moved handler: the event is in flight until it is [`Inbox::done`].
    pub(super) fn next(&self) -> (Option<Letter>, bool) {
        let mut state = self.state.lock();
        (state.queue.pop(), state.phase != Phase::Open)
    }

    pub(super) fn done(&self, letter: &Letter) {
        let counts = one(letter);
        self.state.lock().queue.delivered(counts);
        self.give_back(counts);
    }

    fn give_back(&self, counts: [u64; 3]) {
        if counts[1] + counts[2] > 0 {
            self.ceiling.give(1);
        }
    }

    pub(super) fn account(&self) -> [Account; 3] {
        self.state.lock().queue.account()
    }
}

fn one(letter: &Letter) -> [u64; 3] {
    let mut counts = [0; 3];
    counts[letter.priority().index()] = 1;
    counts
}
