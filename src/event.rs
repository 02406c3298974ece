//! The facts that travel on the bus, in the past tense, and the small types they are made of.
//!
//! The enum is closed: whatever can wake a component stands in [`Event`]. Output lines are not here; they
//! have a pipe of their own, and the bus only carries "lines n..m of process p arrived".

mod component;
mod detail;
mod ids;
mod run;

use std::sync::Arc;

pub use self::{
    component::{Component, Fault, FaultKind, Health, Pressure},
    detail::{Detail, Readiness, Survivor, Url, Usage},
    ids::{ProcessId, RunId, Seq, Timestamp},
    run::{Exit, ProcessInfo, State},
};

/// Which queue an event waits in. High is lossless.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Priority {
    /// `process.*`, errors and panics: never dropped.
    High,
    /// Progress that a later event of the same kind makes good.
    Medium,
    /// Nice to have.
    Low,
}

/// What events are ordered by: those of one key reach a subscriber in the order published.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Key {
    /// Everything about one process.
    Process(ProcessId),
    /// Everything about one component.
    Component(Component),
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A start was accepted; the process list has an entry for it.
    ProcessPending {
        /// The entry.
        process: ProcessId,
        /// The start.
        run: RunId,
        /// What it is.
        info: Arc<ProcessInfo>,
        /// When it was accepted.
        at: Timestamp,
    },
    /// The program runs.
    ProcessStarted {
        /// The entry.
        process: ProcessId,
        /// The start.
        run: RunId,
        /// Process id of the leader, which is also its group's.
        pid: u32,
        /// The last line printed before this run.
        after: Seq,
        /// When it started.
        at: Timestamp,
    },
    /// What is known of the run besides its state changed: also after its end, while something of its tree lives on.
    ProcessDetail {
        /// The entry.
        process: ProcessId,
        /// The start.
        run: RunId,
        /// All of it.
        detail: Arc<Detail>,
        /// When it changed.
        at: Timestamp,
    },
    /// The run is over; published once per run, after its last lines.
    ProcessExited {
        /// The entry.
        process: ProcessId,
        /// The start.
        run: RunId,
        /// `Success`, `Failed` or `Stopped`.
        state: State,
        /// How it ended.
        exit: Exit,
        /// The last line it printed.
        last: Seq,
        /// Why it could not be started or ended, when it could not.
        reason: Option<Arc<str>>,
        /// When its leader ended.
        at: Timestamp,
    },
    /// The log holds new lines, `first..=last`.
    LinesArrived {
        /// The entry.
        process: ProcessId,
        /// First new line.
        first: Seq,
        /// Last new line.
        last: Seq,
    },
    /// The log holds new error headlines.
    ErrorDetected {
        /// The entry.
        process: ProcessId,
        /// The run that printed them.
        run: RunId,
        /// The first of the new headlines.
        seq: Seq,
        /// Distinct errors of this run so far.
        count: u32,
        /// What that headline says.
        message: Arc<str>,
        /// When it was read.
        at: Timestamp,
    },
    /// A run printed web addresses that it had not printed before.
    UrlDetected {
        /// The entry.
        process: ProcessId,
        /// The run that printed them.
        run: RunId,
        /// All distinct ones of this run so far, each with its line, in the order printed; at most 20.
        urls: Arc<[Url]>,
        /// When the newest was read.
        at: Timestamp,
    },
    /// A panic was caught, or a component reported that it could not do its work.
    Fault(Fault),
    /// A component got better or worse.
    HealthChanged {
        /// Which.
        component: Component,
        /// What it was.
        from: Health,
        /// What it is.
        to: Health,
        /// Why, worded for the user.
        reason: Arc<str>,
        /// When it was judged.
        at: Timestamp,
    },
    /// What the trees of the running processes use was measured. Telemetry, too.
    UsageSampled {
        /// Every process that runs.
        usage: Arc<[(ProcessId, Usage)]>,
        /// When it was measured.
        at: Timestamp,
    },
    /// The host's memory was measured. Telemetry: the first thing to be shed.
    MemorySampled {
        /// Bytes of the process's resident set.
        resident: u64,
        /// Bytes it may use.
        limit: u64,
        /// What that means.
        pressure: Pressure,
        /// When it was measured.
        at: Timestamp,
    },
}

