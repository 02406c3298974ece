//! The owner of one process: takes its runs one after the other, from start to the exit event. A panic in it costs the
//! run that was under way, which is ended and told of, and nothing else.

use std::{mem, pin::pin, sync::Arc, time::Duration};

use rustix::process::Signal;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep, sleep_until},
};

use super::{
    OutputBatch, Status, StatusCell, Stream,
    console::Console,
    controls::Controls,
    environment,
    escalation::{Escalation, KILL_WAIT},
    group::{Group, POLL},
    message::{Control, Counted, Start},
    output::{Origin, Phase, Reader},
    settings::{Settings, Turn},
    spawn::{self, Child, Leader},
};
use crate::{
    bus::EventBus,
    event::{Component, Event, Exit, Fault, FaultKind, ProcessId, RunId, Seq, State, Timestamp},
    resource::{Permit, ResourceManager, Sender, catch_panic_in},
};

/// Why a run ended whose task panicked.
const PANICKED: &str = "brummer failed inside this run: see its log file";

/// What one process's task works with.
pub(super) struct Task {
    pub(super) process: ProcessId,
    pub(super) cell: Arc<StatusCell>,
    pub(super) console: Arc<Console>,
    pub(super) bus: EventBus,
    pub(super) resources: ResourceManager,
    pub(super) output: Sender<OutputBatch>,
    pub(super) settings: Arc<Settings>,
    pub(super) controls: Controls,
    pub(super) work: Work,
}

/// What the task is about: here and not in its functions, so that a panic does not lose it.
#[derive(Default)]
pub(super) struct Work {
    /// The run under way, until its exit is told.
    current: Option<Current>,
    /// The stop under way.
    stopping: Escalation,
    /// What the last run left in its group, which may have outlived its leader.
    left: Option<Left>,
}

/// A run under way.
struct Current {
    run: RunId,
    counted: Counted,
    /// Once the program runs.
    group: Option<Group>,
    readers: Option<Readers>,
}

/// A group that has outlived its leader.
struct Left {
    group: Group,
    run: RunId,
}

/// The readers of one run.
struct Readers {
    /// Tells them how far the run is.
    phase: watch::Sender<Phase>,
    /// Each says once that it has handed over everything that belongs to the run.
    over: mpsc::Receiver<()>,
}

// === impl Task ===

impl Task {
    /// Takes commands until the manager drops the mailbox.
    pub(super) async fn run(mut self) {
        while let Err(said) = catch_panic_in(self.serve()).await {
            self.recover(said).await;
        }
    }

    async fn serve(&mut self) {
        loop {
            // The start stays in the queue meanwhile, where a stop finds it.
            if self.controls.has_start() {
                let grace = self.settings.values().stop_grace;
                self.end_left(grace).await;
            }
            if let Some(start) = self.controls.next_start() {
                self.one_run(start).await;
                continue;
            }
            match self.controls.next().await {
                None => break,
                Some(Control::Start(start)) => self.controls.push(start),
                Some(Control::Stop { grace, ticket }) => {
                    self.work.stopping.tell(ticket);
                    self.end_left(grace).await;
                }
            }
        }
    }

    /// Ends what a finished run left in its group, and answers who waits for that.
    async fn end_left(&mut self, grace: Duration) {
        if let Some(Left { group, run }) = self.work.left.take()
            // Time has passed: the number of a group that is gone may have become somebody else's.
            && group.holds(&environment::mark(run))
        {
            self.work.stopping.begin(group, grace, None);
            self.until_gone(group).await;
        }
        mem::take(&mut self.work.stopping).done();
    }

