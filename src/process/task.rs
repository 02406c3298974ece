//! The owner of one process: takes its runs one after the other, from start to the exit event.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use rustix::process::Signal;
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    time::{Instant, sleep, sleep_until},
};

use super::{
    OutputBatch, Status, StatusCell, Stream, environment,
    escalation::Escalation,
    group::{Group, POLL},
    message::Control,
    output::{Origin, Phase, Reader},
    spawn::{self, Child, Leader},
};
use crate::{
    bus::EventBus,
    event::{Component, Event, Exit, ProcessId, ProcessInfo, RunId, Seq, State, Timestamp},
    resource::ResourceManager,
};

/// What one process's task works with.
pub(super) struct Task {
    pub(super) process: ProcessId,
    pub(super) cell: Arc<StatusCell>,
    pub(super) bus: EventBus,
    pub(super) resources: ResourceManager,
    pub(super) output: mpsc::Sender<OutputBatch>,
    pub(super) starts: Arc<Semaphore>,
    pub(super) grace: Duration,
    pub(super) controls: Controls,
}

/// The mailbox, and the starts taken from it whose turn has not come.
pub(super) struct Controls {
    /// Closed when the manager has shut down.
    mailbox: mpsc::Receiver<Control>,
    open: bool,
    queue: VecDeque<Start>,
}

/// A start that has been taken from the mailbox.
struct Start {
    info: Arc<ProcessInfo>,
    run: RunId,
    /// Which start of the process this is, from 1.
    number: u32,
    /// A stop came before its turn: it is reported as stopped without having run.
    cancelled: bool,
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

// === impl Controls ===

impl Controls {
    pub(super) fn new(mailbox: mpsc::Receiver<Control>) -> Self {
        Self { mailbox, open: true, queue: VecDeque::new() }
    }

    /// The next command; pending for ever once the manager is gone. Cancel safe.
    async fn recv(&mut self) -> Control {
        if self.open {
            if let Some(control) = self.mailbox.recv().await {
                return control;
            }
            self.open = false;
        }
        std::future::pending().await
    }

    /// Carries out a command that came while something of this process is alive or dying.
    fn take(&mut self, control: Control, group: Group, stopping: &mut Escalation) {
        match control {
            Control::Start { info, run, number } => {
                self.queue.push_back(Start { info, run, number, cancelled: false });
            }
            Control::Stop { grace, ticket } => {
                for start in &mut self.queue {
                    start.cancelled = true;
                }
                stopping.begin(group, grace, Some(ticket));
            }
        }
    }
}

// === impl Task ===

impl Task {
    /// Takes commands until the manager drops the mailbox.
    pub(super) async fn run(mut self) {
        // What the last run left in its group, which may have outlived its leader.
        let mut left: Option<Left> = None;
        loop {
            // The start stays in the queue meanwhile, where a stop finds it.
            if !self.controls.queue.is_empty()
                && let Some(left) = left.take()
            {
                self.end_left(left, self.grace, None).await;
            }
            if let Some(start) = self.controls.queue.pop_front() {
                left = self.one_run(start).await;
                continue;
            }
            match self.controls.mailbox.recv().await {
                None => break,
                Some(Control::Start { info, run, number }) => {
                    self.controls.queue.push_back(Start { info, run, number, cancelled: false });
                }
                Some(Control::Stop { grace, ticket }) => match left.take() {
                    Some(left) => self.end_left(left, grace, Some(ticket)).await,
                    None => {
                        ticket.send(()).ok();
                    }
                },
            }
        }
    }

    /// Ends what a finished run left in its group.
    async fn end_left(&mut self, left: Left, grace: Duration, ticket: Option<oneshot::Sender<()>>) {
        let Left { group, run } = left;
        let mut stopping = Escalation::default();
        // Time has passed: the number of a group that is gone may have become somebody else's.
        if group.holds(&environment::mark(run)) {
            stopping.begin(group, grace, ticket);
            self.until_gone(group, &mut stopping).await;
            stopping.done();
        } else if let Some(ticket) = ticket {
            ticket.send(()).ok();
        }
    }

