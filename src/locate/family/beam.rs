//! Erlang and Elixir.

use crate::locate::rule::{Act, HABIT, Habit, RULE, Rule};
use crate::locate::{Severity, shape::Shape};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "erlang-warning",
        pattern: r"^(?P<file>[^:\s][^:]*\.[eyhx]rl):%L:(?:%C:)? Warning: %M$",
        needs: Shape::FILE_NUMBER.and(Shape::TROUBLE),
        severity: Severity::Warning,
        ..RULE
    },
    Rule {
        name: "erlang",
        pattern: r"^(?P<file>[^:\s][^:]*\.[eyhx]rl):%L:(?:%C:)? %M$",
        needs: Shape::FILE_NUMBER,
        ..RULE
    },
    Rule {
        name: "elixir",
        pattern: r"^\*\* \((?P<kind>\w+)\) %F:%L:(?:%C:)? %M$",
        needs: Shape::FILE_NUMBER,
        starts: &["** ("],
        ..RULE
    },
    Rule {
        name: "elixir-title",
        pattern: r"^(?:\*\* \(\w+\)|\s*(?P<sev>error|warning):) %M$",
        starts: &["** ("],
        act: Act::Title,
        habit: Habit { alone: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "elixir-place",
        pattern: r"^\s*[└┌]─ %F:%L(?::%C)?(?::.*)?$",
        needs: Shape::FILE_NUMBER.and(Shape::SYMBOL),
        starts: &["└─ ", "┌─ "],
        act: Act::Location,
        ..RULE
    },
    Rule {
        name: "exunit",
        pattern: r"^\s+[0-9]+\) (?P<msg>test .* \([\w.]+\))$",
        needs: Shape::STARTS_ITEM,
        act: Act::Title,
        habit: Habit { soft: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "exunit-place",
        pattern: r"^\s+(?P<file>[\w./-]+\.exs):%L$",
        needs: Shape::FILE_NUMBER,
        act: Act::Location,
        ..RULE
    },
    Rule {
        name: "elixir-frame",
        pattern: r"^\s+(?:\([\w]+ [^)]*\) )?(?P<file>[\w./-]+\.exs?):%L: [\w.(]+",
        needs: Shape::FILE_NUMBER,
        act: Act::Frame,
        ..RULE
    },
];