    /// One run from acceptance to its exit event.
    async fn one_run(&mut self, start: Start) {
        let Start { info, run, number, cancelled, place, counted } = start;
        drop(place);
        self.work.current = Some(Current { run, counted, group: None, readers: None });
        self.set(Status::pending(run));
        let pending = Event::ProcessPending {
            process: self.process,
            run,
            info: Arc::clone(&info),
            at: Timestamp::now(),
        };
        self.publish(pending).await;
        #[cfg(test)]
        super::planted::panic_at(&info, "pending");
        let turn = if cancelled { None } else { self.turn().await };
        let Some(turn) = turn else {
            self.end(State::Stopped, Exit::NotStarted, None, Timestamp::now()).await;
            return mem::take(&mut self.work.stopping).done();
        };
        let spawned = {
            let _thread = self.settings.thread().await;
            spawn::spawn(&info, run)
        };
        drop(turn);
        let child = match spawned {
            Ok(child) => child,
            Err(reason) => {
                tracing::warn!(process = self.process.0, %reason, "Could not start a process.");
                let reason = Some(reason.into());
                return self.end(State::Failed, Exit::NotStarted, reason, Timestamp::now()).await;
            }
        };

        let started_at = Timestamp::now();
        let (pid, group) = (child.pid, child.group);
        self.current(|current| current.group = Some(group));
        self.set(Status {
            state: State::Running,
            pid: Some(pid),
            started_at: Some(started_at),
            ..Status::pending(run)
        });
        let after = self.begin_output(run, number, started_at).await;
        self.publish(Event::ProcessStarted { process: self.process, run, pid, after, at: started_at }).await;
        let mut leader = self.read(run, child);
        #[cfg(test)]
        super::planted::panic_at(&info, "running");

        let exit = self.until_exit(&mut leader, group).await;
        let ended_at = Timestamp::now();
        let stopped = self.work.stopping.is_begun();
        if stopped {
            // "Stopped" is reported when the whole group is gone, not when its leader is.
            self.until_gone(group).await;
        }
        self.drain().await;
        #[cfg(test)]
        super::planted::panic_at(&info, "ended");
        let state = match exit {
            _ if stopped => State::Stopped,
            Exit::Code(0) => State::Success,
            Exit::Code(_) | Exit::Signal(_) | Exit::NotStarted => State::Failed,
        };
        let alive = self.work.stopping.is_given_up();
        let reason = alive.then(|| "it could not be ended: it may run as another user".into());
        self.end(state, exit, reason, ended_at).await;
        mem::take(&mut self.work.stopping).done();
        self.work.left = group.is_alive().then_some(Left { group, run });
    }

    /// The task panicked and its present work is lost: what was started is ended, and the run is over.
    async fn recover(&mut self, said: Arc<str>) {
        let (component, kind) = (Component::Process, FaultKind::Panic);
        self.resources.fault(Fault { component, place: "process", kind, message: said });
        let group = self.work.current.as_ref().and_then(|current| current.group);
        if let Some(group) = group {
            group.signal(Signal::KILL);
            let patience = Instant::now() + KILL_WAIT;
            while group.is_alive() && Instant::now() < patience {
                sleep(POLL).await;
            }
        }
        if let Some(run) = self.work.current.as_ref().map(|current| current.run) {
            self.work.left = group.filter(|group| group.is_alive()).map(|group| Left { group, run });
            self.drain().await;
            let exit = group.map_or(Exit::NotStarted, |_| Exit::Signal(Signal::KILL.as_raw()));
            self.end(State::Failed, exit, Some(PANICKED.into()), Timestamp::now()).await;
        }
        mem::take(&mut self.work.stopping).done();
    }

    /// Waits for the turn to start and for a permit of the program's, carrying out commands meanwhile. `None` when a stop
    /// came first.
    async fn turn(&mut self) -> Option<(Turn, Permit)> {
        let (settings, resources) = (Arc::clone(&self.settings), self.resources.clone());
        let mut turn = pin!(async move {
            let turn = settings.turn().await;
            (turn, resources.acquire(Component::Process).await)
        });
        loop {
            tokio::select! {
                biased;
                turn = &mut turn => return Some(turn),
                control = self.controls.recv() => match control {
                    Control::Start(start) => self.controls.push(start),
                    Control::Stop { ticket, .. } => {
                        self.controls.cancel();
                        self.work.stopping.tell(ticket);
                        return None;
                    }
                }
            }
        }
    }

