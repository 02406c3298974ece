//! The owner of the registry: which processes there are, what they are called, and whose turn it is. It never waits
//! for a process: what a process's task has to do first is waited for elsewhere.

mod leaving;
mod order;
mod waiting;

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use self::waiting::Waiting;
use super::{
    OutputBatch, Parts, ProcessError, Started, Status, StatusCell,
    adopt::{Guards, is_alone},
    backoff::Restart,
    console::Console,
    controls::Controls,
    dependencies::Standing,
    message::{Again, Before, Command, Control, Counted, Handed, Start},
    mirror::{Mirror, Mirrors},
    record::Claim,
    registry::{Registry, Shown},
    settings::Settings,
    task::{Task, Work},
};
use crate::{
    bus::EventBus,
    config::StatusReadStrategy,
    event::{Component, Fault, FaultKind, ProcessId, ProcessInfo, RunId, State},
    resource::{self, ResourceManager, Sender, catch_panic},
};

/// How many commands may wait for one process, and how many of its starts. One more is refused.
const CONTROLS: usize = 64;

/// How many restarts may wait for the manager. One more waits in a task of its own.
const AGAINS: usize = 16;

/// The manager's own state.
pub(super) struct Owner {
    bus: EventBus,
    resources: ResourceManager,
    output: Sender<OutputBatch>,
    settings: Arc<Settings>,
    strategy: StatusReadStrategy,
    guards: Guards,
    registry: Arc<Registry>,
    printed: Arc<watch::Sender<()>>,
    /// A script of a root has one entry for the life of the host.
    by_name: HashMap<(PathBuf, String), ProcessId>,
    entries: HashMap<ProcessId, Entry>,
    /// What other hosts run and is shown here.
    mirrors: Mirrors,
    runs: u64,
    /// Holds [`AGAINS`]; who sends one waits for room.
    again: Sender<Again>,
    agains: mpsc::Receiver<Again>,
}

struct Entry {
    info: Arc<ProcessInfo>,
    cell: Arc<StatusCell>,
    console: Arc<Console>,
    /// The same and more, for those who wait for it.
    standing: watch::Receiver<Standing>,
    /// Holds [`CONTROLS`]; a command without room is refused.
    control: Sender<Handed>,
    /// One for each start that may wait for its turn.
    places: Arc<Semaphore>,
    /// The newest run handed out, which the process's task may not have taken up yet.
    run: RunId,
    /// How often it was started.
    starts: u32,
    /// A stop has been sent for `run`: a start may queue behind it.
    stopping: bool,
    /// Answers for the tasks of this process.
    _owner: resource::Owner,
}

// === impl Entry ===

impl Entry {
    /// The newest run is over, or nobody has run it yet.
    fn is_idle(&self) -> bool {
        let status = self.cell.get();
        status.run == self.run && status.state.is_terminal()
    }

    /// Whether its task takes so many commands more, and among them so many starts.
    fn check(&self, commands: usize, starts: usize) -> Result<(), ProcessError> {
        if self.control.is_closed() {
            return Err(ProcessError::Inside);
        }
        if self.control.capacity() < commands || self.places.available_permits() < starts {
            return Err(ProcessError::Full { name: self.info.label(), waiting: CONTROLS });
        }
        Ok(())
    }

    /// Hands a command over, when [`Entry::check`] has found room for it.
    fn hand(&self, control: Control) -> oneshot::Receiver<()> {
        let (taken, answer) = oneshot::channel();
        // Refused only when the task is gone, and then the ticket is, too.
        drop(self.control.try_send(Handed { control, taken }));
        answer
    }

    /// Stops it; nobody waits for that.
    fn stop(&self) {
        let (ticket, _) = oneshot::channel();
        drop(self.hand(Control::Stop { leaving: false, ticket }));
    }

    /// Ends the wait of a policy's restart, if there is one.
    fn hurry(&self) {
        if self.cell.get().state == State::Pending {
            drop(self.hand(Control::Hurry));
        }
    }
}

// === impl Owner ===

impl Owner {
    pub(super) fn new(
        strategy: StatusReadStrategy,
        (settings, registry, printed): (Arc<Settings>, Arc<Registry>, Arc<watch::Sender<()>>),
        parts: Parts,
    ) -> Self {
        let Parts { bus, resources, output } = parts;
        let output =
            Sender::over(&resources, Component::Process, "output", output, resource::Waiting::Expected);
        let (by_name, entries, mirrors) = (HashMap::new(), HashMap::new(), Mirrors::default());
        let guards = Guards::new(resources.clone());
        let (again, agains) = resource::channel(
            &resources,
            Component::Process,
            "restarts",
            AGAINS,
            resource::Waiting::Expected,
        );
        if is_alone() {
            let burying = guards.clone().bury(resources.shutdown());
            drop(resources.spawn(Component::Process, "undertaker", burying));
        }
        Self {
            bus,
            resources,
            output,
            settings,
            strategy,
            guards,
            registry,
            printed,
            by_name,
            entries,
            mirrors,
            runs: 0,
            again,
            agains,
        }
    }

