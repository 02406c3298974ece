//! The books of the bus.

use std::ops::AddAssign;

/// The books of one priority, true at every instant:
/// published = delivered + dropped + coalesced + queued + in flight.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Account {
    /// Accepted.
    pub published: u64,
    /// All handlers have returned or panicked; from a mailbox, read.
    pub delivered: u64,
    /// Dropped by the backpressure policy.
    pub dropped_policy: u64,
    /// Dropped when `stop` ran out of time.
    pub dropped_stop: u64,
    /// Dropped because memory is short or the bus is degraded.
    pub dropped_shed: u64,
    /// Replaced by a newer one that says the same.
    pub coalesced: u64,
    /// Waiting.
    pub queued: u64,
    /// Taken to be delivered, not yet delivered.
    pub in_flight: u64,
}

/// Events whose handlers did not return and were left behind: the rest goes on, but such an event is
/// delivered only when the last of these calls has returned.
#[derive(Default, Debug)]
pub(super) struct LeftBehind(Vec<Left>);

#[derive(Debug)]
struct Left {
    event: u64,
    priority: usize,
    calls: u32,
    /// All its other subscribers have been served.
    passed: bool,
}

// === impl Account ===

impl Account {
    /// Whether everything published is accounted for.
    pub fn balances(&self) -> bool {
        self.published
            == self.delivered
                + self.dropped_policy
                + self.dropped_stop
                + self.dropped_shed
                + self.coalesced
                + self.queued
                + self.in_flight
    }
}

impl AddAssign for Account {
    fn add_assign(&mut self, other: Self) {
        self.published += other.published;
        self.delivered += other.delivered;
        self.dropped_policy += other.dropped_policy;
        self.dropped_stop += other.dropped_stop;
        self.dropped_shed += other.dropped_shed;
        self.coalesced += other.coalesced;
        self.queued += other.queued;
        self.in_flight += other.in_flight;
    }
}

// === impl LeftBehind ===

impl LeftBehind {
    /// A call about this event was left behind.
    pub(super) fn add(&mut self, event: u64, priority: usize) {
        match self.0.iter_mut().find(|left| left.event == event) {
            Some(left) => left.calls += 1,
            None => self.0.push(Left { event, priority, calls: 1, passed: false }),
        }
    }

    /// How many events it holds.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Of the events in `range`, how many are not delivered although everybody else was served.
    pub(super) fn held(&self, range: std::ops::Range<u64>) -> [u64; 3] {
        let mut held = [0; 3];
        for left in self.0.iter().filter(|left| left.calls > 0 && range.contains(&left.event)) {
            held[left.priority] += 1;
        }
        held
    }

    /// Everybody else was served with the events before this one. Those whose calls have returned since are
    /// forgotten.
    pub(super) fn pass(&mut self, end: u64) {
        self.0.retain_mut(|left| {
            left.passed |= left.event < end;
            !left.passed || left.calls > 0
        });
    }

    /// A call has returned after all. Gives the priority when that makes the event delivered.
    pub(super) fn returned(&mut self, event: u64) -> Option<usize> {
        let at = self.0.iter().position(|left| left.event == event)?;
        let left = &mut self.0[at];
        left.calls = left.calls.saturating_sub(1);
        (left.calls == 0 && left.passed).then(|| self.0.swap_remove(at).priority)
    }
}
