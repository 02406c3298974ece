//! What a process is and how its runs end.

use std::path::PathBuf;

use crate::config::RunOptions;

/// Where a process is in its life. Legal moves: `Pending → Running → Success | Failed | Stopped`, and
/// `Pending → Failed | Stopped` when it never ran.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Asked for, waiting for a place or for the run before it to end.
    Pending,
    /// Its leader is alive.
    Running,
    /// Ended by itself with code 0.
    Success,
    /// Ended by itself otherwise, or could not be started.
    Failed,
    /// Ended because somebody asked for it.
    Stopped,
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Exit {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It never ran: the program could not be started.
    NotStarted,
}

/// What a process is, fixed for the life of its entry but for `args`, which a new start may change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProcessInfo {
    /// The script's name, or the command line as typed after `!`.
    pub name: String,
    /// The workspace package it belongs to, where it is not the root's.
    pub package: Option<String>,
    /// The project root it was started for.
    pub root: PathBuf,
    /// Its working directory; relative places in its output start here.
    pub cwd: PathBuf,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Arguments given after `--`, repeated by a restart.
    pub args: Vec<String>,
    /// What the script says, as written in its file.
    pub script: String,
    /// Extra environment, over the host's own.
    pub env: Vec<(String, String)>,
    /// How it is run.
    pub options: RunOptions,
}

// === impl State ===

impl State {
    /// Whether the run is over.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Success | Self::Failed | Self::Stopped)
    }
}

// === impl Exit ===

impl Exit {
    /// The exit code, where there is one.
    pub fn code(self) -> Option<i32> {
        match self {
            Self::Code(code) => Some(code),
            Self::Signal(_) | Self::NotStarted => None,
        }
    }

    /// The signal, where one ended it.
    pub fn signal(self) -> Option<i32> {
        match self {
            Self::Signal(signal) => Some(signal),
            Self::Code(_) | Self::NotStarted => None,
        }
    }
}

// === impl ProcessInfo ===

impl ProcessInfo {
    /// A line for `/bin/sh`, for tests.
    #[cfg(test)]
    pub fn of_shell(script: &str) -> Self {
        Self {
            name: script.to_owned(),
            package: None,
            root: PathBuf::from("/"),
            cwd: PathBuf::from("/"),
            argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            args: Vec::new(),
            script: script.to_owned(),
            env: Vec::new(),
            options: RunOptions::default(),
        }
    }

    /// `package/name`, or the bare name: how users and buffers call it.
    pub fn label(&self) -> String {
        match &self.package {
            Some(package) => format!("{package}/{}", self.name),
            None => self.name.clone(),
        }
    }
}
