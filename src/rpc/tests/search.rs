//! What searches, filters, `load` and `write` give, beside a log store and a history as the host has them.

use std::{fs, os::unix::fs::PermissionsExt as _};

use tempfile::TempDir;
use tokio::{sync::oneshot, time::Instant};

use super::*;
use crate::rpc::frame::{Frame, HitPatch};

mod kept;
mod late;
mod past;

/// A session whose processes the test plays.
pub(super) struct Rig {
    pub(super) handles: Handles,
    pub(super) flush: Flush,
    to_logs: mpsc::Sender<OutputBatch>,
    mailbox: (mpsc::Sender<ToFlush>, mpsc::Receiver<ToFlush>),
    dir: TempDir,
    printed: u64,
    /// What has been sent to buffers, as they show it.
    shown: Vec<String>,
    _batches: mpsc::Receiver<OutputBatch>,
}

impl Rig {
    /// Keeps so many lines, and a history if it is to.
    pub(super) fn new(max_entries: usize, history: bool) -> Self {
        let mut config = Config::default();
        (config.log_store.max_entries, config.log_store.max_bytes) = (max_entries, 64 << 20);
        let dir = tempfile::tempdir().expect("a directory");
        let base = history.then(|| dir.path().join("history"));
        Self::with(dir, &config, |resources| History::start(&config.log_store, base, resources))
    }

    fn with(
        dir: TempDir,
        config: &Config,
        history: impl FnOnce(&ResourceManager) -> (History, Recorder),
    ) -> Self {
        let (handles, batches, to_logs) = handles_of(config, history);
        let flush = flush(&handles);
        let (shown, printed, mailbox) = (Vec::new(), 0, mpsc::channel(1));
        Self { handles, flush, to_logs, mailbox, dir, printed, shown, _batches: batches }
    }

    pub(super) fn root(&self) -> String {
        self.dir.path().to_str().expect("UTF-8").to_owned()
    }

    /// A process begins.
    pub(super) async fn begin(&mut self, process: u32, name: &str) {
        self.begin_in(process, name, "").await;
    }

    /// One of another project does.
    async fn begin_in(&mut self, process: u32, name: &str, below: &str) {
        let (process, run, at) = (ProcessId(process), RunId(u64::from(process)), Timestamp(1));
        let root = self.dir.path().join(below);
        let info = Arc::new(ProcessInfo { root: root.clone(), cwd: root, ..ProcessInfo::of_shell(name) });
        self.handles.model.update(&Event::ProcessPending { process, run, info: Arc::clone(&info), at });
        let (ack, begun) = oneshot::channel();
        let begin = OutputBatch::Begin { process, run, number: 1, at, info: Some(info), ack };
        self.to_logs.send(begin).await.expect("the store runs");
        begun.await.expect("it begins");
    }

    /// It prints, and the lines can be read.
    pub(super) async fn print(&mut self, process: u32, lines: impl IntoIterator<Item = String>) {
        self.print_at(process, None, lines).await;
    }

    /// The same at some time.
    async fn print_at(&mut self, process: u32, at: Option<u64>, lines: impl IntoIterator<Item = String>) {
        let (process, run) = (ProcessId(process), RunId(u64::from(process)));
        let mut text = Vec::new();
        for line in lines {
            text.extend_from_slice(line.as_bytes());
            text.push(b'\n');
            self.printed += 1;
        }
        let lines = OutputBatch::Lines {
            process,
            run,
            stream: Stream::Out,
            at: Timestamp(at.unwrap_or(self.printed)),
            text,
            cut: Vec::new(),
            after_exit: false,
        };
        self.to_logs.send(lines).await.expect("the store runs");
        while self.handles.logs.counts().await.expect("the store runs").lines < self.printed {}
        let last = Seq(self.printed);
        self.handles.model.update(&Event::LinesArrived { process, first: last, last });
    }

