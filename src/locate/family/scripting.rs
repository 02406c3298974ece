//! Shells, awk, Perl, Lua, and the tools that describe a machine.

use crate::locate::rule::{Act, Fold, HABIT, Habit, RULE, Rule};
use crate::locate::{Severity, shape::Shape};

const FOLD: Habit = Habit { fold: Fold::Line, ..HABIT };

pub(super) const RULES: &[Rule] = &[
    Rule { name: "bash", pattern: r"^%F: line %L: %M$", needs: Shape::LINE_WORD, habit: FOLD, ..RULE },
    Rule {
        name: "dash",
        pattern: r"^(?P<file>[^:\s][^:]*): %L: (?P<msg>.*(?:not found|[Ss]yntax error.*|[Pp]ermission denied|parameter .*|Bad .*|unexpected .*))$",
        needs: Shape::FILE_NUMBER,
        ..RULE
    },
    Rule {
        name: "awk",
        pattern: r"^[gmn]?awk: (?P<file>[^:\s][^:]*):%L: %M$",
        needs: Shape::FILE_NUMBER,
        starts: &["gawk: ", "awk: ", "mawk: ", "nawk: "],
        habit: FOLD,
        ..RULE
    },
    Rule {
        name: "perl-frame",
        pattern: r"^\s+\S.* called at %F line %L\.?$",
        needs: Shape::LINE_WORD,
        act: Act::Note,
        ..RULE
    },
    Rule {
        name: "perl-warning",
        pattern: r"^(?P<msg>(?:Use of uninitialized value|Useless use|Argument .* isn't numeric|Odd number of|Name .* used only once|Subroutine .* redefined|Deep recursion|Scalar value|Possible |Unquoted string|Statement unlikely|Found = in).*) at %W line %L(?:, <.*> (?:line|chunk) [0-9]+)?\.$",
        needs: Shape::LINE_WORD,
        severity: Severity::Warning,
        ..RULE
    },
    Rule {
        name: "perl",
        pattern: r"^(?P<msg>.*) at (?P<file>[^\s:,]*[./][^\s:,]*|-e) line %L(?:\.|, near .*|, <.*>.*|, at .*)$",
        needs: Shape::LINE_WORD,
        habit: Habit { fold: Fold::File, ..HABIT },
        ..RULE
    },
    Rule {
        name: "lua",
        pattern: r"^(?:lua[\w.]*|E[0-9]+: [^:]*|luajit): %F:%L: %M$",
        needs: Shape::FILE_NUMBER,
        starts: &["lua", "E5"],
        ..RULE
    },
    Rule {
        name: "terraform",
        pattern: r"^\s*[│|]?\s*on %W line %L(?:, in .*)?:?$",
        needs: Shape::LINE_WORD,
        starts: &["on ", "│"],
        act: Act::Location,
        ..RULE
    },
    Rule {
        name: "terraform-title",
        pattern: r"^[│|]?\s*(?P<sev>Error|Warning): %M$",
        needs: Shape::TROUBLE,
        starts: &["│ Error: ", "│ Warning: "],
        act: Act::Title,
        habit: Habit { alone: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "shellcheck",
        pattern: r"^In %F line %L:$",
        needs: Shape::LINE_WORD,
        starts: &["In "],
        ..RULE
    },
    Rule {
        name: "nginx",
        pattern: r"^(?:nginx: )?\[(?P<sev>emerg|alert|crit|error|warn)\] (?:[0-9#:]* )?(?P<msg>.*) in %F:%L$",
        needs: Shape::FILE_NUMBER,
        starts: &["nginx: [", "[emerg]", "[alert]", "[crit]", "[warn]"],
        ..RULE
    },
    Rule {
        name: "ansible",
        pattern: r"^\s*Origin: %F:%L:%C$",
        needs: Shape::FILE_NUMBER,
        starts: &["Origin: "],
        act: Act::Location,
        ..RULE
    },
    Rule {
        name: "ansible-title",
        pattern: r"^\[(?P<sev>ERROR|WARNING)\]: %M$",
        starts: &["[ERROR]: ", "[WARNING]: "],
        act: Act::Title,
        habit: Habit { alone: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "make",
        pattern: r"^g?make(?:\[[0-9]+\])?: \*\*\* \[(?P<file>[^:\]]+):%L: (?P<msg>.*)$",
        needs: Shape::FILE_NUMBER,
        starts: &["make", "gmake"],
        act: Act::Free,
        ..RULE
    },
    Rule { name: "make-syntax", pattern: r"^%F:%L: \*\*\* %M$", needs: Shape::FILE_NUMBER, ..RULE },
];