    /// Serves commands until shutdown or until no handle is left. A panic in one costs that command.
    pub(super) async fn run(mut self, mut mailbox: mpsc::Receiver<Command>) {
        // A caller that went away does not want its answer; the command was carried out all the same.
        loop {
            let command = tokio::select! {
                command = mailbox.recv() => command,
                Some(again) = self.agains.recv() => {
                    drop(self.guarded(|owner| {
                        owner.again(&again);
                        Ok(())
                    }));
                    continue;
                }
            };
            let Some(command) = command else { break };
            match command {
                Command::Start { info, first, claims, ticket } => {
                    let started = self.guarded(|owner| owner.start(first, *info, &claims));
                    self.answer(ticket, started);
                }
                Command::Stop { process, ticket } => {
                    let stopping = self.guarded(|owner| owner.stop(process));
                    self.answer_stop(ticket, stopping);
                }
                Command::Restart { process, given, ticket } => {
                    let run = self.guarded(|owner| owner.restart(process, given));
                    self.answer(ticket, run.map(|(run, waiting)| (run, Some(waiting))));
                }
                Command::Mirror { info, host, ticket } => {
                    let mirror = self.guarded(|owner| owner.mirror(*info, host));
                    drop(ticket.send(mirror));
                }
                Command::Tiers { root, ticket } => drop(ticket.send(self.tiers(root.as_deref()))),
                Command::Probe { ticket } => drop(ticket.send(())),
                Command::Shutdown { patience, ticket } => {
                    mailbox.close();
                    self.shutdown(patience).await;
                    ticket.send(()).ok();
                    return;
                }
            }
        }
        self.shutdown(self.settings.values().stop_grace).await;
    }

