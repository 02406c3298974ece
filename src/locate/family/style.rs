//! Formats that several linters share: yamllint and its like in parsable form, OCaml, Dart, Zig traces.

use crate::locate::rule::{Act, HABIT, Habit, RULE, Rule};
use crate::locate::{Severity, Unit, shape::Shape};

const TOLD: Habit = Habit { told: true, ..HABIT };

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "parsable",
        pattern: r"^%F:%L:%C: \[(?P<sev>error|warning|info)\] %M$",
        needs: Shape::FILE_NUMBER,
        ..RULE
    },
    Rule {
        name: "ocaml",
        pattern: r#"^File "(?P<file>[^"]+)", lines? %L(?:-[0-9]+)?(?:, characters? %C(?:-[0-9]+)?)?:(?: %M)?$"#,
        starts: &["File \""],
        act: Act::Lead,
        base: 0,
        unit: Unit::Bytes,
        habit: TOLD,
        ..RULE
    },
    Rule {
        name: "ocaml-message",
        pattern: r"^(?P<sev>Fatal Error|Error|Warning)(?: [0-9]+)?(?: \[[\w-]+\])?: %M$",
        needs: Shape::IN_LEAD,
        starts: &["Error", "Warning", "Fatal Error"],
        act: Act::Told,
        ..RULE
    },
    Rule {
        name: "fortran",
        pattern: r"^(?P<file>[^:\s][^:]*\.[fF](?:[0-9]{2}|or|pp|tn)?):%L:%C:$",
        needs: Shape::FILE_NUMBER,
        act: Act::Lead,
        habit: TOLD,
        ..RULE
    },
    Rule {
        name: "crystal",
        pattern: r"^(?:In|There was a problem expanding macro .* in|Showing last frame.*) %F:%L:%C$",
        needs: Shape::FILE_NUMBER,
        starts: &["In "],
        act: Act::Lead,
        habit: TOLD,
        ..RULE
    },
    Rule {
        name: "dart-analyze",
        pattern: r"^\s*(?P<sev>error|warning|info) [•-] (?:%F:%L:%C [•-] (?P<msg>.*))$",
        needs: Shape::FILE_NUMBER,
        starts: &["error ", "warning ", "info "],
        ..RULE
    },
    Rule {
        name: "flutter-analyze",
        pattern: r"^\s*(?P<sev>error|warning|info) • (?P<msg>.*) • %F:%L:%C • ",
        needs: Shape::FILE_NUMBER,
        starts: &["error ", "warning ", "info "],
        ..RULE
    },
    Rule {
        name: "dart-frame",
        pattern: r"^#[0-9]+\s+.* \((?:package:[\w.]+/)?%W:%L:%C\)$",
        needs: Shape::FILE_NUMBER,
        starts: &["#"],
        act: Act::Frame,
        ..RULE
    },
    Rule {
        name: "zig-frame",
        pattern: r"^%F:%L:%C: 0x[0-9a-f]+ in ",
        needs: Shape::FILE_NUMBER,
        act: Act::Location,
        unit: Unit::Bytes,
        ..RULE
    },
    Rule {
        name: "zig-panic",
        pattern: r"^(?:thread [0-9]+ )?(?P<msg>panic: .*)$",
        starts: &["thread "],
        act: Act::Title,
        severity: Severity::Error,
        habit: Habit { alone: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "docker",
        pattern: r"^(?P<file>[\w./-]*(?:Docker|Container)file[\w.-]*):%L$",
        needs: Shape::FILE_NUMBER,
        act: Act::Lead,
        habit: TOLD,
        ..RULE
    },
    Rule {
        name: "docker-solve",
        pattern: r"^ERROR: (?P<msg>failed to (?:solve|build).*)$",
        needs: Shape::IN_LEAD,
        starts: &["ERROR: failed to "],
        act: Act::Told,
        ..RULE
    },
];
