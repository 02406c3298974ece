//! Python: tracebacks, warnings, pytest, and the checkers. Columns are characters.

use crate::locate::{
    Severity, Unit,
    rule::{Act, HABIT, Habit, RULE, Rule},
    shape::Shape,
};

pub(super) const RULES: &[Rule] = &[
    Rule { name: "python-frozen", pattern: r#"^\s*File "<"#, starts: &["File \"<"], act: Act::Quiet, ..RULE },
    Rule {
        name: "python-frame",
        pattern: r#"^\s*File "(?P<file>[^"]+)", line %L(?:, in .*)?$"#,
        needs: Shape::LINE_WORD,
        starts: &["File \""],
        act: Act::FrameLast,
        ..RULE
    },
    Rule {
        name: "python-traceback",
        pattern: r"Traceback \(most recent call last\):$",
        starts: &["Traceback (", "Exception Group Traceback ("],
        act: Act::Trace,
        ..RULE
    },
    Rule {
        name: "python-chain",
        pattern: r"^\s*(?:The above exception was the direct cause of|During handling of the above exception)",
        starts: &["The above exception", "During handling"],
        act: Act::Chain,
        ..RULE
    },
    Rule {
        name: "python-subgroup",
        pattern: r"^\s*\+-(?:\+-+|-+) (?:[0-9]+|\.\.\.) -+$",
        starts: &["+-"],
        act: Act::Chain,
        ..RULE
    },
    Rule { name: "pytest-said", pattern: r"^E  +(?P<msg>\S.*)$", starts: &["E  "], act: Act::Raised, ..RULE },
    Rule {
        name: "python",
        pattern: r"^\s*(?P<msg>[\w.]*[A-Za-z_]\w*(?:: .*|:)?)$",
        needs: Shape::IN_TRACE,
        act: Act::Raised,
        ..RULE
    },
    Rule {
        name: "python-warning",
        pattern: r"^\s*%F:%L: (?P<msg>\w*Warning: .*)$",
        needs: Shape::FILE_NUMBER.and(Shape::TROUBLE),
        severity: Severity::Warning,
        ..RULE
    },
    Rule {
        name: "pytest",
        pattern: r"^(?P<file>[^:\s][^:]*\.py):%L: (?P<msg>[A-Za-z_][\w.]*)$",
        needs: Shape::FILE_NUMBER,
        habit: Habit { said: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "pytest-frame",
        pattern: r"^(?P<file>[^:\s][^:]*\.py):%L: in \S.*$",
        needs: Shape::FILE_NUMBER,
        act: Act::FrameLast,
        ..RULE
    },
    Rule {
        name: "pytest-caller",
        pattern: r"^(?P<file>[^:\s][^:]*\.py):%L: *$",
        needs: Shape::FILE_NUMBER,
        act: Act::Lead,
        ..RULE
    },
    Rule {
        name: "pyright",
        pattern: r"^\s*%F:%L:%C - (?P<sev>error|warning|information): %M$",
        needs: Shape::FILE_NUMBER,
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "pylint",
        pattern: r"^%F:%L:%C: (?P<msg>(?P<sev>[CRWEFI])[0-9]{4}: .*)$",
        needs: Shape::FILE_NUMBER,
        base: 0,
        ..RULE
    },
    Rule {
        name: "flake8",
        pattern: r"^%F:%L:%C:? (?P<msg>[A-Z]{1,5}[0-9]{2,5} .*)$",
        needs: Shape::FILE_NUMBER,
        ..RULE
    },
    Rule {
        name: "black",
        pattern: r"^error: cannot (?:parse|format):? %F:(?: [^:]*:)? ?%L:%C(?:: %M)?$",
        needs: Shape::FILE_NUMBER,
        starts: &["error: cannot "],
        base: 0,
        ..RULE
    },
];
