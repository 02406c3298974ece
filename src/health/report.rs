//! What `:Brummer health` shows: plain values, and the function that makes them of what was judged. Pure.

use std::{collections::HashMap, time::Duration};

use serde::Serialize;

use super::{
    Room,
    state::Judged,
    thresholds::{Kind, PerformanceThresholds},
    words,
};
use crate::{
    config::Mode,
    event::{Component, FaultKind, Health, Pressure, Timestamp},
    metrics::Snapshot,
};

/// Everything at one time.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    /// Milliseconds since the program began.
    pub uptime: u64,
    /// The host's process id.
    pub pid: u32,
    /// The program's version.
    pub version: &'static str,
    /// All components.
    pub components: Vec<ComponentHealth>,
    /// What waits where.
    pub queues: Vec<Queue>,
    /// What may run at once.
    pub budgets: Vec<Budget>,
    /// What became of processes since the start that somebody may want to know; nothing of what never happened.
    pub counters: Vec<Counted>,
    /// Memory.
    pub memory: Memory,
    /// The last faults, newest first.
    pub faults: Vec<FaultEntry>,
    /// What counts as too slow or too much.
    pub thresholds: Vec<Threshold>,
    /// How much is done.
    pub rates: Rates,
}

/// One component.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ComponentHealth {
    /// Which.
    pub name: &'static str,
    /// How well it works.
    pub state: Health,
    /// Which implementation runs.
    pub mode: Mode,
    /// When the state was entered.
    pub since: Timestamp,
    /// Why; nothing when it never changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Errors in the last minute, 100 at most.
    pub errors: usize,
    /// Faults since the start.
    pub faults: u64,
    /// What is switched off.
    pub off: Vec<&'static str>,
}

/// One bounded queue or channel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Queue {
    /// What it carries.
    pub name: String,
    /// Waiting now.
    pub used: u64,
    /// As many may wait.
    pub capacity: u64,
    /// Dropped so far.
    pub dropped: u64,
    /// Times a sender had to wait. Publishers' waits for any lane are told with `events high`.
    pub blocked: u64,
}

/// Something of which there is only so much.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Budget {
    /// Of what.
    pub name: &'static str,
    /// In use.
    pub used: u64,
    /// As much may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Who waits for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
    /// Who was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<u64>,
    /// In use by nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaked: Option<u64>,
}

/// How often something happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Counted {
    /// What.
    pub name: &'static str,
    /// How often.
    pub count: u64,
}

/// The host's memory, as measured last. All 0 where it cannot be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Memory {
    /// Bytes of the resident set.
    pub resident: u64,
    /// Bytes it may be.
    pub limit: u64,
    /// How short it is.
    pub pressure: Pressure,
    /// Bytes in rings and bodies.
    pub rings: u64,
    /// What is switched off because of it.
    pub off: Vec<&'static str>,
}

/// A fault, and how often it came.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct FaultEntry {
    /// The last time.
    pub at: Timestamp,
    /// Whose.
    pub component: &'static str,
    /// The task or handler.
    pub place: &'static str,
    /// `panic`, `stuck` or `failure`.
    pub kind: &'static str,
    /// What was said.
    pub message: String,
    /// How often.
    pub count: u64,
}

/// One threshold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Threshold {
    /// Of what.
    pub name: &'static str,
    /// Beyond this it is a breach.
    pub limit: String,
    /// Breaches since the start.
    pub breaches: u64,
    /// In the last minute.
    pub recent: u64,
    /// The worst ever, breach or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst: Option<String>,
}

/// Of the last second.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Rates {
    /// Events delivered, per second.
    pub events: u64,
    /// Lines stored, per second.
    pub lines: u64,
    /// The part of their time that the bus's workers are busy, 0 to 1.
    pub workers_busy: f64,
    /// From publishing to the last handler's return, microseconds: half of the events were faster. Of the last second in which
    /// there were any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_p50_us: Option<u64>,
    /// 99 of 100 were faster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_p99_us: Option<u64>,
}

/// What a report is made of.
pub(super) struct Given<'a> {
    pub(super) uptime: Duration,
    pub(super) judged: &'a Judged,
    pub(super) snapshot: &'a Snapshot,
    /// Of the components that have two.
    pub(super) modes: HashMap<Component, Mode>,
    pub(super) pressure: Pressure,
    pub(super) room: Room,
}