    /// All that it printed is in its history.
    async fn end(&mut self, process: u32) {
        let (process, run) = (ProcessId(process), RunId(u64::from(process)));
        let (ack, ended) = oneshot::channel();
        self.to_logs.send(OutputBatch::End { process, run, ack }).await.expect("the store runs");
        timeout(DEADLINE, ended).await.expect("in time").expect("it ends");
    }

    /// Frames until one of them has this, which is given back.
    pub(super) async fn until<T>(&mut self, mut what: impl FnMut(&Frame) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(frame) = self.flush.build().await {
                frame.logs.iter().for_each(|patch| self.show(patch));
                if let Some(found) = what(&frame) {
                    return found;
                }
            }
            let wait = self.flush.wait(&mut self.mailbox.1, Instant::now());
            tokio::time::timeout_at(deadline, wait).await.expect("it comes in time");
        }
    }

    /// As the editor does it.
    fn show(&mut self, patch: &LogPatch) {
        if patch.reset {
            self.shown.clear();
        }
        if patch.before.is_none() {
            self.shown.extend(patch.lines.iter().cloned());
        }
    }

    pub(super) async fn reply(&mut self) -> Result<serde_json::Value, String> {
        let reply = self.until(|frame| {
            let reply = frame.replies.first()?;
            Some(reply.ok.clone().ok_or_else(|| reply.err.clone().expect("one of the two")))
        });
        reply.await
    }

    fn search(&mut self, query: &str, name: Option<&str>, max: usize, previous: bool) {
        let (root, name) = (Some(self.root()), name.map(str::to_owned));
        let asked = protocol::Search { buf: 5, root, name, query: query.to_owned(), max, previous };
        self.flush.take(ToFlush::Search(1, asked));
    }

    /// A search to its end: what the buffer shows, and the last patch, with the newest lines in it.
    async fn found(
        &mut self,
        query: &str,
        name: Option<&str>,
        max: usize,
    ) -> (Vec<(u64, u64, String)>, HitPatch) {
        self.search(query, name, max, false);
        let (mut shown, mut first, mut newest) = (Vec::new(), true, HitPatch::default());
        let last = self.until(|frame| {
            let [patch] = &frame.hits[..] else { return None };
            assert_eq!(patch.reset, first, "the first patch empties the buffer");
            first = false;
            let (seqs, ids) = (unrolled(&patch.seqs, 1), unrolled(&patch.ids, 0));
            assert_eq!((seqs.len(), ids.len()), (patch.lines.len(), patch.lines.len()));
            assert_eq!(unrolled(&patch.times, 0).len(), patch.lines.len());
            assert_eq!(patch.names.iter().map(|(_, count)| count).sum::<u64>(), patch.lines.len() as u64);
            let lines = ids.into_iter().zip(seqs).zip(&patch.lines);
            shown.splice(0..0, lines.map(|((id, seq), line)| (id, seq, line.clone())));
            if newest.lines.is_empty() {
                newest = patch.clone();
            }
            patch.done.then(|| patch.clone())
        });
        let last = last.await;
        let HitPatch { lines, names, matches, .. } = newest;
        (shown, HitPatch { lines, names, matches, ..last })
    }

    async fn write(
        &self,
        file: &str,
        filter: Option<&str>,
        append: bool,
        force: bool,
    ) -> Result<u64, String> {
        let path = self.dir.path().join(file).to_str().expect("UTF-8").to_owned();
        let (root, name) = (Some(self.root()), Some("dev".to_owned()));
        let filter = filter.map(str::to_owned);
        let asked = protocol::Write { root, name, filter, session: None, path, append, force };
        let written = dispatch::call(&self.handles, Call::Write(asked)).await?;
        Ok(written["lines"].as_u64().expect("a number"))
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.dir.path().join(file)).expect("it is there")
    }
}

/// Runs as they are sent, one value a line; each next one is so much more.
fn unrolled(runs: &[u64], step: u64) -> Vec<u64> {
    runs.chunks(2).flat_map(|run| (0..run[1]).map(move |at| run[0] + at * step)).collect()
}

