//! What the bus tells about itself. The books are kept once, where the events are; the metrics ask for them.

use std::sync::Arc;

use super::{Shared, account::Account};

// === impl Shared ===

impl Shared {
    /// The books of both implementations.
    pub(super) fn account(&self) -> [Account; 3] {
        let mut sum = self.serial.account();
        for lane in &self.lanes {
            for (sum, account) in sum.iter_mut().zip(lane.account()) {
                *sum += account;
            }
        }
        sum
    }

    /// Lets the metrics ask.
    pub(super) fn attach_metrics(self: &Arc<Self>) {
        let weak = Arc::downgrade(self);
        let books = move |figure: fn(Account) -> u64| {
            let weak = weak.clone();
            move || weak.upgrade().map_or([0; 3], |shared| shared.account().map(figure))
        };
        let metrics = &self.metrics.bus;
        metrics.published.attach(books(|account| account.published));
        metrics.delivered.attach(books(|account| account.delivered));
        metrics.dropped_policy.attach(books(|account| account.dropped_policy));
        metrics.dropped_stop.attach(books(|account| account.dropped_stop));
        metrics.dropped_shed.attach(books(|account| account.dropped_shed));
        metrics.coalesced.attach(books(|account| account.coalesced));
        metrics.queued.attach(books(|account| account.queued));
        let registry = Arc::downgrade(&self.registry);
        metrics.in_mailboxes.attach(move || {
            let inboxes = registry.upgrade().map(|registry| registry.inboxes()).unwrap_or_default();
            inboxes.iter().flat_map(|inbox| inbox.account()).map(|account| account.queued).sum()
        });
    }
}
