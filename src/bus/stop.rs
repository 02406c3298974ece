//! The end of the bus.

use tokio::time::{Instant, timeout_at};

use super::{Shared, Stopped, lane::Lane};

/// See `EventBus::stop`.
pub(super) async fn stop(shared: &Shared) -> Stopped {
    shared.closing.begin();
    let deadline = Instant::now() + shared.limits.stop;
    // A change between the implementations comes to its end first: it sees that the bus closes.
    let _last = timeout_at(deadline, shared.switching.acquire()).await;
    shared.lanes.iter().for_each(Lane::close);
    shared.serial.close();
    for lane in &shared.lanes {
        if timeout_at(deadline, lane.finished()).await.is_err() {
            lane.halt();
        }
    }
    if timeout_at(deadline, shared.serial.finished()).await.is_err() {
        shared.serial.halt();
    }
    let mut by_priority = shared.stop_moved(deadline).await;
    shared.ended.begin();
    shared.registry.inboxes().iter().for_each(|inbox| inbox.close());
    for (sum, account) in by_priority.iter_mut().zip(shared.account()) {
        *sum += usize::try_from(account.dropped_stop + account.in_flight).unwrap_or(0);
    }
    Stopped { left: by_priority.iter().sum(), by_priority }
}

// === impl Shared ===

impl Shared {
    /// Lets the moved handlers read what they have; gives what they could not, by priority.
    async fn stop_moved(&self, deadline: Instant) -> [usize; 3] {
        let moved = std::mem::take(&mut *self.moved.lock());
        moved.iter().for_each(|(inbox, _)| inbox.close());
        let mut left = [0; 3];
        for (inbox, task) in moved {
            if timeout_at(deadline, task).await.is_err() {
                for (left, account) in left.iter_mut().zip(inbox.account()) {
                    *left += usize::try_from(account.queued + account.in_flight).unwrap_or(0);
                }
                inbox.clear();
            }
        }
        left
    }
}
