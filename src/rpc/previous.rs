//! A log as it was in the session before, read from its history. Asked for by a command; what is sent is bounded by lines
//! and bytes, the newest count.

use std::{
    collections::{HashMap, VecDeque},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    Handles,
    dispatch::blocking,
    frame::LogPatch,
    patch::{self, LIMIT_LINE, extend_run, severity_number, style_row},
    protocol::{Previous, Write},
};
use crate::{
    event::{ProcessId, Seq},
    history::{Order, Query, Reader, Record, Session, Sessions},
    locate::{Role, Scanner},
    logs::{Cleaner, Span, StyleTable},
    search::{Facts, Filter},
};

/// Lines sent at most.
const LINES: usize = 10_000;

/// Bytes sent at most.
const BYTES: usize = 4 << 20;

/// A line of a record.
struct Line {
    record: Record,
    seq: Seq,
    text: Vec<u8>,
    spans: Vec<Span>,
}

/// Answers `previous`.
pub(super) async fn previous(handles: &Handles, asked: Previous) -> Result<Value, String> {
    let base = handles.history.base().map(Path::to_owned);
    blocking(handles, "previous", move || {
        let what = asked.name.clone().unwrap_or_else(|| {
            Path::new(&asked.root).file_name().unwrap_or_default().to_string_lossy().into_owned()
        });
        let none = || format!("no earlier session of {what} is kept");
        let filter = asked.filter.as_deref().map(Filter::parse).transpose().map_err(said)?;
        let reader = Reader::open(&base.ok_or_else(none)?, &PathBuf::from(&asked.root)).map_err(said)?;
        // One that lives is not over yet.
        let over = reader.sessions().iter().filter(|session| !session.live);
        let found = over.filter_map(|session| read(&reader, session, &asked, filter.as_ref())).next();
        found.ok_or_else(none)
    })
    .await?
}

/// Writes all that the session which began then has of a log, oldest first, in the merged log with `name: ` in front.
/// Returns how many lines that were.
///
/// # Errors
/// That session is not kept, or what the system says of a file.
pub(super) fn copy(
    base: Option<&Path>,
    asked: &Write,
    began: u64,
    filter: &Filter,
    out: &mut dyn io::Write,
) -> io::Result<u64> {
    let gone = || io::Error::other("that session is not kept any more");
    let root = asked.root.as_ref().ok_or_else(gone)?;
    let reader = Reader::open(base.ok_or_else(gone)?, Path::new(root)).map_err(io::Error::other)?;
    let session = reader.sessions().iter().find(|it| it.started.0 == began).ok_or_else(gone)?;
    let query = Query {
        sessions: Sessions::Id(Arc::clone(&session.id)),
        name: asked.name.clone(),
        order: Order::OldestFirst,
        ..Query::default()
    };
    let mut styles = Arc::new(StyleTable::default());
    let mut lines = 0;
    for record in reader.records(query) {
        let record = record.map_err(io::Error::other)?;
        for line in lines_of(&record, &mut styles).iter().filter(|line| passes(filter, line)) {
            if asked.name.is_none() {
                write!(out, "{}: ", record.name.label())?;
            }
            out.write_all(&line.text)?;
            out.write_all(b"\n")?;
            lines += 1;
        }
    }
    Ok(lines)
}

/// What a session has of the log; `None` where it has nothing.
fn read(reader: &Reader, session: &Session, asked: &Previous, filter: Option<&Filter>) -> Option<Value> {
    let query = Query {
        sessions: Sessions::Id(Arc::clone(&session.id)),
        name: asked.name.clone(),
        order: Order::NewestFirst,
        ..Query::default()
    };
    let max = asked.max.clamp(1, LINES);
    let mut styles = Arc::new(StyleTable::default());
    let mut totals: HashMap<ProcessId, u64> = HashMap::new();
    let (mut lines, mut bytes, mut looked, mut ended) = (VecDeque::new(), 0, 0, session.started);
    // What cannot be read any more is as if it had gone with the oldest.
    for record in reader.records(query).filter_map(Result::ok) {
        let last = record.first.0 + u64::from(record.count.saturating_sub(1));
        totals.entry(record.process).or_insert(last);
        ended = ended.max(record.at);
        for line in lines_of(&record, &mut styles).into_iter().rev() {
            looked += 1;
            if filter.is_none_or(|filter| passes(filter, &line)) {
                bytes += line.text.len().min(LIMIT_LINE);
                lines.push_front(line);
            }
        }
        if lines.len() >= max || bytes >= BYTES {
            break;
        }
    }
    if totals.is_empty() {
        return None;
    }
    let over = lines.len().saturating_sub(max);
    lines.drain(..over);
    let total: u64 = totals.values().sum();
    let (patch, names) = patch_of(asked, lines.make_contiguous(), &styles);
    let patch = LogPatch { total: if filter.is_some() { patch.lines.len() as u64 } else { total }, ..patch };
    let passed_over = filter.map(|_| looked - patch.lines.len() as u64);
    let mut patch = serde_json::to_value(patch).ok()?;
    patch["names"] = json!(names);
    patch["passed_over"] = json!(passed_over);
    Some(json!({ "at": session.started.0, "ended": ended.0, "lines": total, "patch": patch }))
}

