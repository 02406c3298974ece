//! After a panic in a task: what was started is ended, and the run is over, told once. Each step stands for itself, because
//! what panicked may do so again; what a step leaves undone is left to the guard.

use std::{mem, sync::Arc};

use tokio::time::{Instant, timeout_at};

use super::Task;
use crate::{
    event::{Component, Exit, Fault, FaultKind, Seq, State, Timestamp},
    process::stopping::KILL_WAIT,
    resource::catch_panic_in,
};

/// Why a run ended whose task panicked.
const PANICKED: &str = "brummer failed inside this run: see its log file";

impl Task {
    /// Tells of a panic.
    pub(super) fn panicked(&self, said: Arc<str>) {
        let (component, kind) = (Component::Process, FaultKind::Panic);
        self.resources.fault(Fault { component, place: "process", kind, message: said });
    }

    /// Brings the task to where it takes the next command.
    pub(super) async fn recover(&mut self) {
        #[cfg(test)]
        let info = self.work.planted.as_ref().map(|planted| Arc::clone(&planted.info));
        let was_planted = self.work.planted.is_some();
        if let Err(said) = catch_panic_in(self.kill_planted()).await {
            self.panicked(said);
            // Its guard ends the tree when this end of their socket is closed.
            self.work.planted = None;
        }
        if let Some(run) = self.work.current.as_ref().map(|current| current.run) {
            let killed = Exit::Signal(rustix::process::Signal::KILL.as_raw());
            let exit = if was_planted { killed } else { Exit::NotStarted };
            let (reason, at) = (Some(Arc::from(PANICKED)), Timestamp::now());
            let end = async {
                #[cfg(test)]
                info.iter().for_each(|info| crate::process::planted::panic_at(info, "telling"));
                self.drain().await;
                self.end(State::Failed, exit, reason.clone(), None, at).await;
            };
            if let Err(said) = catch_panic_in(end).await {
                self.panicked(said);
                // Without its last lines, unless all of it had been told.
                if self.work.current.is_some() {
                    let tell = self.tell_end(run, State::Failed, exit, reason, None, (Seq::default(), at));
                    if let Err(said) = catch_panic_in(tell).await {
                        self.panicked(said);
                    }
                }
            }
            // Whatever came of it, the next run does not go on with this one.
            self.work.current = None;
        }
        mem::take(&mut self.work.stopping).done();
    }

    async fn kill_planted(&mut self) {
        let Some(planted) = &mut self.work.planted else { return };
        planted.tree.kill();
        #[cfg(test)]
        crate::process::planted::panic_at(&planted.info, "killing");
        let patience = Instant::now() + KILL_WAIT;
        while let Ok(news) = timeout_at(patience, planted.tree.news()).await {
            if news.is_last() {
                self.work.planted = None;
                return;
            }
        }
    }
}
