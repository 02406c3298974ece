//! The TypeScript compiler and what wraps it (vue-tsc, svelte-check, ts-loader). It counts UTF-16 units.

use crate::locate::{
    Unit,
    rule::{Act, HABIT, Habit, RULE, Rule},
    shape::Shape,
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "tsc",
        pattern: r"^%F\(%L,%C\): (?P<sev>error|warning|message|info) +(?P<msg>TS[0-9]+: .*)$",
        needs: Shape::FILE_NUMBER,
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "tsc-pretty",
        pattern: r"^\s*%F:%L:%C - (?P<sev>error|warning|message|suggestion)\s+(?P<msg>[A-Z]{2}-?[0-9]+: .*)$",
        needs: Shape::FILE_NUMBER,
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "tsc-summary",
        pattern: r"^(?: +[0-9]+  |Found [0-9]+ errors? in (?:the same file, starting at: )?)%F:%L$",
        needs: Shape::FILE_NUMBER,
        starts: &["1", "2", "3", "4", "5", "6", "7", "8", "9", "Found "],
        act: Act::Free,
        ..RULE
    },
    Rule {
        name: "ts-loader",
        pattern: r"^\[tsl\] (?P<sev>ERROR|WARNING) in %F\(%L,%C\)$",
        needs: Shape::FILE_NUMBER,
        starts: &["[tsl] "],
        unit: Unit::Utf16,
        habit: Habit { next: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "deno-check",
        pattern: r"^(?P<msg>TS[0-9]+ \[(?P<sev>ERROR|WARNING)\]: .*)$",
        needs: Shape::TROUBLE,
        starts: &["TS"],
        act: Act::Title,
        habit: Habit { alone: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "svelte-place",
        pattern: r"^(?P<file>/[^:]+\.(?:svelte|[cm]?[jt]s)):%L:%C$",
        needs: Shape::FILE_NUMBER,
        starts: &["/"],
        act: Act::Lead,
        unit: Unit::Utf16,
        habit: Habit { told: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "svelte-check",
        pattern: r"^(?P<sev>Error|Warn|Warning|Hint): (?P<msg>.*) \((?:ts|js|svelte|css|scss|postcss)\)$",
        needs: Shape::IN_LEAD,
        starts: &["Error: ", "Warn: ", "Warning: ", "Hint: "],
        act: Act::Told,
        ..RULE
    },
];
