//! Starts what the user asked for, reads what it prints, ends it, and says so exactly once.
//!
//! *Flows in:* commands on [`Manager`]. *Flows out:* [`OutputBatch`]es on the output pipe, and
//! `ProcessPending`, `ProcessStarted`, `ProcessExited` on the bus. *Bounded:* the manager's and each process's
//! mailbox, the processes that run at once, starts under way (a turn of the settings and a permit of `resource`), the bytes
//! of an unfinished line, and the output pipe, which is lossless: when it is full the readers stop reading, the kernel's pipe
//! fills, and the child waits. Entries are bounded by the distinct scripts and commands ever started: an entry
//! keeps its id and its log for the life of the host, so a finished one stays. *Lost:* what a line has beyond [`MAX_LINE`] bytes, counted.
//!
//! One task owns the registry, one task owns each process; a status is one immutable value that is replaced
//! as a whole, so nobody can read a new state beside an old exit code. The owner of the registry never waits for a
//! process. A panic in a process's task ends that run, which fails and says so; one in a command costs that command.
//!
//! A start waits, pending and saying for what, until everything it comes after (`after`) is as it has to be; a policy starts
//! again what has ended, as a new run whose wait is its pending time. A run that is not ready in time runs on.
//!
//! The fallback starts one at a time, the others are pending meanwhile, and lacks nothing else. With
//! `status_read_strategy = "locked"` a status is read under a lock. A manager that is degraded starts half as many at
//! once, one that is failing one at a time.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use crate::{
    bus::EventBus,
    config::{Mode, ProcessManagerConfig},
    event::{Component, Health, ProcessId, ProcessInfo, RunId, Seq, Timestamp},
    metrics::SynchronizationMetrics,
    resource::{self, ResourceManager, Sender, Waiting},
};

mod adopt;
mod backoff;
mod cell;
mod console;
mod controls;
mod dependencies;
mod environment;
mod error;
mod identity;
mod input;
mod leftover;
mod manager;
mod members;
mod message;
mod mirror;
#[cfg(all(test, any(feature = "loom", feature = "shuttle")))]
mod model;
mod old;
mod output;
#[cfg(test)]
mod planted;
mod pty;
mod ready;
mod record;
mod registry;
mod replay;
mod send;
mod settings;
mod standing;
mod stopping;
mod task;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;
mod trace;
mod tree;
mod usage;

pub use adopt::own_the_program;
pub use cell::{Status, StatusCell};
pub use console::Attachment;
pub use error::ProcessError;
pub use identity::Identity;
pub use input::InputError;
pub use leftover::{Elsewhere, Leftover};
use manager::Owner;
pub use members::Member;
use message::Command;
pub use mirror::Mirror;
pub use pty::Size;
pub use record::{Claims, NoRecords, Records};
use registry::Registry;
pub use replay::Piece;
use settings::Settings;

/// Which of a child's two pipes a batch came through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// One piece of the output pipe. Batches of one process arrive in the order they were read.
#[derive(Debug)]
pub enum OutputBatch {
    /// A run begins; its first line comes after this.
    Begin {
        /// The entry.
        process: ProcessId,
        /// The start.
        run: RunId,
        /// Which start of the entry this is, from 1.
        number: u32,
        /// When it started.
        at: Timestamp,
        /// What runs, to be recorded; `None` for a run of another host, which records it.
        info: Option<Arc<ProcessInfo>>,
        /// Answered with the last line printed before this run.
        ack: oneshot::Sender<Seq>,
    },
    /// Whole lines.
    Lines {
        /// The entry.
        process: ProcessId,
        /// The run that printed them.
        run: RunId,
        /// The pipe they came through.
        stream: Stream,
        /// When the block was read: one time for all its lines.
        at: Timestamp,
        /// Text in which every line ends with a newline.
        text: Vec<u8>,
        /// Lines that were longer than [`MAX_LINE`]: their numbers in `text`, from 0 and ascending, and
        /// how many bytes they had. Mostly empty.
        cut: Vec<(u32, u64)>,
        /// The leader had already been reported as ended.
        after_exit: bool,
    },
    /// The run's output is over. Answered when every line before it can be read in the log, and in the history where one
    /// is kept.
    End {
        /// The entry.
        process: ProcessId,
        /// The run.
        run: RunId,
        /// Answered with the last line.
        ack: oneshot::Sender<Seq>,
    },
}

/// How much of a line is kept, in bytes: a child that never prints a newline must cost bounded memory. Of a
/// longer line its length is known.
pub const MAX_LINE: usize = 1 << 20;

