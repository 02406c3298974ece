//! Names of files: `STARTED-PID.N.log`, the session (when its host started, in milliseconds, and its process id) and which
//! of its files this is, from 1.

use std::fmt;

use crate::event::Timestamp;

/// See above. In the order of sessions, and of files within one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct FileName {
    pub(super) started: Timestamp,
    pub(super) pid: u32,
    pub(super) number: u32,
}

// === impl FileName ===

impl FileName {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_suffix(".log")?.split(['-', '.']);
        let (started, pid, number) = (parts.next()?, parts.next()?, parts.next()?);
        let name = Self {
            started: Timestamp(started.parse().ok()?),
            pid: pid.parse().ok()?,
            number: number.parse().ok()?,
        };
        // One spelling each, so that a name found is the name opened.
        (name.to_string() == text).then_some(name)
    }

    /// The name of the session.
    pub(super) fn session(&self) -> String {
        format!("{}-{}", self.started.0, self.pid)
    }

    /// Both are of one session.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        (self.started, self.pid) == (other.started, other.pid)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}.{}.log", self.started.0, self.pid, self.number)
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written_and_others_are_none() {
        let name = FileName { started: Timestamp(1_732_400_000_123), pid: 4711, number: 12 };
        assert_eq!(name.to_string(), "1732400000123-4711.12.log");
        assert_eq!(FileName::parse("1732400000123-4711.12.log"), Some(name));
        for other in ["1-2.log", "1-2.3.log~", "01-2.3.log", "1-2.3.4.log", "1.2-3.log", "+1-2.3.log", "x"] {
            assert_eq!(FileName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn sessions_come_in_the_order_they_started() {
        let mut names = ["20-1.2.log", "3-9.1.log", "20-1.10.log", "20-1.1.log"].map(FileName::parse);
        names.sort();
        let names = names.map(|name| name.expect("a name").to_string());
        assert_eq!(names, ["3-9.1.log", "20-1.1.log", "20-1.2.log", "20-1.10.log"]);
    }
}