/// The lines of a record as they are kept in memory: without escapes, with what they said of colours.
fn lines_of(record: &Record, styles: &mut Arc<StyleTable>) -> Vec<Line> {
    let mut cleaner = Cleaner::default();
    let clean = |(seq, raw): (Seq, &[u8])| {
        let (text, spans) = cleaner.coloured(raw, styles);
        Line { record: record.clone(), seq, text, spans }
    };
    record.lines().map(clean).collect()
}

fn passes(filter: &Filter, line: &Line) -> bool {
    let Record { at, stream, name, .. } = &line.record;
    let facts = Facts { at: *at, stream: *stream, level: None };
    filter.admits(&name.label()) && filter.admits_times(*at, *at) && filter.passes(&line.text, &facts)
}

/// The patch of lines, oldest first, and in the merged log what its `ids` stand for.
fn patch_of(asked: &Previous, lines: &[Line], styles: &StyleTable) -> (LogPatch, Option<Vec<String>>) {
    let mut patch = LogPatch { buf: asked.buf, reset: true, ..LogPatch::default() };
    let merged = asked.name.is_none();
    let mut names: Vec<(ProcessId, String)> = Vec::new();
    let mut scanners: HashMap<ProcessId, Scanner> = HashMap::new();
    let mut found = Vec::new();
    for line in lines {
        let process = line.record.process;
        let known = names.iter().position(|(id, _)| *id == process).unwrap_or_else(|| {
            names.push((process, line.record.name.label()));
            names.len() - 1
        });
        extend_run(&mut patch.seqs, line.seq.0, 1, |last, length| last + length);
        extend_run(&mut patch.times, line.record.at.0, 1, |last, _| last);
        if merged {
            extend_run(&mut patch.ids, known as u64 + 1, 1, |last, _| last);
        }
        let before = found.len();
        scanners.entry(process).or_default().line(line.seq, &String::from_utf8_lossy(&line.text), &mut found);
        for finding in found.drain(before..).filter(|finding| finding.role == Role::Headline) {
            patch.marks.extend([finding.seq.0, severity_number(finding.severity)]);
            if merged {
                patch.mark_ids.push(u32::try_from(known + 1).unwrap_or(u32::MAX));
            }
        }
        add_text(&mut patch, line);
    }
    patch.styles = styles.since(1).map(style_row).collect();
    (patch, merged.then(|| names.into_iter().map(|(_, name)| name).collect()))
}

fn add_text(patch: &mut LogPatch, line: &Line) {
    let row = u32::try_from(patch.lines.len()).unwrap_or(u32::MAX);
    let head = &line.text[..line.text.len().min(LIMIT_LINE)];
    if head.len() < line.text.len() {
        patch.clipped.extend([row, u32::try_from(line.text.len()).unwrap_or(u32::MAX)]);
    }
    let end = u32::try_from(head.len()).unwrap_or(u32::MAX);
    let ranges: Vec<_> = line.spans.iter().map(|span| (span.start.min(end), span.end.min(end))).collect();
    let (text, moved) = patch::shown(head, &ranges);
    for ((start, end), span) in moved.into_iter().zip(&line.spans) {
        if start < end {
            patch.spans.extend([row, start, end, u32::from(span.style.0)]);
        }
    }
    patch.lines.push(text);
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
