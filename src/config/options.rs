//! How a script is run, beside what it runs: resolved, with every default in its place.

use std::time::Duration;

/// How long a script may take to be ready, where nobody says.
pub(super) const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// See the module. The default is a script without any setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunOptions {
    /// Gives it a terminal instead of pipes.
    pub pty: bool,
    /// Leaves its standard input open for lines that are sent to it; without it, reading gives end of file.
    pub stdin: bool,
    /// The signal that asks it to end.
    pub stop_signal: StopSignal,
    /// What its tree gets to end by itself before it is killed; none takes `process_manager.stop_grace`.
    pub stop_grace: Option<Duration>,
    /// Lets its tree live on when the host ends. A stop ends it all the same.
    pub detach: bool,
    /// Programs that may live on when the rest of the tree is ended: names as in `/proc/PID/comm`, or the file name of
    /// the program. Daemons that are meant to stay.
    pub leave: Vec<String>,
    /// When it is started again by itself.
    pub restart: RestartPolicy,
    /// What has to be up before it starts, by label; whatever is not running is started first.
    pub after: Vec<After>,
    /// What comes after it runs it anew, also when it has ended well before.
    pub each_time: bool,
    /// How it is known to be ready.
    pub ready: Option<Ready>,
}

/// When a script that has ended is started again by itself, and how often.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RestartPolicy {
    /// After which ends.
    pub when: RestartWhen,
    /// The wait before the first restart; it doubles with each further one.
    pub delay: Duration,
    /// What the wait never exceeds.
    pub max_delay: Duration,
    /// A run that lasted so long counts as stable: the waits begin anew and so does the count.
    pub reset_after: Duration,
    /// Restarts without a stable run between them before it is given up; none never gives up.
    pub limit: Option<u32>,
}

/// After which ends a script is started again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RestartWhen {
    /// After none.
    #[default]
    Never,
    /// After an exit code other than 0, or a signal.
    OnFailure,
    /// After every end that nobody asked for.
    Always,
}

/// Something that has to be up first.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct After {
    /// The script, as users call it: `db`, or `api/db` in a workspace package.
    pub script: String,
    /// What has to be true of it; none is [`Condition::Ready`] where it says how it is known to be ready, else
    /// [`Condition::Started`].
    pub condition: Option<Condition>,
}

/// What has to be true of a script before another starts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Condition {
    /// Its program runs.
    Started,
    /// It is ready.
    Ready,
    /// It has ended with code 0.
    ExitedOk,
}

/// How a script is known to be ready, and how long that may take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ready {
    /// What is looked at.
    pub probe: ReadyProbe,
    /// After so long without success the script counts as not ready; it runs on.
    pub timeout: Duration,
}

/// What is looked at to know that a script is ready.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReadyProbe {
    /// A line of its output matches this regular expression, which compiles.
    Log(String),
    /// A connection to this port of the loopback interface is accepted.
    Port(u16),
    /// A GET of this `http://` URL answers with a status below 400.
    Http(String),
}

/// A signal that asks a program to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StopSignal {
    /// SIGTERM.
    #[default]
    Term,
    /// SIGINT, as Ctrl-C.
    Int,
    /// SIGHUP.
    Hup,
    /// SIGQUIT.
    Quit,
    /// SIGUSR1.
    Usr1,
    /// SIGUSR2.
    Usr2,
    /// SIGKILL: no time to end by itself.
    Kill,
}

// === impl RunOptions ===

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            pty: false,
            stdin: true,
            stop_signal: StopSignal::default(),
            stop_grace: None,
            detach: false,
            leave: Vec::new(),
            restart: RestartPolicy::default(),
            after: Vec::new(),
            each_time: false,
            ready: None,
        }
    }
}

// === impl RestartPolicy ===

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            when: RestartWhen::Never,
            delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(30),
            reset_after: Duration::from_secs(60),
            limit: Some(5),
        }
    }
}
