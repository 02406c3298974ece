//! Who gets what. The table is copied on each change and read without a lock.

use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;

use super::{Filter, mailbox::Inbox};
use crate::event::{Component, Event, EventKind};

/// The subscribers of a bus.
#[derive(Default)]
pub(super) struct Registry {
    table: ArcSwap<Table>,
    next: AtomicU64,
}

/// The subscribers of one moment, in the order they came, by kind.
#[derive(Clone, Default)]
pub(super) struct Table {
    by_kind: [Vec<Arc<Subscriber>>; EventKind::ALL.len()],
}

/// One handler or mailbox.
pub(super) struct Subscriber {
    id: u64,
    pub(super) component: Component,
    pub(super) place: &'static str,
    pub(super) sink: Sink,
    /// False once unsubscribed: tables that waiting events hold still name it.
    live: AtomicBool,
}

/// What an event is handed to.
pub(super) enum Sink {
    Handler(Box<dyn Fn(&Event) + Send + Sync>),
    Mailbox(Arc<Inbox>),
}

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
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let subscriber = Arc::new(Subscriber { id, component, place, sink, live: AtomicBool::new(true) });
        self.table.rcu(|table| {
            let mut table = Table::clone(table);
            for kind in EventKind::ALL.into_iter().filter(|kind| filter.matches(*kind)) {
                table.by_kind[kind as usize].push(subscriber.clone());
            }
            table
        });
        Subscription { registry: Arc::downgrade(self), subscriber }
    }

    pub(super) fn table(&self) -> Arc<Table> {
        self.table.load_full()
    }

    /// Tells the readers of all mailboxes that nothing more will come.
    pub(super) fn close_mailboxes(&self) {
        for subscriber in self.table().by_kind.iter().flatten() {
            if let Sink::Mailbox(inbox) = &subscriber.sink {
                inbox.close();
            }
        }
    }

    fn remove(&self, id: u64) {
        self.table.rcu(|table| {
            let mut table = Table::clone(table);
            for subscribers in &mut table.by_kind {
                subscribers.retain(|subscriber| subscriber.id != id);
            }
            table
        });
    }
}

// === impl Table ===

impl Table {
    /// Those who asked for this kind and have not left since.
    pub(super) fn subscribers(&self, kind: EventKind) -> impl Iterator<Item = &Subscriber> {
        self.by_kind[kind as usize]
            .iter()
            .map(|subscriber| &**subscriber)
            .filter(|subscriber| subscriber.live.load(Ordering::Acquire))
    }
}

// === impl Subscription ===

impl Drop for Subscription {
    fn drop(&mut self) {
        self.subscriber.live.store(false, Ordering::Release);
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
