//! .NET: MSBuild, the compilers and stacks; and others that write `file(line,col)`.

use crate::locate::{
    Unit,
    rule::{Act, HABIT, Habit, RULE, Rule},
    shape::Shape,
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "dotnet-frame",
        pattern: r"^\s+at .* in (?P<file>(?:[A-Za-z]:[\\/]|/)[^:]+):line %L$",
        needs: Shape::LINE_WORD,
        starts: &["at "],
        act: Act::Frame,
        habit: Habit { promote: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "dotnet-internal",
        pattern: r"^   at [\w.`<>+|$]+(?:\[.*\])?\(.*\)$",
        starts: &["at System.", "at Microsoft."],
        act: Act::Internal,
        ..RULE
    },
    Rule {
        name: "dotnet-unhandled",
        pattern: r"^Unhandled exception\.? %M$",
        starts: &["Unhandled exception"],
        act: Act::Title,
        habit: Habit { alone: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "msbuild",
        pattern: r"^\s*(?:[0-9]+>)?%F\(%L(?:,%C)?(?:,[0-9]+,[0-9]+)?\) ?: (?P<sev>(?:fatal )?error|warning|info|message) (?P<msg>[A-Za-z]+[0-9]+ ?: .*?)(?: \[[^\]]*\])?$",
        needs: Shape::FILE_NUMBER,
        unit: Unit::Utf16,
        ..RULE
    },
    Rule {
        name: "nim",
        pattern: r"^\s*%F\(%L, %C\) (?P<sev>Error|Warning|Hint|template/generic instantiation)(?::| of| from) ?%M$",
        needs: Shape::FILE_NUMBER,
        unit: Unit::Bytes,
        ..RULE
    },
    Rule {
        name: "paren",
        pattern: r"^\s*%F\(%L(?:[,.:]%C)?(?:-[0-9]+)?\) ?:? ?%S ?: ?%M$",
        needs: Shape::FILE_NUMBER,
        ..RULE
    },
];
