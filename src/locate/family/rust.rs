//! Rust: the compiler, cargo, panics and backtraces. rustc counts characters.

use crate::locate::rule::{Act, HABIT, Habit, RULE, Rule};
use crate::locate::shape::Shape;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "cargo-summary",
        pattern: r"^(?:error|warning): (?:could not compile |aborting due to |test failed, to rerun|[0-9]+ targets? failed|[0-9]+ warnings? emitted|`[^`]*` \([^)]*\) generated|build failed|doctest failed|process didn't exit)",
        starts: &["error: ", "warning: "],
        act: Act::Quiet,
        ..RULE
    },
    Rule {
        name: "rust-internal",
        pattern: r"^\s+at /rustc/",
        starts: &["at /rustc/"],
        act: Act::Internal,
        ..RULE
    },
    Rule {
        name: "rust-frame",
        pattern: r"^\s+at (?P<file>\.{0,2}/[^:]+\.rs):%L(?::%C)?$",
        needs: Shape::FILE_NUMBER,
        starts: &["at "],
        act: Act::Frame,
        ..RULE
    },
    Rule {
        name: "rustc",
        pattern: r"^(?P<sev>error|warning|note|help)(?:\[[\w-]+\])?: %M$",
        starts: &["error: ", "error[", "warning: ", "warning[", "note: ", "help: "],
        act: Act::Title,
        habit: Habit { alone: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "rustc-place",
        pattern: r"^\s*(?:-->|:::) %F:%L:%C$",
        needs: Shape::FILE_NUMBER,
        starts: &["--> ", "::: "],
        act: Act::Location,
        ..RULE
    },
    Rule {
        name: "rust-panic-old",
        pattern: r"^thread '.*?' panicked at '(?P<msg>.*)', %F:%L:%C$",
        needs: Shape::FILE_NUMBER,
        starts: &["thread '"],
        ..RULE
    },
    Rule {
        name: "rust-panic",
        pattern: r"^(?:thread '.*?' (?:\([0-9]+\) )?)panicked at %F:%L:%C:?$",
        needs: Shape::FILE_NUMBER,
        starts: &["thread '"],
        habit: Habit { next: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "rustc-short",
        pattern: r"^(?P<file>[^:\s][^:]*\.rs):%L:%C: (?P<sev>error|warning|note|help)(?:\[[\w-]+\])?: %M$",
        needs: Shape::FILE_NUMBER,
        ..RULE
    },
];
