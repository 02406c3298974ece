//! Reads what hosts have recorded of a project, also while they write.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Name, Order, Query, Record, Session, Sessions,
    file_name::FileName,
    format::{FileHead, Found, Kind, ProcessHead, VERSION},
    place::{Directory, Disk, Stored},
    task::canonical,
};
use crate::event::ProcessId;

/// The history of one project, as it was when it was opened. Blocks: not for a task.
#[derive(Debug)]
pub struct Reader {
    root: PathBuf,
    directory: Option<Arc<Directory>>,
    sessions: Vec<Session>,
}

/// Why a history, or a part of it, cannot be read. Worded for the user.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(String);

/// What a query asks for, a file at a time: as much as one file is in memory.
pub struct Records {
    directory: Option<Arc<Directory>>,
    root: String,
    query: Query,
    /// The files to come, with the number of their session; the next one last.
    files: Vec<(usize, FileName)>,
    /// What is left of the present file; the next one last.
    present: Vec<Record>,
}

// === impl Reader ===

impl Reader {
    /// The history of the project at `root` among those in `base`; one without sessions where nothing was recorded.
    ///
    /// # Errors
    /// It is not the user's own, or cannot be read.
    pub fn open(base: &Path, root: &Path) -> Result<Self, ReadError> {
        let root = canonical(root);
        let failed = |error: io::Error| ReadError(format!("the history of {}: {error}", root.display()));
        let directory = Directory::find(base, &root).map_err(failed)?;
        let files = directory.as_ref().map_or(Ok(Vec::new()), Disk::files).map_err(failed)?;
        let mut sessions: Vec<Session> = Vec::new();
        for file in files.iter().rev() {
            let id = file.name.session();
            if sessions.last().is_none_or(|session| *session.id != *id) {
                sessions.push(Session {
                    number: sessions.len() + 1,
                    id: id.into(),
                    started: file.name.started,
                    pid: file.name.pid,
                    live: file.live,
                    bytes: 0,
                    files: Vec::new(),
                });
            }
            if let Some(session) = sessions.last_mut() {
                session.bytes += file.bytes;
                session.files.push(file.clone());
            }
        }
        Ok(Self { root, directory: directory.map(Arc::new), sessions })
    }

    /// The sessions, the newest first.
    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// What the query asks for. A file that cannot be read is one error, and the next one follows; one that was removed
    /// meanwhile is none. The last record of a session may be missing where its host was killed while it wrote.
    pub fn records(&self, query: Query) -> Records {
        let wanted = |session: &&Session| match &query.sessions {
            Sessions::All => true,
            Sessions::Number(number) => session.number == *number,
            Sessions::Id(id) => session.id == *id,
        };
        // Newest first, which is what a list that is taken from its end needs for the oldest first.
        let of = |session: &Session| {
            let number = session.number;
            // What was written last was printed before.
            let recent = |file: &&Stored| query.since.is_none_or(|since| file.may_hold(since));
            session.files.iter().filter(recent).map(move |file| (number, file.name)).collect::<Vec<_>>()
        };
        let mut files: Vec<_> = self.sessions.iter().filter(wanted).flat_map(of).collect();
        if query.order == Order::NewestFirst {
            files.reverse();
        }
        let (directory, root) = (self.directory.clone(), self.root.to_string_lossy().into_owned());
        Records { directory, root, query, files, present: Vec::new() }
    }
}

// === impl Records ===

impl Records {
    /// The records of a file that are asked for, the next one last.
    fn read(&self, session: usize, name: &FileName) -> Result<Vec<Record>, ReadError> {
        let Some(directory) = &self.directory else { return Ok(Vec::new()) };
        let path = || directory.path().join(name.to_string()).display().to_string();
        let bytes = match directory.read(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read.map_err(|error| ReadError(format!("{}: {error}", path())))?,
        };
        let file = Arc::new(bytes);
        let mut names: HashMap<ProcessId, Arc<Name>> = HashMap::new();
        let mut records = Vec::new();
        let mut at = 0;
        while let Some(Found { header, cut, text, size }) = file.get(at..).and_then(Found::at) {
            let from = at + size - text.len();
            at += size;
            match header.kind {
                Kind::File => {
                    let head: Option<FileHead> = serde_json::from_slice(text).ok();
                    match head {
                        Some(head) if head.version != VERSION => {
                            let version = head.version;
                            return Err(ReadError(format!(
                                "{}: of version {version}, not {VERSION}",
                                path()
                            )));
                        }
                        // Two projects may share a directory, though hardly ever do.
                        Some(head) if head.root == self.root => {}
                        _ => return Ok(Vec::new()),
                    }
                }
                Kind::Process => {
                    let head: Option<ProcessHead> = serde_json::from_slice(text).ok();
                    names.extend(head.map(|head| (header.process, Arc::new(head.name))));
                }
                Kind::Lines => {
                    let Some(name) = names.get(&header.process) else { continue };
                    let (stream, after_exit) = (header.stream(), header.after_exit());
                    let (process, run, at, first, count) =
                        (header.process, header.run, header.at, header.first, header.count);
                    let (name, file, text) = (Arc::clone(name), Arc::clone(&file), from..from + text.len());
                    records.push(Record {
                        session,
                        process,
                        name,
                        run,
                        stream,
                        at,
                        first,
                        count,
                        after_exit,
                        cut,
                        file,
                        text,
                    });
                }
            }
        }
        records.retain(|record| self.query.wants(record));
        if self.query.order == Order::OldestFirst {
            records.reverse();
        }
        Ok(records)
    }
}

impl Iterator for Records {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.present.pop() {
                return Some(Ok(record));
            }
            let (session, name) = self.files.pop()?;
            match self.read(session, &name) {
                Ok(records) => self.present = records,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
