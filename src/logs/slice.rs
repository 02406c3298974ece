//! What readers ask for and what they get: references into the store.

use std::{num::NonZeroU32, ops::Range, sync::Arc};

use super::{Chunk, StyleTable};
use crate::{
    event::{ProcessId, RunId, Seq, Timestamp},
    locate::{Frames, Severity},
    process::Stream,
};

/// Which log is meant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Which {
    /// One process's.
    Process(ProcessId),
    /// All processes' lines in the order they were read. Its line numbers are its own.
    Merged,
}

/// A question for lines.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// The log.
    pub which: Which,
    /// The first line wanted.
    pub from: Seq,
    /// At most this many lines.
    pub max_lines: usize,
    /// Where the log goes on for more than this many lines past `from`, start that many before its end.
    pub max_behind: usize,
    /// Stop once this many bytes of text are in.
    pub max_bytes: usize,
}

/// Lines, as references into the store.
#[derive(Clone, Debug, Default)]
pub struct Slice {
    /// In order.
    pub parts: Vec<Part>,
    /// The line to ask for next. Behind `head` when a bound ended the slice early.
    pub next: Seq,
    /// The newest line of the log.
    pub head: Seq,
    /// Where runs begin among the lines of the slice.
    pub runs: Vec<RunMark>,
    /// Error headlines on lines of the slice, and those on earlier lines that were found since the last question.
    pub marks: Vec<Mark>,
    /// Stack frames that belong together, on lines of the slice, and those on earlier lines that were found since the last
    /// question.
    pub groups: Vec<Group>,
    /// What the style numbers in the chunks mean.
    pub styles: Arc<StyleTable>,
}

/// Neighbouring lines that are the stack frames of one error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Of one number line with those of headlines.
    pub(super) id: u64,
    /// Whose.
    pub process: ProcessId,
    /// Which lines.
    pub frames: Frames,
}

/// Some lines of one chunk.
#[derive(Clone, Debug)]
pub struct Part {
    /// Whose lines these are.
    pub process: ProcessId,
    /// Their text.
    pub chunk: Arc<Chunk>,
    /// Positions in `chunk`.
    pub lines: Range<usize>,
    /// Number of the first of them in its process's log.
    pub first: Seq,
    /// Number of the first of them in the log that was asked for.
    pub position: Seq,
}

/// What is known of a line besides its text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// When it was read.
    pub at: Timestamp,
    /// The run that printed it.
    pub run: RunId,
    /// The pipe it came through.
    pub stream: Stream,
    /// The bytes the child wrote, when that is more than is kept of one line; at most 4 GiB is told.
    pub whole: Option<NonZeroU32>,
    /// The child wrote more than `log_store.max_line` bytes, of which all are kept unless `whole` says otherwise.
    pub long: bool,
    /// It came after the exit had been reported.
    pub after_exit: bool,
}

/// An error headline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Whose.
    pub process: ProcessId,
    /// Its line in its process's log.
    pub seq: Seq,
    /// How bad.
    pub severity: Severity,
}

/// The start of a run in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunMark {
    /// The first line the run printed, or will print.
    pub seq: Seq,
    /// The run.
    pub run: RunId,
    /// Which start of the process that was, from 1.
    pub number: u32,
    /// Whose.
    pub process: ProcessId,
    /// When it started.
    pub at: Timestamp,
}

/// Everything a log keeps at one moment, for whoever takes long to look at it: a search, a file that is written. Holding one
/// keeps its lines in memory, also after the store has let them go.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The log.
    pub which: Which,
    /// The lines of the process, or of each process that has a log.
    pub logs: Vec<Kept>,
    /// For the merged log: whose lines come after each other. Empty for that of a process.
    pub order: Vec<Stretch>,
    /// The newest line of the log.
    pub head: Seq,
    /// What the style numbers in the chunks mean.
    pub styles: Arc<StyleTable>,
}

/// What is kept of one process's log.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Whose.
    pub process: ProcessId,
    /// The oldest line kept; one more than `last` when there is none.
    pub first: Seq,
    /// The newest line.
    pub last: Seq,
    /// The lines, oldest first. Their `position` is their number in the process's log.
    pub parts: Vec<Part>,
    /// Where runs begin among them.
    pub runs: Vec<RunMark>,
}

/// Lines of one process that came one after the other in the merged log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// The number of its first line in the merged log.
    pub first: Seq,
    /// Whose.
    pub process: ProcessId,
    /// The number of its first line in the process's log. Some of the lines may no longer be kept.
    pub from: Seq,
    /// How many.
    pub count: u64,
}

// === impl Part ===

impl Part {
    /// Whether a line of the process is one of these.
    pub(crate) fn holds(&self, seq: Seq) -> bool {
        (self.first.0..self.first.0 + self.lines.len() as u64).contains(&seq.0)
    }

    /// The text of the lines, each with its newline, in one piece.
    pub fn block(&self) -> &[u8] {
        self.chunk.block(self.lines.clone())
    }

    /// Where in that text the newline of each line stands.
    pub(super) fn newlines(&self) -> impl Iterator<Item = usize> {
        let start = self.chunk.start(self.lines.start);
        self.chunk.ends()[self.lines.clone()].iter().map(move |end| *end as usize - 1 - start)
    }
}

// === impl Slice ===

impl Slice {
    /// Each line's number in its process's log, process and text, without the newline.
    pub fn lines(&self) -> impl Iterator<Item = (Seq, ProcessId, &[u8])> {
        self.parts.iter().flat_map(|part| {
            part.lines
                .clone()
                .zip(part.first.0..)
                .map(move |(index, seq)| (Seq(seq), part.process, part.chunk.text(index)))
        })
    }
}

// === impl Snapshot ===

impl Snapshot {
    /// How many lines it holds.
    pub fn len(&self) -> u64 {
        self.logs.iter().map(|log| log.last.0 + 1 - log.first.0).sum()
    }

    /// Whether it holds no line.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is kept of a process's log.
    pub fn of(&self, process: ProcessId) -> Option<&Kept> {
        self.logs.iter().find(|log| log.process == process)
    }
}

// === impl Kept ===

impl Kept {
    /// The part that holds a line of the process, and the line's position in its chunk.
    pub fn find(&self, seq: Seq) -> Option<(&Part, usize)> {
        let at = self.parts.partition_point(|part| part.first.0 + part.lines.len() as u64 <= seq.0);
        let part = self.parts.get(at).filter(|part| part.holds(seq))?;
        let skipped = usize::try_from(seq.0 - part.first.0).ok()?;
        Some((part, part.lines.start + skipped))
    }
}
