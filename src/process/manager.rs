//! The owner of the registry: which processes there are, what they are called, and whose turn it is.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::{
    Parts, ProcessError, Started, Status, StatusCell,
    message::{Command, Control},
    task::{Controls, Task},
};
use crate::{
    config::ProcessManagerConfig,
    event::{Component, ProcessId, ProcessInfo, RunId},
};

/// How many commands may wait for one process. A stop and a start each; callers past that make the manager wait.
const CONTROLS: usize = 16;

/// What anybody may read without asking the manager: a copy-on-write table.
#[derive(Default)]
pub(super) struct Registry(ArcSwap<HashMap<ProcessId, Shown>>);

#[derive(Clone)]
struct Shown {
    info: Arc<ProcessInfo>,
    cell: Arc<StatusCell>,
}

/// The manager's own state.
pub(super) struct Owner {
    config: ProcessManagerConfig,
    parts: Parts,
    registry: Arc<Registry>,
    /// A script of a root has one entry for the life of the host.
    by_name: HashMap<(PathBuf, String), ProcessId>,
    entries: HashMap<ProcessId, Entry>,
    runs: u64,
    /// Starts under way at once; more are pending.
    starts: Arc<Semaphore>,
}

struct Entry {
    info: Arc<ProcessInfo>,
    cell: Arc<StatusCell>,
    control: mpsc::Sender<Control>,
    /// The newest run handed out, which the process's task may not have taken up yet.
    run: RunId,
    /// How often it was started.
    starts: u32,
    /// A stop has been sent for `run`: a start may queue behind it.
    stopping: bool,
}

// === impl Registry ===

impl Registry {
    pub(super) fn status(&self, process: ProcessId) -> Option<Arc<Status>> {
        self.0.load().get(&process).map(|shown| shown.cell.get())
    }

    pub(super) fn info(&self, process: ProcessId) -> Option<Arc<ProcessInfo>> {
        self.0.load().get(&process).map(|shown| Arc::clone(&shown.info))
    }

    /// Called by the owner alone, so no update can be lost between load and store.
    fn publish(&self, process: ProcessId, shown: Shown) {
        let mut table = HashMap::clone(&self.0.load());
        table.insert(process, shown);
        self.0.store(Arc::new(table));
    }
}

// === impl Entry ===

impl Entry {
    /// The newest run is over, or nobody has run it yet.
    fn is_idle(&self) -> bool {
        let status = self.cell.get();
        status.run == self.run && status.state.is_terminal()
    }
}

// === impl Owner ===

impl Owner {
    pub(super) fn new(config: ProcessManagerConfig, parts: Parts, registry: Arc<Registry>) -> Self {
        let starts = Arc::new(Semaphore::new(config.max_concurrent_starts.max(1)));
        Self { config, parts, registry, by_name: HashMap::new(), entries: HashMap::new(), runs: 0, starts }
    }

    /// Serves commands until shutdown or until no handle is left. Never waits for a process.
    pub(super) async fn run(mut self, mut mailbox: mpsc::Receiver<Command>) {
        // A caller that went away does not want its answer; the command was carried out all the same.
        while let Some(command) = mailbox.recv().await {
            match command {
                Command::Start { info, ticket } => {
                    let started = self.start(*info).await;
                    drop(ticket.send(started));
                }
                Command::Stop { process, ticket } => self.stop(process, ticket).await,
                Command::Restart { process, ticket } => {
                    let run = self.restart(process).await;
                    drop(ticket.send(run));
                }
                Command::Shutdown { grace, ticket } => {
                    mailbox.close();
                    self.shutdown(grace).await;
                    ticket.send(()).ok();
                    return;
                }
            }
        }
        self.shutdown(self.config.stop_grace).await;
    }

