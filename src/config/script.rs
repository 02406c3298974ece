//! What the settings say of one script, and what that makes of the way it is run.
//!
//! Every field is what somebody wrote: absent where nobody did, so that a nearer file changes single keys.
//! [`ScriptConfig::options`] puts the defaults in their places.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use super::{
    After, Place, Ready, ReadyProbe, RestartPolicy, RestartWhen, RunOptions, StopSignal,
    options::READY_TIMEOUT,
};

/// Settings of one script, and the whole of it when it has a `command`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScriptConfig {
    /// What to run. It adds a script, or takes the place of a detected one.
    pub command: Option<CommandLine>,
    /// A `command` was written that cannot be one; the problem has been told.
    pub bad_command: bool,
    /// Where it runs, relative to the project root.
    pub cwd: Option<PathBuf>,
    /// Extra environment.
    pub env: BTreeMap<String, String>,
    /// Which env files are read for it.
    pub env_files: Option<EnvFiles>,
    /// What runs it, where it is a script of `package.json`.
    pub runner: Option<ScriptRunner>,
    /// [`RunOptions::pty`].
    pub pty: Option<bool>,
    /// [`RunOptions::stdin`].
    pub stdin: Option<bool>,
    /// [`RunOptions::stop_signal`].
    pub stop_signal: Option<StopSignal>,
    /// [`RunOptions::stop_grace`].
    pub stop_grace: Option<Duration>,
    /// [`RunOptions::detach`].
    pub detach: Option<bool>,
    /// [`RunOptions::leave`].
    pub leave: Option<Vec<String>>,
    /// [`RunOptions::restart`].
    pub restart: RestartConfig,
    /// [`RunOptions::after`].
    pub after: Option<Vec<After>>,
    /// [`RunOptions::ready`].
    pub ready: ReadyConfig,
    /// Where the script is defined: its `command`, else its table, in the nearest file that has it.
    pub place: Place,
    /// Where each of its keys is set: `cwd`, `restart.delay`, `env.PORT`.
    pub places: BTreeMap<String, Place>,
}

/// What a script runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommandLine {
    /// A line for `/bin/sh`.
    Shell(String),
    /// Program and arguments, which no shell sees. Never empty.
    Argv(Vec<String>),
}

/// Which env files are read for a script.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum EnvFiles {
    /// `.env` and `.env.local` in its working directory, unless its tools read them by rules of their own, as those of
    /// `package.json` do.
    #[default]
    Auto,
    /// None.
    Off,
    /// `.env` and `.env.local` in its working directory.
    On,
    /// As with `Auto`, and then these, relative to the project root; the later wins.
    Named(Vec<PathBuf>),
}

/// What runs a script of `package.json`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ScriptRunner {
    /// The package manager.
    #[default]
    Manager,
    /// The shell, with what the package manager would have put into the environment, and without the time it takes.
    Direct,
}

/// `restart` as written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RestartConfig {
    /// [`RestartPolicy::when`]; where any other key is set, on failure.
    pub when: Option<RestartWhen>,
    /// [`RestartPolicy::delay`].
    pub delay: Option<Duration>,
    /// [`RestartPolicy::max_delay`].
    pub max_delay: Option<Duration>,
    /// [`RestartPolicy::reset_after`].
    pub reset_after: Option<Duration>,
    /// [`RestartPolicy::limit`].
    pub limit: Option<RestartLimit>,
}

/// How many restarts there are before a script is given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RestartLimit {
    /// So many.
    Times(u32),
    /// It is never given up.
    Endless,
}

/// `ready` as written. At most one of the three probes is set.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReadyConfig {
    /// [`ReadyProbe::Log`].
    pub log: Option<Pattern>,
    /// [`ReadyProbe::Port`].
    pub port: Option<u16>,
    /// [`ReadyProbe::Http`].
    pub http: Option<HttpUrl>,
    /// [`Ready::timeout`].
    pub timeout: Option<Duration>,
}

/// A regular expression, which compiles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern(pub(super) String);

/// An `http://` URL with a host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpUrl(pub(super) String);

// === impl ScriptConfig ===

impl ScriptConfig {
    /// How the script is run, over what is known of it without settings.
    pub fn options(&self, below: RunOptions) -> RunOptions {
        RunOptions {
            pty: self.pty.unwrap_or(below.pty),
            stdin: self.stdin.unwrap_or(below.stdin),
            stop_signal: self.stop_signal.unwrap_or(below.stop_signal),
            stop_grace: self.stop_grace.or(below.stop_grace),
            detach: self.detach.unwrap_or(below.detach),
            leave: self.leave.clone().unwrap_or(below.leave),
            restart: self.restart.policy(&below.restart),
            after: self.after.clone().unwrap_or(below.after),
            each_time: below.each_time,
            ready: self.ready.resolved().or(below.ready),
        }
    }
}

// === impl RestartConfig ===

impl RestartConfig {
    /// A wait that is longer than the longest raises that one.
    fn policy(&self, below: &RestartPolicy) -> RestartPolicy {
        let when = if *self == Self::default() { below.when } else { RestartWhen::OnFailure };
        let delay = self.delay.unwrap_or(below.delay);
        RestartPolicy {
            when: self.when.unwrap_or(when),
            delay,
            max_delay: self.max_delay.unwrap_or(below.max_delay).max(delay),
            reset_after: self.reset_after.unwrap_or(below.reset_after),
            limit: match self.limit {
                None => below.limit,
                Some(RestartLimit::Times(times)) => Some(times),
                Some(RestartLimit::Endless) => None,
            },
        }
    }
}

// === impl ReadyConfig ===

impl ReadyConfig {
    /// Whether it says what is looked at.
    pub(super) fn has_probe(&self) -> bool {
        self.log.is_some() || self.port.is_some() || self.http.is_some()
    }

    fn resolved(&self) -> Option<Ready> {
        let probe = match self {
            Self { log: Some(Pattern(pattern)), .. } => ReadyProbe::Log(pattern.clone()),
            Self { port: Some(port), .. } => ReadyProbe::Port(*port),
            Self { http: Some(HttpUrl(url)), .. } => ReadyProbe::Http(url.clone()),
            _ => return None,
        };
        Some(Ready { probe, timeout: self.timeout.unwrap_or(READY_TIMEOUT) })
    }
}
