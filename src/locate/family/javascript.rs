//! JavaScript: V8 stacks, test runners, bundlers, linters. V8 and Babel count UTF-16 units, esbuild bytes.

use crate::locate::{
    Severity, Unit,
    rule::{Act, HABIT, Habit, RULE, Rule},
    shape::Shape,
};

const FRAME: Habit = Habit { promote: true, ..HABIT };
const TITLE: Habit = Habit { alone: true, ..HABIT };
const SOFT: Habit = Habit { soft: true, ..HABIT };
const CHAIN: Habit = Habit { again: true, ..HABIT };

pub(super) const RULES: &[Rule] = &[
    // === V8 stacks ===
    Rule {
        name: "js-internal",
        pattern: r"^\s*at (?:.*\()?(?:node:|<anonymous>|native\b|internal/|ext:|deno:|bun:|index [0-9]|eval at [^(]*\(<anonymous>)",
        starts: &["at "],
        act: Act::Internal,
        ..RULE
    },
    Rule {
        name: "js-eval-frame",
        pattern: r"^\s*at .*\(eval at [^(]*\((?P<file>.+?):%L:%C\)",
        needs: Shape::FILE_NUMBER,
        starts: &["at "],
        act: Act::Frame,
        unit: Unit::Utf16,
        habit: FRAME,
        ..RULE
    },
    Rule {
        name: "js-frame",
        pattern: r"^\s*at (?:async )?(?:[^()]*(?:\([^()]*\)[^()]*)*(?:\[as [^\]]*\] )?\()?(?P<file>(?:file://|webpack-internal:///|webpack://|[A-Za-z]:[\\/]|[./\w@\[])[^:]*?):%L(?::%C)?\)?(?: \{)?$",
        needs: Shape::FILE_NUMBER,
        starts: &["at "],
        act: Act::Frame,
        unit: Unit::Utf16,
        habit: FRAME,
        ..RULE
    },
    Rule {
        name: "node-header",
        pattern: r"^(?P<file>(?:file://)?/[^:]+\.(?:[cm]?[jt]sx?|json|node)):%L$",
        needs: Shape::FILE_NUMBER,
        starts: &["/", "file:///"],
        act: Act::Lead,
        ..RULE
    },
    Rule {
        name: "node-warning",
        pattern: r"^\(node:[0-9]+\) (?:\[[A-Z0-9]+\] )?(?P<msg>\w*Warning: .*)$",
        starts: &["(node:"],
        act: Act::Title,
        severity: Severity::Warning,
        habit: TITLE,
        ..RULE
    },
    Rule {
        name: "js-cause",
        pattern: r"^\s*(?:\[cause\]|\[errors\]|Caused by|\[cause\] \[?[\w ]+\]?):",
        starts: &["[cause]", "[errors]", "Caused by:"],
        act: Act::Chain,
        ..RULE
    },
    // === test runners ===
    Rule {
        name: "node-test-repeat",
        pattern: r"^test at %F:%L:%C$",
        needs: Shape::FILE_NUMBER,
        starts: &["test at "],
        act: Act::Repeat,
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "tap",
        pattern: r"^\s*not ok [0-9]+ (?:- )?(?P<msg>[^#]*)$",
        starts: &["not ok "],
        act: Act::Title,
        habit: SOFT,
        ..RULE
    },
    Rule {
        name: "tap-location",
        pattern: r"^\s*location: '(?P<file>.+?):%L:%C'$",
        needs: Shape::FILE_NUMBER.and(Shape::IN_TITLE),
        starts: &["location: "],
        act: Act::Hold,
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "tap-suite",
        pattern: r"^\s*failureType: '(?:subtestsFailed|parentAlreadyFinished)'",
        needs: Shape::IN_TITLE,
        starts: &["failureType: "],
        act: Act::Cancel,
        ..RULE
    },
    Rule {
        name: "tap-failure",
        pattern: r"^\s*failureType: ",
        needs: Shape::IN_TITLE,
        starts: &["failureType: "],
        act: Act::Confirm,
        ..RULE
    },
    Rule {
        name: "tap-frame",
        pattern: r"^\s+(?:async )?[\w.<>$\[\] ]+ \((?P<file>file://[^:]+|/[^:]+):%L:%C\)$",
        needs: Shape::FILE_NUMBER,
        act: Act::Frame,
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "jest-repeat",
        pattern: r"^Summary of all failing tests$",
        starts: &["Summary of all"],
        act: Act::Repeat,
        ..RULE
    },
    Rule {
        name: "jest-fresh",
        pattern: r"^Test (?:Suites|Files):? ",
        starts: &["Test Suites:"],
        act: Act::Fresh,
        ..RULE
    },
    Rule {
        name: "jest",
        pattern: r"^\s*● (?P<msg>.*)$",
        needs: Shape::SYMBOL,
        starts: &["● "],
        act: Act::Title,
        habit: SOFT,
        ..RULE
    },
    Rule {
        name: "vitest",
        pattern: r"^\s*FAIL +(?P<msg>.* > .*)$",
        starts: &["FAIL "],
        act: Act::Title,
        habit: SOFT,
        ..RULE
    },
    Rule {
        name: "vitest-frame",
        pattern: r"^\s*❯ (?:[^/:]* )?%W:%L:%C$",
        needs: Shape::FILE_NUMBER.and(Shape::SYMBOL),
        starts: &["❯ "],
        act: Act::Frame,
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "js-module",
        pattern: r"^(?P<msg>Error \[ERR_MODULE_NOT_FOUND\]: Cannot find (?:module|package) '[^']*') imported from %F$",
        starts: &["Error [ERR_MODULE_NOT_FOUND]"],
        habit: CHAIN,
        ..RULE
    },
    Rule {
        name: "jest-console",
        pattern: r"^\s+console\.(?:log|warn|error|info|debug)$",
        starts: &["console."],
        act: Act::Cancel,
        ..RULE
    },
];

/// What was thrown, in words that many a tool's own line has too: looked at when no other rule fits.
pub(super) const THROWN: &[Rule] = &[
    Rule {
        name: "exception",
        pattern: r"^\s*(?:Uncaught |Unhandled |\(in promise\) |\[?[\w ]*[Uu]nhandled[\w ]*\]?:? )*(?P<msg>(?:[\w$]+\.)*[A-Z]?[\w$]*(?:Error|Exception)(?: \[[\w ]+\])*(?: \{|: .*|:)?)$",
        needs: Shape::TROUBLE,
        act: Act::Title,
        habit: Habit { header: true, ..TITLE },
        ..RULE
    },
    Rule {
        name: "exception-inside",
        pattern: r"^.*[\s:\]](?P<msg>[A-Z]?\w*Error(?: \[\w+\])?: .*)$",
        needs: Shape::TROUBLE,
        act: Act::Title,
        habit: Habit { header: true, ..SOFT },
        ..RULE
    },
];