    async fn start(&mut self, info: ProcessInfo) -> Result<Started, ProcessError> {
        let name = (info.root.clone(), info.label());
        if let Some(&process) = self.by_name.get(&name) {
            let entry = &self.entries[&process];
            if !entry.is_idle() && !entry.stopping {
                return Ok(Started::Running(process));
            }
            let run = self.run_again(process, Some(Arc::new(info))).await?;
            return Ok(Started::New(process, run));
        }
        self.check_room(None)?;
        let process = ProcessId(u32::try_from(self.entries.len()).unwrap_or(u32::MAX).saturating_add(1));
        let run = self.next_run();
        let info = Arc::new(info);
        let cell = Arc::new(StatusCell::new(Status::pending(run)));
        let (control, controls) = mpsc::channel(CONTROLS);
        let task = Task {
            process,
            cell: Arc::clone(&cell),
            bus: self.parts.bus.clone(),
            resources: self.parts.resources.clone(),
            output: self.parts.output.clone(),
            starts: Arc::clone(&self.starts),
            grace: self.config.stop_grace,
            controls: Controls::new(controls),
        };
        drop(self.parts.resources.spawn(Component::Process, "process", task.run()));
        // The mailbox is new and empty, so this cannot wait.
        drop(control.send(Control::Start { info: Arc::clone(&info), run, number: 1 }).await);
        self.by_name.insert(name, process);
        self.registry.publish(process, Shown { info: Arc::clone(&info), cell: Arc::clone(&cell) });
        self.entries.insert(process, Entry { info, cell, control, run, starts: 1, stopping: false });
        Ok(Started::New(process, run))
    }

    async fn stop(&mut self, process: ProcessId, ticket: oneshot::Sender<Result<(), ProcessError>>) {
        let Some(entry) = self.entries.get_mut(&process) else {
            drop(ticket.send(Err(ProcessError::Unknown(process))));
            return;
        };
        entry.stopping = true;
        let (done, gone) = oneshot::channel();
        drop(entry.control.send(Control::Stop { grace: self.config.stop_grace, ticket: done }).await);
        // The manager serves others while this one dies.
        let wait = async move {
            drop(gone.await);
            drop(ticket.send(Ok(())));
        };
        drop(self.parts.resources.spawn(Component::Process, "stop", wait));
    }

    async fn restart(&mut self, process: ProcessId) -> Result<RunId, ProcessError> {
        let entry = self.entries.get(&process).ok_or(ProcessError::Unknown(process))?;
        self.check_room(Some(process))?;
        if !entry.is_idle() {
            let (ticket, _) = oneshot::channel();
            drop(entry.control.send(Control::Stop { grace: self.config.stop_grace, ticket }).await);
        }
        self.run_again(process, None).await
    }

    async fn run_again(
        &mut self,
        process: ProcessId,
        info: Option<Arc<ProcessInfo>>,
    ) -> Result<RunId, ProcessError> {
        self.check_room(Some(process))?;
        let run = self.next_run();
        let entry = self.entries.get_mut(&process).ok_or(ProcessError::Unknown(process))?;
        if let Some(info) = info {
            entry.info = info;
        }
        entry.run = run;
        entry.starts += 1;
        entry.stopping = false;
        let (info, number) = (Arc::clone(&entry.info), entry.starts);
        drop(entry.control.send(Control::Start { info, run, number }).await);
        self.registry
            .publish(process, Shown { info: Arc::clone(&entry.info), cell: Arc::clone(&entry.cell) });
        Ok(run)
    }

    /// Ends everything at once; each process takes its own `grace`.
    async fn shutdown(&mut self, grace: Duration) {
        let mut dying = Vec::new();
        for entry in self.entries.values() {
            let (ticket, gone) = oneshot::channel();
            drop(entry.control.send(Control::Stop { grace, ticket }).await);
            dying.push(gone);
        }
        for gone in dying {
            drop(gone.await);
        }
        // Dropping the entries closes the mailboxes, which ends the tasks.
        self.entries.clear();
    }

    /// Whether one more may run; `next` has a place of its own if it runs.
    fn check_room(&self, next: Option<ProcessId>) -> Result<(), ProcessError> {
        let others =
            self.entries.iter().filter(|(process, entry)| Some(**process) != next && !entry.is_idle());
        let busy = others.count();
        if busy >= self.config.max_processes { Err(ProcessError::TooMany(busy)) } else { Ok(()) }
    }

    fn next_run(&mut self) -> RunId {
        self.runs += 1;
        RunId(self.runs)
    }
}
