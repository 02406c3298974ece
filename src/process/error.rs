//! Why a command was not carried out.

use std::time::Duration;

use super::InputError;
use crate::event::ProcessId;

/// Why a command was not carried out. Worded for the user.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProcessError {
    /// No entry of this id.
    #[error("no such process: {}", .0.0)]
    Unknown(ProcessId),
    /// Scripts come after each other in a circle.
    #[error("{0}: each of them waits for the next, so none can start (after)")]
    Cycle(String),
    /// Something that has to be up first is not there.
    #[error("{name} comes after {missing}, which has never been started here (after)")]
    NoDependency {
        /// What was to be started.
        name: String,
        /// What is not known.
        missing: String,
    },
    /// The limit of running processes is reached.
    #[error("{0} processes are running, which is the limit (process_manager.max_processes)")]
    TooMany(usize),
    /// The process's task has not taken a command in time; it carries it out if it comes back.
    #[error(
        "{name} does not answer: it has not taken a command for {waited:?} (process_manager.worker_timeout)"
    )]
    NoAnswer {
        /// The process, as users call it.
        name: String,
        /// How long the command waited.
        waited: Duration,
    },
    /// Too many commands wait for one process already.
    #[error("{name} does not answer: {waiting} commands wait for it")]
    Full {
        /// The process, as users call it.
        name: String,
        /// How many may wait.
        waiting: usize,
    },
    /// Nothing can be sent to it.
    #[error("{name} {error}")]
    Input {
        /// The process, as users call it.
        name: String,
        /// Why.
        error: InputError,
    },
    /// It runs in another host and is only shown here.
    #[error("{name} runs in another editor and can only be read here")]
    Elsewhere {
        /// The process, as users call it here.
        name: String,
    },
    /// A panic, which is among the faults.
    #[error("brummer failed inside this command: see its log file")]
    Inside,
    /// The host is ending.
    #[error("brummer is shutting down")]
    Closed,
}
