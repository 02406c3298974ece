//! Who gets what. The table is copied on each change and read without a lock.

use std::{
    fmt,
    sync::{Arc, OnceLock, Weak},
};

use super::{Filter, mailbox::Inbox};
use crate::{
    event::{Component, Event, EventKind},
    sync::{
        Swap,
        atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering::SeqCst},
        planted,
    },
};

/// The subscribers of a bus.
#[derive(Default)]
pub(super) struct Registry {
    table: Swap<Table>,
    next: AtomicU64,
}

/// The subscribers of one moment, in the order they came, by kind.
#[derive(Clone, Default)]
pub(super) struct Table {
    by_kind: [Vec<Arc<Subscriber>>; EventKind::ALL.len()],
}

/// One handler or mailbox.
pub(super) struct Subscriber {
    pub(super) id: u64,
    pub(super) component: Component,
    pub(super) place: &'static str,
    pub(super) sink: Sink,
    /// [`LIVE`], [`MOVED`] or [`GONE`].
    state: AtomicU8,
    /// The mailbox of a moved handler.
    inbox: OnceLock<Arc<Inbox>>,
    /// Calls of this handler that were left behind by a lane and have not returned.
    pub(super) behind: AtomicUsize,
}

/// What an event is handed to.
pub(super) enum Sink {
    Handler(Box<dyn Fn(&Event) + Send + Sync>),
    Mailbox(Arc<Inbox>),
}

/// How a subscriber gets an event at this moment.
pub(super) enum Way<'a> {
    Call(&'a (dyn Fn(&Event) + Send + Sync)),
    Put(&'a Inbox),
    /// It has left.
    Not,
}

const LIVE: u8 = 0;
/// The handler did not return in time and reads a mailbox of its own.
const MOVED: u8 = 1;
/// Unsubscribed; tables that batches hold still name it.
const GONE: u8 = 2;

/// A handler's stay in the bus: dropping it removes the handler. A call that runs at that moment on another
/// thread goes on to its end; none begins afterwards.
#[must_use = "dropping the subscription removes the handler"]
pub struct Subscription {
    registry: Weak<Registry>,
    subscriber: Arc<Subscriber>,
}

// === impl Registry ===

impl Registry {
    pub(super) fn add(
        self: &Arc<Self>,
        filter: Filter,
        component: Component,
        place: &'static str,
        sink: Sink,
    ) -> Subscription {
        let id = self.next.fetch_add(1, SeqCst);
        let subscriber = Arc::new(Subscriber {
            id,
            component,
            place,
            sink,
            state: AtomicU8::new(LIVE),
            inbox: OnceLock::new(),
            behind: AtomicUsize::new(0),
        });
        self.table.update(|table| {
            let mut table = table.clone();
            for kind in EventKind::ALL.into_iter().filter(|kind| filter.matches(*kind)) {
                let list = &mut table.by_kind[kind as usize];
                // Two that come at the same time may get here in either order.
                let at = list.partition_point(|other| other.id < id);
                list.insert(at, subscriber.clone());
            }
            table
        });
        Subscription { registry: Arc::downgrade(self), subscriber }
    }

    pub(super) fn table(&self) -> Arc<Table> {
        self.table.load()
    }

    /// A number that all subscribers there are now are below.
    pub(super) fn until(&self) -> u64 {
        self.next.load(SeqCst)
    }

    /// All mailboxes, also those of moved handlers.
    pub(super) fn inboxes(&self) -> Vec<Arc<Inbox>> {
        let table = self.table();
        let mut all: Vec<_> = table.by_kind.iter().flatten().collect();
        all.sort_by_key(|subscriber| subscriber.id);
        all.dedup_by_key(|subscriber| subscriber.id);
        all.into_iter().filter_map(|subscriber| subscriber.inbox().cloned()).collect()
    }

    fn remove(&self, id: u64) {
        self.table.update(|table| {
            let mut table = table.clone();
            for subscribers in &mut table.by_kind {
                subscribers.retain(|subscriber| subscriber.id != id);
            }
            table
        });
    }
}

// === impl Table ===

impl Table {
    /// Those who asked for this kind, in the order they came.
    pub(super) fn subscribers(&self, kind: EventKind) -> &[Arc<Subscriber>] {
        &self.by_kind[kind as usize]
    }
}

// === impl Subscriber ===

impl Subscriber {
    pub(super) fn way(&self) -> Way<'_> {
        // Stands against the order in `Shared::has_left`: who is told to call has said so before.
        match (self.state.load(SeqCst), &self.sink) {
            (GONE, _) => Way::Not,
            (_, Sink::Mailbox(inbox)) => Way::Put(inbox),
            (LIVE, Sink::Handler(handler)) => Way::Call(handler),
            (_, Sink::Handler(_)) => self.inbox.get().map_or(Way::Not, |inbox| Way::Put(inbox)),
        }
    }

    pub(super) fn inbox(&self) -> Option<&Arc<Inbox>> {
        match &self.sink {
            Sink::Mailbox(inbox) => Some(inbox),
            Sink::Handler(_) => self.inbox.get(),
        }
    }

    pub(super) fn is_handler(&self) -> bool {
        matches!(self.sink, Sink::Handler(_))
    }

    /// Whether it is a handler that was moved.
    pub(super) fn is_moved(&self) -> bool {
        self.state.load(SeqCst) == MOVED
    }

    pub(super) fn is_gone(&self) -> bool {
        self.state.load(SeqCst) == GONE
    }

    /// Gives a handler a mailbox, through which it gets all that comes from now on. Gives whether it had none.
    pub(super) fn move_to(&self, inbox: Arc<Inbox>) -> bool {
        let first = matches!(self.sink, Sink::Handler(_)) && self.inbox.set(inbox).is_ok();
        if first {
            self.state.compare_exchange(LIVE, MOVED, SeqCst, SeqCst).ok();
        }
        first
    }

    /// A call that was left behind has returned.
    pub(super) fn came_back(&self) {
        self.behind.fetch_sub(1, SeqCst);
        if let Some(inbox) = self.inbox.get() {
            inbox.ready.notify_one();
        }
    }

    /// A worker is through with it for one event. If it was moved meanwhile, its own task waits for that.
    pub(super) fn passed(&self) {
        if self.is_moved()
            && let Some(inbox) = self.inbox.get()
        {
            inbox.ready.notify_one();
        }
    }

    fn leave(&self) {
        if !planted("who leaves is still called") {
            self.state.store(GONE, SeqCst);
        }
        if let Some(inbox) = self.inbox() {
            inbox.clear();
        }
    }
}

// === impl Subscription ===

impl Drop for Subscription {
    fn drop(&mut self) {
        self.subscriber.leave();
        if let Some(registry) = self.registry.upgrade() {
            registry.remove(self.subscriber.id);
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("place", &self.subscriber.place).finish_non_exhaustive()
    }
}
