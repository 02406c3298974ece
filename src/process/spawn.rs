//! The one place that starts a child. A small guard program per tree takes this place later; what is above it
//! knows only [`Child`].

use std::{
    io,
    path::Path,
    process::{ExitStatus, Stdio},
};

use tokio::process::{ChildStderr, ChildStdout, Command};

use super::{environment, group::Group};
use crate::event::{Exit, ProcessInfo, RunId};

/// A running child and its two pipes.
pub(super) struct Child {
    inner: tokio::process::Child,
    pub(super) pid: u32,
    pub(super) group: Group,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

/// What is left of a [`Child`] when its pipes have been handed to the readers.
pub(super) struct Leader(tokio::process::Child);

/// Starts a run in a process group of its own. No `uid`, `gid` or `pre_exec`, so that std keeps to
/// posix_spawn; no standard input, so that a child which asks sees end of file instead of the host's channel.
pub(super) fn spawn(info: &ProcessInfo, run: RunId) -> Result<Child, String> {
    let (program, arguments) = info.argv.split_first().ok_or_else(|| "an empty command".to_owned())?;
    if !info.cwd.is_dir() {
        return Err(format!("{} is not a directory", info.cwd.display()));
    }
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(&info.cwd)
        .envs(environment::additions(run, &info.env, &|name| std::env::var_os(name)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Only a panic in the owner's task drops a leader that lives.
        .kill_on_drop(true)
        .process_group(0);
    let mut inner = command.spawn().map_err(|error| explain(&error, program))?;
    let stdout = inner.stdout.take().ok_or("no standard output")?;
    let stderr = inner.stderr.take().ok_or("no standard error")?;
    let pid = inner.id().ok_or("it ended before it could be watched")?;
    let group = Group::led_by(pid).ok_or("it has no process id")?;
    Ok(Child { inner, pid, group, stdout, stderr })
}

/// An error of the operating system in the user's words.
fn explain(error: &io::Error, program: &str) -> String {
    let name = Path::new(program).display();
    match error.kind() {
        io::ErrorKind::NotFound => format!("{name} is not installed or not on PATH"),
        io::ErrorKind::PermissionDenied => format!("{name} is not executable"),
        io::ErrorKind::ArgumentListTooLong => "its arguments are too long".to_owned(),
        _ => format!("{name}: {error}"),
    }
}

// === impl Child ===

impl Child {
    /// Parts from the pipes.
    pub(super) fn split(self) -> (Leader, ChildStdout, ChildStderr) {
        (Leader(self.inner), self.stdout, self.stderr)
    }
}

// === impl Leader ===

impl Leader {
    /// Waits for the leader alone and reaps it. Cancel safe.
    pub(super) async fn wait(&mut self) -> Exit {
        match self.0.wait().await {
            Ok(status) => exit_of(status),
            Err(error) => {
                tracing::error!(%error, "Could not wait for a child.");
                Exit::NotStarted
            }
        }
    }
}

fn exit_of(status: ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::NotStarted,
    }
}
