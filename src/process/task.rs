//! The owner of one process: takes its runs one after the other, from start to the exit event. A panic in it costs the
//! run that was under way, which is ended and told of, and nothing else.

mod lines;
mod pending;
mod probing;
mod recovery;
mod watch;

use std::{mem, os::fd::AsFd, sync::Arc};

use tokio::{
    sync::{mpsc, watch as phases},
    time::Instant,
};

use self::{
    pending::NotStarted,
    watch::{End, Left, Next},
};
use super::{
    OutputBatch, Status, StatusCell,
    adopt::Guards,
    backoff::{self, Backoff, Restart},
    console::{Console, Noticed},
    controls::Controls,
    dependencies::Standing,
    environment,
    message::{Again, Control, Counted, Start},
    output::Phase,
    pty::Master,
    ready::Probing,
    settings::Settings,
    stopping::Stopping,
    tree::{Pipes, Spec, Tree},
};
use crate::{
    bus::EventBus,
    event::{Component, Detail, Event, Exit, ProcessId, ProcessInfo, RunId, Seq, State, Timestamp},
    resource::{ResourceManager, Sender, catch_panic_in},
};

/// Why a run ended whose guard was killed.
const GUARD_LOST: &str = "its guard was killed; what was left of it has been ended";

/// What one process's task works with.
pub(super) struct Task {
    pub(super) process: ProcessId,
    pub(super) cell: Arc<StatusCell>,
    pub(super) console: Arc<Console>,
    /// What is seen of the present run through the console.
    pub(super) noticed: phases::Receiver<Noticed>,
    /// The same and more, for those who wait for this process.
    pub(super) standing: phases::Sender<Standing>,
    /// Where a policy asks for another run.
    pub(super) again: Sender<Again>,
    pub(super) bus: EventBus,
    pub(super) resources: ResourceManager,
    pub(super) output: Sender<OutputBatch>,
    pub(super) settings: Arc<Settings>,
    pub(super) guards: Guards,
    pub(super) controls: Controls,
    pub(super) work: Work,
}

/// What the task is about: here and not in its functions, so that a panic does not lose it.
#[derive(Default)]
pub(super) struct Work {
    /// The run under way, until its exit is told.
    current: Option<Current>,
    /// The stop under way.
    stopping: Stopping,
    /// What was started last, until nothing of it is left: it may outlive its run.
    planted: Option<Planted>,
    /// The newest run.
    newest: Option<RunId>,
    /// What is known of it.
    detail: Detail,
    /// The restarts since the last stable run.
    backoff: Backoff,
}

/// A run under way.
struct Current {
    run: RunId,
    counted: Counted,
    readers: Option<Readers>,
    /// Until it is known whether it is ready.
    probing: Option<Probing>,
}

/// A tree, and what it is.
struct Planted {
    tree: Tree,
    info: Arc<ProcessInfo>,
}

/// The readers of one run.
struct Readers {
    /// Tells them how far the run is.
    phase: phases::Sender<Phase>,
    /// Each says once that it has handed over everything that belongs to the run.
    over: mpsc::Receiver<()>,
}

// === impl Task ===

impl Task {
    /// Takes commands until the manager drops the mailbox.
    pub(super) async fn run(mut self) {
        while let Err(said) = catch_panic_in(self.serve()).await {
            self.panicked(said);
            self.recover().await;
        }
        // The host leaves in the middle of a run.
        if let Some(run) = self.work.newest {
            self.console.end(run);
        }
    }

    async fn serve(&mut self) {
        loop {
            // The start stays in the queue meanwhile, where a stop finds it.
            if self.controls.has_start() {
                self.end_left().await;
            }
            if let Some(start) = self.controls.next_start() {
                if self.one_run(start).await.is_none() {
                    break;
                }
                continue;
            }
            match self.next().await {
                Next::Left => break,
                Next::Control(Control::Start(start)) => self.controls.push(start),
                Next::Control(Control::Stop { leaving, ticket }) => {
                    self.work.stopping.tell(ticket);
                    if !(leaving && self.let_go()) {
                        self.end_left().await;
                    }
                    mem::take(&mut self.work.stopping).done();
                }
                Next::News(news) => self.hear_of_left(news).await,
                Next::Control(Control::Hurry) | Next::Readiness(_) | Next::Late => {}
            }
        }
    }

