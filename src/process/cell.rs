//! The status of a process as one immutable value, replaced as a whole.

use std::sync::Arc;

use crate::{
    event::{Exit, RunId, State, Timestamp},
    metrics::SynchronizationMetrics,
    sync::{RwLock, Swap, planted},
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
    /// It is over, and its policy starts it again.
    pub again: bool,
}

/// Holds a [`Status`], in one place only; written by the process's own task alone, read by anybody.
#[derive(Debug)]
pub struct StatusCell(Place);

/// Where the status is, for the life of the cell.
#[derive(Debug)]
enum Place {
    /// Read by one load, without waiting.
    Swapped(Swap<Status>),
    /// Read under a lock, and counted: what `status_read_strategy = "locked"` asks for.
    Locked(RwLock<Arc<Status>>, Arc<SynchronizationMetrics>),
}

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
        Self {
            run,
            state: State::Pending,
            pid: None,
            exit: None,
            started_at: None,
            ended_at: None,
            again: false,
        }
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
        Self(Place::Swapped(Swap::from_pointee(status)))
    }

    /// One that is read under a lock.
    pub(super) fn locked(status: Status, metrics: Arc<SynchronizationMetrics>) -> Self {
        Self(Place::Locked(RwLock::new(Arc::new(status)), metrics))
    }

    /// The present value.
    pub fn get(&self) -> Arc<Status> {
        match &self.0 {
            Place::Swapped(status) => status.load(),
            Place::Locked(status, metrics) => {
                metrics.process.locked_reads.increment();
                Arc::clone(&status.read())
            }
        }
    }

    /// Replaces the value. An illegal move leaves it as it was: in particular a run keeps its one
    /// terminal state.
    pub fn set(&self, next: Status) -> Result<(), IllegalMove> {
        let now = self.get();
        if !now.may_become(&next) && !planted("a move is not checked") {
            return Err(IllegalMove { from: now.state, to: next.state });
        }
        match &self.0 {
            Place::Swapped(status) => status.store(Arc::new(next)),
            Place::Locked(status, _) => *status.write() = Arc::new(next),
        }
        Ok(())
    }
}
