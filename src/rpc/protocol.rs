//! The handshake and every call of Neovim; what goes back is in `frame.rs`. `doc/protocol.md` says the same in words.

use serde::{Deserialize, Serialize};

use super::bytes::Bytes;

/// Changes with every incompatible change of anything in this file and in `frame.rs`. `lua/brummer/rpc.lua` holds the same number.
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
    /// End all of a project, or all.
    StopAll(Project),
    /// All that is known of a process.
    Describe(Entry),
    /// Show a log of another host.
    Show(Show),
    /// What hosts that are gone left behind.
    Leftovers,
    /// End some of it.
    EndLeftovers(Runs),
    /// Send a log's lines to a buffer.
    Watch(Watch),
    /// Send no more.
    Unwatch(Buffer),
    /// Look through everything a log ever held and send the lines that pass.
    Search(Search),
    /// Look no further.
    Unsearch(Buffer),
    /// Write everything a view stands for to a file.
    Write(Write),
    /// Send lines that a watched buffer does not hold.
    Load(Load),
    /// Where a line points.
    Locate(LineOf),
    /// Error headlines with their places.
    Errors(ErrorsOf),
    /// Why a line points where it does.
    Explain(LineOf),
    /// All that is known of a line.
    Line(LineAt),
    /// The addresses in a line.
    UrlsOf(LineOf),
    /// A log as it was in the session before.
    Previous(Previous),
    /// Where a line of an earlier session points.
    Place(PlaceOf),
    /// The settings of a project and what is wrong with them.
    Config(Directory),
    /// Read the host's own settings again and use what can be used.
    Reload,
    /// How the host is.
    Health,
    /// Send that to a buffer, now and whenever it changes.
    WatchHealth(Buffer),
    /// Send it no more.
    UnwatchHealth(Buffer),
    /// Send a line to a process.
    Send(Line),
    /// Send keys to a process's terminal.
    Input(Keys),
    /// Say how large a process's terminal is.
    Resize(Resize),
    /// Send what a process's terminal prints to a buffer.
    Attach(Attach),
    /// Send it no more.
    Detach(Buffer),
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
    /// Where the names are meant from, when it is not the root: the scripts of the package there come first.
    pub(super) dir: Option<String>,
    /// Scripts, all or none started.
    #[serde(default)]
    pub(super) names: Vec<String>,
    /// Arguments for each of them.
    #[serde(default)]
    pub(super) args: Vec<String>,
    /// A command line instead of scripts.
    pub(super) command: Option<String>,
    /// Also what another host runs already.
    #[serde(default)]
    pub(super) another: bool,
}

/// See [`Call::StopAll`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Project {
    /// Its root; absent for all.
    pub(super) root: Option<String>,
}

/// See [`Call::Show`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Show {
    /// The project.
    pub(super) root: String,
    /// The log.
    pub(super) name: String,
    /// The process id of that host.
    pub(super) pid: u32,
}

/// See [`Call::EndLeftovers`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Runs {
    /// As [`Call::Leftovers`] names them.
    pub(super) runs: Vec<String>,
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
    /// Lines its largest window can show.
    pub(super) rows: Option<usize>,
    /// The buffer shows what comes before this position of the log; absent when it shows nothing.
    pub(super) from: Option<u64>,
    /// Which lines to send; absent for all.
    pub(super) filter: Option<String>,
}

/// See [`Call::Search`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Search {
    /// The buffer that shows what is found.
    pub(super) buf: i64,
    /// The project; absent for all.
    pub(super) root: Option<String>,
    /// The log; absent for all of the project.
    pub(super) name: Option<String>,
    /// A filter.
    pub(super) query: String,
    /// At most this many lines, the newest of those that pass.
    pub(super) max: usize,
    /// Earlier sessions, too.
    #[serde(default)]
    pub(super) previous: bool,
}

/// See [`Call::Write`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Write {
    /// The project; absent for all.
    pub(super) root: Option<String>,
    /// The log; absent for the merged one.
    pub(super) name: Option<String>,
    /// Which lines; absent for all.
    pub(super) filter: Option<String>,
    /// Of the earlier session that began then; absent for this one.
    pub(super) session: Option<u64>,
    /// An absolute path.
    pub(super) path: String,
    /// Add to a file that is there.
    #[serde(default)]
    pub(super) append: bool,
    /// Take the place of a file that is there.
    #[serde(default)]
    pub(super) force: bool,
}