    /// One run from acceptance to its exit event. `None` when the host leaves before.
    async fn one_run(&mut self, start: Start) -> Option<()> {
        let Start { info, run, number, mut before, place, counted } = start;
        let claim = before.claim.take();
        drop(place);
        self.work.current = Some(Current { run, counted, readers: None, probing: None });
        (self.work.newest, self.work.detail) = (Some(run), Detail::default());
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
        let turn = match self.pending(before, &info).await {
            Ok(turn) => turn,
            Err(why) => {
                let (state, reason) = match why {
                    NotStarted::Stopped => (State::Stopped, None),
                    NotStarted::Failed(reason) => (State::Failed, Some(reason)),
                };
                self.end(state, Exit::NotStarted, reason, None, Timestamp::now()).await;
                mem::take(&mut self.work.stopping).done();
                return Some(());
            }
        };
        let started = match self.plant(&info, run).await {
            Ok((pipes, terminal)) => {
                self.until_started().await.map(|end| end.map(|pid| (pid, pipes, terminal)))
            }
            Err(reason) => Ok(Err(reason)),
        };
        drop(turn);
        let (pid, pipes, terminal) = match started {
            Ok(Ok(started)) => started,
            Ok(Err(reason)) => {
                tracing::warn!(process = self.process.0, %reason, "Could not start a process.");
                let state = if self.work.stopping.is_begun() { State::Stopped } else { State::Failed };
                self.end(state, Exit::NotStarted, Some(reason.into()), None, Timestamp::now()).await;
                mem::take(&mut self.work.stopping).done();
                return Some(());
            }
            Err(Left) => return None,
        };

        let (started_at, since) = (Timestamp::now(), Instant::now());
        self.record(&info, run, pid, started_at);
        drop(claim);
        self.set(Status {
            state: State::Running,
            pid: Some(pid),
            started_at: Some(started_at),
            ..Status::pending(run)
        });
        let after = self.begin_output(&info, run, number, started_at).await;
        self.publish(Event::ProcessStarted { process: self.process, run, pid, after, at: started_at }).await;
        let pattern = self.begin_probe(&info).await;
        self.read(run, pipes, terminal, pattern.as_ref());
        #[cfg(test)]
        super::planted::panic_at(&info, "running");

        let end = self.until_exit().await;
        let ended_at = Timestamp::now();
        let stopped = self.work.stopping.is_begun();
        if stopped {
            // "Stopped" is reported when nothing of the tree is left, not when its leader is gone.
            self.until_empty().await;
        }
        self.drain().await;
        self.probe_once_more().await;
        #[cfg(test)]
        super::planted::panic_at(&info, "ended");
        let killed = Exit::Signal(rustix::process::Signal::KILL.as_raw());
        let (exit, lost) = match end {
            End::Exit(exit) => (exit, false),
            End::GivenUp => (killed, false),
            End::Lost => (killed, true),
            End::Left => return None,
        };
        let state = match exit {
            _ if stopped => State::Stopped,
            Exit::Code(0) => State::Success,
            Exit::Code(_) | Exit::Signal(_) | Exit::NotStarted => State::Failed,
        };
        let next = match stopped {
            true => backoff::Next::Rest,
            false => self.work.backoff.after(&info.options.restart, exit, since.elapsed()),
        };
        let (restart, gave_up) = match next {
            backoff::Next::Rest => (None, None),
            backoff::Next::Restart(restart) => (Some(restart), None),
            backoff::Next::GiveUp(why) => {
                self.resources.metrics().process.given_up.increment();
                (None, Some(why))
            }
        };
        let reason = match (lost, self.work.stopping.is_given_up()) {
            (true, _) => Some(GUARD_LOST.into()),
            (false, true) => Some("it could not be ended: it may run as another user".into()),
            (false, false) => gave_up,
        };
        self.end(state, exit, reason, restart, ended_at).await;
        mem::take(&mut self.work.stopping).done();
        Some(())
    }

