//! Ruby: backtraces, RSpec, RuboCop, minitest.

use crate::locate::rule::{Act, HABIT, Habit, RULE, Rule};
use crate::locate::shape::Shape;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "ruby-from",
        pattern: r"^\s+(?:[0-9]+: )?from %F:%L(?::in .*)?$",
        needs: Shape::FILE_NUMBER,
        starts: &["from ", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        act: Act::Frame,
        ..RULE
    },
    Rule {
        name: "ruby-error",
        pattern: r"^%F:%L:in [`'][^']*': (?P<msg>.* \([\w:]+\))$",
        needs: Shape::FILE_NUMBER,
        habit: Habit { cause: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "ruby-multiline",
        pattern: r"^%F:%L:in [`'][^']*': (?P<msg>.+)$",
        needs: Shape::FILE_NUMBER,
        ..RULE
    },
    Rule {
        name: "ruby-syntax",
        pattern: r"^(?:ruby: )?(?P<file>[^:\s][^:]*\.(?:rb|rake|erb|ru|gemspec)):%L: (?:(?P<sev>warning): )?(?P<msg>.*)$",
        needs: Shape::FILE_NUMBER,
        ..RULE
    },
    Rule {
        name: "rspec-rerun",
        pattern: r"^rspec %F:%L # %M$",
        needs: Shape::FILE_NUMBER,
        starts: &["rspec "],
        act: Act::Free,
        ..RULE
    },
    Rule {
        name: "rspec-failure",
        pattern: r"^\s*Failure/Error: %M$",
        starts: &["Failure/Error: "],
        act: Act::Title,
        habit: Habit { alone: true, ..HABIT },
        ..RULE
    },
    Rule {
        name: "rspec",
        pattern: r"^\s+# %F:%L(?::in .*)?$",
        needs: Shape::FILE_NUMBER,
        starts: &["# "],
        act: Act::Frame,
        ..RULE
    },
    Rule {
        name: "minitest",
        pattern: r"^(?P<msg>[\w:]+#test_\S*) \[%F:%L\]:?$",
        needs: Shape::FILE_NUMBER,
        ..RULE
    },
    Rule {
        name: "rubocop",
        pattern: r"^%F:%L:%C: (?P<sev>[CWEFRI]): (?P<msg>.*)$",
        needs: Shape::FILE_NUMBER,
        ..RULE
    },
];
