//! A line that is in a history and no longer in memory, or of an earlier session, and the lines around it. Asked for by a
//! key: files are read until it is found.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Handles, dispatch::blocking};
use crate::{
    event::{ProcessId, Seq, Timestamp},
    history::{Order, Query, Reader, Record, Session, Sessions},
    logs::Cleaner,
    process::Stream,
};

/// Which line is meant.
pub(super) struct Wanted {
    pub(super) root: PathBuf,
    /// What its process is called.
    pub(super) name: String,
    pub(super) seq: Seq,
    pub(super) whose: Whose,
}

/// Whose line it is.
pub(super) enum Whose {
    /// A process's of this session.
    Process(ProcessId),
    /// Of whichever session read it then.
    ReadAt(Timestamp),
}

/// What a history knows of a line.
pub(super) struct Recorded {
    pub(super) at: Timestamp,
    pub(super) stream: Stream,
    pub(super) text: Vec<u8>,
    /// The bytes that were printed, when more than were kept.
    pub(super) whole: Option<u64>,
    /// It and those around it, as far as they are recorded.
    pub(super) around: Vec<(Seq, String)>,
}

/// Looks for a line and `around`, so many lines before and after it. Nothing when it is not recorded, or cannot be read.
pub(super) async fn find(
    handles: &Handles,
    wanted: Wanted,
    around: (usize, usize),
) -> Result<Option<Recorded>, String> {
    let Some(base) = handles.history.base().map(Path::to_owned) else { return Ok(None) };
    handles.history.settled().await.map_err(|unsettled| unsettled.to_string())?;
    blocking(handles, "history", move || {
        let reader = Reader::open(&base, &wanted.root).ok()?;
        let own = |session: &&Session| session.live && session.pid == std::process::id();
        let sessions = match wanted.whose {
            Whose::Process(_) => Sessions::Id(Arc::clone(&reader.sessions().iter().find(own)?.id)),
            Whose::ReadAt(_) => Sessions::All,
        };
        look(&reader, &sessions, &wanted, around)
    })
    .await
}

fn look(
    reader: &Reader,
    sessions: &Sessions,
    wanted: &Wanted,
    (before, after): (usize, usize),
) -> Option<Recorded> {
    let (process, since) = match wanted.whose {
        Whose::Process(process) => (Some(process), None),
        Whose::ReadAt(at) => (None, Some(at)),
    };
    let (name, order) = (Some(wanted.name.clone()), Order::NewestFirst);
    let seq = wanted.seq.0;
    let lines = seq.saturating_sub(before as u64)..seq.saturating_add(after as u64 + 1);
    let query =
        Query { sessions: sessions.clone(), name, process, since, order, before: Some(Seq(lines.end)) };
    let is_it = |record: &Record| {
        let holds = (record.first.0..record.first.0 + u64::from(record.count)).contains(&seq);
        holds && since.is_none_or(|since| record.at == since)
    };
    let records = || reader.records(query.clone()).filter_map(Result::ok);
    let line = records().find(is_it)?;
    let index = u32::try_from(seq - line.first.0).ok()?;
    let text = line.lines().find(|(at, _)| at.0 == seq).map(|(_, text)| Cleaner::plain(text))?;
    let whole = line.cut.iter().find(|(at, _)| *at == index).map(|(_, whole)| *whole);
    // Its neighbours are of its session and its process alone.
    let near = Query { process: Some(line.process), since: None, ..query.clone() };
    let mut around = BTreeMap::new();
    for record in reader.records(near).filter_map(Result::ok).filter(|it| it.session == line.session) {
        let printed = record.lines().filter(|(at, _)| lines.contains(&at.0));
        around.extend(
            printed.map(|(at, text)| (at, String::from_utf8_lossy(&Cleaner::plain(text)).into_owned())),
        );
        if record.first.0 <= lines.start {
            break;
        }
    }
    let (at, stream) = (line.at, line.stream);
    Some(Recorded { at, stream, text, whole, around: around.into_iter().collect() })
}
