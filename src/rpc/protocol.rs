//! The handshake and every call of Neovim; what goes back is in `frame.rs`. `doc/protocol.md` says the same in words.

use serde::{Deserialize, Serialize};

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
            "reload" => Self::Reload,
            "health" => Self::Health,
            "watch_health" => Self::WatchHealth(read(method, params)?),
            "unwatch_health" => Self::UnwatchHealth(read(method, params)?),
            "bye" => Self::Bye,
            other => return Err(format!("no such call: {other}")),
        })
    }
}