    /// One run from acceptance to its exit event. Returns what is still alive of its group.
    async fn one_run(&mut self, start: Start) -> Option<Left> {
        let Start { info, run, number, cancelled } = start;
        self.set(Status::pending(run));
        let pending = Event::ProcessPending {
            process: self.process,
            run,
            info: Arc::clone(&info),
            at: Timestamp::now(),
        };
        self.publish(pending).await;
        if cancelled {
            self.end(run, State::Stopped, Exit::NotStarted, None, Timestamp::now()).await;
            return None;
        }

        let child = {
            let _turn = self.starts.acquire().await;
            spawn::spawn(&info, run)
        };
        let child = match child {
            Ok(child) => child,
            Err(reason) => {
                tracing::warn!(process = self.process.0, %reason, "Could not start a process.");
                self.end(run, State::Failed, Exit::NotStarted, Some(reason.into()), Timestamp::now()).await;
                return None;
            }
        };

        let started_at = Timestamp::now();
        let (pid, group) = (child.pid, child.group);
        self.set(Status {
            state: State::Running,
            pid: Some(pid),
            started_at: Some(started_at),
            ..Status::pending(run)
        });
        let after = self.begin_output(run, number, started_at).await;
        self.publish(Event::ProcessStarted { process: self.process, run, pid, after, at: started_at }).await;
        let (mut leader, mut readers) = self.read(run, child);

        let mut stopping = Escalation::default();
        let exit = self.until_exit(&mut leader, group, &mut stopping).await;
        let ended_at = Timestamp::now();
        let stopped = stopping.is_begun();
        if stopped {
            // "Stopped" is reported when the whole group is gone, not when its leader is.
            self.until_gone(group, &mut stopping).await;
        }
        readers.drain().await;
        readers.told();
        let state = match exit {
            _ if stopped => State::Stopped,
            Exit::Code(0) => State::Success,
            Exit::Code(_) | Exit::Signal(_) | Exit::NotStarted => State::Failed,
        };
        let alive =
            stopping.is_given_up().then(|| "it could not be ended: it may run as another user".into());
        self.end(run, state, exit, alive, ended_at).await;
        stopping.done();
        group.is_alive().then_some(Left { group, run })
    }

    /// Waits for the leader, carrying out commands meanwhile. One that cannot be ended (it got other rights, or hangs
    /// in the kernel) is given up.
    async fn until_exit(&mut self, leader: &mut Leader, group: Group, stopping: &mut Escalation) -> Exit {
        while !stopping.is_given_up() {
            let kill_at = stopping.kill_at();
            tokio::select! {
                exit = leader.wait() => return exit,
                control = self.controls.recv() => self.controls.take(control, group, stopping),
                () = sleep_until(kill_at.unwrap_or_else(Instant::now)), if kill_at.is_some() => stopping.kill(group),
            }
        }
        Exit::Signal(Signal::KILL.as_raw())
    }

    /// Waits until nobody in a group that is being stopped is alive, carrying out commands meanwhile.
    async fn until_gone(&mut self, group: Group, stopping: &mut Escalation) {
        while group.is_alive() && !stopping.is_given_up() {
            let kill_at = stopping.kill_at();
            tokio::select! {
                () = sleep(POLL) => {}
                control = self.controls.recv() => self.controls.take(control, group, stopping),
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

    fn read(&self, run: RunId, child: Child) -> (Leader, Readers) {
        let (leader, stdout, stderr) = child.split();
        let (phase, phases) = watch::channel(Phase::Running);
        let (done, over) = mpsc::channel(2);
        let reader = |stream| Reader {
            origin: Origin { process: self.process, run, stream },
            output: self.output.clone(),
            phase: phases.clone(),
            over: Some(done.clone()),
            shutdown: self.resources.shutdown(),
        };
        let (out, err) = (reader(Stream::Out).read(stdout), reader(Stream::Err).read(stderr));
        drop(self.resources.spawn(Component::Process, "reader of stdout", out));
        drop(self.resources.spawn(Component::Process, "reader of stderr", err));
        (leader, Readers { phase, over })
    }

    /// The end of a run: its last lines are readable first, then status and event.
    async fn end(&self, run: RunId, state: State, exit: Exit, reason: Option<Arc<str>>, at: Timestamp) {
        let (ack, answer) = oneshot::channel();
        drop(self.output.send(OutputBatch::End { process: self.process, run, ack }).await);
        let last = answer.await.unwrap_or_default();
        let now = self.cell.get();
        self.set(Status { state, exit: Some(exit), ended_at: Some(at), ..Status::clone(&now) });
        self.publish(Event::ProcessExited { process: self.process, run, state, exit, last, reason, at })
            .await;
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

// === impl Readers ===

impl Readers {
    /// Waits until both pipes have ended, or a descendant that lives on has held them for [`DRAIN`]. Room in the
    /// output pipe is waited for without limit. Afterwards the readers go on by themselves and mark what they read.
    async fn drain(&mut self) {
        self.phase.send_replace(Phase::LeaderGone);
        while self.over.recv().await.is_some() {}
    }

    /// The exit is about to be told.
    fn told(&self) {
        self.phase.send_replace(Phase::Told);
    }
}
