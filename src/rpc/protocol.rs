//! Every method and wire type between Neovim and the host. `doc/protocol.md` says the same in words.

use serde::{Deserialize, Serialize};

/// Changes with every incompatible change of anything in this file. `lua/brummer/rpc.lua` holds the same number.
pub const PROTOCOL: u32 = 1;

/// The first message of an editor.
#[derive(Debug, Deserialize)]
pub(super) struct Hello {
    /// What the editor speaks.
    pub(super) protocol: u32,
}

/// The answer to it, as JSON: the one form that never changes.
#[derive(Debug, Serialize)]
pub(super) struct HelloAnswer {
    /// What the host speaks.
    pub(super) protocol: u32,
    /// The host's version.
    pub(super) version: &'static str,
    /// The host's process id.
    pub(super) pid: u32,
}

/// What a user's action asks for. `params` are decoded by method; an unknown field is ignored.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// What can be run here.
    Scripts(Directory),
    /// Start scripts or a command line.
    Run(Run),
    /// End a process.
    Stop(Entry),
    /// End it if it runs and start it.
    Restart(Entry),
    /// Send a log's lines to a buffer.
    Watch(Watch),
    /// Send no more.
    Unwatch(Buffer),
    /// Where a line points.
    Locate(LineOf),
    /// Error headlines with their places.
    Errors(ErrorsOf),
    /// Why a line points where it does.
    Explain(LineOf),
    /// What is wrong in the configuration.
    Config(Directory),
    /// End.
    Bye,
}

/// A directory.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Directory {
    /// Absolute path.
    pub(super) dir: String,
}

/// See [`Call::Run`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Run {
    /// The project.
    pub(super) root: String,
    /// Scripts, all or none started.
    #[serde(default)]
    pub(super) names: Vec<String>,
    /// Arguments for each of them.
    #[serde(default)]
    pub(super) args: Vec<String>,
    /// A command line instead of scripts.
    pub(super) command: Option<String>,
}

/// A row of the process list.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Entry {
    /// Its id.
    pub(super) id: u32,
}

/// See [`Call::Watch`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Watch {
    /// The buffer.
    pub(super) buf: i64,
    /// The project; absent for all.
    pub(super) root: Option<String>,
    /// The log; absent for the merged one.
    pub(super) name: Option<String>,
    /// Lines to send at first, and to keep up with.
    pub(super) max: usize,
}

/// A buffer.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Buffer {
    /// Its number.
    pub(super) buf: i64,
}

/// A line of a process's log.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct LineOf {
    /// The process.
    pub(super) id: u32,
    /// The line.
    pub(super) seq: u64,
}

/// See [`Call::Errors`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct ErrorsOf {
    /// Of this process only.
    pub(super) id: Option<u32>,
    /// Of this project only.
    pub(super) root: Option<String>,
}

/// One message to the editor.
#[derive(Debug, Default, Serialize)]
pub(super) struct Frame {
    /// Counts frames.
    pub(super) rev: u64,
    /// Changes of watched buffers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) logs: Vec<LogPatch>,
    /// Changed rows, whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) procs: Vec<ProcRow>,
    /// What happened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<EventRow>,
    /// Answers to calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) replies: Vec<Reply>,
}

/// A row of the process list.
#[derive(Debug, Serialize)]
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
}

/// New lines of one watched buffer. Lists of pairs and quadruples are flat, to keep them cheap to decode.
#[derive(Debug, Default, Serialize)]
pub(super) struct LogPatch {
    /// The buffer.
    pub(super) buf: i64,
    /// The process, once there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<u32>,
    /// The buffer's text is thrown away first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) reset: bool,
    /// Lines left out before the first of `lines`.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) skipped: u64,
    /// Lines ever printed in this log.
    pub(super) total: u64,
    /// Text.
    pub(super) lines: Vec<String>,
    /// Line numbers: first, count, …
    pub(super) seqs: Vec<u64>,
    /// Processes, merged log only: id, count, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) ids: Vec<u64>,
    /// Times: milliseconds since the epoch, count, …
    pub(super) times: Vec<u64>,
    /// Colours: row, start, end, style, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) spans: Vec<u32>,
    /// Styles not sent before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) styles: Vec<StyleRow>,
    /// Error headlines: line number, severity, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) marks: Vec<u64>,
    /// Processes of the marks, merged log only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) mark_ids: Vec<u32>,
    /// Lines sent in part: row, whole length, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) clipped: Vec<u32>,
    /// Where runs begin.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) runs: Vec<RunRow>,
}

/// A style's number and what it means.
#[derive(Debug, Default, Serialize)]
pub(super) struct StyleRow {
    /// The number.
    pub(super) style: u16,
    /// Text colour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fg: Option<ColourValue>,
    /// Background.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bg: Option<ColourValue>,
    /// SGR 1.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) bold: bool,
    /// SGR 2.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) dim: bool,
    /// SGR 3.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) italic: bool,
    /// SGR 4.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) underline: bool,
    /// SGR 7.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) reverse: bool,
    /// SGR 9.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) strike: bool,
}

/// 0..=255, or `#rrggbb`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum ColourValue {
    /// Palette.
    Index(u8),
    /// True colour.
    Hex(String),
}

/// The start of a run.
#[derive(Debug, Serialize)]
pub(super) struct RunRow {
    /// The run's first line.
    pub(super) seq: u64,
    /// 1 for the first.
    pub(super) run: u32,
    /// Milliseconds since the epoch.
    pub(super) at: u64,
    /// The process, merged log only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<u32>,
    /// How the run before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prev: Option<PrevRow>,
}

/// How a run ended.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PrevRow {
    /// Its state.
    pub(super) state: crate::event::State,
    /// Exit code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exit_code: Option<i32>,
    /// Signal, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signal: Option<String>,
    /// Milliseconds.
    pub(super) took: u64,
}

/// Something that happened.
#[derive(Debug, Default, Serialize)]
pub(super) struct EventRow {
    /// `started`, `exited` or `error`.
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
    /// Of an error: its line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seq: Option<u64>,
    /// An error's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    /// Of an error: how many there are in this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u32>,
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

fn is_zero(value: &u64) -> bool {
    *value == 0
}

// === impl Call ===

impl Call {
    /// Reads a call. The error is for the log and for who wrote the Lua.
    pub(super) fn decode(method: &str, params: rmpv::Value) -> Result<Self, String> {
        fn read<T: serde::de::DeserializeOwned>(method: &str, params: rmpv::Value) -> Result<T, String> {
            // An empty Lua table arrives as an empty array.
            let params = match params {
                rmpv::Value::Array(items) if items.is_empty() => rmpv::Value::Map(Vec::new()),
                other => other,
            };
            rmpv::ext::from_value(params).map_err(|error| format!("{method}: {error}"))
        }
        Ok(match method {
            "scripts" => Self::Scripts(read(method, params)?),
            "run" => Self::Run(read(method, params)?),
            "stop" => Self::Stop(read(method, params)?),
            "restart" => Self::Restart(read(method, params)?),
            "watch" => Self::Watch(read(method, params)?),
            "unwatch" => Self::Unwatch(read(method, params)?),
            "locate" => Self::Locate(read(method, params)?),
            "errors" => Self::Errors(read(method, params)?),
            "explain" => Self::Explain(read(method, params)?),
            "config" => Self::Config(read(method, params)?),
            "bye" => Self::Bye,
            other => return Err(format!("no such call: {other}")),
        })
    }
}
