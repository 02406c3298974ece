//! The component tables of `.brum.toml` and their defaults.
//!
//! Defaults stand here and nowhere else. The two that depend on the machine are computed from the number of
//! cores by [`worker_pool_size`] and [`max_tasks`]; `"auto"` in a file means the same numbers.

use std::{thread, time::Duration};

use super::{EnvFiles, ScriptRunner};

/// `[eventbus]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventBusConfig {
    /// Worker tasks, `worker_pool_size`.
    pub workers: usize,
    /// Room in the High, Medium and Low queue, `queue_sizes`.
    pub queue_sizes: [usize; 3],
    /// What happens to Medium and Low events when their queue is full; High waits instead.
    pub backpressure: Backpressure,
    /// Events in flight at once, all queues and mailboxes together, `max_event_queue`.
    pub max_events: usize,
    /// Whether timings are kept, `enable_monitoring`.
    pub monitoring: bool,
    /// Which implementation runs.
    pub rollout: Rollout,
}

/// `[process_manager]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProcessManagerConfig {
    /// Commands that may wait for the manager; a caller past that waits, `command_queue`.
    pub command_queue: usize,
    /// Starts in progress at once; the others are pending.
    pub max_concurrent_starts: usize,
    /// Processes running at once; a start beyond it is refused.
    pub max_processes: usize,
    /// Ended processes remembered; the oldest goes first.
    pub max_process_history: usize,
    /// How a status is read.
    pub status_read_strategy: StatusReadStrategy,
    /// How long a worker may take over one command.
    pub worker_timeout: Duration,
    /// The time between TERM and KILL.
    pub stop_grace: Duration,
    /// Which env files are read for a script that does not say so itself.
    pub env_files: EnvFiles,
    /// What runs a script of `package.json` that does not say so itself.
    pub runner: ScriptRunner,
    /// Time between two looks at what the trees use; 0 does not look.
    pub usage_interval: Duration,
    /// Which implementation runs.
    pub rollout: Rollout,
}

/// `[log_store]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogStoreConfig {
    /// Lines waiting to be stored; when there are as many, the child waits.
    pub buffer_size: usize,
    /// Lines stored in one go.
    pub batch_size: usize,
    /// Writers; always 1, because one writer keeps the order.
    pub worker_count: usize,
    /// A batch that is not full is stored after this time, `timeout_ms`.
    pub flush_after: Duration,
    /// Lines kept, of all processes together; the oldest of the one with the most go first.
    pub max_entries: usize,
    /// Bytes kept, of all processes together; likewise.
    pub max_bytes: usize,
    /// Error headlines kept per process; the oldest go first, and each goes with its line.
    pub max_error_entries: usize,
    /// Bytes of a line over which it is marked as long. All of it is kept, up to a mebibyte.
    pub max_line: usize,
    /// Whether what is printed is also written to files, for later sessions.
    pub history: bool,
    /// Megabytes these files may take, per project; the oldest go first.
    pub history_max_mb: usize,
    /// Days after which the files of a project in which nothing was printed go when a host starts.
    pub history_days: usize,
    /// Which implementation runs.
    pub rollout: Rollout,
}

/// `[model]`: what is shown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ModelConfig {
    /// Which implementation runs.
    pub rollout: Rollout,
}

/// `[proxy_server]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProxyServerConfig {
    /// Recorded requests kept; the oldest go first.
    pub request_buffer_size: usize,
    /// How long a connection to the dev server may take, `connection_timeout_ms`.
    pub connection_timeout: Duration,
    /// Browser sockets for telemetry; a further one is refused.
    pub max_ws_clients: usize,
    /// Active connections; a further one waits to be accepted.
    pub max_connections: usize,
    /// Idle kept-alive connections; the oldest is closed first.
    pub max_idle_connections: usize,
    /// Which implementation runs.
    pub rollout: Rollout,
}

/// `[mcp_manager]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct McpManagerConfig {
    /// Time between two looks at a connection, `health_check_interval_ms`.
    pub health_check_interval: Duration,
    /// A session idle for this long is closed, `session_timeout_ms`; at least twice the health check interval.
    pub session_timeout: Duration,
    /// Failed connections in a row before a server is given up.
    pub max_retry_attempts: usize,
    /// Connections at once; a further one is refused.
    pub max_connections: usize,
    /// Which implementation runs.
    pub rollout: Rollout,
}

/// `[resources]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResourcesConfig {
    /// Permits for short work that takes CPU, `max_tasks` (or `max_goroutines`).
    pub max_tasks: usize,
    /// Memory the host may use; it sheds load from 80 % on.
    pub memory_limit_mb: usize,
    /// Time between two looks at it, `monitoring_interval_ms`.
    pub monitoring_interval: Duration,
}

