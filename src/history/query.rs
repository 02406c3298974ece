//! What to read of a history, and what is read.

use std::{ops::Range, sync::Arc};

use super::place::Stored;
use crate::{
    event::{ProcessId, RunId, Seq, Timestamp},
    process::Stream,
    resource::Segment,
};

/// Which sessions are read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Sessions {
    /// All there are.
    #[default]
    All,
    /// The one of this number: 1 is the newest.
    Number(usize),
    /// The one of this name.
    Id(Arc<str>),
}

/// In which order records come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// As they were printed.
    #[default]
    OldestFirst,
    /// The other way round; the lines of a record stay in theirs.
    NewestFirst,
}

/// What is read. The default is everything.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Query {
    /// Of these sessions.
    pub sessions: Sessions,
    /// Of the process that is called so (`dev`, `web/dev`), in whichever session.
    pub name: Option<String>,
    /// Of the process of this id, which means something within one session alone.
    pub process: Option<ProcessId>,
    /// Printed at this time or later.
    pub since: Option<Timestamp>,
    /// Only records that have a line of a lower number, which means something for one process of one session alone.
    pub before: Option<Seq>,
    /// The order.
    pub order: Order,
}

/// A session of a host: from its start to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// 1 is the newest.
    pub number: usize,
    /// Its name.
    pub id: Arc<str>,
    /// When the host started.
    pub started: Timestamp,
    /// The process id of the host.
    pub pid: u32,
    /// Its host lives and writes.
    pub live: bool,
    /// Bytes of its files.
    pub bytes: u64,
    /// The newest first.
    pub(super) files: Vec<Stored>,
}

/// A process, as it is called.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Name {
    /// The script's name, or the command line after `!`.
    pub name: String,
    /// The workspace package it belongs to, where it is not the root's.
    pub package: Option<String>,
}

/// Some lines that were read and stored together.
#[derive(Clone, Debug)]
pub struct Record {
    /// The number of its session.
    pub session: usize,
    /// Whose lines these are; the number means something within the session alone.
    pub process: ProcessId,
    /// What that is called.
    pub name: Arc<Name>,
    /// The run that printed them.
    pub run: RunId,
    /// The pipe they came through.
    pub stream: Stream,
    /// When they were read.
    pub at: Timestamp,
    /// The number of the first line in the log of its process.
    pub first: Seq,
    /// How many they are.
    pub count: u32,
    /// The leader had already been reported as ended.
    pub after_exit: bool,
    /// Lines that were cut: their numbers among these, and how many bytes they had.
    pub cut: Vec<(u32, u64)>,
    pub(super) file: Arc<Segment>,
    pub(super) text: Range<usize>,
}

// === impl Query ===

impl Query {
    pub(super) fn wants(&self, record: &Record) -> bool {
        self.process.is_none_or(|process| record.process == process)
            && self.name.as_ref().is_none_or(|name| record.name.label() == *name)
            && self.since.is_none_or(|since| record.at >= since)
            && self.before.is_none_or(|before| record.first < before)
    }
}

// === impl Name ===

impl Name {
    /// `package/name`, or the bare name: how users call it.
    pub fn label(&self) -> String {
        match &self.package {
            Some(package) => format!("{package}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

// === impl Record ===

impl Record {
    /// The text as printed; every line ends with a newline.
    pub fn text(&self) -> &[u8] {
        &self.file[self.text.clone()]
    }

    /// Each line's number in the log of its process and its text, without the newline.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = (Seq, &[u8])> {
        let text = self.text();
        let lines: Vec<_> = text.strip_suffix(b"\n").unwrap_or(text).split(|&byte| byte == b'\n').collect();
        lines.into_iter().enumerate().map(|(at, line)| (Seq(self.first.0 + at as u64), line))
    }
}
