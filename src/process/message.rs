//! What can be asked of the manager and of one process. Each carries a ticket that is answered when the
//! command has been *applied*.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;

use super::{ProcessError, Started};
use crate::event::{ProcessId, ProcessInfo, RunId};

/// For the manager; one variant per method of the handle.
pub(super) enum Command {
    Start { info: Box<ProcessInfo>, ticket: oneshot::Sender<Result<Started, ProcessError>> },
    Stop { process: ProcessId, ticket: oneshot::Sender<Result<(), ProcessError>> },
    Restart { process: ProcessId, ticket: oneshot::Sender<Result<RunId, ProcessError>> },
    Shutdown { grace: Duration, ticket: oneshot::Sender<()> },
}

/// For the task of one process.
pub(super) enum Control {
    /// Run. While another run of this process is still ending, it waits behind that.
    Start { info: Arc<ProcessInfo>, run: RunId, number: u32 },
    /// TERM to the group, `grace`, KILL; the ticket is answered when the group is gone.
    Stop { grace: Duration, ticket: oneshot::Sender<()> },
}