fn lines(range: std::ops::Range<u64>) -> impl Iterator<Item = String> {
    range.map(|at| if at % 10 == 0 { format!("line {at} has a Hit") } else { format!("line {at}") })
}

#[tokio::test]
async fn a_search_gives_the_newest_lines_of_all_that_pass_newest_last() {
    let mut rig = Rig::new(100_000, false);
    rig.begin(1, "dev").await;
    rig.begin(2, "api").await;
    rig.print(1, lines(1..3001)).await;
    rig.print(2, lines(3001..6001)).await;
    let (shown, last) = rig.found("hit", None, 400).await;
    let expected: Vec<_> =
        (2010..=6000).step_by(10).map(|at| if at <= 3000 { (1, at) } else { (2, at - 3000) }).collect();
    assert_eq!(shown.iter().map(|(id, seq, _)| (*id, *seq)).collect::<Vec<_>>(), expected);
    assert_eq!(shown.last().expect("one").2, "line 6000 has a Hit");
    assert_eq!((last.total, last.done, last.more, &last.error), (600, true, true, &None));
    let (shown, last) = rig.found("/Hit$/ -0", Some("api"), 400).await;
    assert_eq!((shown.len(), last.total, last.more), (0, 0, false), "nothing passes, and that is told");
    let (shown, last) = rig.found("hit process:dev", None, 400).await;
    assert_eq!((shown.len(), last.total, last.more), (300, 300, false));
    assert_eq!(last.names.last().map(|(name, _)| name.as_str()), Some("dev"));
    let (_, last) = rig.found("\"line 70\"", Some("dev"), 1).await;
    assert_eq!((&last.lines[..], &last.matches[..]), (&["line 709".to_owned()][..], &[0, 0, 7][..]));
}

#[tokio::test]
async fn a_search_that_cannot_be_is_refused_and_one_that_is_ended_says_no_more() {
    let mut rig = Rig::new(1000, false);
    rig.begin(1, "dev").await;
    for (query, said) in [
        ("/a(/", "filter: unclosed group in /a(/, character 3"),
        ("  ", "nothing to search for: give words, /a regex/ or level:error"),
    ] {
        rig.search(query, None, 10, false);
        assert_eq!(rig.reply().await, Err(said.to_owned()));
    }
    rig.search("x", Some("web"), 10, false);
    assert_eq!(rig.reply().await, Err("there is no log of web: it has not been run".to_owned()));
    rig.search("x", Some("dev"), 10, false);
    rig.flush.take(ToFlush::Unsearch(2, 5));
    assert_eq!(rig.until(|frame| (frame.replies.len() == 2).then_some(frame.hits.len())).await, 0);
}

#[tokio::test]
async fn what_memory_no_longer_has_is_found_in_the_history() {
    let mut rig = Rig::new(100, true);
    rig.begin(1, "dev").await;
    for start in (1..2001).step_by(100) {
        rig.print(1, lines(start..start + 100)).await;
    }
    rig.end(1).await;
    let (shown, last) = rig.found("hit", Some("dev"), 1000).await;
    let expected: Vec<_> = (10..=2000).step_by(10).map(|seq| (1, seq)).collect();
    assert_eq!(shown.iter().map(|(id, seq, _)| (*id, *seq)).collect::<Vec<_>>(), expected);
    assert_eq!((last.total, last.more, last.error), (200, false, None));
    let (shown, last) = rig.found("hit", Some("dev"), 50).await;
    assert_eq!((shown.len(), shown[0].1, last.more), (50, 1510, true));
}

