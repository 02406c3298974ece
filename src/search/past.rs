//! Looks through recorded logs: for what is no longer in memory, and for earlier sessions. Blocks: not for a task.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use super::{Block, Facts, Filter};
use crate::{
    event::{ProcessId, Seq, Timestamp},
    history::{Order, Query, ReadError, Reader, Record, Session, Sessions},
    logs::Cleaner,
};

/// What of a history is looked through.
pub struct Past {
    /// Where histories are.
    pub base: PathBuf,
    /// The project.
    pub root: PathBuf,
    /// What a process has to be called; nothing for all.
    pub name: Option<String>,
    /// The oldest line of this session that is in memory, of each process: those from there on are passed over.
    pub kept: HashMap<ProcessId, Seq>,
    /// Earlier sessions, too.
    pub previous: bool,
    /// The order of the records.
    pub order: Order,
}

/// Lines of one record that pass, oldest first.
pub struct PastLines {
    /// What their process is called.
    pub label: Arc<str>,
    /// Whose they are, of this session.
    pub process: Option<ProcessId>,
    /// When they were read.
    pub at: Timestamp,
    /// Their numbers and their text.
    pub lines: Vec<PastLine>,
}

/// A line of a record, its number in its process's log and its text without colours.
pub struct PastLine {
    /// The number.
    pub seq: Seq,
    /// The text.
    pub text: Vec<u8>,
}

// === impl Past ===

impl Past {
    /// What passes, record by record. What cannot be read is one error, and the next one follows.
    ///
    /// # Errors
    /// There is a history and it cannot be opened.
    pub fn lines(
        self,
        filter: Filter,
    ) -> Result<impl Iterator<Item = Result<PastLines, ReadError>>, ReadError> {
        let reader = Reader::open(&self.base, &self.root)?;
        let own = reader.sessions().iter().find(|it| it.live && it.pid == std::process::id()).cloned();
        let sessions = match (&own, self.previous) {
            (_, true) => Some(Sessions::All),
            (Some(own), false) => Some(Sessions::Id(Arc::clone(&own.id))),
            (None, false) => None,
        };
        let Self { name, order, kept, .. } = self;
        let query = sessions.map(|sessions| Query { sessions, name, order, ..Query::default() });
        let records = query.map(|query| reader.records(query)).into_iter().flatten();
        let mut cleaned = Cleaned::default();
        Ok(records.filter_map(move |record| match record {
            Ok(record) => passing(&record, own.as_ref(), &kept, &filter, &mut cleaned).map(Ok),
            Err(error) => Some(Err(error)),
        }))
    }
}

/// What passes of a record.
fn passing(
    record: &Record,
    own: Option<&Session>,
    kept: &HashMap<ProcessId, Seq>,
    filter: &Filter,
    cleaned: &mut Cleaned,
) -> Option<PastLines> {
    let label = record.name.label();
    if !filter.admits(&label) || !filter.admits_times(record.at, record.at) {
        return None;
    }
    let process = own.filter(|own| own.number == record.session).map(|_| record.process);
    let end = process.and_then(|process| kept.get(&process)).map_or(u64::MAX, |seq| seq.0);
    if record.first.0 >= end {
        return None;
    }
    cleaned.fill(record.text());
    let facts = Facts { at: record.at, stream: record.stream, level: None };
    let (block, mut found) = (cleaned.block(), Vec::new());
    filter.lines(&block, &|_| facts, &mut found);
    let line = |index| PastLine { seq: Seq(record.first.0 + index as u64), text: block.line(index).to_vec() };
    let lines: Vec<_> = found.into_iter().map(line).take_while(|line| line.seq.0 < end).collect();
    (!lines.is_empty()).then(|| PastLines { label: label.into(), process, at: record.at, lines })
}

/// Lines without colours, one after the other.
#[derive(Default)]
struct Cleaned {
    text: Vec<u8>,
    ends: Vec<u32>,
}

// === impl Cleaned ===

impl Cleaned {
    fn fill(&mut self, raw: &[u8]) {
        self.text.clear();
        self.ends.clear();
        if memchr::memchr3(b'\x1b', b'\r', b'\x08', raw).is_none() {
            self.text.extend_from_slice(raw);
        } else {
            for line in raw.strip_suffix(b"\n").unwrap_or(raw).split(|&byte| byte == b'\n') {
                self.text.extend_from_slice(&Cleaner::plain(line));
                self.text.push(b'\n');
            }
        }
        let ends = memchr::memchr_iter(b'\n', &self.text);
        // A record is a few times the size of a pipe.
        self.ends.extend(ends.map(|at| u32::try_from(at + 1).unwrap_or(u32::MAX)));
    }

    fn block(&self) -> Block<'_> {
        Block::new(&self.text, &self.ends, 0)
    }
}