/// What became of a request to start something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Started {
    /// A new run was accepted.
    New(ProcessId, RunId),
    /// It runs already; nothing was started.
    Running(ProcessId),
}

impl Started {
    /// The entry in the process list.
    pub fn process(self) -> ProcessId {
        match self {
            Self::New(process, _) | Self::Running(process) => process,
        }
    }
}

/// What `Manager::new` needs besides its configuration.
pub struct Parts {
    /// Where events go.
    pub bus: EventBus,
    /// Who spawns the tasks.
    pub resources: ResourceManager,
    /// The output pipe; its capacity is the bound of what is read but not yet stored.
    pub output: mpsc::Sender<OutputBatch>,
}

/// The handle: cheap to clone, and the only way to cause anything here.
#[derive(Clone)]
pub struct Manager {
    /// Holds `process_manager.command_queue` commands. Full: the caller waits. Closed: the manager has shut down.
    commands: Sender<Command>,
    registry: Arc<Registry>,
    settings: Arc<Settings>,
    metrics: Arc<SynchronizationMetrics>,
    /// Told when a terminal that somebody shows prints something.
    printed: Arc<watch::Sender<()>>,
}

/// A command that has been given: those given later are carried out after it. Dropping this does not take it back.
#[derive(Debug)]
pub struct Asked<T>(oneshot::Receiver<Result<T, ProcessError>>);

// === impl Asked ===

impl<T> Asked<T> {
    /// Waits as long as the method of the command does.
    pub async fn done(self) -> Result<T, ProcessError> {
        self.0.await.map_err(|_| ProcessError::Closed)?
    }
}

// === impl Manager ===

impl Manager {
    /// Starts the manager's task.
    pub fn start_manager(config: &ProcessManagerConfig, mode: Mode, parts: Parts) -> Self {
        let resources = parts.resources.clone();
        let metrics = Arc::clone(resources.metrics());
        let (commands, mailbox) = resource::channel(
            &resources,
            Component::Process,
            "process commands",
            config.command_queue,
            Waiting::Measured,
        );
        let (registry, settings) = (Arc::new(Registry::default()), Arc::new(Settings::new(config, mode)));
        let strategy = config.status_read_strategy;
        let printed = Arc::new(watch::Sender::new(()));
        let usage =
            usage::run(Arc::clone(&registry), Arc::clone(&settings), parts.bus.clone(), resources.clone());
        let shared = (Arc::clone(&settings), Arc::clone(&registry), Arc::clone(&printed));
        let owner = Owner::new(strategy, shared, parts);
        let work = async move {
            tokio::select! {
                () = owner.run(mailbox) => {}
                // Never ends by itself.
                () = usage => {}
            }
        };
        drop(resources.spawn(Component::Process, "manager", work));
        metrics.process.limit.set(config.max_processes as u64);
        Self { commands, registry, settings, metrics, printed }
    }

    /// From now on each run has a record, by which the next host finds what outlives a crash, and a start waits for what
    /// another host left of the same script. Once; without, nothing of other hosts is known.
    pub fn keep_records(&self, records: Records) {
        self.settings.keep_records(records);
    }

    /// From now on scripts read this program's own standard input, as if there were nobody between: no lines can be sent to
    /// them. Those with a terminal keep that, those without input have none.
    pub fn lend_input(&self) {
        self.settings.lend_input();
    }

    /// Starts `info`, or finds that the same script of the same root runs already. Returns when the run has
    /// been accepted; whether the program could be started is told by its events.
    pub async fn start(&self, info: ProcessInfo) -> Result<Started, ProcessError> {
        self.begin_start(info).await?.done().await
    }

    /// The same in two steps.
    pub async fn begin_start(&self, info: ProcessInfo) -> Result<Asked<Started>, ProcessError> {
        self.begin_start_after(Vec::new(), info).await
    }

    /// Starts `info` and, before it, whatever it comes after (`after`) that is not up: it stays pending until each is as
    /// it has to be. `first` describes what it comes after, transitively and in any order; what has an entry already
    /// may be left out.
    pub async fn begin_start_after(
        &self,
        first: Vec<ProcessInfo>,
        info: ProcessInfo,
    ) -> Result<Asked<Started>, ProcessError> {
        self.begin_start_claimed(first, info, Claims::default()).await
    }

    /// Ends a process and everything it started: its signal, its grace, KILL; also what a finished run left behind. Returns
    /// when nothing is left and the exit has been published.
    pub async fn stop(&self, process: ProcessId) -> Result<(), ProcessError> {
        self.begin_stop(process).await?.done().await
    }

    /// The same in two steps.
    pub async fn begin_stop(&self, process: ProcessId) -> Result<Asked<()>, ProcessError> {
        self.begin(|ticket| Command::Stop { process, ticket }).await
    }

