//! The facts that travel on the bus, in the past tense, and the small types they are made of.
//!
//! The enum is closed: whatever can wake a component stands in [`Event`]. Output lines are not here; they
//! have a pipe of their own, and the bus only carries "lines n..m of process p arrived".

use std::{
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// One entry of the process list: a script or command of one project root. It lives as long as the host,
/// across restarts; its log continues from run to run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ProcessId(pub u32);

/// One start of one process. Never used twice by a host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct RunId(pub u64);

/// The number of a line in its process's log: 1 for the first line ever printed, no gaps, across runs.
/// 0 means "no line yet".
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

/// Milliseconds since the Unix epoch.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

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
    /// Wiring and shutdown.
    App,
}

/// What events are ordered by: those of one key reach a subscriber in the order published.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Key {
    /// Everything about one process.
    Process(ProcessId),
    /// Everything about one component.
    Component(Component),
}

/// Where a process is in its life. Legal moves: `Pending → Running → Success | Failed | Stopped`, and
/// `Pending → Failed | Stopped` when it never ran.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Asked for, waiting for a place or for the run before it to end.
    Pending,
    /// Its leader is alive.
    Running,
    /// Ended by itself with code 0.
    Success,
    /// Ended by itself otherwise, or could not be started.
    Failed,
    /// Ended because somebody asked for it.
    Stopped,
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Exit {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It never ran: the program could not be started.
    NotStarted,
}

/// What a process is, fixed for the life of its entry but for `args`, which a new start may change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProcessInfo {
    /// The script's name, or the command line as typed after `!`.
    pub name: String,
    /// The workspace package it belongs to, where it is not the root's.
    pub package: Option<String>,
    /// The project root it was started for.
    pub root: PathBuf,
    /// Its working directory; relative places in its output start here.
    pub cwd: PathBuf,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Arguments given after `--`, repeated by a restart.
    pub args: Vec<String>,
    /// What the script says, as written in its file.
    pub script: String,
    /// Extra environment, over the host's own.
    pub env: Vec<(String, String)>,
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
    /// A panic was caught, or a component reported that it could not do its work.
    Fault(Fault),
}

/// A panic or failure in one component; the rest goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where it happened.
    pub component: Component,
    /// The task or handler.
    pub place: &'static str,
    /// What was said.
    pub message: Arc<str>,
}

/// [`Event`] without its data: what filters and counters go by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EventKind {
    /// [`Event::ProcessPending`].
    ProcessPending,
    /// [`Event::ProcessStarted`].
    ProcessStarted,
    /// [`Event::ProcessExited`].
    ProcessExited,
    /// [`Event::LinesArrived`].
    LinesArrived,
    /// [`Event::ErrorDetected`].
    ErrorDetected,
    /// [`Event::Fault`].
    Fault,
}

// === impl Event ===

impl Event {
    /// The kind of this event.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::ProcessPending { .. } => EventKind::ProcessPending,
            Self::ProcessStarted { .. } => EventKind::ProcessStarted,
            Self::ProcessExited { .. } => EventKind::ProcessExited,
            Self::LinesArrived { .. } => EventKind::LinesArrived,
            Self::ErrorDetected { .. } => EventKind::ErrorDetected,
            Self::Fault(_) => EventKind::Fault,
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
            | Self::ProcessExited { process, .. }
            | Self::LinesArrived { process, .. }
            | Self::ErrorDetected { process, .. } => Key::Process(*process),
            Self::Fault(fault) => Key::Component(fault.component),
        }
    }
}

// === impl EventKind ===

impl EventKind {
    /// Every kind, in declaration order.
    pub const ALL: [Self; 6] = [
        Self::ProcessPending,
        Self::ProcessStarted,
        Self::ProcessExited,
        Self::LinesArrived,
        Self::ErrorDetected,
        Self::Fault,
    ];

    /// The queue events of this kind belong to.
    pub fn priority(self) -> Priority {
        match self {
            Self::ProcessPending
            | Self::ProcessStarted
            | Self::ProcessExited
            | Self::ErrorDetected
            | Self::Fault => Priority::High,
            Self::LinesArrived => Priority::Medium,
        }
    }

    /// The name used in metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::ProcessPending => "process.pending",
            Self::ProcessStarted => "process.started",
            Self::ProcessExited => "process.exited",
            Self::LinesArrived => "log.lines_arrived",
            Self::ErrorDetected => "error.detected",
            Self::Fault => "panic.recovered",
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

// === impl State ===

impl State {
    /// Whether the run is over.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Success | Self::Failed | Self::Stopped)
    }
}

// === impl Exit ===

impl Exit {
    /// The exit code, where there is one.
    pub fn code(self) -> Option<i32> {
        match self {
            Self::Code(code) => Some(code),
            Self::Signal(_) | Self::NotStarted => None,
        }
    }

    /// The signal, where one ended it.
    pub fn signal(self) -> Option<i32> {
        match self {
            Self::Signal(signal) => Some(signal),
            Self::Code(_) | Self::NotStarted => None,
        }
    }
}

// === impl Component ===

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bus => "bus",
            Self::Project => "project",
            Self::Process => "process",
            Self::Logs => "logs",
            Self::Locate => "locate",
            Self::Model => "model",
            Self::Rpc => "rpc",
            Self::App => "app",
        })
    }
}

// === impl Timestamp ===

impl Timestamp {
    /// The wall clock's present time.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

// === impl ProcessInfo ===

impl ProcessInfo {
    /// A line for `/bin/sh`, for tests.
    #[cfg(test)]
    pub fn of_shell(script: &str) -> Self {
        Self {
            name: script.to_owned(),
            package: None,
            root: PathBuf::from("/"),
            cwd: PathBuf::from("/"),
            argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            args: Vec::new(),
            script: script.to_owned(),
            env: Vec::new(),
        }
    }

    /// `package/name`, or the bare name: how users and buffers call it.
    pub fn label(&self) -> String {
        match &self.package {
            Some(package) => format!("{package}/{}", self.name),
            None => self.name.clone(),
        }
    }
}
