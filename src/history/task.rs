//! The task that writes: takes what waits, a good deal at a time, and has it written where waiting harms nobody.
//!
//! A disk that fails or takes longer than [`PATIENCE`](super::PATIENCE) is given nothing more: the history of that project is
//! off until the host ends, which is said once. What hangs in the kernel keeps its thread and its permit.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::watch, time::timeout};

use super::{
    PLACE, Settings,
    file_name::FileName,
    format::Piece,
    place::Disk,
    recorder::{Entry, Queue},
    series::{Done, Limits, Series},
};
use crate::{
    event::{Component, Fault, FaultKind, ProcessId, Seq},
    resource::ResourceManager,
};

/// Bytes taken at a time. With what is written meanwhile this is what a kill of the host costs at least.
const GROUP: usize = 1 << 20;

/// Entries taken at a time: as many as one call writes.
const ENTRIES: usize = 500;

/// Opens the place of a project. A test has its own.
pub(super) type Opener = Arc<dyn Fn(&Path) -> io::Result<Box<dyn Disk>> + Send + Sync>;

/// See above.
pub(super) struct Task {
    queue: Arc<Queue>,
    settings: watch::Receiver<Settings>,
    resources: ResourceManager,
    open: Opener,
    /// The first file of this session.
    first: FileName,
    patience: Duration,
    /// The project of each process that is recorded.
    roots: HashMap<ProcessId, Arc<Path>>,
    projects: HashMap<Arc<Path>, Project>,
    now: Settings,
}

/// What is known of one project.
#[derive(Default)]
struct Project {
    /// Each process's name, until there is a series that knows it.
    unnamed: BTreeMap<ProcessId, Piece>,
    series: Option<Series>,
    /// Nothing is written any more.
    failed: bool,
    /// Bytes of its files.
    kept: u64,
}

/// Why a project's history ends.
enum Trouble {
    Failed(io::Error),
    Hangs,
    Panicked,
}

/// Answers that are due once a group is written.
type Answers = Vec<(Seq, tokio::sync::oneshot::Sender<Seq>)>;

// === impl Task ===

impl Task {
    pub(super) fn new(
        queue: Arc<Queue>,
        mut settings: watch::Receiver<Settings>,
        resources: ResourceManager,
        (open, first, patience): (Opener, FileName, Duration),
    ) -> Self {
        let now = *settings.borrow_and_update();
        queue.record(now.on);
        let (roots, projects) = (HashMap::new(), HashMap::new());
        let task = Self { queue, settings, resources, open, first, patience, roots, projects, now };
        task.tell_limit();
        task
    }

    /// Writes until the recorder is gone and all of it is written.
    pub(super) async fn run(mut self) {
        // A handle that is gone has nothing more to say.
        let mut heard = true;
        loop {
            if heard && self.settings.has_changed().unwrap_or(false) {
                self.adjust().await;
            }
            let entries = self.queue.take(GROUP, ENTRIES);
            if !entries.is_empty() {
                let cost = entries.iter().map(Entry::cost).sum();
                let answers = self.write(entries).await;
                self.queue.written(cost);
                for (last, ack) in answers {
                    // Whoever asked and went away does not want the answer.
                    ack.send(last).ok();
                }
                continue;
            }
            if self.queue.is_over() {
                return;
            }
            tokio::select! {
                () = self.queue.filled.notified() => {}
                changed = self.settings.changed(), if heard => {
                    heard = changed.is_ok();
                    self.settings.mark_changed();
                }
            }
        }
    }

    /// Takes over new settings: what is over a lower bound goes at once; switched off, files are closed.
    async fn adjust(&mut self) {
        let (before, now) = (self.now, *self.settings.borrow_and_update());
        self.now = now;
        self.queue.record(now.on);
        self.tell_limit();
        let roots: Vec<_> = self.projects.keys().cloned().collect();
        for root in roots {
            let limits = Limits::of(now.bytes);
            if !now.on {
                self.with(&root, 0, Series::close).await;
            } else if before.bytes != now.bytes {
                self.with(&root, 0, move |series| series.set_limits(limits)).await;
            }
        }
    }

    fn tell_limit(&self) {
        self.resources.metrics().history.limit_bytes.set(if self.now.on { self.now.bytes } else { 0 });
    }

