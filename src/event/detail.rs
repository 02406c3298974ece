//! What is known of a run besides its state, and what its tree uses.

use super::Seq;
use std::sync::Arc;

/// Everything that may change while a run lasts, and what it leaves behind: one immutable value, replaced as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Detail {
    /// What a pending run waits for, worded for the user: `waiting for db (ready: port 5432)`, `restarts in 4 s (2 of 5)`.
    pub waiting: Option<Arc<str>>,
    /// Whether it is ready.
    pub readiness: Readiness,
    /// Processes of its tree that outlived its leader, by process id.
    pub left: Vec<Survivor>,
    /// It has a terminal.
    pub terminal: bool,
    /// It draws on the whole screen or reads single keys: a terminal shows it better than a log.
    pub full_screen: bool,
    /// Its last line, while it has no end and nothing follows: a question, mostly. As printed, and not all of a long one.
    pub prompt: Option<Arc<str>>,
    /// The process id of the host that runs it, when that is another one: here it is shown, and cannot be ended or started.
    pub elsewhere: Option<u32>,
}

/// Whether a run is ready to be used.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Readiness {
    /// Nothing says how it would be known.
    #[default]
    Unknown,
    /// Not yet.
    Waiting,
    /// It is.
    Ready,
    /// It was not in time; why, worded for the user.
    Failed(Arc<str>),
}

/// A process that outlived the leader of its tree.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Survivor {
    /// Its process id.
    pub pid: u32,
    /// What it calls itself.
    pub name: String,
    /// The settings let it live on.
    pub exempt: bool,
}

/// A web address that a run printed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Url {
    /// The line it was first printed in.
    pub seq: Seq,
    /// The address.
    pub url: Arc<str>,
}

/// What the tree of a run uses.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Share of one core since the sample before, in tenths of a percent; 2000 are two cores.
    pub cpu: u32,
    /// Resident memory in bytes, pages that are shared counted for each process that has them.
    pub memory: u64,
    /// Processes of the tree, its guard not among them.
    pub processes: u32,
    /// TCP ports it listens on, ascending.
    pub ports: Vec<u16>,
}
