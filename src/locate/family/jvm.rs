//! Java, Kotlin, Scala and their build tools. A frame names a file without its folder; the package gives it.

use crate::locate::rule::{Act, HABIT, Habit, RULE, Rule};
use crate::locate::shape::Shape;

const TITLE: Habit = Habit { alone: true, ..HABIT };

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "java-internal",
        pattern: r"^\s+at (?:(?:java|jdk)\.[\w.]+/|(?:java|javax|sun|jdk|kotlin|scala)\.[\w.$<>]+\(|.*\((?:Native Method|Unknown Source)\))",
        starts: &["at "],
        act: Act::Internal,
        ..RULE
    },
    Rule {
        name: "java-frame",
        pattern: r"^\s+at (?:[\w.@-]*/)*(?P<package>[\w.$<>-]+)\((?P<file>\w+\.(?:java|kt|scala|groovy|clj|kts)):%L\)",
        needs: Shape::FILE_NUMBER,
        starts: &["at "],
        act: Act::Frame,
        habit: Habit { promote: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "java-cause",
        pattern: r"^\s*(?:Caused by|Suppressed): ",
        starts: &["Caused by: ", "Suppressed: "],
        act: Act::Chain,
        ..RULE
    },
    Rule {
        name: "java",
        pattern: r#"^Exception in thread "[^"]*" %M$"#,
        starts: &["Exception in thread "],
        act: Act::Title,
        habit: TITLE,
        ..RULE
    },
    Rule {
        name: "kotlin",
        pattern: r"^(?P<sev>[ewi]): (?P<file>(?:file://)?[^:]+):(?: \()?%L(?:, |:)%C\)?:? %M$",
        needs: Shape::FILE_NUMBER,
        starts: &["e: ", "w: ", "i: "],
        ..RULE
    },
    Rule {
        name: "maven",
        pattern: r"^\[(?P<sev>ERROR|WARNING|INFO)\] %F:\[%L,%C\] %M$",
        needs: Shape::FILE_NUMBER,
        starts: &["[ERROR] ", "[WARNING] ", "[INFO] "],
        ..RULE
    },
    Rule {
        name: "scala",
        pattern: r"^\[(?P<sev>error|warn|info)\] (?:-- [^:]*: )?%F:%L:(?:%C:?)? ?%M$",
        needs: Shape::FILE_NUMBER,
        starts: &["[error] ", "[warn] ", "[info] "],
        ..RULE
    },
    Rule {
        name: "scala3",
        pattern: r"^-- (?:\[E[0-9]+\] )?(?P<msg>[\w ]*(?P<sev>Error|Warning)): %F:%L:%C ?-*$",
        needs: Shape::FILE_NUMBER,
        starts: &["-- "],
        base: 0,
        ..RULE
    },
];