    /// Writes entries, each project's on its own.
    async fn write(&mut self, entries: Vec<Entry>) -> Answers {
        let mut answers = Answers::new();
        let mut pieces: HashMap<Arc<Path>, Vec<Piece>> = HashMap::new();
        for entry in entries {
            match entry {
                Entry::Begin(begin) => {
                    let root: Arc<Path> = begin.info.root.as_path().into();
                    self.roots.insert(begin.process, Arc::clone(&root));
                    pieces.entry(root).or_default().push(Piece::process(&begin));
                }
                // What no Begin told of is a log of another host.
                Entry::Lines(lines) => {
                    if let Some(root) = self.roots.get(&lines.process) {
                        pieces.entry(Arc::clone(root)).or_default().push(Piece::lines(lines));
                    }
                }
                Entry::End { last, ack } => answers.push((last, ack)),
            }
        }
        for (root, pieces) in pieces {
            let lines = pieces.iter().map(|piece| u64::from(piece.lines)).sum();
            self.append(&root, pieces, lines).await;
        }
        answers
    }

    async fn append(&mut self, root: &Arc<Path>, pieces: Vec<Piece>, lines: u64) {
        let project = self.projects.entry(Arc::clone(root)).or_default();
        if project.failed {
            self.resources.metrics().history.unrecorded.add(lines);
        } else if !self.now.on || (lines == 0 && project.series.is_none()) {
            // Nothing is made for what has printed nothing, and names are needed once it is switched on.
            let named = pieces.into_iter().filter_map(|piece| Some((piece.names?, piece)));
            project.unnamed.extend(named);
        } else {
            self.with(root, lines, move |series| series.append(&pieces)).await;
        }
    }

    /// Has something done with the files of a project, on a thread that may wait. `lines` are lost when it fails at once.
    async fn with(
        &mut self,
        root: &Arc<Path>,
        lines: u64,
        work: impl FnOnce(&mut Series) -> (Done, io::Result<()>) + Send + 'static,
    ) {
        let Some(project) = self.projects.get_mut(root).filter(|project| !project.failed) else { return };
        let (series, unnamed) = (project.series.take(), std::mem::take(&mut project.unnamed));
        if series.is_none() && lines == 0 {
            project.unnamed = unnamed;
            return;
        }
        let (open, first, limits) = (Arc::clone(&self.open), self.first, Limits::of(self.now.bytes));
        let path = Arc::clone(root);
        let work = move || {
            let mut series = match series {
                Some(series) => series,
                None => {
                    let path = canonical(&path);
                    Series::new(open(&path)?, path.to_string_lossy().into_owned(), first, limits)
                }
            };
            // Names alone are only remembered.
            series.name(unnamed);
            let (done, worked) = work(&mut series);
            Ok((series, done, worked))
        };
        let work = self.resources.blocking(Component::Logs, "history", work);
        let (done, trouble) = match timeout(self.patience, work).await {
            Ok(Some(Ok((series, done, worked)))) => {
                project.kept = series.kept();
                project.series = Some(series);
                (done, worked.err().map(Trouble::Failed))
            }
            Ok(Some(Err(error))) => (Done::default(), Some(Trouble::Failed(error))),
            Ok(None) => (Done::default(), Some(Trouble::Panicked)),
            Err(_) => (Done::default(), Some(Trouble::Hangs)),
        };
        let metrics = &self.resources.metrics().history;
        metrics.bytes.add(done.bytes);
        metrics.records.add(done.records);
        metrics.lines.add(done.lines);
        metrics.files.add(done.files);
        metrics.removed.add(done.removed);
        metrics.unrecorded.add(lines.saturating_sub(done.lines));
        if let Some(trouble) = trouble {
            (project.failed, project.series) = (true, None);
            metrics.failures.increment();
            self.say(root, &trouble);
        }
        let kept = self.projects.values().map(|project| project.kept).sum();
        metrics.kept_bytes.set(kept);
    }

    fn say(&self, root: &Path, trouble: &Trouble) {
        let what = match trouble {
            Trouble::Failed(error) => error.to_string(),
            Trouble::Hangs => format!("the disk has taken nothing for {:?}", self.patience),
            // That has been told already.
            Trouble::Panicked => "a defect in brummer".to_owned(),
        };
        let root = root.display();
        let message =
            format!("the history of {root} is off until the next start: {what} (lines are kept in memory)");
        let (component, kind) = (Component::Logs, FaultKind::Failure);
        self.resources.fault(Fault { component, place: PLACE, kind, message: message.into() });
    }
}

/// One name for a directory, however it was called.
pub(super) fn canonical(root: &Path) -> PathBuf {
    root.canonicalize().unwrap_or_else(|_| root.to_owned())
}
