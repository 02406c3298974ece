//! From what the host holds to what is sent. Pure.

use std::num::NonZeroU32;

use super::{
    frame::{
        ColourValue, EventRow, FoldRow, HealthEvent, LogPatch, PrevRow, ProcRow, ProcessEvent, RunRow,
        StyleRow, SurvivorRow,
    },
    watch::Watch,
};
use crate::{
    event::{Event, Exit, Health, ProcessId, Readiness, Seq, Survivor, Timestamp},
    history,
    locate::{Frames, Severity},
    logs::{Chunk, Cleaner, Colour, Group, Part, RunMark, Slice, Span, Style, StyleId, Which},
    model::{Ended, Happening, Row, What},
};

/// Bytes of text of one buffer in a frame, twice where it also has lines that had been left out: Neovim takes in so much of
/// long lines in a few milliseconds.
pub(super) const LIMIT_BYTES: usize = 256 << 10;

/// Bytes of a line that are sent: enough for what a person reads, and little enough that Neovim draws a screen full
/// of them at once.
pub(super) const LIMIT_LINE: usize = 4 << 10;

/// The line at which showing it panics.
#[cfg(test)]
pub(super) const PLANTED: &[u8] = b"planted: showing this line panics";

/// A patch for one buffer that shows what comes before `from`. `ended` tells how the run of a number ended.
pub(super) fn log_patch(
    watch: &Watch,
    slice: &Slice,
    from: Seq,
    ended: impl Fn(ProcessId, u32) -> Option<Ended>,
) -> LogPatch {
    let mut patch = LogPatch {
        buf: watch.buf,
        id: watch.process().map(|process| process.0),
        reset: watch.fresh && !watch.continues,
        next: slice.parts.last().map_or(from.0, |part| part.position.0 + part.lines.len() as u64),
        total: slice.head.0,
        ..LogPatch::default()
    };
    let merged = watch.which == Some(Which::Merged);
    if let Some(first) = slice.parts.first() {
        patch.skipped = first.position.0.saturating_sub(from.0.max(1));
    }
    for part in &slice.parts {
        add_part(&mut patch, part, merged);
    }
    patch.marks = slice.marks.iter().flat_map(|mark| [mark.seq.0, severity_number(mark.severity)]).collect();
    if merged {
        patch.mark_ids = slice.marks.iter().map(|mark| mark.process.0).collect();
    }
    patch.folds = slice.groups.iter().map(|group| fold_row(group, merged)).collect();
    patch.runs = slice.runs.iter().map(|run| run_row(run, merged, &ended)).collect();
    patch
}

/// A row of the process list.
pub(super) fn proc_row(row: &Row) -> ProcRow {
    let (ready, not_ready) = match &row.detail.readiness {
        Readiness::Unknown => (None, None),
        Readiness::Waiting => (Some("waiting"), None),
        Readiness::Ready => (Some("ready"), None),
        Readiness::Failed(why) => (Some("failed"), Some(why.as_ref().to_owned())),
    };
    let left = row.detail.left.iter().map(|Survivor { pid, name, exempt }| SurvivorRow {
        pid: *pid,
        name: name.clone(),
        exempt: *exempt,
    });
    let words = row.info.argv.iter().map(String::as_str);
    ProcRow {
        id: row.id.0,
        name: row.info.label(),
        root: row.info.root.to_string_lossy().into_owned(),
        cwd: row.info.cwd.to_string_lossy().into_owned(),
        state: row.state,
        run: row.runs,
        command: shell_words::join(words),
        script: row.info.script.clone(),
        pid: row.pid,
        exit_code: row.exit.and_then(Exit::code),
        signal: row.exit.and_then(signal_name),
        reason: row.reason.as_deref().map(str::to_owned),
        started_at: row.started_at.map(|at| at.0),
        ended_at: row.ended_at.map(|at| at.0),
        lines: row.last.0,
        errors: row.errors,
        package: row.info.package.clone(),
        waiting: row.detail.waiting.as_deref().map(str::to_owned),
        ready,
        not_ready,
        left: left.collect(),
        terminal: row.detail.terminal,
        full_screen: row.detail.full_screen,
        prompt: row.detail.prompt.as_deref().map(prompt).filter(|prompt| !prompt.is_empty()),
        elsewhere: row.detail.elsewhere,
        detach: row.info.options.detach,
        cpu: row.usage.as_ref().map(|usage| usage.cpu),
        memory: row.usage.as_ref().map(|usage| usage.memory),
        urls: row.urls.iter().map(|url| url.url.as_ref().to_owned()).collect(),
        ports: row.usage.iter().flat_map(|usage| usage.ports.iter().copied()).collect(),
    }
}

