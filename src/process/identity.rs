//! Which process a number means: the number alone is given to somebody else once its process is gone.
//!
//! Linux tells when a process started. Elsewhere only its number is known, so nothing is signalled by it there.

use std::{fs, io};

use rustix::process::{Pid, Signal};

/// A process that can be told from a later one of the same number, until the machine starts again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since the machine did; 0 where that cannot be read.
    pub start: u64,
}

/// Where process numbers mean the same: one run of the machine, and in it one process namespace (containers may share
/// a directory and not their numbers).
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Machine {
    pub(super) boot: String,
    pub(super) space: String,
}

/// What the kernel says of one living process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Stat {
    pub(super) who: Identity,
    pub(super) parent: u32,
    /// What it calls itself.
    pub(super) name: String,
}

// === impl Machine ===

impl Machine {
    /// This one, now.
    pub(super) fn here() -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let space = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        Self { boot: boot.trim().to_owned(), space: space.to_string_lossy().into_owned() }
    }
}

// === impl Stat ===

impl Stat {
    /// `None` for one that is dead, of which a zombie is the rest.
    pub(super) fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    /// `PID (NAME) STATE PARENT …`, with the start as field 22. A name may hold anything, parentheses and spaces too.
    fn parse(text: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(text);
        let (pid, rest) = text.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let mut fields = rest.split_ascii_whitespace();
        if matches!(fields.next()?, "Z" | "X" | "x") {
            return None;
        }
        let parent = fields.next()?.parse().ok()?;
        let start = fields.nth(17)?.parse().ok()?;
        Some(Self { who: Identity { pid: pid.parse().ok()?, start }, parent, name: name.to_owned() })
    }
}

// === impl Identity ===

impl Identity {
    /// This process.
    pub fn own() -> Self {
        let pid = std::process::id();
        Self::of(pid).unwrap_or(Self { pid, start: 0 })
    }

    /// The process that started this one, unless it is gone.
    pub fn parent() -> Option<Self> {
        let pid = rustix::process::getppid()?.as_raw_nonzero().get().unsigned_abs();
        Self::of(pid).filter(|parent| parent.pid > 1)
    }

    /// Who has this number now, if anybody alive.
    pub fn of(pid: u32) -> Option<Self> {
        if cfg!(target_os = "linux") {
            return Stat::of(pid).map(|stat| stat.who);
        }
        // EPERM would say that it lives and is somebody else's.
        rustix::process::test_kill_process(as_pid(pid)?).ok().map(|()| Self { pid, start: 0 })
    }

    /// Whether it still lives.
    pub fn lives(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Sends a signal to this process and to no later one of its number. One that is gone is left at that.
    ///
    /// # Errors
    /// It lives and the signal was refused, or this system does not say when it started.
    pub(super) fn signal(self, signal: Signal) -> io::Result<()> {
        match self.send(signal) {
            Err(rustix::io::Errno::SRCH) => Ok(()),
            sent => sent.map_err(io::Error::from),
        }
    }

    #[cfg(target_os = "linux")]
    fn send(self, signal: Signal) -> rustix::io::Result<()> {
        use rustix::process::{PidfdFlags, kill_process, pidfd_open, pidfd_send_signal};
        let pid = as_pid(self.pid).ok_or(rustix::io::Errno::SRCH)?;
        // The descriptor means one process for ever; the look after it says that it is this one.
        let held = pidfd_open(pid, PidfdFlags::empty());
        if !self.lives() {
            return Err(rustix::io::Errno::SRCH);
        }
        match held {
            Ok(held) => pidfd_send_signal(held, signal),
            Err(rustix::io::Errno::SRCH) => Err(rustix::io::Errno::SRCH),
            // An old kernel, or a sandbox that forbids it: the look came right before.
            Err(_) => kill_process(pid, signal),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn send(self, _: Signal) -> rustix::io::Result<()> {
        Err(rustix::io::Errno::NOTSUP)
    }
}

/// 0 is no process.
fn as_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_the_fields_after_it() {
        let text =
            b"4711 (a) S 1 (b) S 42 4711 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 987654 0 0 184467\n".as_slice();
        let stat = Stat::parse(text).expect("it is understood");
        assert_eq!((stat.who, stat.parent), (Identity { pid: 4711, start: 987_654 }, 42));
        assert_eq!(stat.name, "a) S 1 (b");
        assert_eq!(
            Stat::parse(b"4711 (a) Z 42 4711 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 9 0"),
            None,
            "a zombie"
        );
        assert_eq!(Stat::parse(b""), None);
    }

    #[test]
    fn it_is_the_one_that_started_then() {
        let own = Identity::own();
        assert!(own.lives());
        assert_eq!(Identity::of(own.pid), Some(own));
        let other = Identity { start: own.start + 1, ..own };
        assert!(!other.lives(), "a later process of this number is another");
        other.signal(Signal::KILL).expect("nobody is there to refuse it");
        assert!(!Identity { pid: 0, start: 0 }.lives());
    }
}
