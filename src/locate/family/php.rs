//! PHP.

use crate::locate::rule::{Act, HABIT, Habit, RULE, Rule};
use crate::locate::{Severity, shape::Shape};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "php-warning",
        pattern: r"^(?:PHP )?(?:Warning|Notice|Deprecated|Strict Standards):\s+(?P<msg>.*) in (?P<file>(?:[A-Za-z]:)?[^:]+) on line %L$",
        needs: Shape::LINE_WORD,
        starts: &["PHP Warning:", "PHP Notice:", "PHP Deprecated:", "Warning: ", "Notice: ", "Deprecated: "],
        severity: Severity::Warning,
        ..RULE
    },
    Rule {
        name: "php",
        pattern: r"^(?:PHP )?(?:Parse|Fatal|Recoverable fatal|Catchable fatal) error:\s+(?P<msg>.*) in (?P<file>(?:[A-Za-z]:)?[^:]+)(?: on line |:)%L$",
        starts: &[
            "PHP Parse error",
            "PHP Fatal error",
            "Parse error",
            "Fatal error",
            "PHP Recoverable",
            "PHP Catchable",
        ],
        ..RULE
    },
    Rule {
        name: "php-lint",
        pattern: r"^Errors parsing %F$",
        starts: &["Errors parsing "],
        act: Act::Note,
        ..RULE
    },
    Rule {
        name: "php-frame",
        pattern: r"^\s*#[0-9]+ (?P<file>/[^(]+)\(%L\): ",
        needs: Shape::FILE_NUMBER,
        starts: &["#"],
        act: Act::Note,
        ..RULE
    },
    Rule {
        name: "php-thrown",
        pattern: r"^\s+thrown in %F on line %L$",
        needs: Shape::LINE_WORD,
        starts: &["thrown in "],
        act: Act::Note,
        ..RULE
    },
    Rule {
        name: "php-thrown-in",
        pattern: r"^(?:PHP )?(?P<msg>[\w\\]*(?:Exception|Error): .*) in (?P<file>/[^:]+):%L$",
        needs: Shape::FILE_NUMBER.and(Shape::TROUBLE),
        habit: HABIT,
        ..RULE
    },
    Rule {
        name: "phpunit-title",
        pattern: r"^[0-9]+\) (?P<msg>[\w\\]+::\w+.*)$",
        needs: Shape::STARTS_ITEM,
        act: Act::Title,
        habit: Habit { soft: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "phpunit",
        pattern: r"^(?P<file>/[^:]+\.php):%L$",
        needs: Shape::FILE_NUMBER,
        starts: &["/"],
        act: Act::Location,
        ..RULE
    },
];