/// The policy of a full Medium or Low queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backpressure {
    /// The oldest event of that queue makes room.
    DropOldest,
    /// The new event is dropped.
    DropNewest,
    /// A Low event makes room, else the new one is dropped.
    DropLowPriority,
    /// The publisher waits up to 100 ms, then the new event is dropped.
    Block,
}

/// How a process's status is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatusReadStrategy {
    /// One load of an immutable state.
    Atomic,
    /// Under a lock: the way back, should the other fail.
    Locked,
}

/// The two switches of a component, as written. [`Rollout::mode`] is what they mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rollout {
    /// Whether the current implementation may run.
    pub enable_new_sync: bool,
    /// Whether the simple serial one may.
    pub fallback_mode: bool,
}

/// Which implementation of a component runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RolloutMode {
    /// The current one.
    Current,
    /// The current one, and the fallback while the current one has failed.
    CurrentThenFallback,
    /// The fallback from the start.
    Fallback,
}

/// Which of a component's two implementations runs at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The current one.
    #[default]
    Current,
    /// The simple serial one.
    Fallback,
}

/// Workers for a machine: two and a half per core, 4 to 32.
pub(super) fn worker_pool_size(cores: usize) -> usize {
    cores.saturating_mul(5).wrapping_div(2).clamp(4, 32)
}

/// Permits for a machine: eight per core, 32 to 512.
pub(super) fn max_tasks(cores: usize) -> usize {
    cores.saturating_mul(8).clamp(32, 512)
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

// === impl EventBusConfig ===

impl Default for EventBusConfig {
    fn default() -> Self {
        Self {
            workers: worker_pool_size(cores()),
            queue_sizes: [100, 500, 1000],
            backpressure: Backpressure::DropOldest,
            max_events: 5000,
            monitoring: true,
            rollout: Rollout::default(),
        }
    }
}

// === impl ProcessManagerConfig ===

impl Default for ProcessManagerConfig {
    fn default() -> Self {
        Self {
            command_queue: 100,
            max_concurrent_starts: 10,
            max_processes: 200,
            max_process_history: 1000,
            status_read_strategy: StatusReadStrategy::Atomic,
            worker_timeout: Duration::from_secs(5),
            stop_grace: Duration::from_secs(5),
            env_files: EnvFiles::Auto,
            runner: ScriptRunner::Manager,
            usage_interval: Duration::from_secs(2),
            rollout: Rollout::default(),
        }
    }
}

// === impl LogStoreConfig ===

impl Default for LogStoreConfig {
    fn default() -> Self {
        Self {
            buffer_size: 1000,
            batch_size: 100,
            worker_count: 1,
            flush_after: Duration::from_millis(50),
            max_entries: 10_000,
            max_bytes: 16 * 1024 * 1024,
            max_error_entries: 500,
            max_line: 64 << 10,
            history: true,
            history_max_mb: 256,
            history_days: 30,
            rollout: Rollout::default(),
        }
    }
}

// === impl ProxyServerConfig ===

impl Default for ProxyServerConfig {
    fn default() -> Self {
        Self {
            request_buffer_size: 1000,
            connection_timeout: Duration::from_secs(5),
            max_ws_clients: 50,
            max_connections: 1024,
            max_idle_connections: 16_384,
            rollout: Rollout::default(),
        }
    }
}

// === impl McpManagerConfig ===

impl Default for McpManagerConfig {
    fn default() -> Self {
        Self {
            health_check_interval: Duration::from_secs(30),
            session_timeout: Duration::from_secs(300),
            max_retry_attempts: 3,
            max_connections: 64,
            rollout: Rollout::default(),
        }
    }
}

// === impl ResourcesConfig ===

impl Default for ResourcesConfig {
    fn default() -> Self {
        Self {
            max_tasks: max_tasks(cores()),
            memory_limit_mb: 512,
            monitoring_interval: Duration::from_secs(10),
        }
    }
}

// === impl Rollout ===

impl Default for Rollout {
    fn default() -> Self {
        Self { enable_new_sync: true, fallback_mode: false }
    }
}

impl Rollout {
    /// What the switches mean. Both off is refused while loading, so it cannot be met here; should it be,
    /// the current implementation runs.
    pub fn mode(self) -> RolloutMode {
        match (self.enable_new_sync, self.fallback_mode) {
            (true, true) => RolloutMode::CurrentThenFallback,
            (false, true) => RolloutMode::Fallback,
            (true | false, false) => RolloutMode::Current,
        }
    }
}

// === impl RolloutMode ===

impl RolloutMode {
    /// What runs at first.
    pub fn start(self) -> Mode {
        match self {
            Self::Current | Self::CurrentThenFallback => Mode::Current,
            Self::Fallback => Mode::Fallback,
        }
    }

    /// Whether the fallback takes over while the current implementation has failed.
    pub fn switches(self) -> bool {
        self == Self::CurrentThenFallback
    }
}
