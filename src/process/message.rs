//! What can be asked of the manager and of one process. Each carries a ticket that is answered when the
//! command has been *applied*.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{
    Claims, Mirror, ProcessError, Started, backoff::Restart, dependencies::Dependency, record::Claim,
};
use crate::{
    event::{ProcessId, ProcessInfo, RunId},
    metrics::SynchronizationMetrics,
};

/// For the manager; one variant per method of the handle.
pub(super) enum Command {
    Start {
        info: Box<ProcessInfo>,
        /// What it may come after, for those that have no entry yet.
        first: Vec<ProcessInfo>,
        /// The right to start some of them.
        claims: Claims,
        ticket: oneshot::Sender<Result<Started, ProcessError>>,
    },
    Stop {
        process: ProcessId,
        ticket: oneshot::Sender<Result<(), ProcessError>>,
    },
    Restart {
        process: ProcessId,
        /// What takes the place of what the entries say.
        given: Vec<ProcessInfo>,
        ticket: oneshot::Sender<Result<RunId, ProcessError>>,
    },
    /// Show a run of another host.
    Mirror {
        info: Box<ProcessInfo>,
        host: u32,
        ticket: oneshot::Sender<Result<Mirror, ProcessError>>,
    },
    /// The entries of a root, or of all, in the order in which they are to end: those of one tier at once.
    Tiers {
        root: Option<PathBuf>,
        ticket: oneshot::Sender<Vec<Vec<ProcessId>>>,
    },
    Shutdown {
        patience: Duration,
        ticket: oneshot::Sender<()>,
    },
    /// Nothing, to see that it is carried out.
    Probe {
        ticket: oneshot::Sender<()>,
    },
}

/// A run has ended and its policy starts it again, unless somebody asked for something else meanwhile.
pub(super) struct Again {
    pub(super) process: ProcessId,
    /// The run that ended.
    pub(super) run: RunId,
    pub(super) restart: Restart,
}

/// For the task of one process.
pub(super) enum Control {
    /// Run. While another run of this process is still ending, it waits behind that.
    Start(Start),
    /// The script's signal to its tree, its grace, KILL; the ticket is answered when nothing is left. Of a host that leaves, a
    /// detached tree is let go instead.
    Stop { leaving: bool, ticket: oneshot::Sender<()> },
    /// It was asked for while it waits to be started again: that wait is over.
    Hurry,
}

/// A command in the mailbox of a process's task.
pub(super) struct Handed {
    pub(super) control: Control,
    /// Answered when the task has taken it, which is before it is carried out.
    pub(super) taken: oneshot::Sender<()>,
}

/// A start that was accepted.
pub(super) struct Start {
    pub(super) info: Arc<ProcessInfo>,
    pub(super) run: RunId,
    /// Which start of the process this is, from 1.
    pub(super) number: u32,
    pub(super) before: Before,
    /// Its place among the starts of the process that wait; given back when it begins.
    pub(super) place: OwnedSemaphorePermit,
    pub(super) counted: Counted,
}

/// What comes before its program is started.
pub(super) struct Before {
    /// A stop came before its turn: it is reported as stopped without having run.
    pub(super) cancelled: bool,
    /// Why it fails without having run, when that was known already.
    pub(super) refused: Option<Arc<str>>,
    /// The policy that asked for it, and how long it waits first.
    pub(super) restart: Option<Restart>,
    /// What has to be up.
    pub(super) after: Vec<Dependency>,
    /// The right to start it, until its record is written.
    pub(super) claim: Option<Box<Claim>>,
}

/// A run that has not ended, as it is counted.
pub(super) struct Counted(Arc<SynchronizationMetrics>);

// === impl Counted ===

impl Counted {
    pub(super) fn new(metrics: &Arc<SynchronizationMetrics>) -> Self {
        metrics.process.starts.increment();
        metrics.process.running.increment();
        Self(Arc::clone(metrics))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.process.running.decrement();
    }
}