#[tokio::test]
async fn a_filtered_buffer_gets_what_passes_of_what_is_kept_and_of_what_comes() {
    let mut rig = Rig::new(100_000, false);
    rig.begin(1, "dev").await;
    rig.print(1, lines(1..2001)).await;
    let watch = |max, filter: &str| protocol::Watch {
        buf: 5,
        root: None,
        name: Some("dev".to_owned()),
        max,
        rows: None,
        from: None,
        filter: Some(filter.to_owned()),
    };
    rig.flush.take(ToFlush::Watch(1, watch(1000, "/a(/")));
    assert!(rig.reply().await.is_err());
    rig.flush.take(ToFlush::Watch(2, watch(50, "hit -0000")));
    let expected: Vec<_> = lines(1..2001).filter(|line| line.contains("Hit")).collect();
    let (skipped, total, over) = rig
        .until(|frame| {
            let patch = frame.logs.iter().find(|patch| patch.reset)?;
            Some((patch.skipped, patch.total, patch.passed_over))
        })
        .await;
    assert_eq!((skipped, total, over), (150, 200, 1800));
    assert_eq!(rig.shown, expected[150..]);
    for start in (2001..4001).step_by(500) {
        rig.print(1, lines(start..start + 500)).await;
        rig.until(|frame| frame.logs.iter().any(|patch| !patch.lines.is_empty()).then_some(())).await;
    }
    let expected: Vec<_> = lines(1501..4001).filter(|line| line.contains("Hit")).collect();
    assert_eq!(rig.shown, expected, "each line once, in order");
    // Nothing of this passes; that it came is told.
    rig.print(1, (0..7).map(|at| format!("other {at}"))).await;
    assert_eq!(rig.until(|frame| frame.logs.first().map(|patch| patch.passed_over)).await, 7);
    rig.flush.take(ToFlush::Unwatch(3, 5));
    rig.print(1, lines(5000..5020)).await;
    assert_eq!(rig.until(|frame| frame.replies.first().map(|_| frame.logs.len())).await, 0);
}

#[tokio::test]
async fn a_filter_that_lets_a_flood_pass_keeps_no_more_than_its_buffer_has_room_for() {
    const LINES: u64 = 40_000;
    let mut rig = Rig::new(100_000, false);
    rig.begin(1, "dev").await;
    let filter = Some("line".to_owned());
    let watch = protocol::Watch {
        buf: 5,
        root: None,
        name: Some("dev".to_owned()),
        max: 1000,
        rows: None,
        from: None,
        filter,
    };
    rig.flush.take(ToFlush::Watch(1, watch));
    rig.until(|frame| frame.logs.first().map(|patch| assert!(patch.reset))).await;
    let (mut sent, mut skipped, mut total) = (0, 0, 0);
    // No frame is taken while it floods.
    rig.print(1, lines(1..LINES + 1)).await;
    while total < LINES || sent + skipped < LINES {
        rig.until(|frame| {
            for patch in &frame.logs {
                (sent, skipped, total) =
                    (sent + patch.lines.len() as u64, skipped + patch.skipped, patch.total);
            }
            (!frame.logs.is_empty()).then_some(())
        })
        .await;
    }
    assert_eq!((sent + skipped, total), (LINES, LINES), "each line is sent or counted");
    assert!(sent <= 2000, "{sent} were kept ready");
    assert_eq!(rig.shown.last().map(String::as_str), Some("line 40000 has a Hit"));
}

#[tokio::test]
async fn ingest_goes_on_while_a_slow_regex_runs() {
    let mut rig = Rig::new(1_000_000, false);
    rig.begin(1, "dev").await;
    for start in 0..20 {
        let slow = (0..1000).map(|at| format!("{start} {at} {}", "aeiou \u{e9}".repeat(40)));
        rig.print(1, slow).await;
    }
    rig.search(r"/(\w+ ?){9}\d+[^é]*z$|(?i)([aeiou]+\W){30,40}x/", Some("dev"), 10, false);
    let (mut meanwhile, mut done) = (0, false);
    while !done {
        // Returns when the line can be read.
        rig.print(1, ["one more".to_owned()]).await;
        meanwhile += u64::from(!done);
        if let Some(frame) = rig.flush.build().await {
            done |= frame.hits.iter().any(|patch| patch.done);
        }
    }
    assert!(meanwhile > 1, "{meanwhile} lines came in while it searched");
    assert_eq!(rig.handles.logs.counts().await.expect("the store runs").lines, 20_000 + meanwhile);
}