/// [`Event`] without its data: what filters and counters go by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EventKind {
    /// [`Event::ProcessPending`].
    ProcessPending,
    /// [`Event::ProcessStarted`].
    ProcessStarted,
    /// [`Event::ProcessDetail`].
    ProcessDetail,
    /// [`Event::ProcessExited`].
    ProcessExited,
    /// [`Event::LinesArrived`].
    LinesArrived,
    /// [`Event::ErrorDetected`].
    ErrorDetected,
    /// [`Event::UrlDetected`].
    UrlDetected,
    /// [`Event::Fault`].
    Fault,
    /// [`Event::HealthChanged`].
    HealthChanged,
    /// [`Event::UsageSampled`].
    UsageSampled,
    /// [`Event::MemorySampled`].
    MemorySampled,
}

// === impl Event ===

impl Event {
    /// The kind of this event.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::ProcessPending { .. } => EventKind::ProcessPending,
            Self::ProcessStarted { .. } => EventKind::ProcessStarted,
            Self::ProcessDetail { .. } => EventKind::ProcessDetail,
            Self::ProcessExited { .. } => EventKind::ProcessExited,
            Self::LinesArrived { .. } => EventKind::LinesArrived,
            Self::ErrorDetected { .. } => EventKind::ErrorDetected,
            Self::UrlDetected { .. } => EventKind::UrlDetected,
            Self::Fault(_) => EventKind::Fault,
            Self::HealthChanged { .. } => EventKind::HealthChanged,
            Self::UsageSampled { .. } => EventKind::UsageSampled,
            Self::MemorySampled { .. } => EventKind::MemorySampled,
        }
    }

    /// The queue it belongs to.
    pub fn priority(&self) -> Priority {
        self.kind().priority()
    }

    /// What it is ordered by.
    pub fn key(&self) -> Key {
        match self {
            Self::ProcessPending { process, .. }
            | Self::ProcessStarted { process, .. }
            | Self::ProcessDetail { process, .. }
            | Self::ProcessExited { process, .. }
            | Self::LinesArrived { process, .. }
            | Self::ErrorDetected { process, .. }
            | Self::UrlDetected { process, .. } => Key::Process(*process),
            Self::Fault(fault) => Key::Component(fault.component),
            Self::HealthChanged { component, .. } => Key::Component(*component),
            Self::UsageSampled { .. } => Key::Component(Component::Process),
            Self::MemorySampled { .. } => Key::Component(Component::Resource),
        }
    }
}

// === impl EventKind ===

impl EventKind {
    /// Every kind, in declaration order.
    pub const ALL: [Self; 11] = [
        Self::ProcessPending,
        Self::ProcessStarted,
        Self::ProcessDetail,
        Self::ProcessExited,
        Self::LinesArrived,
        Self::ErrorDetected,
        Self::UrlDetected,
        Self::Fault,
        Self::HealthChanged,
        Self::UsageSampled,
        Self::MemorySampled,
    ];

    /// The queue events of this kind belong to.
    pub fn priority(self) -> Priority {
        match self {
            Self::ProcessPending
            | Self::ProcessStarted
            | Self::ProcessDetail
            | Self::ProcessExited
            | Self::ErrorDetected
            | Self::UrlDetected
            | Self::Fault
            | Self::HealthChanged => Priority::High,
            Self::LinesArrived => Priority::Medium,
            Self::UsageSampled | Self::MemorySampled => Priority::Low,
        }
    }

    /// The name used in metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::ProcessPending => "process.pending",
            Self::ProcessStarted => "process.started",
            Self::ProcessDetail => "process.detail",
            Self::ProcessExited => "process.exited",
            Self::LinesArrived => "log.lines_arrived",
            Self::ErrorDetected => "error.detected",
            Self::UrlDetected => "url.detected",
            Self::Fault => "panic.recovered",
            Self::HealthChanged => "health.changed",
            Self::UsageSampled => "usage.sampled",
            Self::MemorySampled => "memory.sampled",
        }
    }
}

// === impl Priority ===

impl Priority {
    /// High, Medium, Low.
    pub const ALL: [Self; 3] = [Self::High, Self::Medium, Self::Low];

    /// 0 for High, 2 for Low: the position of its queue.
    pub fn index(self) -> usize {
        self as usize
    }
}
