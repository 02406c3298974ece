//! A process group as the unit that is ended: TERM, wait, KILL, until nobody in it is alive.
//!
//! What has left its group (`setsid`, a daemon) is not seen here.

use std::{path::Path, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// How often a dying group is looked at. Nothing tells when a process that is not our child ends.
pub(super) const POLL: Duration = Duration::from_millis(5);

/// A process group led by something we started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Group(Pid);

// === impl Group ===

impl Group {
    /// The group whose leader has this process id.
    pub(super) fn led_by(pid: u32) -> Option<Self> {
        i32::try_from(pid).ok().and_then(Pid::from_raw).map(Self)
    }

    /// Sends a signal to all members. A group that is gone is no error.
    pub(super) fn signal(self, signal: Signal) {
        if let Err(error) = kill_process_group(self.0, signal)
            && error != rustix::io::Errno::SRCH
        {
            tracing::warn!(group = self.0.as_raw_nonzero().get(), ?signal, %error, "Could not signal a process group.");
        }
    }

    /// Whether a member is alive. A zombie is not: its parent may never reap it.
    pub(super) fn is_alive(self) -> bool {
        if test_kill_process_group(self.0).is_err() {
            return false;
        }
        any_member(self.0.as_raw_nonzero().get(), |_| true).unwrap_or(true)
    }

    /// Whether a living member carries this mark in its environment, which it got from the run that started it. Where
    /// environments cannot be read, whether a member is alive.
    pub(super) fn holds(self, mark: &str) -> bool {
        let wanted = format!("{}={mark}", super::environment::RUN_VARIABLE).into_bytes();
        let carries = |pid: &Path| {
            let environment = std::fs::read(pid.join("environ")).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|entry| entry == wanted)
        };
        self.is_alive() && any_member(self.0.as_raw_nonzero().get(), carries).unwrap_or(true)
    }

    /// Asks all members to end.
    pub(super) fn terminate(self) {
        self.signal(Signal::TERM);
        // A stopped process gets its TERM only when it goes on.
        self.signal(Signal::CONT);
    }
}

/// Looks through `/proc` for a member that is neither a zombie nor dead and of whose directory `is_it` is true. `None`
/// where there is no `/proc`.
#[cfg(target_os = "linux")]
fn any_member(group: i32, is_it: impl Fn(&Path) -> bool) -> Option<bool> {
    let entries = std::fs::read_dir("/proc").ok()?;
    for entry in entries.flatten() {
        if !entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit) {
            continue;
        }
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let is_member =
            state_and_group(&stat).is_some_and(|(state, of)| of == group && !matches!(state, 'Z' | 'X'));
        if is_member && is_it(&entry.path()) {
            return Some(true);
        }
    }
    Some(false)
}

#[cfg(not(target_os = "linux"))]
fn any_member(_group: i32, _is_it: impl Fn(&Path) -> bool) -> Option<bool> {
    None
}

/// State and process group from a `/proc/PID/stat` line (proc_pid_stat(5), fields 3 and 5). The command in
/// field 2 may hold spaces and parentheses, so the fields are counted from the last `)`.
#[cfg(any(target_os = "linux", test))]
fn state_and_group(stat: &str) -> Option<(char, i32)> {
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let group = fields.nth(1)?.parse().ok()?;
    Some((state, group))
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::state_and_group;

    #[test]
    fn reads_a_stat_line_whose_command_looks_like_fields() {
        assert_eq!(state_and_group("71 (a) S 9 (b)) Z 1 42 42 0 -1"), Some(('Z', 42)));
        assert_eq!(state_and_group("71 (sh) S 1 71 71 0"), Some(('S', 71)));
        assert_eq!(state_and_group("nonsense"), None);
    }
}