    /// Waits for the leader, carrying out commands meanwhile. One that cannot be ended (it got other rights, or hangs
    /// in the kernel) is given up.
    async fn until_exit(&mut self, leader: &mut Leader, group: Group) -> Exit {
        let Self { controls, work: Work { stopping, .. }, .. } = self;
        while !stopping.is_given_up() {
            let kill_at = stopping.kill_at();
            tokio::select! {
                exit = leader.wait() => return exit,
                control = controls.recv() => controls.take(control, group, stopping),
                () = sleep_until(kill_at.unwrap_or_else(Instant::now)), if kill_at.is_some() => stopping.kill(group),
            }
        }
        Exit::Signal(Signal::KILL.as_raw())
    }

    /// Waits until nobody in a group that is being stopped is alive, carrying out commands meanwhile.
    async fn until_gone(&mut self, group: Group) {
        let Self { controls, work: Work { stopping, .. }, .. } = self;
        while group.is_alive() && !stopping.is_given_up() {
            let kill_at = stopping.kill_at();
            tokio::select! {
                () = sleep(POLL) => {}
                control = controls.recv() => controls.take(control, group, stopping),
                () = sleep_until(kill_at.unwrap_or_else(Instant::now)), if kill_at.is_some() => stopping.kill(group),
            }
        }
    }

    /// Tells the log store that a run begins and learns where.
    async fn begin_output(&self, run: RunId, number: u32, at: Timestamp) -> Seq {
        let (ack, answer) = oneshot::channel();
        drop(self.output.send(OutputBatch::Begin { process: self.process, run, number, at, ack }).await);
        answer.await.unwrap_or_default()
    }

    /// Starts to read what the child prints.
    fn read(&mut self, run: RunId, child: Child) -> Leader {
        let (leader, stdout, stderr) = child.split();
        let (phase, phases) = watch::channel(Phase::Running);
        let (done, over) = mpsc::channel(2);
        let reader = |stream| Reader {
            origin: Origin { process: self.process, run, stream },
            output: self.output.clone(),
            console: Arc::clone(&self.console),
            phase: phases.clone(),
            over: Some(done.clone()),
            shutdown: self.resources.shutdown(),
        };
        let (out, err) = (reader(Stream::Out).read(stdout), reader(Stream::Err).read(stderr));
        drop(self.resources.spawn(Component::Process, "reader of stdout", out));
        drop(self.resources.spawn(Component::Process, "reader of stderr", err));
        self.current(|current| current.readers = Some(Readers { phase, over }));
        leader
    }

    /// Waits until both pipes have ended, or a descendant that lives on has held them for [`DRAIN`](super::output::DRAIN).
    /// Room in the output pipe is waited for without limit. Afterwards the readers go on by themselves and mark what
    /// they read.
    async fn drain(&mut self) {
        let Some(readers) = self.work.current.as_mut().and_then(|current| current.readers.as_mut()) else {
            return;
        };
        readers.phase.send_replace(Phase::LeaderGone);
        while readers.over.recv().await.is_some() {}
        readers.phase.send_replace(Phase::Told);
    }

    /// The end of the run under way: its last lines are readable first, then status and event.
    async fn end(&mut self, state: State, exit: Exit, reason: Option<Arc<str>>, at: Timestamp) {
        let Some(run) = self.work.current.as_ref().map(|current| current.run) else { return };
        let (ack, answer) = oneshot::channel();
        drop(self.output.send(OutputBatch::End { process: self.process, run, ack }).await);
        let last = answer.await.unwrap_or_default();
        let now = self.cell.get();
        self.set(Status { state, exit: Some(exit), ended_at: Some(at), ..Status::clone(&now) });
        drop(self.work.current.take().map(|current| current.counted));
        self.publish(Event::ProcessExited { process: self.process, run, state, exit, last, reason, at })
            .await;
    }

    fn current(&mut self, change: impl FnOnce(&mut Current)) {
        if let Some(current) = &mut self.work.current {
            change(current);
        }
    }

    fn set(&self, status: Status) {
        // The first status of a process is set by the manager when it makes the cell.
        if *self.cell.get() == status {
            return;
        }
        if let Err(error) = self.cell.set(status) {
            tracing::error!(process = self.process.0, %error, "A status was refused.");
        }
    }

    async fn publish(&self, event: Event) {
        if let Err(error) = self.bus.publish(event).await {
            tracing::debug!(process = self.process.0, %error, "An event came after the bus had stopped.");
        }
    }
}
