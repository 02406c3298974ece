//! What is shown: one row per process and the recent happenings, behind one lock.
//!
//! *Flows in:* events, through [`Model::update`]. *Flows out:* [`View`]s of everything that changed since a
//! revision, through [`Model::view`], and a wake-up. *Bounded:* rows by the number of distinct scripts and commands ever started (a row never
//! goes away), happenings by [`HAPPENINGS`], ended runs by `process_manager.max_process_history`; of the last two half as many while memory is
//! critically short. *Lost:* the oldest happenings, when nobody has looked for so long; their numbers show it. Rows are always complete.
//!
//! In fallback mode a [`View`] holds every row whenever anything changed: whole snapshots, nothing else is different. While the model is failing,
//! new errors change their row but are no happenings.
//!
//! The model holds no handles, so it cannot cause anything.

use std::{path::Path, sync::Arc};

use crate::{
    config::Mode,
    event::{
        Detail, Event, Exit, Health, Pressure, ProcessId, ProcessInfo, RunId, Seq, State, Timestamp, Url,
        Usage,
    },
    sync::{Notify, RwLock},
};

mod state;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

/// Happenings kept for somebody who looks late.
pub const HAPPENINGS: usize = 1000;

/// Ended runs remembered over all processes, where no setting says otherwise.
pub const HISTORY: usize = 1000;

/// Counts changes; 0 is before the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Revision(pub u64);

/// One process as the list shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Stable for the life of the host.
    pub id: ProcessId,
    /// What it is.
    pub info: Arc<ProcessInfo>,
    /// Where its latest run is.
    pub state: State,
    /// The latest run.
    pub run: RunId,
    /// How often it was started.
    pub runs: u32,
    /// The leader, while it runs and after.
    pub pid: Option<u32>,
    /// How the latest run ended.
    pub exit: Option<Exit>,
    /// Why it could not be started.
    pub reason: Option<Arc<str>>,
    /// When the latest run started.
    pub started_at: Option<Timestamp>,
    /// When its leader ended.
    pub ended_at: Option<Timestamp>,
    /// The newest line of its log.
    pub last: Seq,
    /// Distinct errors of the latest run.
    pub errors: u32,
    /// The first error of the latest run.
    pub first_error: Option<Arc<str>>,
    /// The web addresses that the latest run printed, in that order.
    pub urls: Arc<[Url]>,
    /// What else is known of the latest run.
    pub detail: Arc<Detail>,
    /// What its tree uses, while it runs.
    pub usage: Option<Usage>,
}

/// How a run ended, for the rule that divides its lines from the next run's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// 1 for a process's first run.
    pub number: u32,
    /// How it is shown.
    pub state: State,
    /// How it ended.
    pub exit: Exit,
    /// From start to end, milliseconds.
    pub took: u64,
}

/// Something the user may want to hear of, in the order it happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Happening {
    /// Counts from 1.
    pub number: u64,
    /// Whose.
    pub process: ProcessId,
    /// Of which run.
    pub run: RunId,
    /// Which start of the process that was, from 1.
    pub start: u32,
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// See [`Happening`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// The program runs.
    Started,
    /// The run is over.
    Exited {
        /// How it is shown.
        state: State,
        /// How it ended.
        exit: Exit,
        /// Why it could not be started.
        reason: Option<Arc<str>>,
        /// From start to end, milliseconds.
        took: u64,
        /// The first error of the run.
        message: Option<Arc<str>>,
        /// Its last line: who shows the log shows this line before the happening.
        last: Seq,
    },
    /// New error headlines.
    Error {
        /// The first new one.
        seq: Seq,
        /// What it says.
        message: Arc<str>,
        /// Distinct errors of this run so far.
        count: u32,
    },
    /// A web address the run had not printed before.
    Url(Url),
}

/// Everything that changed since a revision.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct View {
    /// The revision this brings the reader to.
    pub revision: Revision,
    /// Changed rows, whole, by id.
    pub rows: Vec<Row>,
    /// New happenings. A gap in their numbers means that the reader came late: some were forgotten, or, of errors, made
    /// good by a newer one.
    pub happenings: Vec<Happening>,
}

/// See the module.
pub struct Model {
    /// The one lock around the view state. Held for the time of a copy, and no other lock inside.
    state: RwLock<state::ViewState>,
    /// Wakes the one reader that waits for changes. A change while nobody waits is not lost.
    changed: Notify,
}

// === impl Model ===

impl Model {
    /// An empty model that remembers so many ended runs.
    pub fn new(mode: Mode, history: usize) -> Self {
        Self { state: RwLock::new(state::ViewState::new(mode, history)), changed: Notify::new() }
    }

    /// Which implementation runs.
    pub fn mode(&self) -> Mode {
        self.state.read().mode()
    }

    /// Changes to the other implementation. Both work on the same rows, so a reader goes on from where it is.
    pub fn switch(&self, mode: Mode) {
        self.state.write().switch(mode);
    }

    /// How well it was last said to work; readers take their time while it is not healthy.
    pub fn health(&self) -> Health {
        self.state.read().health()
    }

    /// Switches off what is done without in this state.
    pub fn degrade(&self, health: Health) {
        self.state.write().degrade(health);
    }

    /// Remembers so many ended runs from now on.
    pub fn set_history(&self, history: usize) {
        self.state.write().set_history(history);
    }

    /// Keeps half as much while memory is critically short.
    pub fn set_pressure(&self, pressure: Pressure) {
        self.state.write().set_pressure(pressure);
    }

    /// Whether the current implementation works, also while the fallback runs.
    ///
    /// # Errors
    /// What does not work, worded for the user.
    pub fn probe(&self) -> Result<(), String> {
        self.state.read().check()
    }

    /// Takes an event in. Never waits for a reader's work, only for its copy.
    pub fn update(&self, event: &Event) {
        if self.state.write().apply(event) {
            self.changed.notify_one();
        }
    }

    /// Rows that changed since `since`, and happenings after number `heard`.
    pub fn view(&self, since: Revision, heard: u64) -> View {
        self.state.read().view(since, heard)
    }

    /// The process of this root that users call so.
    pub fn find(&self, root: Option<&Path>, label: &str) -> Option<ProcessId> {
        self.state.read().find(root, label)
    }

    /// One process's row.
    pub fn row(&self, process: ProcessId) -> Option<Row> {
        self.state.read().row(process)
    }

    /// How a process's run of this number ended, if it has and is not forgotten.
    pub fn ended(&self, process: ProcessId, number: u32) -> Option<Ended> {
        self.state.read().ended(process, number)
    }

    /// Waits until something changed since the last time this returned.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Default for Model {
    fn default() -> Self {
        Self::new(Mode::Current, HISTORY)
    }
}
