//! Finds the rule that a line belongs to and reads the line by it.

use super::{
    Column, Place, Severity, family,
    rule::{self, Compiled, Rule},
    scanner::{MESSAGE, clip},
    shape::Shape,
};

/// What a rule read out of a line.
#[derive(Debug)]
pub(super) struct Match {
    pub(super) rule: &'static Rule,
    pub(super) place: Option<Place>,
    pub(super) message: String,
    pub(super) severity: Severity,
}

/// The first rule that matches, and what it read. Spans are bytes of `text`.
pub(super) fn recognise(text: &str, start: usize, trimmed: &str, shape: Shape) -> Option<Match> {
    family::candidates(trimmed.as_bytes()[0], shape)
        .filter(|compiled| compiled.admits(shape, trimmed))
        .find_map(|compiled| try_rule(compiled, text, start))
}

/// What one rule reads out of a line, if it matches.
pub(super) fn try_rule(compiled: &Compiled, text: &str, start: usize) -> Option<Match> {
    let body = &text[start..];
    let (regex, groups) = compiled.regex();
    let captures = regex.captures(body)?;
    let rule = compiled.rule;
    let group = |index: Option<usize>| index.and_then(|index| captures.get(index));
    let line_found = group(groups.line).or_else(|| group(groups.other.0));
    let col_found = group(groups.col).or_else(|| group(groups.other.1));
    // A number too large for a line is no place, and neither is line 0.
    let line = line_found.map(|found| found.as_str().parse::<u32>().ok().filter(|line| *line > 0));
    let line = line.map_or(Some(None), |line| line.map(Some))?;
    let col = col_found.and_then(|found| found.as_str().parse::<u32>().ok());
    let col = col.map(|value| Column { value, base: rule.base, unit: rule.unit });
    let mut end = 0;
    for found in [group(groups.file), line_found, col_found].into_iter().flatten() {
        end = end.max(found.end());
    }
    let place = if let Some(file) = group(groups.file) {
        let printed =
            family::path(file.as_str().trim_end(), group(groups.package).map(|found| found.as_str()))?;
        Some(Place { file: printed, line, col, span: (start + file.start(), start + end) })
    } else {
        // A position alone: its file is the heading's.
        line_found.map(|found| Place {
            file: String::new(),
            line,
            col,
            span: (start + found.start(), start + end),
        })
    };
    let message = group(groups.message).map_or("", |found| found.as_str());
    let severity = group(groups.severity).map_or(rule.severity, |found| rule::severity(found.as_str()));
    Some(Match { rule, place, message: clip(message.trim(), MESSAGE).to_owned(), severity })
}
