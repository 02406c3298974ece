//! The files of one project and one session: appended to, begun anew at a size, the oldest removed. Blocks.

use std::{
    collections::BTreeMap,
    io::{self, IoSlice},
};

use super::{
    file_name::FileName,
    format::{FileHead, Piece, VERSION},
    place::{Disk, Sink, Stored},
};
use crate::event::ProcessId;

/// Bytes of a file.
const FILE: u64 = 16 << 20;

/// A history is never of fewer files than this, so that what goes at a time is a part of it.
const FILES: u64 = 4;

/// How much may be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Limits {
    /// Bytes of a file.
    pub(super) file: u64,
    /// Bytes of all files of the project, of whichever session.
    pub(super) total: u64,
}

/// The record that names each process.
pub(super) type Names = BTreeMap<ProcessId, Vec<u8>>;

/// What was done, also where it did not end well.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Done {
    pub(super) bytes: u64,
    pub(super) records: u64,
    pub(super) lines: u64,
    pub(super) files: u64,
    pub(super) removed: u64,
}

pub(super) struct Series {
    disk: Box<dyn Disk>,
    root: String,
    limits: Limits,
    /// The name of the next file.
    next: FileName,
    open: Option<Open>,
    /// What names each process that ever ran: the start of each file.
    names: Names,
    /// Bytes of all files when they were looked at last, and what was written since.
    kept: u64,
}

struct Open {
    sink: Box<dyn Sink>,
    name: FileName,
    bytes: u64,
}

// === impl Limits ===

impl Limits {
    pub(super) fn of(total: u64) -> Self {
        Self { file: FILE.min(total / FILES), total }
    }
}

// === impl Series ===

impl Series {
    /// Writes nothing yet.
    pub(super) fn new(disk: Box<dyn Disk>, root: String, first: FileName, limits: Limits) -> Self {
        Self { disk, root, limits, next: first, open: None, names: Names::new(), kept: 0 }
    }

    /// Bytes of all files of the project.
    pub(super) fn kept(&self) -> u64 {
        self.kept
    }

    /// Learns names, which are written before the next line.
    pub(super) fn name(&mut self, names: Names) {
        if !names.is_empty() {
            self.names.extend(names);
            // The file that is open does not have them.
            self.open = None;
        }
    }

    /// Appends records, which stand in `bytes`. After an error whatever was written of the rest is taken back, so that what is
    /// read is whole.
    pub(super) fn append(&mut self, bytes: &[u8], pieces: &[Piece]) -> (Done, io::Result<()>) {
        let mut done = Done::default();
        let appended = self.append_all(bytes, pieces, &mut done);
        (done, appended)
    }

    /// Closes the file; what comes next begins another.
    pub(super) fn close(&mut self) -> (Done, io::Result<()>) {
        self.open = None;
        (Done::default(), Ok(()))
    }

    /// Holds to other limits from now on.
    pub(super) fn set_limits(&mut self, limits: Limits) -> (Done, io::Result<()>) {
        self.limits = limits;
        let mut done = Done::default();
        let _alone = self.disk.alone();
        let held = self.make_room(0, &mut done);
        (done, held)
    }

    fn append_all(&mut self, bytes: &[u8], pieces: &[Piece], done: &mut Done) -> io::Result<()> {
        let mut rest = pieces;
        while let Some(piece) = rest.first() {
            if let (Some(process), None) = (piece.names, &self.open) {
                // Without lines there is no file to name it in.
                self.names.insert(process, bytes[piece.range.clone()].to_vec());
                rest = &rest[1..];
                continue;
            }
            let room = self.open.as_ref().map(|open| self.limits.file.saturating_sub(open.bytes));
            let Some(room) = room.filter(|room| *room >= piece.size()) else {
                self.begin_file(piece.size(), done)?;
                let written = self.write(bytes, &rest[..1], done);
                rest = &rest[1..];
                written?;
                continue;
            };
            let mut size = 0;
            let fits = |piece: &&Piece| {
                size += piece.size();
                size <= room
            };
            let count = rest.iter().take_while(fits).count();
            let (now, later) = rest.split_at(count);
            rest = later;
            self.write(bytes, now, done)?;
        }
        Ok(())
    }

    /// Closes the file and begins the next, once there is room for it.
    fn begin_file(&mut self, at_least: u64, done: &mut Done) -> io::Result<()> {
        self.open = None;
        let alone = self.disk.alone();
        self.make_room(self.limits.file.max(at_least), done)?;
        let sink = loop {
            match self.disk.create(&self.next) {
                // Another root that is the same directory.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.next.number += 1,
                created => break created?,
            }
        };
        drop(alone);
        done.files += 1;
        let name = self.next;
        self.next.number += 1;
        self.open = Some(Open { sink, name, bytes: 0 });
        let (root, session) = (self.root.clone(), name.session());
        let head = FileHead { version: VERSION, root, session, number: name.number };
        let mut bytes = Vec::new();
        let mut start = vec![Piece::file(&head, &mut bytes)];
        for name in self.names.values() {
            let from = bytes.len();
            bytes.extend(name);
            start.push(Piece { range: from..bytes.len(), lines: 0, names: None });
        }
        self.write(&bytes, &start, done)
    }

    /// Removes the oldest files until so many bytes more are within the bound. A file that is being written counts as if it
    /// were full, so that hosts which write at the same time stay within it together; it is never removed.
    fn make_room(&mut self, more: u64, done: &mut Done) -> io::Result<()> {
        let mut files = self.disk.files()?;
        self.kept = files.iter().map(|file| file.bytes).sum();
        let full = self.limits.file;
        let weight = |file: &Stored| if file.live { file.bytes.max(full) } else { file.bytes };
        let mut total = more + files.iter().map(weight).sum::<u64>();
        files.retain(|file| !file.live && self.open.as_ref().is_none_or(|open| open.name != file.name));
        files.sort_by_key(|file| (file.modified, file.name));
        for file in files {
            if total <= self.limits.total {
                break;
            }
            self.disk.remove(&file.name)?;
            total -= file.bytes;
            self.kept -= file.bytes;
            done.removed += 1;
        }
        Ok(())
    }

    /// Writes whole records to the file that is open, with as few calls as there can be.
    fn write(&mut self, bytes: &[u8], pieces: &[Piece], done: &mut Done) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        // Those of another project may stand in between.
        let together = pieces.chunk_by(|one, next| one.range.end == next.range.start);
        let slice = |run: &[Piece]| Some(&bytes[run.first()?.range.start..run.last()?.range.end]);
        let mut slices: Vec<_> = together.filter_map(slice).map(IoSlice::new).collect();
        let (written, result) = write_all(&mut *open.sink, &mut slices);
        let mut whole = 0;
        for piece in pieces {
            if whole + piece.size() > written {
                break;
            }
            whole += piece.size();
            done.records += 1;
            done.lines += u64::from(piece.lines);
            if let Some(process) = piece.names {
                self.names.insert(process, bytes[piece.range.clone()].to_vec());
            }
        }
        open.bytes += whole;
        done.bytes += whole;
        self.kept += whole;
        if whole < written {
            // What stays in spite of it is a torn end, which no reader shows.
            open.sink.cut(open.bytes).ok();
        }
        result
    }
}

/// How many bytes were written, and what came in the way of the rest.
fn write_all(sink: &mut dyn Sink, mut slices: &mut [IoSlice<'_>]) -> (u64, io::Result<()>) {
    let mut written = 0;
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match sink.write_vectored(slices) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(count) => {
                written += count as u64;
                IoSlice::advance_slices(&mut slices, count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}
