//! The status of a process as one immutable value, replaced as a whole.

use std::sync::Arc;

use crate::{
    event::{Exit, RunId, State, Timestamp},
    sync::{Swap, planted},
};

/// Everything about a run that changes, read together or not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// The latest run.
    pub run: RunId,
    /// Where it is in its life.
    pub state: State,
    /// The leader, once started.
    pub pid: Option<u32>,
    /// How it ended.
    pub exit: Option<Exit>,
    /// When the leader started.
    pub started_at: Option<Timestamp>,
    /// When the leader ended.
    pub ended_at: Option<Timestamp>,
}

/// Holds a [`Status`]; written by the process's own task alone, read by anybody without waiting.
#[derive(Debug)]
pub struct StatusCell(Swap<Status>);

/// A move that [`State`] does not allow; a bug in the caller.
#[derive(PartialEq, Eq, Debug, thiserror::Error)]
#[error("a run cannot go from {from:?} to {to:?}")]
pub struct IllegalMove {
    /// The state it is in.
    pub from: State,
    /// The state it was to get.
    pub to: State,
}

// === impl Status ===

impl Status {
    /// A run that has just been accepted.
    pub fn pending(run: RunId) -> Self {
        Self { run, state: State::Pending, pid: None, exit: None, started_at: None, ended_at: None }
    }

    fn may_become(&self, next: &Self) -> bool {
        use State::{Failed, Pending, Running, Stopped, Success};
        if next.run != self.run {
            return self.state.is_terminal() && next.state == Pending && next.run > self.run;
        }
        matches!(
            (self.state, next.state),
            (Pending, Running | Failed | Stopped) | (Running, Success | Failed | Stopped)
        )
    }
}

// === impl StatusCell ===

impl StatusCell {
    /// A cell holding `status`.
    pub fn new(status: Status) -> Self {
        Self(Swap::from_pointee(status))
    }

    /// The present value.
    pub fn get(&self) -> Arc<Status> {
        self.0.load()
    }

    /// Replaces the value. An illegal move leaves it as it was: in particular a run keeps its one
    /// terminal state.
    pub fn set(&self, next: Status) -> Result<(), IllegalMove> {
        let now = self.get();
        if !now.may_become(&next) && !planted("a move is not checked") {
            return Err(IllegalMove { from: now.state, to: next.state });
        }
        self.0.store(Arc::new(next));
        Ok(())
    }
}