/// An unfinished line as a person reads it.
fn prompt(line: &str) -> String {
    let plain = Cleaner::plain(line.as_bytes());
    String::from_utf8_lossy(&plain).chars().filter(|character| !character.is_control()).collect()
}

/// A happening as an event of the editor.
pub(super) fn event_row(happening: Happening) -> EventRow {
    let Happening { process, start, at, what, .. } = happening;
    let row = ProcessEvent { id: process.0, run: start, at: at.0, ..ProcessEvent::default() };
    EventRow::Process(match what {
        What::Started => ProcessEvent { kind: "started", ..row },
        What::Exited { state, exit, reason, took, message, .. } => ProcessEvent {
            kind: "exited",
            state: Some(state),
            exit_code: exit.code(),
            signal: signal_name(exit),
            reason: reason.as_deref().map(str::to_owned),
            took: Some(took),
            message: message.as_deref().map(str::to_owned),
            ..row
        },
        What::Error { seq, message, count } => ProcessEvent {
            kind: "error",
            seq: Some(seq.0),
            message: Some(message.as_ref().to_owned()),
            count: Some(count),
            ..row
        },
        What::Url(url) => {
            ProcessEvent { kind: "url", seq: Some(url.seq.0), url: Some(url.url.as_ref().to_owned()), ..row }
        }
    })
}

/// A component got better or worse, or a history is off, which has no way back; no other event is told so.
pub(super) fn health_row(event: &Event) -> Option<EventRow> {
    let (component, from, to, reason, at) = match event {
        Event::HealthChanged { component, from, to, reason, at } => {
            (component.name(), *from, *to, reason, *at)
        }
        Event::Fault(fault) if fault.place == history::PLACE => {
            (history::PLACE, Health::Healthy, Health::Degraded, &fault.message, Timestamp::now())
        }
        _ => return None,
    };
    let reason = reason.as_ref().to_owned();
    Some(EventRow::Health(HealthEvent { kind: "health", component, from, to, reason, at: at.0 }))
}

/// A style and its number.
pub(super) fn style_row((id, style): (StyleId, &Style)) -> StyleRow {
    let colour = |colour: Colour| match colour {
        Colour::Palette(index) => ColourValue::Index(index),
        Colour::Rgb(r, g, b) => ColourValue::Hex(format!("#{r:02x}{g:02x}{b:02x}")),
    };
    let &Style { fg, bg, bold, dim, italic, underline, reverse, strike } = style;
    StyleRow {
        style: id.0,
        fg: fg.map(colour),
        bg: bg.map(colour),
        bold,
        dim,
        italic,
        underline,
        reverse,
        strike,
    }
}

pub(super) fn run_row(
    run: &RunMark,
    merged: bool,
    ended: impl Fn(ProcessId, u32) -> Option<Ended>,
) -> RunRow {
    let before = run.number.checked_sub(1).and_then(|number| ended(run.process, number));
    let id = merged.then_some(run.process.0);
    RunRow { seq: run.seq.0, run: run.number, at: run.at.0, id, prev: before.map(prev_row) }
}

fn fold_row(group: &Group, merged: bool) -> FoldRow {
    let Frames { first, last, count, user } = &group.frames;
    let place = user.as_ref().map(|(_, place)| match place.line {
        Some(line) => format!("{}:{line}", place.file),
        None => place.file.clone(),
    });
    FoldRow {
        first: first.0,
        last: last.0,
        count: *count,
        user: user.as_ref().map(|(seq, _)| seq.0),
        place,
        id: merged.then_some(group.process.0),
    }
}

fn prev_row(ended: Ended) -> PrevRow {
    PrevRow {
        state: ended.state,
        exit_code: ended.exit.code(),
        signal: signal_name(ended.exit),
        took: ended.took,
    }
}

/// 1 for an error, as in `vim.diagnostic.severity`.
pub(super) fn severity_number(severity: Severity) -> u64 {
    match severity {
        Severity::Error => 1,
        Severity::Warning => 2,
        Severity::Info => 3,
    }
}

/// `SIGTERM`, or `signal 34` for one that has no name.
fn signal_name(exit: Exit) -> Option<String> {
    let number = exit.signal()?;
    // The crate writes its names as `Signal::TERM`.
    let name = rustix::process::Signal::from_named_raw(number).map(|signal| format!("{signal:?}"));
    let name = name.as_deref().and_then(|name| name.trim_matches('"').rsplit("::").next().map(str::to_owned));
    Some(name.map_or_else(|| format!("signal {number}"), |name| format!("SIG{name}")))
}

