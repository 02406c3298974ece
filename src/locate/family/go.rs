//! Go: build and vet, tests, panics. Columns are bytes.

use crate::locate::{
    Unit,
    rule::{Act, HABIT, Habit, RULE, Rule},
    shape::Shape,
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "go-fail",
        pattern: r"^\s*--- FAIL: (?P<msg>\S+) \([0-9.]+s\)$",
        starts: &["--- FAIL: "],
        act: Act::Title,
        habit: Habit { soft: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "go-panic-again",
        pattern: r"^\s+panic: ",
        needs: Shape::IN_TITLE,
        starts: &["panic: "],
        act: Act::Quiet,
        ..RULE
    },
    Rule {
        name: "go-panic",
        pattern: r"^(?P<msg>(?:panic|fatal error): .*)$",
        starts: &["panic: ", "fatal error: "],
        act: Act::Title,
        habit: Habit { alone: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "go-function",
        pattern: r"^(?:created by .*|[\w./*-]+(?:\.\(?[\w*.\[\]]+\)?)*\(.*\))$",
        needs: Shape::IN_TITLE,
        act: Act::Internal,
        ..RULE
    },
    Rule {
        name: "go-frame",
        pattern: r"^\t%F:%L(?: \+0x[0-9a-f]+)?$",
        needs: Shape::FILE_NUMBER,
        act: Act::Frame,
        ..RULE
    },
    Rule {
        name: "go-test",
        pattern: r"^\s+(?P<file>[\w./-]+\.go):%L: %M$",
        needs: Shape::FILE_NUMBER,
        act: Act::Location,
        ..RULE
    },
    Rule {
        name: "go",
        pattern: r"^(?:vet: )?%F:%L:%C: (?P<msg>.*)$",
        needs: Shape::FILE_NUMBER.and(Shape::GO),
        unit: Unit::Bytes,
        ..RULE
    },
];
