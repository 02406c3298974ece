//! What a recogniser is: a row of data, and the pattern language its rows are written in.

use super::{Severity, Unit, shape::Shape};
use regex::Regex;
use std::sync::OnceLock;

/// One format a tool prints. The order of the rows is their priority: the first that matches has the line.
#[derive(Debug)]
pub(super) struct Rule {
    /// What it is called in findings and by `explain`.
    pub(super) name: &'static str,
    /// A regex over the line without its prefix. `%F` stands for the file, `%L` the line, `%C` the column,
    /// `%M` the message, `%S` a severity word; see [`expand`].
    pub(super) pattern: &'static str,
    /// Shapes the line must have, all of them, before the pattern is tried.
    pub(super) needs: Shape,
    /// The line, without leading blanks, must start with one of these; empty: with anything.
    pub(super) starts: &'static [&'static str],
    /// What the line does.
    pub(super) act: Act,
    /// How bad, where the line itself does not say.
    pub(super) severity: Severity,
    /// The number of the first column.
    pub(super) base: u8,
    /// What columns are counted in.
    pub(super) unit: Unit,
    /// The finer habits of the format.
    pub(super) habit: Habit,
}

/// What a line does to the story told so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// A headline that names its own place.
    Error,
    /// A headline whose place comes on a later line.
    Title,
    /// Gives the waiting title its place.
    Location,
    /// A place that belongs to the headline before it.
    Note,
    /// A place that belongs to the headline after it.
    Lead,
    /// A headline whose place was named by the lead before it.
    Told,
    /// A position in the file of the headline before it.
    Here,
    /// A place of its own.
    Free,
    /// A stack frame where the newest comes first.
    Frame,
    /// A stack frame inside the runtime, which names no file.
    Internal,
    /// The start of a trace where the newest frame comes last.
    Trace,
    /// A frame of such a trace.
    FrameLast,
    /// The line that ends such a trace with what was raised.
    Raised,
    /// What comes belongs to the headline before: a cause, a chained exception.
    Chain,
    /// A file whose positions follow on lines of their own.
    Heading,
    /// A position in the file of the heading above.
    Position,
    /// Holds the place of the waiting title until it is known to count.
    Hold,
    /// The waiting title counts.
    Confirm,
    /// The waiting title does not count.
    Cancel,
    /// The start of a part that repeats errors already told, with a place of its own if it names one.
    Repeat,
    /// Its end.
    Fresh,
    /// Known, and of no interest.
    Quiet,
}

/// Finer habits of a format.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Habit {
    /// A title that a better one or a self-placed headline replaces without a trace.
    pub(super) soft: bool,
    /// A title that is an error even when no place follows.
    pub(super) alone: bool,
    /// The message is on the next line.
    pub(super) next: bool,
    /// What makes the line below, of the same rule, part of the same error.
    pub(super) fold: Fold,
    /// Another tool of the same chain may have told the error already: same file and line, same group.
    pub(super) again: bool,
    /// The first such frame makes a headline of the line above it when no title waits.
    pub(super) promote: bool,
    /// Directly below stack frames it is the cause of what they belong to.
    pub(super) cause: bool,
    /// A lead whose message comes on a line of its own and has no other place.
    pub(super) told: bool,
    /// A title that may have the lead above it for its place: that of node's header.
    pub(super) header: bool,
    /// The message is what an `E` line said before.
    pub(super) said: bool,
}

/// What two headlines in a row must share to be one error.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Fold {
    /// They are always two.
    #[default]
    Never,
    /// File and line.
    Line,
    /// The file.
    File,
}

/// The row that others are written against.
pub(super) const RULE: Rule = Rule {
    name: "",
    pattern: "",
    needs: Shape::NONE,
    starts: &[],
    act: Act::Error,
    severity: Severity::Error,
    base: 1,
    unit: Unit::Chars,
    habit: HABIT,
};

/// No habits.
pub(super) const HABIT: Habit = Habit {
    soft: false,
    alone: false,
    next: false,
    fold: Fold::Never,
    again: false,
    promote: false,
    cause: false,
    told: false,
    header: false,
    said: false,
};

/// A rule with its pattern, compiled when first needed: most sessions meet a handful of tools.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) rule: &'static Rule,
    regex: OnceLock<(Regex, Groups)>,
}

/// Where the named groups of a pattern are, by number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Groups {
    pub(super) file: Option<usize>,
    pub(super) line: Option<usize>,
    pub(super) col: Option<usize>,
    /// The second spelling of a pattern that has two.
    pub(super) other: (Option<usize>, Option<usize>),
    pub(super) message: Option<usize>,
    pub(super) severity: Option<usize>,
    /// A folder or package that stands before the file.
    pub(super) package: Option<usize>,
}

// === impl Compiled ===

impl Compiled {
    pub(super) fn new(rule: &'static Rule) -> Self {
        Self { rule, regex: OnceLock::new() }
    }

    /// Whether the pattern is worth trying. `trimmed` is the text without leading blanks.
    pub(super) fn admits(&self, shape: Shape, trimmed: &str) -> bool {
        shape.has(self.rule.needs)
            && (self.rule.starts.is_empty()
                || self.rule.starts.iter().any(|start| trimmed.starts_with(start)))
    }

    pub(super) fn regex(&self) -> &(Regex, Groups) {
        self.regex.get_or_init(|| {
            let regex = Regex::new(&expand(self.rule.pattern)).expect("a test compiles every pattern");
            let find = |name: &str| regex.capture_names().position(|group| group == Some(name));
            let groups = Groups {
                file: find("file"),
                line: find("line"),
                col: find("col"),
                other: (find("line2"), find("col2")),
                message: find("msg"),
                severity: find("sev"),
                package: find("package"),
            };
            (regex, groups)
        })
    }
}

/// Replaces the `%` words of a pattern.
///
/// `%F` takes blanks, brackets and anything but a colon, so that `app/[slug]/with space/a.ts` is one path;
/// where text may stand before the path a pattern uses `%W`, a path without blanks.
pub(super) fn expand(pattern: &str) -> String {
    const FILE: &str = r#"(?P<file>(?:file://|[A-Za-z]:[\\/])?[^:*"<>|\x00-\x20][^:*"<>|\x00-\x1f]*?)"#;
    const WORD: &str = r#"(?P<file>(?:file://|[A-Za-z]:[\\/])?[^:*"'`<>|,;\x00-\x20]+?)"#;
    pattern
        .replace("%F", FILE)
        .replace("%W", WORD)
        .replace("%L", "(?P<line>[0-9]{1,9})")
        .replace("%C", "(?P<col>[0-9]{1,9})")
        .replace("%N", "(?P<line2>[0-9]{1,9})")
        .replace("%D", "(?P<col2>[0-9]{1,9})")
        .replace("%M", "(?P<msg>.*)")
        .replace(
            "%S",
            "(?P<sev>(?i:fatal error|fatal|internal compiler error|error|err|warning|warn|note|info|information|remark|hint|style|help|suggestion|message))",
        )
}

/// Reads a severity word.
pub(super) fn severity(word: &str) -> Severity {
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "warning" | "warn" | "w" | "⚠" | "style" => Severity::Warning,
        "note" | "info" | "information" | "remark" | "hint" | "help" | "suggestion" | "message" | "i"
        | "ℹ" => Severity::Info,
        _ => Severity::Error,
    }
}
