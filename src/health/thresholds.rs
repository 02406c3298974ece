//! What counts as too slow or too much, and how often it happened. Pure: it compares one snapshot with the next.
//!
//! The rooms count a breach where it happens, at no cost worth naming, and say nothing. Here the difference of two
//! readings becomes breaches of a component. The counts tell whose it was for handlers, channels and publishers; a lock does not
//! know whose it is, so its waits, like leaked tasks and memory, are [`Component::Resource`]'s.

use std::time::Duration;

use super::{ladder::WINDOW, words};
use crate::{
    bus::EVENT_HANDLING,
    event::Component,
    metrics::Snapshot,
    resource::{BLOCKED_SEND, Ring},
    sync::LOCK_WAIT,
};

/// Time between two looks at the counters.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// From here on something is too slow or too much. The times are those of the rooms that count them. Memory goes by the limit of the
/// memory monitor, and tasks by those that no owner answers for, not by how many there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PerformanceThresholds {
    /// One handler, one event.
    pub event_handling: Duration,
    /// A wait for a lock.
    pub lock_wait: Duration,
    /// A wait for room in a channel or a queue.
    pub blocked_send: Duration,
    /// Tasks alive whose owner is gone.
    pub leaked_tasks: u64,
}

/// Which threshold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    EventHandling,
    LockWait,
    BlockedSend,
    LeakedTasks,
    Memory,
}

/// A threshold was crossed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Breach {
    pub(super) kind: Kind,
    pub(super) component: Component,
    pub(super) times: u64,
}

/// What was seen so far.
#[derive(Clone, Debug)]
pub(super) struct Breaches {
    counted: [[u64; Component::COUNT]; Kind::ALL.len()],
    totals: [u64; Kind::ALL.len()],
    /// `(when, how many)` of the looks that found any, for one minute.
    recent: [Ring<(Duration, u64)>; Kind::ALL.len()],
    /// The most leaked tasks and the most memory; the others keep their own.
    most: [u64; 2],
}

// === impl Breaches ===

impl Breaches {
    /// What came since the last look. A count that only grows is compared with the last one; a level (leaked tasks,
    /// memory) is one breach for each look that finds it too high.
    pub(super) fn look(&mut self, now: Duration, snapshot: &Snapshot) -> Vec<Breach> {
        let counted = counted(snapshot);
        let mut found = Vec::new();
        for (kind, (now, before)) in Kind::ALL.into_iter().zip(counted.iter().zip(&self.counted)) {
            for (component, (&now, &before)) in Component::ALL.into_iter().zip(now.iter().zip(before)) {
                let times = now.saturating_sub(before);
                if times > 0 {
                    found.push(Breach { kind, component, times });
                }
            }
        }
        self.counted = counted;
        let (leaked, resident) = (snapshot.resource.tasks_leaked, snapshot.resource.memory_resident);
        let limit = snapshot.resource.memory_limit;
        self.most = [self.most[0].max(leaked), self.most[1].max(resident)];
        let levels = [
            (Kind::LeakedTasks, leaked > PerformanceThresholds::default().leaked_tasks),
            (Kind::Memory, limit > 0 && resident > limit),
        ];
        let high = levels.into_iter().filter(|(_, high)| *high);
        found.extend(high.map(|(kind, _)| Breach { kind, component: Component::Resource, times: 1 }));
        for breach in &found {
            self.totals[breach.kind as usize] += breach.times;
            self.recent[breach.kind as usize].push((now, breach.times));
        }
        found
    }

    /// Since the start.
    pub(super) fn total(&self, kind: Kind) -> u64 {
        self.totals[kind as usize]
    }

    /// In the last minute.
    pub(super) fn recent(&self, kind: Kind, now: Duration) -> u64 {
        let looks = self.recent[kind as usize].iter().rev();
        looks.take_while(|(at, _)| now.saturating_sub(*at) < WINDOW).map(|(_, times)| times).sum()
    }

    /// The worst ever, in the unit of the kind: microseconds, tasks or bytes. 0 when nothing was measured.
    pub(super) fn worst(&self, kind: Kind, snapshot: &Snapshot) -> u64 {
        match kind {
            Kind::EventHandling => snapshot.bus.handler_time.max,
            Kind::LockWait => snapshot.lock.longest_wait,
            Kind::BlockedSend => {
                let channels = snapshot.channels.iter().map(|channel| channel.longest_measured);
                channels.chain([snapshot.bus.publisher_wait.max]).max().unwrap_or_default()
            }
            Kind::LeakedTasks => self.most[0],
            Kind::Memory => self.most[1],
        }
    }
}

impl Default for Breaches {
    fn default() -> Self {
        // One look a second, and a breach of every component in each.
        let looks = Component::COUNT * 60;
        Self {
            counted: Default::default(),
            totals: Default::default(),
            recent: std::array::from_fn(|_| Ring::new(looks)),
            most: [0; 2],
        }
    }
}

/// The counters of breaches, by kind and component.
fn counted(snapshot: &Snapshot) -> [[u64; Component::COUNT]; Kind::ALL.len()] {
    let mut counted = [[0; Component::COUNT]; Kind::ALL.len()];
    counted[Kind::EventHandling as usize] = snapshot.bus.slow_handlers_by;
    counted[Kind::LockWait as usize][Component::Resource.index()] = snapshot.lock.breaches;
    let blocked = &mut counted[Kind::BlockedSend as usize];
    blocked[Component::Bus.index()] = snapshot.bus.publisher_wait_breaches;
    for channel in &snapshot.channels {
        let owner = Component::ALL.into_iter().find(|component| component.name() == channel.component);
        blocked[owner.unwrap_or(Component::Resource).index()] += channel.breaches;
    }
    counted
}

// === impl Kind ===

impl Kind {
    pub(super) const ALL: [Self; 5] =
        [Self::EventHandling, Self::LockWait, Self::BlockedSend, Self::LeakedTasks, Self::Memory];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::EventHandling => "event handling",
            Self::LockWait => "lock wait",
            Self::BlockedSend => "blocked send",
            Self::LeakedTasks => "leaked tasks",
            Self::Memory => "memory",
        }
    }

    /// What degrades a component, for the reason of its state: short, because a notice names the component and the way
    /// to the report besides.
    pub(super) fn said(self) -> String {
        let PerformanceThresholds { event_handling, lock_wait, blocked_send, .. } = Default::default();
        match self {
            Self::EventHandling => format!("handling an event took over {}", words::time(event_handling)),
            Self::LockWait => format!("waiting for a lock took over {}", words::time(lock_wait)),
            Self::BlockedSend => {
                format!("waiting for room in a queue took over {}", words::time(blocked_send))
            }
            Self::LeakedTasks => "tasks went on that nobody answers for".to_owned(),
            Self::Memory => "memory is over its limit (memory_limit_mb)".to_owned(),
        }
    }
}

// === impl PerformanceThresholds ===

impl Default for PerformanceThresholds {
    fn default() -> Self {
        Self {
            event_handling: EVENT_HANDLING,
            lock_wait: LOCK_WAIT,
            blocked_send: BLOCKED_SEND,
            leaked_tasks: 0,
        }
    }
}