/// See [`Call::Load`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Load {
    /// A watched buffer.
    pub(super) buf: i64,
    /// The line the others go in front of.
    pub(super) before: u64,
    /// Its process; needed in the merged log only.
    pub(super) id: Option<u32>,
    /// At most this many lines.
    pub(super) count: usize,
}

/// A buffer.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Buffer {
    /// Its number.
    pub(super) buf: i64,
}

/// See [`Call::Send`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Line {
    /// The process.
    pub(super) id: u32,
    /// The line without its end; absent for none.
    pub(super) text: Option<String>,
    /// The end of file comes after it.
    #[serde(default)]
    pub(super) eof: bool,
}

/// See [`Call::Input`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Keys {
    /// The process.
    pub(super) id: u32,
    /// What the terminal sends.
    pub(super) bytes: Bytes,
}

/// See [`Call::Resize`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Resize {
    /// The process.
    pub(super) id: u32,
    /// Characters in a row, at least 1.
    pub(super) cols: u16,
    /// Rows, at least 1.
    pub(super) rows: u16,
}

/// See [`Call::Attach`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Attach {
    /// The buffer.
    pub(super) buf: i64,
    /// The process.
    pub(super) id: u32,
}

/// See [`Call::Previous`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Previous {
    /// The buffer the patch is for.
    pub(super) buf: i64,
    /// The project.
    pub(super) root: String,
    /// The log; absent for the merged one.
    pub(super) name: Option<String>,
    /// Lines to send at most.
    pub(super) max: usize,
    /// Which lines; absent for all.
    pub(super) filter: Option<String>,
}

/// See [`Call::Place`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct PlaceOf {
    /// The project.
    pub(super) root: String,
    /// The log.
    pub(super) name: Option<String>,
    /// The line and what stands around it in the log.
    pub(super) lines: Vec<String>,
    /// Which of them is meant, from 1.
    pub(super) at: u64,
}

/// A line of a process's log.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct LineOf {
    /// The process.
    pub(super) id: u32,
    /// The line.
    pub(super) seq: u64,
}

/// See [`Call::Line`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct LineAt {
    /// The process; 0 for one of an earlier session, which the rest names.
    pub(super) id: u32,
    /// The line.
    pub(super) seq: u64,
    /// The project.
    pub(super) root: Option<String>,
    /// The log.
    pub(super) name: Option<String>,
    /// When it was read.
    pub(super) at: Option<u64>,
}

/// See [`Call::Errors`].
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct ErrorsOf {
    /// Of this process only.
    pub(super) id: Option<u32>,
    /// Of this project only.
    pub(super) root: Option<String>,
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
            "stop_all" => Self::StopAll(read(method, params)?),
            "describe" => Self::Describe(read(method, params)?),
            "restart" => Self::Restart(read(method, params)?),
            "show" => Self::Show(read(method, params)?),
            "leftovers" => Self::Leftovers,
            "end_leftovers" => Self::EndLeftovers(read(method, params)?),
            "watch" => Self::Watch(read(method, params)?),
            "unwatch" => Self::Unwatch(read(method, params)?),
            "search" => Self::Search(read(method, params)?),
            "unsearch" => Self::Unsearch(read(method, params)?),
            "write" => Self::Write(read(method, params)?),
            "load" => Self::Load(read(method, params)?),
            "locate" => Self::Locate(read(method, params)?),
            "errors" => Self::Errors(read(method, params)?),
            "explain" => Self::Explain(read(method, params)?),
            "line" => Self::Line(read(method, params)?),
            "urls_of" => Self::UrlsOf(read(method, params)?),
            "previous" => Self::Previous(read(method, params)?),
            "place" => Self::Place(read(method, params)?),
            "config" => Self::Config(read(method, params)?),
            "reload" => Self::Reload,
            "health" => Self::Health,
            "watch_health" => Self::WatchHealth(read(method, params)?),
            "unwatch_health" => Self::UnwatchHealth(read(method, params)?),
            "send" => Self::Send(read(method, params)?),
            "input" => Self::Input(read(method, params)?),
            "resize" => Self::Resize(read(method, params)?),
            "attach" => Self::Attach(read(method, params)?),
            "detach" => Self::Detach(read(method, params)?),
            "bye" => Self::Bye,
            other => return Err(format!("no such call: {other}")),
        })
    }
}
