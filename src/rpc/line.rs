//! All that is known of one line of a log, and the addresses in it. Asked for by a key.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{
    Handles,
    dispatch::{CONTEXT, blocking, finding_at, location, neighbourhood, read_config},
    patch,
    protocol::{LineAt, LineOf, PlaceOf},
    recorded::{self, Recorded, Wanted, Whose},
};
use crate::{
    event::{ProcessId, Seq, Timestamp},
    locate::{self, Resolver},
    logs::{Kept, Which},
    process::Stream,
    project,
};

const GONE: &str = "this line is no longer kept";

/// Answers `line`.
pub(super) async fn line(handles: &Handles, asked: LineAt) -> Result<Value, String> {
    let LineAt { id, seq, root, name, at } = asked;
    if let (0, Some(root), Some(name), Some(at)) = (id, root, name, at) {
        let whose = Whose::ReadAt(Timestamp(at));
        let wanted = Wanted { root: PathBuf::from(root), name, seq: Seq(seq), whose };
        let found = recorded::find(handles, wanted, CONTEXT).await?.ok_or(GONE)?;
        return Ok(told(&found, Seq(seq)));
    }
    let asked = LineOf { id, seq };
    let Some(kept) = kept(handles, &asked).await?.filter(|kept| kept.find(Seq(seq)).is_some()) else {
        return Ok(told(&recorded_of(handles, &asked).await?, Seq(seq)));
    };
    let (part, index) = kept.find(Seq(seq)).ok_or(GONE)?;
    let (text, facts) = (part.chunk.text(index), part.chunk.line(index));
    let row = handles.model.row(kept.process);
    let stream = match facts.stream {
        // Both are one there.
        _ if row.as_ref().is_some_and(|row| row.detail.terminal) => "terminal",
        stream => name_of(stream),
    };
    let bytes = facts.whole.map_or(text.len() as u64, |whole| u64::from(whole.get()));
    let run = run_number(&kept, Seq(seq)).or(row.map(|row| row.runs));
    let (shown, at) = (patch::shown(text, &[]).0, facts.at.0);
    let (_, _, lines) = neighbourhood(handles, &asked).await?;
    let rule = finding_at(&lines, Seq(seq)).map(|finding| finding.rule);
    Ok(json!({ "text": shown, "bytes": bytes, "at": at, "stream": stream, "run": run, "rule": rule }))
}

fn name_of(stream: Stream) -> &'static str {
    match stream {
        Stream::Out => "out",
        Stream::Err => "err",
    }
}

/// What a history knows of a line; not whether it came through a terminal, nor which start of the process printed it.
fn told(found: &Recorded, seq: Seq) -> Value {
    let rule = finding_at(&found.around, seq).map(|finding| finding.rule);
    json!({
        "text": patch::shown(&found.text, &[]).0,
        "bytes": found.whole.unwrap_or(found.text.len() as u64),
        "at": found.at.0,
        "stream": name_of(found.stream),
        "rule": rule,
    })
}

/// A line of a process of this session that is no longer in memory.
pub(super) async fn recorded_of(handles: &Handles, asked: &LineOf) -> Result<Recorded, String> {
    let process = ProcessId(asked.id);
    let info = handles.model.row(process).ok_or(GONE)?.info;
    let whose = Whose::Process(process);
    let wanted = Wanted { root: info.root.clone(), name: info.label(), seq: Seq(asked.seq), whose };
    recorded::find(handles, wanted, CONTEXT).await?.ok_or_else(|| GONE.to_owned())
}

/// Answers `urls_of`: what the program linked, then what stands in the text.
pub(super) async fn urls_of(handles: &Handles, asked: LineOf) -> Result<Value, String> {
    let kept = kept(handles, &asked).await?.ok_or(GONE)?;
    let (part, index) = kept.find(Seq(asked.seq)).ok_or(GONE)?;
    let text = part.chunk.text(index);
    let linked: Vec<_> =
        part.chunk.links(index).map(|(start, end, url)| (start, end, url.to_owned())).collect();
    let in_text = locate::urls(text).map(|range| {
        let url = String::from_utf8_lossy(&text[range.clone()]).into_owned();
        (position(range.start), position(range.end), url)
    });
    let covered = |start: u32| linked.iter().any(|link| (link.0..link.1).contains(&start));
    let found: Vec<_> = linked.iter().cloned().chain(in_text.filter(|url| !covered(url.0))).collect();
    let ranges: Vec<_> = found.iter().map(|url| (url.0, url.1)).collect();
    let (_, moved) = patch::shown(text, &ranges);
    let urls = moved.iter().zip(&found).map(|((start, end), (_, _, url))| json!([start, end, url]));
    Ok(json!({ "urls": urls.collect::<Vec<_>>() }))
}

/// Answers `place`: where a line points that no process of this host printed. Its paths are taken as those of the process
/// of that name, else of the script, else of the project.
pub(super) async fn place(handles: &Handles, asked: PlaceOf) -> Result<Value, String> {
    let (root, home) = (PathBuf::from(&asked.root), handles.home.clone());
    let process = asked.name.as_deref().and_then(|name| handles.model.find(Some(&root), name));
    let known = process.and_then(|process| handles.model.row(process)).map(|row| row.info.cwd.clone());
    blocking(handles, "place", move || {
        let of_script = || {
            let name = asked.name.as_deref()?;
            let (config, _) = read_config(&root, home.as_deref());
            project::load(&root, &config).cwd_of(name)
        };
        let cwd = known.or_else(of_script).unwrap_or_else(|| root.clone());
        let lines: Vec<_> =
            asked.lines.into_iter().zip(1..).map(|(text, number)| (Seq(number), text)).collect();
        location(&lines, Seq(asked.at), &Resolver::new(cwd, root))
    })
    .await?
}

async fn kept(handles: &Handles, asked: &LineOf) -> Result<Option<Kept>, String> {
    let process = ProcessId(asked.id);
    let snapshot = handles.logs.snapshot(Which::Process(process)).await.map_err(|error| error.to_string())?;
    Ok(snapshot.logs.into_iter().find(|log| log.process == process))
}

/// Which start of the process printed the line; `None` when no start is among the lines kept.
fn run_number(kept: &Kept, seq: Seq) -> Option<u32> {
    let begun = kept.runs.iter().rev().find(|run| run.seq <= seq).map(|run| run.number);
    begun.or_else(|| kept.runs.first().map(|next| next.number.saturating_sub(1).max(1)))
}

/// A line is far shorter than what u32 counts.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