    /// Starts a guard with the tree of a run.
    async fn plant(
        &mut self,
        info: &Arc<ProcessInfo>,
        run: RunId,
    ) -> Result<(Pipes, Option<Arc<Master>>), String> {
        let _thread = self.settings.thread().await;
        let grace = self.settings.values().stop_grace;
        let no_terminal = |error| format!("there is no terminal for it: {error}");
        let (master, slave) = self.console.terminal(&info.options).map_err(no_terminal)?.unzip();
        let terminal = slave.zip(master.as_deref().map(AsFd::as_fd));
        let record = self.settings.records().map(|records| records.path(&environment::mark(run)));
        let own_input = self.settings.is_input_lent();
        let spec = Spec { info, run, grace, terminal, own_input, record: record.as_deref() };
        let (tree, pipes) = Tree::start(spec, &self.guards)?;
        self.console.set_tree(Some(tree.guard_pid));
        self.work.planted = Some(Planted { tree, info: Arc::clone(info) });
        Ok((pipes, master))
    }

    /// Writes what the next host has to know of a run.
    fn record(&self, info: &ProcessInfo, run: RunId, leader: u32, at: Timestamp) {
        let (Some(records), Some(planted)) = (self.settings.records(), &self.work.planted) else { return };
        let grace = self.settings.values().stop_grace;
        let record =
            records.of_run(environment::mark(run), info, grace, (planted.tree.guard_pid, leader), at);
        if let Err(error) = records.write(&record) {
            tracing::warn!(%error, name = record.name, "A run could not be recorded.");
        }
    }

    /// The end of the run under way: its last lines are readable first, then status and event. `restart` asks for another.
    async fn end(
        &mut self,
        state: State,
        exit: Exit,
        reason: Option<Arc<str>>,
        restart: Option<Restart>,
        at: Timestamp,
    ) {
        let Some(run) = self.work.current.as_ref().map(|current| current.run) else { return };
        self.console.end(run);
        self.notice().await;
        let (ack, answer) = tokio::sync::oneshot::channel();
        drop(self.output.send(OutputBatch::End { process: self.process, run, ack }).await);
        let last = answer.await.unwrap_or_default();
        self.tell_end(run, state, exit, reason, restart, (last, at)).await;
    }

    /// Status and event of an end, with its last line and its time.
    async fn tell_end(
        &mut self,
        run: RunId,
        state: State,
        exit: Exit,
        reason: Option<Arc<str>>,
        restart: Option<Restart>,
        (last, at): (Seq, Timestamp),
    ) {
        let now = self.cell.get();
        let again = restart.is_some();
        self.set(Status { state, exit: Some(exit), ended_at: Some(at), again, ..Status::clone(&now) });
        drop(self.work.current.take().map(|current| current.counted));
        self.publish(Event::ProcessExited { process: self.process, run, state, exit, last, reason, at })
            .await;
        if let Some(restart) = restart {
            // Not waited for here: who is asked may be waiting for this task.
            let (again, process) = (self.again.clone(), self.process);
            let ask = async move { drop(again.send(Again { process, run, restart }).await) };
            drop(self.resources.spawn(Component::Process, "restart", ask));
        }
    }

    /// Changes what is known of the newest run besides its state, and tells of it.
    async fn detail(&mut self, change: impl FnOnce(&mut Detail)) {
        let Some(run) = self.work.newest else { return };
        let before = self.work.detail.clone();
        change(&mut self.work.detail);
        if self.work.detail != before {
            let readiness = &self.work.detail.readiness;
            if before.readiness != *readiness {
                self.standing.send_modify(|standing| standing.readiness.clone_from(readiness));
            }
            let detail = Arc::new(self.work.detail.clone());
            self.publish(Event::ProcessDetail { process: self.process, run, detail, at: Timestamp::now() })
                .await;
        }
    }

    /// Tells what is seen of the run through the console.
    async fn notice(&mut self) {
        let Noticed { terminal, full_screen, .. } = *self.noticed.borrow_and_update();
        let prompt = self.noticed.borrow().prompt().cloned();
        self.detail(|detail| {
            (detail.terminal, detail.full_screen, detail.prompt) = (terminal, full_screen, prompt);
        })
        .await;
    }

    fn set(&self, status: Status) {
        let standing = status.clone();
        // The first status of a process is set by the manager when it makes the cell.
        if *self.cell.get() != status
            && let Err(error) = self.cell.set(status)
        {
            tracing::error!(process = self.process.0, %error, "A status was refused.");
            return;
        }
        self.standing.send_modify(|known| known.update(&standing));
    }

    async fn publish(&self, event: Event) {
        if let Err(error) = self.bus.publish(event).await {
            tracing::debug!(process = self.process.0, %error, "An event came after the bus had stopped.");
        }
    }
}
