//! One log told to another host: its last lines, then what comes, at the pace of who reads.

use std::{io, path::Path, time::Duration};

use tokio::{io::AsyncWrite, time::sleep};

use super::{
    Shared,
    message::{Tail, Told, word},
    paint::painted,
    wire,
};
use crate::{
    bus::Filter,
    config::Backpressure,
    event::{Component, EventKind, ProcessId, RunId, Seq, Timestamp},
    logs::{Part, Query, Style, StyleId, Which},
    model::{Ended, Row},
    process::Stream,
};

/// Bytes of a line that are sent.
pub(super) const LINE: usize = 16 << 10;

/// Lines and bytes read from the store at a time.
const SLICE: (usize, usize) = (512, 64 << 10);

/// A reader that is more than this many lines behind misses the older ones.
const BEHIND: usize = 10_000;

/// News that may wait: one is as good as many, because each has the store asked for everything.
const NEWS: usize = 4;

/// The store is asked at least this far apart.
const PACE: Duration = Duration::from_millis(50);

/// How far one log has been told.
struct Telling<'a, W> {
    shared: &'a Shared,
    to: &'a mut W,
    process: ProcessId,
    run: RunId,
    next: Seq,
    /// The end of `run` has been told.
    ended: bool,
    /// Nothing has been told, so nothing was missed.
    fresh: bool,
}

/// What comes after what the store had.
enum Further {
    /// A new run, whose lines may be there.
    Begun,
    /// Nothing of this run.
    Over,
    /// Whatever there will be news of.
    Later,
}

/// Tells until the run is over, or, following, until the other end has enough.
pub(super) async fn tell(shared: &Shared, ask: &Tail, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let kinds = [EventKind::ProcessStarted, EventKind::ProcessExited, EventKind::LinesArrived];
    let mut news =
        shared.parts.bus.subscribe(Filter::of(&kinds), Component::Rpc, NEWS, Backpressure::DropOldest);
    let model = &shared.parts.model;
    let row = model.find(Some(Path::new(&ask.root)), &ask.name).and_then(|process| model.row(process));
    let own = row.filter(|row| row.detail.elsewhere.is_none() && row.started_at.is_some());
    let Some(row) = own else {
        return wire::send(to, &Told::Refused { why: format!("it does not run {}", ask.name) }).await;
    };
    let mut telling =
        Telling { shared, to, process: row.id, run: row.run, next: Seq(1), ended: false, fresh: true };
    telling.begin(&row).await?;
    let mut behind = ask.lines.clamp(1, BEHIND);
    loop {
        while telling.lines(behind).await? {}
        behind = BEHIND;
        match telling.caught_up().await? {
            Further::Begun => continue,
            Further::Over if !ask.follow => return Ok(()),
            Further::Over | Further::Later => {}
        }
        // Also of another process: news of this one may have made room for it.
        if news.recv().await.is_none() {
            return Ok(());
        }
        sleep(PACE).await;
    }
}

// === impl Telling ===

