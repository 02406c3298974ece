//! What the whole room promises, by example: lines in, findings out.

mod blocks;
mod folds;
mod hostile;
mod lines;
mod places;
mod stories;
mod words;

use super::{Finding, Role, Scanner, Severity, family, shape::Shape};
use crate::event::Seq;

/// Everything found in a log, in the order of its lines.
fn findings(log: &str) -> Vec<Finding> {
    let mut scanner = Scanner::new();
    let mut found = Vec::new();
    for (seq, line) in (1..).zip(log.split('\n')) {
        scanner.line(Seq(seq), line, &mut found);
    }
    scanner.finish(&mut found);
    found.sort_by_key(|finding| finding.seq);
    found
}

/// A finding in one line: number, role, severity, place, rule, group.
fn shown(finding: &Finding) -> String {
    let role = match (finding.role, finding.severity) {
        (Role::Headline, Severity::Error) => "ERROR",
        (Role::Headline, Severity::Warning) => "WARNING",
        (Role::Headline, Severity::Info) => "INFO",
        (Role::Place, Severity::Error) => "error",
        (Role::Place, Severity::Warning) => "warning",
        (Role::Place, Severity::Info) => "place",
    };
    let mut at = "nowhere".to_owned();
    if let Some(place) = &finding.place {
        at.clone_from(&place.file);
        for number in [place.line, place.col.map(|col| col.value)].into_iter().flatten() {
            at.push_str(&format!(":{number}"));
        }
    }
    format!("{role} {at} {}", finding.rule)
}

/// A log's findings with their lines, groups and messages.
fn story(log: &str) -> String {
    let mut out = String::new();
    for finding in findings(log) {
        out.push_str(&format!("{} {} g{}", finding.seq.0, shown(&finding), finding.group));
        if !finding.message.is_empty() {
            out.push_str(&format!(" | {}", finding.message));
        }
        out.push('\n');
    }
    out
}

#[test]
fn every_pattern_compiles_and_every_name_is_its_own() {
    let mut names = Vec::new();
    for compiled in family::rules() {
        compiled.regex();
        assert!(!names.contains(&compiled.rule.name), "two rules are called {}", compiled.rule.name);
        names.push(compiled.rule.name);
    }
}

#[test]
fn addresses_times_and_prose_have_no_shape() {
    for line in [
        "listening on 127.0.0.1:8077 and http://localhost:3000/",
        "done in 1:02:03 at 10:20:30",
        "GET /users/12 200 12.5ms",
        "{\"time\":1647602434195,\"pid\":12}",
        "version 5.6.3: fine",
        "the quick brown fox",
    ] {
        assert_eq!(Shape::of(line), Shape::NONE, "{line}");
    }
    assert!(Shape::of("see src/a.ts:3").has(Shape::FILE_NUMBER));
    assert!(Shape::of("Makefile:3: x").has(Shape::FILE_NUMBER));
    assert!(Shape::of("a.scss 1:12 x").has(Shape::FILE_BLANK));
}
