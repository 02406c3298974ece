//! What the host sends to Neovim: frames and what they are made of. `doc/protocol.md` says the same in words.

use serde::Serialize;

pub(super) use super::log_patch::{ColourValue, FoldRow, LogPatch, PrevRow, RunRow, StyleRow};

/// One message to the editor.
#[derive(Debug, Default, Serialize)]
pub(super) struct Frame {
    /// Counts frames.
    pub(super) rev: u64,
    /// Changes of watched buffers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) logs: Vec<LogPatch>,
    /// What searches found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) hits: Vec<HitPatch>,
    /// What terminals printed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) terms: Vec<TermPatch>,
    /// Changed rows, whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) procs: Vec<ProcRow>,
    /// What happened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<EventRow>,
    /// How the host is, whole, when a buffer watches and it changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) health: Option<serde_json::Value>,
    /// Answers to calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) replies: Vec<Reply>,
}

/// A row of the process list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ProcRow {
    /// Its id.
    pub(super) id: u32,
    /// How users call it.
    pub(super) name: String,
    /// Project.
    pub(super) root: String,
    /// Working directory.
    pub(super) cwd: String,
    /// `pending`, `running`, `success`, `failed` or `stopped`.
    pub(super) state: crate::event::State,
    /// Starts so far.
    pub(super) run: u32,
    /// What was executed.
    pub(super) command: String,
    /// What the script says.
    pub(super) script: String,
    /// Leader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pid: Option<u32>,
    /// Exit code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exit_code: Option<i32>,
    /// Signal that ended it, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signal: Option<String>,
    /// Why it could not be started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// Milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) started_at: Option<u64>,
    /// Milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ended_at: Option<u64>,
    /// Lines ever printed.
    pub(super) lines: u64,
    /// Distinct errors of this run.
    pub(super) errors: u32,
    /// The workspace package it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) package: Option<String>,
    /// What a pending run waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) waiting: Option<String>,
    /// `waiting`, `ready` or `failed`, where it is known how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ready: Option<&'static str>,
    /// Why it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_ready: Option<String>,
    /// Processes that outlived the leader.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) left: Vec<SurvivorRow>,
    /// It has a terminal.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) terminal: bool,
    /// A terminal shows it better than a log.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) full_screen: bool,
    /// Its last line, while it is unfinished and nothing follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prompt: Option<String>,
    /// The host that runs it, when that is another editor's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) elsewhere: Option<u32>,
    /// It lives on when the host ends.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) detach: bool,
    /// Share of one core in tenths of a percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu: Option<u32>,
    /// Bytes of the tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) memory: Option<u64>,
    /// TCP ports the tree listens on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ports: Vec<u16>,
    /// Web addresses this run printed, in that order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) urls: Vec<String>,
}

/// A process that outlived the leader of its tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct SurvivorRow {
    /// Its process id.
    pub(super) pid: u32,
    /// What it calls itself.
    pub(super) name: String,
    /// The settings let it live on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) exempt: bool,
}

/// What a search found, of which later patches hold the older lines: each goes in front of those before.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct HitPatch {
    /// The buffer.
    pub(super) buf: i64,
    /// The buffer's text is thrown away first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) reset: bool,
    /// Text, oldest first.
    pub(super) lines: Vec<String>,
    /// Line numbers in their process's log: first, count, …
    pub(super) seqs: Vec<u64>,
    /// Processes, 0 where it is one of an earlier session: id, count, …
    pub(super) ids: Vec<u64>,
    /// What they are called, and how many lines of each.
    pub(super) names: Vec<(String, u64)>,
    /// Times: milliseconds since the epoch, count, …
    pub(super) times: Vec<u64>,
    /// What passed: row, start, end, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) matches: Vec<u32>,
    /// Lines sent in part: row, whole length, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) clipped: Vec<u32>,
    /// Lines found so far, sent or not.
    pub(super) total: u64,
    /// The search is over.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) done: bool,
    /// It ended before everything was looked through: there are more than were asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) more: bool,
    /// What could not be looked through, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// What one terminal printed.
#[derive(Debug, Default, Serialize)]
pub(super) struct TermPatch {
    /// The buffer that shows it.
    pub(super) buf: i64,
    /// As it was printed.
    #[serde(serialize_with = "as_binary")]
    pub(super) bytes: Vec<u8>,
    /// The terminal is emptied first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) reset: bool,
    /// Bytes before these that are no longer kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) lost: u64,
}

/// Something that happened.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum EventRow {
    /// To a process.
    Process(ProcessEvent),
    /// To a component of the host.
    Health(HealthEvent),
    /// What hosts that are gone left behind was found, once at the start.
    Leftovers(LeftoversEvent),
}

/// What hosts that are gone left behind.
#[derive(Debug, Serialize)]
pub(super) struct LeftoversEvent {
    /// `leftovers`.
    pub(super) kind: &'static str,
    /// As the call of this name answers.
    #[serde(flatten)]
    pub(super) found: Leftovers,
}

/// The answer to the call `leftovers`.
#[derive(Debug, Serialize)]
pub(super) struct Leftovers {
    /// Runs, oldest first.
    pub(super) leftovers: Vec<LeftoverRow>,
    /// Records that could not be read, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) problems: Vec<String>,
}

/// What is left of one run.
#[derive(Debug, Serialize)]
pub(super) struct LeftoverRow {
    /// What `end_leftovers` takes.
    pub(super) run: String,
    /// How users call the script.
    pub(super) name: String,
    /// Project.
    pub(super) root: String,
    /// What lives.
    pub(super) pids: Vec<u32>,
    /// Milliseconds since the epoch.
    pub(super) at: u64,
    /// It was meant to stay.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) detached: bool,
}

/// A component got better or worse.
#[derive(Debug, Serialize)]
pub(super) struct HealthEvent {
    /// `health`.
    pub(super) kind: &'static str,
    /// Its name.
    pub(super) component: &'static str,
    /// `healthy`, `degraded`, `failing` or `failed`.
    pub(super) from: crate::event::Health,
    /// The same.
    pub(super) to: crate::event::Health,
    /// Why.
    pub(super) reason: String,
    /// Milliseconds since the epoch.
    pub(super) at: u64,
}

/// Something that happened to a process.
#[derive(Debug, Default, Serialize)]
pub(super) struct ProcessEvent {
    /// `started`, `exited`, `error` or `url`.
    pub(super) kind: &'static str,
    /// The process.
    pub(super) id: u32,
    /// Which start of the process, from 1.
    pub(super) run: u32,
    /// Milliseconds since the epoch.
    pub(super) at: u64,
    /// Of an exit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<crate::event::State>,
    /// Of an exit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exit_code: Option<i32>,
    /// Of an exit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signal: Option<String>,
    /// Of an exit without a start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// Of an exit: milliseconds from start to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) took: Option<u64>,
    /// Of an error and of an address: the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seq: Option<u64>,
    /// An error's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    /// Of an error: how many there are in this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u32>,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
}

/// The answer to one call.
#[derive(Debug, Serialize)]
pub(super) struct Reply {
    /// The call's number.
    pub(super) id: u64,
    /// Its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ok: Option<serde_json::Value>,
    /// Why there is none, worded for the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) err: Option<String>,
}

pub(super) fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// A list of numbers otherwise.
fn as_binary<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

// === impl Reply ===

impl Reply {
    /// Done, and nothing to tell.
    pub(super) fn done(id: u64) -> Self {
        Self { id, ok: Some(serde_json::json!({})), err: None }
    }
}