impl<W: AsyncWrite + Unpin> Telling<'_, W> {
    async fn begin(&mut self, row: &Row) -> io::Result<()> {
        (self.run, self.ended) = (row.run, false);
        let begin = Told::Begin {
            pid: row.pid.unwrap_or_default(),
            at: row.started_at.unwrap_or_default().0,
            cwd: row.info.cwd.to_string_lossy().into_owned(),
            argv: row.info.argv.clone(),
            script: row.info.script.clone(),
        };
        wire::send(self.to, &begin).await
    }

    /// Tells what the store has; true when it has more.
    async fn lines(&mut self, behind: usize) -> io::Result<bool> {
        let which = Which::Process(self.process);
        let (max_lines, max_bytes) = SLICE;
        let query = Query { which, from: self.next, max_lines, max_behind: behind, max_bytes };
        // The store is gone only while the host ends.
        let (slice, _) = self.shared.parts.logs.read(query, 0).await.map_err(io::Error::other)?;
        if let Some(first) = slice.parts.first() {
            let missed = first.first.0.saturating_sub(self.next.0);
            if missed > 0 && !self.fresh {
                wire::send(self.to, &Told::Missed { lines: missed }).await?;
            }
        }
        self.fresh = false;
        let styles: Vec<_> = slice.styles.since(0).map(|(_, style)| *style).collect();
        for part in &slice.parts {
            // What a newer run printed comes after its beginning has been told.
            let ours = part.lines.clone().take_while(|at| part.chunk.line(*at).run <= self.run).count();
            for told in told(part, ours, &styles) {
                wire::send(self.to, &told).await?;
            }
            if ours < part.lines.len() {
                self.next = Seq(part.first.0 + ours as u64);
                return Ok(false);
            }
        }
        self.next = slice.next;
        Ok(slice.next <= slice.head)
    }

    /// Tells of an end and of a new run once the lines before have been told.
    async fn caught_up(&mut self) -> io::Result<Further> {
        let model = &self.shared.parts.model;
        let Some(row) = model.row(self.process) else { return Ok(Further::Over) };
        if row.run != self.run {
            if !self.ended {
                let before = row.runs.checked_sub(1).and_then(|number| model.ended(self.process, number));
                self.exit(before, None, row.started_at.unwrap_or_else(Timestamp::now).0).await?;
                self.ended = true;
            }
            if row.started_at.is_none() {
                return Ok(Further::Later);
            }
            self.begin(&row).await?;
            return Ok(Further::Begun);
        }
        // Its last line is known with its end; the store may have more of it than was told.
        if !row.state.is_terminal() || row.last >= self.next {
            return Ok(Further::Later);
        }
        if !self.ended {
            let ended = model.ended(self.process, row.runs);
            self.exit(ended, row.reason.as_deref(), row.ended_at.unwrap_or_default().0).await?;
            self.ended = true;
        }
        Ok(Further::Over)
    }

    async fn exit(&mut self, ended: Option<Ended>, reason: Option<&str>, at: u64) -> io::Result<()> {
        let told = Told::Exit {
            state: ended.map_or("stopped", |ended| word(ended.state)).to_owned(),
            code: ended.and_then(|ended| ended.exit.code()),
            signal: ended.and_then(|ended| ended.exit.signal()),
            reason: reason.map(str::to_owned),
            at,
        };
        wire::send(self.to, &told).await
    }
}

/// The first `count` lines of one part of a slice, those of one time and pipe together.
fn told(part: &Part, count: usize, styles: &[Style]) -> Vec<Told> {
    let style = |id: StyleId| styles.get(usize::from(id.0)).copied().unwrap_or_default();
    let mut messages: Vec<Told> = Vec::new();
    for index in part.lines.clone().take(count) {
        let line = part.chunk.line(index);
        let whole = part.chunk.text(index);
        let kept = &whole[..floor(whole, LINE)];
        let (is_err, now) = (line.stream == Stream::Err, line.at.0);
        let painted = painted(kept, part.chunk.spans(index), style);
        let bytes = line.whole.map_or(whole.len() as u64, |whole| u64::from(whole.get()));
        let is_cut = line.whole.is_some() || kept.len() < whole.len();
        match messages.last_mut() {
            Some(Told::Lines { at, err, text, cut }) if *at == now && *err == is_err => {
                if is_cut {
                    cut.push((u32::try_from(text.len()).unwrap_or(u32::MAX), bytes));
                }
                text.push(painted);
            }
            _ => messages.push(Told::Lines {
                at: now,
                err: is_err,
                text: vec![painted],
                cut: is_cut.then_some((0, bytes)).into_iter().collect(),
            }),
        }
    }
    messages
}

/// At most `limit` bytes, not in the middle of a character.
fn floor(text: &[u8], limit: usize) -> usize {
    if text.len() <= limit {
        return text.len();
    }
    (limit.saturating_sub(3)..=limit).rev().find(|at| text[*at] & 0xC0 != 0x80).unwrap_or(limit)
}
