//! What hosts say to each other: one request per connection, then what answers it, a JSON object per line.

use serde::{Deserialize, Serialize};

use crate::event::{Exit, State};

/// Changes when an older host could not read what a newer one says.
pub(super) const VERSION: u32 = 1;

/// The one line of who connects.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) version: u32,
    #[serde(flatten)]
    pub(super) ask: Ask,
}

/// What can be asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase")]
pub(super) enum Ask {
    /// What runs.
    List,
    /// A log.
    Tail(Tail),
}

/// See [`Ask::Tail`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Tail {
    pub(super) root: String,
    pub(super) name: String,
    /// Lines to begin with, from the end.
    pub(super) lines: usize,
    /// Go on with what comes, across runs.
    pub(super) follow: bool,
}

/// What answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Told {
    /// It cannot be; why, worded for the user. The last message.
    Refused { why: String },
    /// What runs, to [`Ask::List`]. The last message.
    List { runs: Vec<Listed> },
    /// A run of the log: the first message to a tail, and again for each further run.
    Begin { pid: u32, at: u64, cwd: String, argv: Vec<String>, script: String },
    /// Lines of one time and one pipe, with their colours as SGR.
    Lines {
        at: u64,
        err: bool,
        text: Vec<String>,
        /// Of lines that are longer than what is sent: their number in `text`, and how many bytes they have.
        cut: Vec<(u32, u64)>,
    },
    /// So many lines were not sent: who reads is too slow for them.
    Missed { lines: u64 },
    /// The run is over. The last message of a tail that does not follow.
    Exit { state: String, code: Option<i32>, signal: Option<i32>, reason: Option<String>, at: u64 },
}

/// One run of [`Told::List`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Listed {
    pub(super) root: String,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) pid: Option<u32>,
    pub(super) since: Option<u64>,
}

/// A state as it is said.
pub(super) fn word(state: State) -> &'static str {
    match state {
        State::Pending => "pending",
        State::Running => "running",
        State::Success => "success",
        State::Failed => "failed",
        State::Stopped => "stopped",
    }
}

/// The state an exit says; what is not known ended somehow.
pub(super) fn ended(word: &str) -> State {
    match word {
        "success" => State::Success,
        "stopped" => State::Stopped,
        _ => State::Failed,
    }
}

/// How it ended, from what is said of it.
pub(super) fn exit(code: Option<i32>, signal: Option<i32>) -> Exit {
    match (code, signal) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::NotStarted,
    }
}
