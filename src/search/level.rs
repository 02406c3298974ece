//! How bad a line is by what it says of itself.

/// How bad a line is, the worst last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Every step.
    Trace,
    /// For who writes the program.
    Debug,
    /// For who runs it.
    Info,
    /// Something to look at.
    Warn,
    /// Something failed.
    Error,
}

/// The level word among the first bytes of a line.
pub(super) fn level(line: &[u8]) -> Option<Level> {
    const HEAD: usize = 64;
    let head = &line[..line.len().min(HEAD)];
    head.split(|byte| !byte.is_ascii_alphabetic()).find_map(|word| {
        let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes()));
        match () {
            () if is(&["error", "err", "fatal", "critical"]) => Some(Level::Error),
            () if is(&["warn", "warning"]) => Some(Level::Warn),
            () if is(&["info"]) => Some(Level::Info),
            () if is(&["debug"]) => Some(Level::Debug),
            () if is(&["trace"]) => Some(Level::Trace),
            () => None,
        }
    })
}
