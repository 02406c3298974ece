//! What `brummer locate` prints: one record for each line that points at something that exists.

use super::{Finding, Location, Resolver, Role, Scanner, Severity};
use crate::event::Seq;
use std::collections::{BTreeMap, HashMap};

/// One line of `brummer locate --json`.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct LocateRecord {
    /// The line of the output, counted from 1.
    pub line_no: u64,
    /// The file, relative to the working directory when inside it.
    pub file: String,
    /// The line in it.
    pub line: u32,
    /// The byte column, counted from 1.
    pub col: Option<u32>,
    /// How bad it is.
    pub severity: Severity,
    /// What the line says.
    pub message: String,
    /// The rule that recognised it.
    pub rule: &'static str,
    /// Which error it belongs to; 0 for none.
    pub group: u32,
    /// Whether it is what a person would count as one error or warning. `--quickfix` prints only these,
    /// unless there are none.
    #[serde(skip)]
    pub headline: bool,
}

/// Reads a whole output, free of escapes, and reports the lines that point somewhere, in their order.
pub fn report<'a>(lines: impl IntoIterator<Item = &'a str>, resolver: &Resolver) -> Vec<LocateRecord> {
    let mut scanner = Scanner::new();
    let mut found = Vec::new();
    for (seq, line) in (1..).zip(lines) {
        scanner.line(Seq(seq), line, &mut found);
    }
    scanner.finish(&mut found);
    let mut records = BTreeMap::<u64, LocateRecord>::new();
    // Traces name the same frames again and again.
    let mut known = HashMap::new();
    for finding in found {
        let Some(place) = finding.place.clone() else { continue };
        let key = (place.file.clone(), place.line, place.col);
        let location = known.entry(key).or_insert_with(|| resolver.resolve(&place).ok());
        let Some(location) = location else { continue };
        let record = record(finding, location, resolver);
        records
            .entry(record.line_no)
            .and_modify(|other| {
                if record.headline && !other.headline {
                    other.clone_from(&record);
                }
            })
            .or_insert(record);
    }
    records.into_values().collect()
}

/// A record as Vim's quickfix reads it with `%f:%l:%c: %t%*[^:]: %m`.
#[must_use]
pub fn quickfix_line(record: &LocateRecord) -> String {
    let LocateRecord { file, line, message, .. } = record;
    let col = record.col.unwrap_or(1);
    let kind = match record.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    format!("{file}:{line}:{col}: {kind}: {message}")
}

fn record(finding: Finding, location: &Location, resolver: &Resolver) -> LocateRecord {
    let file = location.file.strip_prefix(resolver.cwd()).unwrap_or(&location.file);
    LocateRecord {
        line_no: finding.seq.0,
        file: file.to_string_lossy().into_owned(),
        line: location.line,
        col: location.col,
        severity: finding.severity,
        message: finding.message,
        rule: finding.rule,
        group: finding.group,
        headline: finding.role == Role::Headline,
    }
}
