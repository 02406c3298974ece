//! The parts of the program, and how well each does its work.

use std::{fmt, sync::Arc};

/// A part of the program that can be named in a fault, a metric or a permit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Component {
    /// The event bus.
    Bus,
    /// Script detection.
    Project,
    /// The process manager.
    Process,
    /// The log store.
    Logs,
    /// Location finding.
    Locate,
    /// The view model.
    Model,
    /// The editor session.
    Rpc,
    /// Tasks, permits and memory.
    Resource,
    /// Wiring and shutdown.
    App,
}

/// A panic or failure in one component; the rest goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where it happened.
    pub component: Component,
    /// The task or handler.
    pub place: &'static str,
    /// What kind of thing went wrong.
    pub kind: FaultKind,
    /// What was said.
    pub message: Arc<str>,
}

/// See [`Fault`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FaultKind {
    /// A panic, caught where it happened.
    Panic,
    /// A handler that has not returned for seconds.
    Stuck,
    /// The component could not do what it was asked.
    Failure,
}

/// How well a component does its work.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should.
    #[default]
    Healthy,
    /// With errors now and then, or slowly.
    Degraded,
    /// With many errors.
    Failing,
    /// Not at all: its circuit is open.
    Failed,
}

/// How short memory is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pressure {
    /// Enough.
    #[default]
    Normal,
    /// 80 % of the limit is used: telemetry stops, batches are larger.
    Warning,
    /// 95 % is used: rings are halved, Low events are shed.
    Critical,
}

// === impl Component ===

impl Component {
    /// All of them; the position of each is [`Component::index`].
    pub const ALL: [Self; 9] = [
        Self::Bus,
        Self::Project,
        Self::Process,
        Self::Logs,
        Self::Locate,
        Self::Model,
        Self::Rpc,
        Self::Resource,
        Self::App,
    ];

    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Its position in lists by component.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The name used in faults, metrics and `:Brummer health`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bus => "bus",
            Self::Project => "project",
            Self::Process => "process",
            Self::Logs => "logs",
            Self::Locate => "locate",
            Self::Model => "model",
            Self::Rpc => "rpc",
            Self::Resource => "resource",
            Self::App => "app",
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl Health ===

impl Health {
    /// The word users read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Failing => "failing",
            Self::Failed => "failed",
        }
    }
}

// === impl Pressure ===

impl Pressure {
    /// The word users read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}