pub(super) fn report(given: &Given<'_>) -> Report {
    let Given { uptime, judged, snapshot, .. } = given;
    let resource = &snapshot.resource;
    Report {
        uptime: u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION"),
        components: Component::ALL.into_iter().map(|component| given.component(component)).collect(),
        queues: given.queues(),
        budgets: vec![
            Budget {
                name: "short work",
                used: resource.permits_in_use,
                limit: Some(resource.permits),
                waiting: Some(resource.permits_waiting),
                refused: Some(resource.permits_refused),
                leaked: None,
            },
            Budget {
                name: "processes",
                used: snapshot.process.running,
                limit: Some(snapshot.process.limit),
                ..Budget::default()
            },
            Budget {
                name: "tasks",
                used: resource.tasks_alive,
                leaked: Some(resource.tasks_leaked),
                ..Budget::default()
            },
            Budget {
                name: "history (MB)",
                used: snapshot.history.kept_bytes.div_ceil(1 << 20),
                limit: Some(snapshot.history.limit_bytes >> 20),
                // Lines that no disk took.
                refused: Some(snapshot.history.unrecorded),
                ..Budget::default()
            },
        ],
        counters: given.counters(),
        memory: Memory {
            resident: resource.memory_resident,
            limit: resource.memory_limit,
            pressure: given.pressure,
            rings: resource.memory_accounted.iter().sum(),
            off: words::off_for_memory(given.pressure),
        },
        faults: judged
            .history
            .entries()
            .map(|entry| FaultEntry {
                at: entry.at,
                component: entry.component.name(),
                place: entry.place,
                kind: match entry.kind {
                    FaultKind::Panic => "panic",
                    FaultKind::Stuck => "stuck",
                    FaultKind::Failure => "failure",
                },
                message: entry.message.to_string(),
                count: entry.count,
            })
            .collect(),
        thresholds: Kind::ALL.into_iter().map(|kind| given.threshold(kind)).collect(),
        rates: judged.rates,
    }
}

// === impl Given ===

impl Given<'_> {
    fn component(&self, component: Component) -> ComponentHealth {
        let ladder = self.judged.ladder(component);
        let mode = self.modes.get(&component).copied().unwrap_or_default();
        ComponentHealth {
            name: component.name(),
            state: ladder.state(),
            mode,
            since: ladder.since(),
            reason: ladder.reason().map(ToString::to_string),
            errors: ladder.errors(self.uptime),
            faults: self.judged.faults(component),
            off: words::off(component, ladder.state(), mode),
        }
    }

    fn counters(&self) -> Vec<Counted> {
        let process = &self.snapshot.process;
        let counters = [
            ("restarts", process.restarts),
            ("given up", process.given_up),
            ("not ready", process.not_ready),
            ("killed", process.killed),
            ("guards lost", process.guards_lost),
        ];
        let counters = counters.into_iter().map(|(name, count)| Counted { name, count });
        counters.filter(|counted| counted.count > 0).collect()
    }

    fn queues(&self) -> Vec<Queue> {
        let bus = &self.snapshot.bus;
        let names = ["events high", "events medium", "events low"];
        let lanes = names.into_iter().enumerate().map(|(at, name)| Queue {
            name: name.to_owned(),
            used: bus.queued[at],
            capacity: self.room.lanes[at] as u64,
            dropped: bus.dropped_policy[at] + bus.dropped_shed[at] + bus.dropped_stop[at],
            blocked: if at == 0 { bus.publisher_waits } else { 0 },
        });
        let mailboxes = Queue {
            name: "mailboxes".to_owned(),
            used: bus.in_mailboxes,
            capacity: self.room.all as u64,
            dropped: bus.dropped_subscriber_full.iter().chain(&bus.dropped_ceiling).sum(),
            blocked: 0,
        };
        let channels = self.snapshot.channels.iter().map(|channel| Queue {
            name: channel.name.to_owned(),
            used: channel.used as u64,
            capacity: channel.capacity as u64,
            dropped: 0,
            blocked: channel.blocked_sends,
        });
        lanes.chain([mailboxes]).chain(channels).collect()
    }

    fn threshold(&self, kind: Kind) -> Threshold {
        let limits = PerformanceThresholds::default();
        let breaches = &self.judged.breaches;
        let worst = breaches.worst(kind, self.snapshot);
        let limit = match kind {
            Kind::EventHandling => words::time(limits.event_handling),
            Kind::LockWait => words::time(limits.lock_wait),
            Kind::BlockedSend => words::time(limits.blocked_send),
            Kind::LeakedTasks => limits.leaked_tasks.to_string(),
            Kind::Memory => words::size(self.snapshot.resource.memory_limit),
        };
        let told = match kind {
            Kind::LeakedTasks => worst.to_string(),
            Kind::Memory => words::size(worst),
            Kind::EventHandling | Kind::LockWait | Kind::BlockedSend => {
                words::time(Duration::from_micros(worst))
            }
        };
        Threshold {
            name: kind.name(),
            limit,
            breaches: breaches.total(kind),
            recent: breaches.recent(kind, self.uptime),
            worst: (worst > 0).then_some(told),
        }
    }
}
