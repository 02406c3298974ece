//! C and C++, linkers, CMake, and the GNU form `file:line:col: error: message` that so many tools share.

use crate::locate::{
    Severity, Unit,
    rule::{Act, HABIT, Habit, RULE, Rule},
    shape::Shape,
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "c-included",
        pattern: r"^(?:In file included from|\s+from) %F:%L(?::%C)?[:,]$",
        needs: Shape::FILE_NUMBER,
        starts: &["In file included from ", "from "],
        act: Act::Lead,
        ..RULE
    },
    Rule {
        name: "ld",
        pattern: r"^(?:\S*ld(?:\.\w+)?: )?(?:[^:\s]+\.o: in function [^:]*:)?%F:%L: (?P<msg>(?:undefined reference|multiple definition|first defined).*)$",
        needs: Shape::FILE_NUMBER,
        ..RULE
    },
    Rule {
        name: "cmake",
        pattern: r"^CMake (?P<sev>Error|Warning|Deprecation Warning)(?: \(dev\))? (?:at|in) %F:%L(?: \((?P<msg>\S*)\))?:?$",
        needs: Shape::FILE_NUMBER,
        starts: &["CMake "],
        habit: Habit { next: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "cmake-caller",
        pattern: r"^\s+%F:%L \(\S+\)$",
        needs: Shape::FILE_NUMBER.and(Shape::IN_STORY),
        act: Act::Note,
        ..RULE
    },
    Rule {
        name: "c",
        pattern: r"^(?P<file>[^:\s][^:]*\.(?:[chCH]|cc|cpp|cxx|hpp|hh|hxx|ipp|inl|m|mm|cu|cuh)):%L:(?:%C:)? %S: %M$",
        needs: Shape::FILE_NUMBER.and(Shape::TROUBLE),
        unit: Unit::Display,
        ..RULE
    },
    Rule {
        name: "c-note",
        pattern: r"^(?P<file>[^:\s][^:]*\.(?:[chCH]|cc|cpp|cxx|hpp|hh|hxx)):%L:%C: (?:note|remark): %M$",
        needs: Shape::FILE_NUMBER,
        act: Act::Note,
        severity: Severity::Info,
        unit: Unit::Display,
        ..RULE
    },
    Rule {
        name: "gnu-bytes",
        pattern: r"^(?P<file>[^:\s][^:]*\.(?:zig|go|d|v|odin)):%L:(?:%C:)? %S: %M$",
        needs: Shape::FILE_NUMBER,
        unit: Unit::Bytes,
        ..RULE
    },
    Rule {
        name: "gnu-range",
        pattern: r"^%F:%L\.%C(?:-[0-9.]+)?: %S: %M$",
        needs: Shape::FILE_NUMBER,
        ..RULE
    },
    Rule {
        name: "gnu",
        pattern: r"^(?:> )?\s*%F:%L:(?:%C:)? ?%S(?: ?\[[^\]]*\]| ?\([^)]*\))?: %M$",
        needs: Shape::FILE_NUMBER,
        ..RULE
    },
];