pub(super) fn add_part(patch: &mut LogPatch, part: &Part, merged: bool) {
    let count = part.lines.len() as u64;
    extend_run(&mut patch.seqs, part.first.0, count, |last, len| last + len);
    if merged {
        extend_run(&mut patch.ids, u64::from(part.process.0), count, |last, _| last);
    }
    for index in part.lines.clone() {
        extend_run(&mut patch.times, part.chunk.line(index).at.0, 1, |last, _| last);
        add_line(patch, &part.chunk, index);
    }
}

/// Appends `value` `count` times to a run-length list; `expected` says which value continues the last run.
pub(super) fn extend_run(list: &mut Vec<u64>, value: u64, count: u64, expected: impl Fn(u64, u64) -> u64) {
    if let [.., last, length] = list.as_mut_slice()
        && expected(*last, *length) == value
    {
        *length += count;
        return;
    }
    list.extend([value, count]);
}

fn add_line(patch: &mut LogPatch, chunk: &Chunk, index: usize) {
    let (text, spans) = (chunk.text(index), chunk.spans(index));
    #[cfg(test)]
    assert!(text != PLANTED, "planted: showing");
    let row = u32::try_from(patch.lines.len()).unwrap_or(u32::MAX);
    let head = &text[..text.len().min(LIMIT_LINE)];
    let clean = !head.iter().any(|&byte| is_control(byte));
    let mut shown = match std::str::from_utf8(head) {
        Ok(line) if clean && text.len() <= LIMIT_LINE => Shown::same(line),
        _ => Shown::lossy(head, spans),
    };
    if text.len() > LIMIT_LINE {
        let kept = u32::try_from(text.len()).unwrap_or(u32::MAX);
        patch.clipped.extend([row, chunk.line(index).whole.map_or(kept, NonZeroU32::get)]);
    }
    for (index, span) in spans.iter().enumerate() {
        let (start, end) = shown.range(index, span);
        if start < end {
            patch.spans.extend([row, start, end, u32::from(span.style.0)]);
        }
    }
    patch.lines.push(std::mem::take(&mut shown.line));
}

/// Text as it is shown, and where these ranges of it came to lie.
pub(super) fn shown(text: &[u8], ranges: &[(u32, u32)]) -> (String, Vec<(u32, u32)>) {
    if let Ok(line) = std::str::from_utf8(text)
        && !text.iter().any(|&byte| is_control(byte))
    {
        return (line.to_owned(), ranges.to_vec());
    }
    let span = |&(start, end): &(u32, u32)| Span { start, end, style: StyleId::default() };
    let spans: Vec<_> = ranges.iter().map(span).collect();
    let Shown { line, moved } = Shown::lossy(text, &spans);
    (line, moved.unwrap_or_default())
}

/// NUL to US but TAB, and DEL.
fn is_control(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f
}

/// A line as it is shown, and where its spans came to lie.
struct Shown {
    line: String,
    /// Where the spans moved to; `None` where nothing moved.
    moved: Option<Vec<(u32, u32)>>,
}

// === impl Shown ===

impl Shown {
    fn same(line: &str) -> Self {
        Self { line: line.to_owned(), moved: None }
    }

    /// Bad UTF-8 becomes U+FFFD, a control byte its picture (U+2400 and on), a character cut at the end goes.
    fn lossy(text: &[u8], spans: &[Span]) -> Self {
        // For each byte of `text`, and its end, where it came to lie.
        let mut places = Vec::with_capacity(text.len() + 1);
        let mut line = String::with_capacity(text.len());
        let place = |line: &String| u32::try_from(line.len()).unwrap_or(u32::MAX);
        for chunk in text.utf8_chunks() {
            for character in chunk.valid().chars() {
                places.extend(std::iter::repeat_n(place(&line), character.len_utf8()));
                line.push(picture(character));
            }
            let cut = text.len() == LIMIT_LINE && places.len() + chunk.invalid().len() == text.len();
            places.extend(std::iter::repeat_n(place(&line), chunk.invalid().len()));
            if !chunk.invalid().is_empty() && !cut {
                line.push(char::REPLACEMENT_CHARACTER);
            }
        }
        places.push(place(&line));
        let at = |offset: u32| places[(offset as usize).min(text.len())];
        let moved = spans.iter().map(|span| (at(span.start), at(span.end))).collect();
        Self { line, moved: Some(moved) }
    }

    fn range(&self, index: usize, span: &Span) -> (u32, u32) {
        match &self.moved {
            Some(moved) => moved[index],
            None => (span.start, span.end),
        }
    }
}

fn picture(character: char) -> char {
    match character {
        '\t' => character,
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(character)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\x7f' => '\u{2421}',
        other => other,
    }
}