    fn guarded<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, ProcessError>,
    ) -> Result<T, ProcessError> {
        catch_panic(|| work(self)).unwrap_or_else(|message| {
            let (component, kind) = (Component::Process, FaultKind::Panic);
            self.resources.fault(Fault { component, place: "manager", kind, message });
            Err(ProcessError::Inside)
        })
    }

    /// Answers when the process's task has taken the command, if there is one to take.
    fn answer<T: Send + 'static>(
        &self,
        ticket: oneshot::Sender<Result<T, ProcessError>>,
        done: Result<(T, Option<Waiting>), ProcessError>,
    ) {
        match done {
            Ok((value, Some(waiting))) => {
                let wait = async move { drop(ticket.send(waiting.taken().await.map(|()| value))) };
                drop(self.resources.spawn(Component::Process, "command", wait));
            }
            Ok((value, None)) => drop(ticket.send(Ok(value))),
            Err(error) => drop(ticket.send(Err(error))),
        }
    }

    /// Answers when the group is gone.
    fn answer_stop(
        &self,
        ticket: oneshot::Sender<Result<(), ProcessError>>,
        stopping: Result<(Waiting, oneshot::Receiver<()>), ProcessError>,
    ) {
        let wait = async move {
            let stopped = match stopping {
                Ok((waiting, gone)) => match waiting.taken().await {
                    Ok(()) => gone.await.map_err(|_| ProcessError::Inside),
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            };
            drop(ticket.send(stopped));
        };
        drop(self.resources.spawn(Component::Process, "stop", wait));
    }

    /// The first start of something: it gets its entry and its task.
    fn start_new(&mut self, info: ProcessInfo, claim: Option<Claim>) -> Result<Started, ProcessError> {
        let name = (info.root.clone(), info.label());
        let process = self.next_process();
        let run = self.next_run();
        let info = Arc::new(info);
        let pending = Status::pending(run);
        let cell = Arc::new(match self.strategy {
            StatusReadStrategy::Atomic => StatusCell::new(pending),
            StatusReadStrategy::Locked => StatusCell::locked(pending, Arc::clone(self.resources.metrics())),
        });
        let console = Arc::new(Console::new(Arc::clone(&self.printed), Arc::clone(self.resources.metrics())));
        let (standing, stands) = watch::channel(Standing::pending(run));
        let owner = self.resources.owner(Component::Process, "process");
        let (control, controls) = resource::channel(
            &self.resources,
            Component::Process,
            "process controls",
            CONTROLS,
            resource::Waiting::Measured,
        );
        let task = Task {
            process,
            cell: Arc::clone(&cell),
            console: Arc::clone(&console),
            noticed: console.noticed(),
            standing,
            again: self.again.clone(),
            bus: self.bus.clone(),
            resources: owner.resources(),
            output: self.output.clone(),
            settings: Arc::clone(&self.settings),
            guards: self.guards.clone(),
            controls: Controls::new(controls),
            work: Work::default(),
        };
        drop(owner.resources().spawn(Component::Process, "process", task.run()));
        let (shown, seen) = (Arc::clone(&info), Some(Arc::clone(&console)));
        self.registry.publish(process, Shown { info: shown, cell: Arc::clone(&cell), console: seen });
        let places = Arc::new(Semaphore::new(CONTROLS));
        let entry = Entry {
            info,
            cell,
            console,
            standing: stands,
            control,
            places,
            run,
            starts: 0,
            stopping: false,
            _owner: owner,
        };
        self.entries.insert(process, entry);
        self.by_name.insert(name, process);
        self.hand_start(process, run, (None, claim), None)?;
        Ok(Started::New(process, run))
    }

    fn stop(&mut self, process: ProcessId) -> Result<(Waiting, oneshot::Receiver<()>), ProcessError> {
        self.mirrors.check(process)?;
        let entry = self.entries.get_mut(&process).ok_or(ProcessError::Unknown(process))?;
        entry.check(1, 0)?;
        entry.stopping = true;
        let (ticket, gone) = oneshot::channel();
        let taken = entry.hand(Control::Stop { leaving: false, ticket });
        Ok((self.waiting(process, taken), gone))
    }

    fn run_again(
        &mut self,
        process: ProcessId,
        info: Option<Arc<ProcessInfo>>,
        claim: Option<Claim>,
    ) -> Result<(RunId, Waiting), ProcessError> {
        let entry = self.entries.get_mut(&process).ok_or(ProcessError::Unknown(process))?;
        entry.check(1, 1)?;
        if let Some(info) = info {
            entry.info = info;
        }
        let console = Some(Arc::clone(&entry.console));
        let shown = Shown { info: Arc::clone(&entry.info), cell: Arc::clone(&entry.cell), console };
        self.registry.publish(process, shown);
        let run = self.next_run();
        let taken = self.hand_start(process, run, (None, claim), None)?;
        Ok((run, self.waiting(process, taken)))
    }

    /// Hands over a start for which there is room.
    fn hand_start(
        &mut self,
        process: ProcessId,
        run: RunId,
        (restart, claim): (Option<Restart>, Option<Claim>),
        refused: Option<Arc<str>>,
    ) -> Result<oneshot::Receiver<()>, ProcessError> {
        let info = self.entries.get(&process).map(|entry| Arc::clone(&entry.info));
        let info = info.ok_or(ProcessError::Unknown(process))?;
        let after = self.dependencies(&info);
        let entry = self.entries.get_mut(&process).ok_or(ProcessError::Unknown(process))?;
        let full = |_| ProcessError::Full { name: entry.info.label(), waiting: CONTROLS };
        let place = Arc::clone(&entry.places).try_acquire_owned().map_err(full)?;
        entry.run = run;
        entry.starts += 1;
        entry.stopping = false;
        let number = entry.starts;
        let counted = Counted::new(self.resources.metrics());
        let before = Before { cancelled: false, refused, restart, after, claim: claim.map(Box::new) };
        Ok(entry.hand(Control::Start(Start { info, run, number, before, place, counted })))
    }

    fn waiting(&self, process: ProcessId, taken: oneshot::Receiver<()>) -> Waiting {
        let name = self.entries.get(&process).map(|entry| entry.info.label()).unwrap_or_default();
        let limit = self.settings.values().worker_timeout;
        Waiting { name, taken, limit, resources: self.resources.clone() }
    }

    /// A run of another host gets an entry: the one it had before, if it was shown before.
    fn mirror(&mut self, info: ProcessInfo, host: u32) -> Result<Mirror, ProcessError> {
        let (process, run) = (self.next_process(), self.next_run());
        let around = (self.bus.clone(), self.output.clone());
        let (mirror, shown) = self.mirrors.add(process, run, info, host, around)?;
        self.registry.publish(mirror.process(), shown);
        Ok(mirror)
    }

    /// Entries are never taken back.
    fn next_process(&self) -> ProcessId {
        let known = self.entries.len() + self.mirrors.len();
        ProcessId(u32::try_from(known).unwrap_or(u32::MAX).saturating_add(1))
    }

    fn next_run(&mut self) -> RunId {
        self.runs += 1;
        RunId(self.runs)
    }
}
