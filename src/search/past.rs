//! Looks through recorded logs: for what is no longer in memory, and for earlier sessions. Blocks: not for a task.

use std::{
    collections::HashMap,
    iter::Peekable,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Block, Facts, Filter};
use crate::{
    event::{ProcessId, Seq, Timestamp},
    history::{Order, Query, ReadError, Reader, Record, Session, Sessions},
    logs::Cleaner,
};

/// What of histories is looked through.
pub struct Past {
    /// Where histories are.
    pub base: PathBuf,
    /// The projects. Of each as much as one file is in memory.
    pub roots: Vec<PathBuf>,
    /// What a process has to be called; nothing for all.
    pub name: Option<String>,
    /// The oldest line of this session that is in memory, of each process: those from there on are passed over.
    pub kept: HashMap<ProcessId, Seq>,
    /// Only what was recorded before this line of this session; the newest first.
    pub before: Option<(ProcessId, Seq)>,
    /// Earlier sessions, too.
    pub previous: bool,
    /// The order of the records. Those of different projects are put in order by when they were read.
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

/// The records of one project, and the session that is this host's.
struct Project {
    records: Peekable<Box<dyn Iterator<Item = Result<Record, ReadError>> + Send>>,
    own: Option<Session>,
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
        let mut projects = self.roots.iter().map(|root| self.project(root)).collect::<Result<Vec<_>, _>>()?;
        let (order, kept, mut before) = (self.order, self.kept, self.before);
        let mut cleaned = Cleaned::default();
        let records = std::iter::from_fn(move || {
            let next = next_of(order, &mut projects)?;
            let Project { records, own } = &mut projects[next];
            Some(records.next()?.map(|record| (record, own.clone())))
        });
        Ok(records.filter_map(move |record| match record {
            Ok((record, own)) => {
                let own = own.filter(|own| own.number == record.session);
                let holds =
                    |(process, seq)| own.is_some() && record.process == process && record.first <= seq;
                if before.is_some_and(|line| !holds(line)) {
                    return None;
                }
                before = None;
                passing(&record, own.is_some(), &kept, &filter, &mut cleaned).map(Ok)
            }
            Err(error) => Some(Err(error)),
        }))
    }

    fn project(&self, root: &Path) -> Result<Project, ReadError> {
        let reader = Reader::open(&self.base, root)?;
        let own = reader.sessions().iter().find(|it| it.live && it.pid == std::process::id()).cloned();
        let sessions = match (&own, self.previous) {
            (_, true) => Some(Sessions::All),
            (Some(own), false) => Some(Sessions::Id(Arc::clone(&own.id))),
            (None, false) => None,
        };
        let query =
            |sessions| Query { sessions, name: self.name.clone(), order: self.order, ..Query::default() };
        let records = sessions.map(|sessions| reader.records(query(sessions))).into_iter().flatten();
        let records: Box<dyn Iterator<Item = _> + Send> = Box::new(records);
        Ok(Project { records: records.peekable(), own })
    }
}

/// Which project has the record that comes next; one that cannot be read is told at once.
fn next_of(order: Order, projects: &mut [Project]) -> Option<usize> {
    let heads = projects.iter_mut().enumerate().filter_map(|(at, project)| {
        let time = project.records.peek()?.as_ref().ok().map(|record| record.at.0);
        // Each is less for what comes earlier.
        Some((time.map(|time| if order == Order::NewestFirst { u64::MAX - time } else { time }), at))
    });
    heads.min().map(|(_, at)| at)
}

/// What passes of a record.
fn passing(
    record: &Record,
    own: bool,
    kept: &HashMap<ProcessId, Seq>,
    filter: &Filter,
    cleaned: &mut Cleaned,
) -> Option<PastLines> {
    let label = record.name.label();
    if !filter.admits(&label) || !filter.admits_times(record.at, record.at) {
        return None;
    }
    let process = own.then_some(record.process);
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