    /// Stops a process if it runs and starts it again with the same arguments.
    pub async fn restart(&self, process: ProcessId) -> Result<RunId, ProcessError> {
        self.begin_restart(process).await?.done().await
    }

    /// The same in two steps.
    pub async fn begin_restart(&self, process: ProcessId) -> Result<Asked<RunId>, ProcessError> {
        self.begin_restart_as(process, Vec::new()).await
    }

    /// The same with what is started now in place of what was: itself last, before it what it comes after. Nothing leaves
    /// all as it was.
    pub async fn begin_restart_as(
        &self,
        process: ProcessId,
        given: Vec<ProcessInfo>,
    ) -> Result<Asked<RunId>, ProcessError> {
        self.begin(|ticket| Command::Restart { process, given, ticket }).await
    }

    /// Shows a run of another host under the name and root of `info`. What is said of it goes through the answer; it cannot
    /// be started, stopped or restarted here.
    ///
    /// # Errors
    /// It is shown already, or the manager has shut down.
    pub async fn mirror(&self, info: ProcessInfo, host: u32) -> Result<Mirror, ProcessError> {
        self.ask(|ticket| Command::Mirror { info: Box::new(info), host, ticket }).await?
    }

    /// Stops everything of a root, or everything: first what comes after something else, then that; what has no such order
    /// ends at once. Returns when everything is gone.
    pub async fn stop_all(&self, root: Option<PathBuf>) -> Result<(), ProcessError> {
        let mut worst = Ok(());
        for tier in self.ask(|ticket| Command::Tiers { root, ticket }).await? {
            let mut asked = Vec::new();
            for process in tier {
                asked.push(self.begin_stop(process).await?);
            }
            for stop in asked {
                worst = worst.and(stop.done().await);
            }
        }
        worst
    }

    /// Ends everything, each tree with its own signal and grace, but what is detached. Later commands answer `Closed`. Returns
    /// when nothing is left or `patience` is over; then the guards end the rest, also when this program is gone.
    pub async fn shutdown(&self, patience: Duration) {
        // The error says that the manager is gone already, which is what was asked for.
        drop(self.ask(|ticket| Command::Shutdown { patience, ticket }).await);
    }

    /// The present status of a process: one consistent value, read without waiting.
    pub fn status(&self, process: ProcessId) -> Option<Arc<Status>> {
        self.registry.status(process)
    }

    /// What a process is.
    pub fn info(&self, process: ProcessId) -> Option<Arc<ProcessInfo>> {
        self.registry.info(process)
    }

    /// The living processes of its tree, its guard not among them. Looks at the system: for a thread that may wait.
    pub fn members(&self, process: ProcessId) -> Vec<Member> {
        let root = self.registry.console(process).ok().and_then(|(console, ..)| console.tree());
        root.map(members::below).unwrap_or_default()
    }

    /// Which implementation runs.
    pub fn mode(&self) -> Mode {
        self.settings.mode()
    }

    /// Changes to the other implementation. Starts under way are done before the fallback's first one; what runs is not
    /// touched.
    pub async fn switch(&self, mode: Mode) {
        self.settings.switch(mode);
    }

    /// Switches off what is done without in this state.
    pub fn degrade(&self, health: Health) {
        self.settings.degrade(health);
    }

    /// Uses what of the new settings can be used while it runs: `max_processes`, `max_concurrent_starts`,
    /// `worker_timeout`, `stop_grace` and `usage_interval`. No process is touched.
    pub fn reconfigure(&self, config: &ProcessManagerConfig) {
        self.settings.reconfigure(config);
        self.metrics.process.limit.set(config.max_processes as u64);
    }

    /// Whether the current implementation works, also while the fallback runs: commands are the same in both.
    ///
    /// # Errors
    /// What does not work, worded for the user.
    pub async fn probe(&self) -> Result<(), String> {
        let limit = self.settings.values().worker_timeout;
        match timeout(limit, self.ask(|ticket| Command::Probe { ticket })).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err(format!("the process manager has not answered for {limit:?}")),
        }
    }

    async fn begin<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, ProcessError>>) -> Command,
    ) -> Result<Asked<T>, ProcessError> {
        let (ticket, answer) = oneshot::channel();
        self.commands.send(command(ticket)).await.map_err(|_| ProcessError::Closed)?;
        Ok(Asked(answer))
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, ProcessError> {
        let (ticket, answer) = oneshot::channel();
        self.commands.send(command(ticket)).await.map_err(|_| ProcessError::Closed)?;
        answer.await.map_err(|_| ProcessError::Closed)
    }
}
