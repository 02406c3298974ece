//! What a run prints: its readers, from the first line to the last.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::{Readers, Task};
use crate::{
    event::{Component, ProcessInfo, RunId, Seq, Timestamp},
    process::{
        OutputBatch, Stream,
        output::{Origin, Phase, Pipe, Reader},
        pty::Master,
        ready::Pattern,
        tree::Pipes,
    },
};

impl Task {
    /// Tells the log store that a run begins and learns where.
    pub(super) async fn begin_output(
        &self,
        info: &Arc<ProcessInfo>,
        run: RunId,
        number: u32,
        at: Timestamp,
    ) -> Seq {
        let (ack, answer) = oneshot::channel();
        let (process, info) = (self.process, Some(Arc::clone(info)));
        drop(self.output.send(OutputBatch::Begin { process, run, number, at, info, ack }).await);
        answer.await.unwrap_or_default()
    }

    /// Starts to read what the child prints.
    pub(super) fn read(
        &mut self,
        run: RunId,
        pipes: Pipes,
        terminal: Option<Arc<Master>>,
        pattern: Option<&Arc<Pattern>>,
    ) {
        let Pipes { stdout, stderr, stdin } = pipes;
        let (phase, phases) = watch::channel(Phase::Running);
        let (done, over) = mpsc::channel(2);
        let reader = |stream| Reader {
            origin: Origin { process: self.process, run, stream },
            output: self.output.clone(),
            console: Arc::clone(&self.console),
            phase: phases.clone(),
            pattern: pattern.cloned(),
            over: Some(done.clone()),
            shutdown: self.resources.shutdown(),
        };
        let (terminal, feed) = self.console.begin(run, terminal, stdin);
        drop(self.resources.spawn(Component::Process, "input", feed));
        if let Some(terminal) = terminal {
            let out = reader(Stream::Out).read(terminal);
            drop(self.resources.spawn(Component::Process, "reader of a terminal", out));
        } else {
            let pipe = |pipe| Pipe::new(pipe, self.settings.larger_pipes());
            let (out, err) = (pipe(stdout), pipe(stderr));
            let (out, err) = (reader(Stream::Out).read(out), reader(Stream::Err).read(err));
            drop(self.resources.spawn(Component::Process, "reader of stdout", out));
            drop(self.resources.spawn(Component::Process, "reader of stderr", err));
        }
        if let Some(current) = &mut self.work.current {
            current.readers = Some(Readers { phase, over });
        }
    }

    /// Waits until both pipes have ended, or a descendant that lives on has held them for
    /// [`DRAIN`](crate::process::output::DRAIN). Room in the output pipe is waited for without limit. Afterwards the readers
    /// go on by themselves and mark what they read.
    pub(super) async fn drain(&mut self) {
        let Some(readers) = self.work.current.as_mut().and_then(|current| current.readers.as_mut()) else {
            return;
        };
        readers.phase.send_replace(Phase::LeaderGone);
        while readers.over.recv().await.is_some() {}
        readers.phase.send_replace(Phase::Told);
    }
}
