//! Why a line points where it points, in plain words.

use super::{
    Column, Finding, Resolver, Role, Scanner, Severity, Unit, family, matching, prefix,
    scanner::{self, LOOKED_AT},
    shape::Shape,
};
use crate::event::Seq;

/// Reads `lines` as the scanner would and tells what it made of line `at`: the rule that has it, which others
/// were considered, and where the place leads.
#[must_use]
pub fn explain(lines: &[(Seq, &str)], at: Seq, resolver: &Resolver) -> Vec<String> {
    let Some((_, text)) = lines.iter().find(|(seq, _)| *seq == at) else {
        return vec![format!("line {} is not among the lines kept", at.0)];
    };
    let mut scanner = Scanner::new();
    let mut found = Vec::new();
    let mut later = None;
    let text = scanner::clip(text, LOOKED_AT).trim_end_matches(['\r', '\n']);
    let peeled = prefix::peel(text.as_bytes());
    let mut state = Shape::NONE;
    for (seq, line) in lines {
        let before = found.len();
        if *seq == at {
            state = scanner.shape(peeled.tag);
        }
        scanner.line(*seq, line, &mut found);
        if *seq != at && found[before..].iter().any(|finding: &Finding| finding.seq == at) {
            later = Some(*seq);
        }
    }
    scanner.finish(&mut found);
    let mut out = Vec::new();
    if peeled.start > 0 {
        out.push(format!("set aside: `{}`", text[..peeled.start].trim_end()));
    }
    let findings: Vec<&Finding> = found.iter().filter(|finding| finding.seq == at).collect();
    for finding in &findings {
        out.extend(told(finding, text, resolver));
    }
    if let Some(later) = later {
        out.push(format!("decided by line {}", later.0));
    }
    let (matched, tried) = considered(text, peeled.start, state);
    if findings.is_empty() {
        out.push(match matched.first() {
            Some(rule) => format!("rule `{rule}` has this line, and it names no place"),
            None => "no rule has this line".to_owned(),
        });
    }
    let others: Vec<_> =
        matched.into_iter().filter(|rule| !findings.iter().any(|one| one.rule == *rule)).collect();
    if !others.is_empty() {
        out.push(format!("would match too: {}", others.join(", ")));
    }
    if !tried.is_empty() {
        out.push(format!("considered: {}", tried.join(", ")));
    }
    out
}

fn told(finding: &Finding, text: &str, resolver: &Resolver) -> Vec<String> {
    let role = match (finding.role, finding.severity) {
        (Role::Headline, Severity::Error) => "an error",
        (Role::Headline, Severity::Warning) => "a warning",
        (Role::Headline, Severity::Info) => "a note",
        (Role::Place, _) => "a place",
    };
    let mut out = vec![match finding.group {
        0 => format!("rule `{}`: {role}", finding.rule),
        group => format!("rule `{}`: {role}, group {group}", finding.rule),
    }];
    let Some(place) = &finding.place else {
        out.push("it points nowhere".to_owned());
        return out;
    };
    let (from, to) = place.span;
    if to > from {
        out.push(format!("place: `{}`", &text[from..to]));
    } else {
        out.push("place: named by another line".to_owned());
    }
    let mut read = format!("file `{}`", place.file);
    if let Some(line) = place.line {
        read.push_str(&format!(", line {line}"));
    }
    if let Some(Column { value, base, unit }) = place.col {
        let unit = match unit {
            Unit::Bytes => "bytes",
            Unit::Utf16 => "UTF-16 units",
            Unit::Chars => "characters",
            Unit::Display => "screen cells",
        };
        read.push_str(&format!(", column {value} ({unit} from {base})"));
    }
    out.push(read);
    out.push(match resolver.resolve(place) {
        Ok(location) => {
            let col = location.col.map_or_else(String::new, |col| format!(", byte column {col}"));
            format!("leads to {}, line {}{col}", location.file.display(), location.line)
        }
        Err(error) => error.to_string(),
    });
    out
}

/// The rules that match the line by itself, and those that were tried and do not.
fn considered(text: &str, start: usize, state: Shape) -> (Vec<&'static str>, Vec<&'static str>) {
    let body = &text[start..];
    let trimmed = body.trim_start();
    let shape = Shape::of(body) | state;
    let (mut matched, mut tried) = (Vec::new(), Vec::new());
    for compiled in family::rules().iter().filter(|compiled| compiled.admits(shape, trimmed)) {
        if matching::try_rule(compiled, text, start).is_some() {
            matched.push(compiled.rule.name);
        } else {
            tried.push(compiled.rule.name);
        }
    }
    (matched, tried)
}
