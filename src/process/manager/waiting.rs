//! A command that has been handed over: waiting until it is taken, and saying so when it is not.

use std::time::Duration;

use tokio::{sync::oneshot, time::timeout};

use crate::{
    event::{Component, Fault, FaultKind},
    process::ProcessError,
    resource::ResourceManager,
};

/// A command that has been handed to a process's task, and how long that may take to take it.
pub(super) struct Waiting {
    pub(super) name: String,
    pub(super) taken: oneshot::Receiver<()>,
    pub(super) limit: Duration,
    pub(super) resources: ResourceManager,
}

// === impl Waiting ===

impl Waiting {
    /// Waits until the task has taken the command.
    pub(super) async fn taken(self) -> Result<(), ProcessError> {
        let Self { name, taken, limit, resources } = self;
        if matches!(timeout(limit, taken).await, Ok(Ok(()))) {
            return Ok(());
        }
        let error = ProcessError::NoAnswer { name, waited: limit };
        let (component, kind, message) = (Component::Process, FaultKind::Failure, error.to_string().into());
        resources.fault(Fault { component, place: "process", kind, message });
        Err(error)
    }
}
