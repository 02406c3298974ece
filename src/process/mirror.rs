//! A run of another host that is shown here: an entry of the list with its lines and its end, and nothing that acts on it.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use tokio::sync::oneshot;

use super::{OutputBatch, ProcessError, Status, StatusCell, Stream, registry::Shown};
use crate::{
    bus::EventBus,
    event::{Detail, Event, Exit, ProcessId, ProcessInfo, RunId, Seq, State, Timestamp},
    resource::Sender,
};

/// One run. Dropped before its end is told, it ends as stopped.
pub struct Mirror {
    process: ProcessId,
    run: RunId,
    number: u32,
    host: u32,
    info: Arc<ProcessInfo>,
    cell: Arc<StatusCell>,
    bus: EventBus,
    output: Sender<OutputBatch>,
}

/// The entries of such runs, by root and name. They stay for the life of the host, like all entries.
#[derive(Default)]
pub(super) struct Mirrors(HashMap<(PathBuf, String), Known>);

struct Known {
    process: ProcessId,
    cell: Arc<StatusCell>,
    starts: u32,
}

// === impl Mirrors ===

impl Mirrors {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Refuses what would act on one.
    pub(super) fn check(&self, process: ProcessId) -> Result<(), ProcessError> {
        match self.0.iter().find(|(_, known)| known.process == process) {
            Some(((_, name), _)) => Err(ProcessError::Elsewhere { name: name.clone() }),
            None => Ok(()),
        }
    }

    /// A new run of an entry, which is `process` if there was none of this name.
    pub(super) fn add(
        &mut self,
        process: ProcessId,
        run: RunId,
        info: ProcessInfo,
        host: u32,
        (bus, output): (EventBus, Sender<OutputBatch>),
    ) -> Result<(Mirror, Shown), ProcessError> {
        let pending = Status::pending(run);
        let known = self.0.entry((info.root.clone(), info.label())).or_insert_with(|| Known {
            process,
            cell: Arc::new(StatusCell::new(pending.clone())),
            starts: 0,
        });
        if known.starts > 0 {
            // Refused while the run before has not ended: it is shown already.
            let again = |_| ProcessError::Elsewhere { name: info.label() };
            known.cell.set(pending).map_err(again)?;
        }
        known.starts += 1;
        let (process, number) = (known.process, known.starts);
        let (info, cell) = (Arc::new(info), Arc::clone(&known.cell));
        let shown = Shown { info: Arc::clone(&info), cell: Arc::clone(&cell), console: None };
        Ok((Mirror { process, run, number, host, info, cell, bus, output }, shown))
    }
}

// === impl Mirror ===

impl Mirror {
    /// The entry.
    pub fn process(&self) -> ProcessId {
        self.process
    }

    /// It runs, and did so before it was shown here.
    pub async fn begin(&self, pid: u32, at: Timestamp) {
        let Self { process, run, number, host, .. } = *self;
        self.publish(Event::ProcessPending { process, run, info: Arc::clone(&self.info), at }).await;
        let detail = Arc::new(Detail { elsewhere: Some(host), ..Detail::default() });
        self.publish(Event::ProcessDetail { process, run, detail, at }).await;
        let status = Status::pending(run);
        self.set(Status { state: State::Running, pid: Some(pid), started_at: Some(at), ..status });
        let (ack, answer) = oneshot::channel();
        drop(self.output.send(OutputBatch::Begin { process, run, number, at, info: None, ack }).await);
        let after = answer.await.unwrap_or_default();
        self.publish(Event::ProcessStarted { process, run, pid, after, at }).await;
    }

    /// It printed whole lines, each with its newline. Waits for room in the log store.
    pub async fn lines(&self, stream: Stream, at: Timestamp, text: Vec<u8>, cut: Vec<(u32, u64)>) {
        let Self { process, run, .. } = *self;
        let lines = OutputBatch::Lines { process, run, stream, at, text, cut, after_exit: false };
        drop(self.output.send(lines).await);
    }

    /// It is over. Its last lines are readable first.
    pub async fn end(self, state: State, exit: Exit, reason: Option<Arc<str>>, at: Timestamp) {
        let Self { process, run, .. } = self;
        let (ack, answer) = oneshot::channel();
        drop(self.output.send(OutputBatch::End { process, run, ack }).await);
        let last = answer.await.unwrap_or_default();
        let now = self.cell.get();
        self.set(Status { state, exit: Some(exit), ended_at: Some(at), ..Status::clone(&now) });
        self.publish(Event::ProcessExited { process, run, state, exit, last, reason, at }).await;
    }

    fn set(&self, status: Status) {
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

impl Drop for Mirror {
    fn drop(&mut self) {
        let now = self.cell.get();
        if now.run != self.run || now.state.is_terminal() {
            return;
        }
        let (state, exit, at) = (State::Stopped, Exit::NotStarted, Timestamp::now());
        self.set(Status { state, exit: Some(exit), ended_at: Some(at), ..Status::clone(&now) });
        let Self { process, run, .. } = *self;
        let ended =
            Event::ProcessExited { process, run, state, exit, last: Seq::default(), reason: None, at };
        self.bus.try_publish(ended).ok();
    }
}
