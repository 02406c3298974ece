//! The mailbox of one process's task, and the starts taken from it whose turn has not come.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::message::{Control, Handed, Start};

/// See the module.
pub(super) struct Controls {
    /// Closed when the manager has shut down.
    mailbox: mpsc::Receiver<Handed>,
    open: bool,
    /// Bounded by the places the manager gives.
    queue: VecDeque<Start>,
}

// === impl Controls ===

impl Controls {
    pub(super) fn new(mailbox: mpsc::Receiver<Handed>) -> Self {
        Self { mailbox, open: true, queue: VecDeque::new() }
    }

    /// The start whose turn it is.
    pub(super) fn next_start(&mut self) -> Option<Start> {
        self.queue.pop_front()
    }

    pub(super) fn has_start(&self) -> bool {
        !self.queue.is_empty()
    }

    /// A start waits for those before it.
    pub(super) fn push(&mut self, start: Start) {
        self.queue.push_back(start);
    }

    /// Takes back every start whose turn has not come: each is still told of, as stopped.
    pub(super) fn cancel(&mut self) {
        for start in &mut self.queue {
            start.before.cancelled = true;
        }
    }

    /// The next command; `None` once the manager is gone. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<Control> {
        let Handed { control, taken } = self.mailbox.recv().await?;
        // Who waits no more has been told that this task does not answer.
        taken.send(()).ok();
        Some(control)
    }

    /// The same, but pending for ever once the manager is gone.
    pub(super) async fn recv(&mut self) -> Control {
        if self.open {
            if let Some(control) = self.next().await {
                return control;
            }
            self.open = false;
        }
        std::future::pending().await
    }
}
