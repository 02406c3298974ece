//! The task that writes: takes what waits, a good deal at a time, and has it written where waiting harms nobody.
//!
//! A disk that fails or takes longer than [`PATIENCE`](super::PATIENCE) is given nothing more: the history of that project is
//! off until the host ends, which is said once. What hangs in the kernel keeps its thread and its permit.

use std::{
    collections::HashMap,
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
    recorder::{Entry, Group, Queue},
    series::{Done, Limits, Names, Series},
    unused,
};
use crate::{
    event::{Component, Fault, FaultKind, ProcessId, Seq, Timestamp},
    resource::ResourceManager,
};

/// Opens the place of a project. A test has its own.
pub(super) type Opener = Arc<dyn Fn(&Path) -> io::Result<Box<dyn Disk>> + Send + Sync>;

/// Where is written, and how.
pub(super) struct Place {
    pub(super) open: Opener,
    /// The first file of this session.
    pub(super) first: FileName,
    pub(super) patience: Duration,
    /// Where histories that have not been written since then are removed before anything is written.
    pub(super) clear: Option<(PathBuf, Timestamp)>,
}

/// See above.
pub(super) struct Task {
    queue: Arc<Queue>,
    settings: watch::Receiver<Settings>,
    resources: ResourceManager,
    place: Place,
    /// The project of each process that is recorded.
    roots: HashMap<ProcessId, Arc<Path>>,
    projects: HashMap<Arc<Path>, Project>,
    now: Settings,
}

/// What is known of one project.
#[derive(Default)]
struct Project {
    /// Each process's name, until there is a series that knows it.
    unnamed: Names,
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
        place: Place,
    ) -> Self {
        let now = *settings.borrow_and_update();
        queue.record(now.on);
        let (roots, projects) = (HashMap::new(), HashMap::new());
        let task = Self { queue, settings, resources, place, roots, projects, now };
        task.tell_limit();
        task
    }

    /// Writes until the recorder is gone and all of it is written.
    pub(super) async fn run(mut self) {
        self.clear().await;
        // A handle that is gone has nothing more to say.
        let mut heard = true;
        loop {
            if heard && self.settings.has_changed().unwrap_or(false) {
                self.adjust().await;
            }
            tokio::select! {
                () = self.queue.ready() => {}
                changed = self.settings.changed(), if heard => {
                    heard = changed.is_ok();
                    self.settings.mark_changed();
                    continue;
                }
            }
            let Some(group) = self.queue.take() else { return };
            let cost = group.cost();
            let (answers, place) = self.write(group).await;
            self.queue.written(cost, place);
            for (last, ack) in answers {
                // Whoever asked and went away does not want the answer.
                ack.send(last).ok();
            }
        }
    }

    /// Removes what nobody uses any more. A disk that hangs there will be found to hang where it matters.
    async fn clear(&mut self) {
        let Some((base, before)) = self.place.clear.take() else { return };
        let work = move || unused::remove(&base, before);
        let work = self.resources.blocking(Component::Logs, "unused histories", work);
        if let Ok(Some(Ok(removed))) = timeout(self.place.patience, work).await {
            self.resources.metrics().history.removed.add(removed);
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

    /// Writes a group, each project's records on their own. Returns its place, too, unless that is still being written from.
    async fn write(&mut self, group: Group) -> (Answers, Option<Vec<u8>>) {
        let mut answers = Answers::new();
        let mut pieces: HashMap<Arc<Path>, Vec<Piece>> = HashMap::new();
        for entry in group.entries {
            match entry {
                Entry::Begin { process, root, piece } => {
                    self.roots.insert(process, Arc::clone(&root));
                    pieces.entry(root).or_default().push(piece);
                }
                // What no Begin told of is a log of another host.
                Entry::Lines { process, piece } => {
                    if let Some(root) = self.roots.get(&process) {
                        pieces.entry(Arc::clone(root)).or_default().push(piece);
                    }
                }
                Entry::End { last, ack } => answers.push((last, ack)),
            }
        }
        let bytes = Arc::new(group.bytes);
        for (root, pieces) in pieces {
            self.append(&root, &bytes, pieces).await;
        }
        (answers, Arc::into_inner(bytes))
    }

    async fn append(&mut self, root: &Arc<Path>, bytes: &Arc<Vec<u8>>, pieces: Vec<Piece>) {
        let lines = pieces.iter().map(|piece| u64::from(piece.lines)).sum();
        let project = self.projects.entry(Arc::clone(root)).or_default();
        if project.failed {
            self.resources.metrics().history.unrecorded.add(lines);
        } else if !self.now.on || (lines == 0 && project.series.is_none()) {
            // Nothing is made for what has printed nothing, and names are needed once it is switched on.
            let named = |piece: Piece| Some((piece.names?, bytes[piece.range].to_vec()));
            project.unnamed.extend(pieces.into_iter().filter_map(named));
        } else {
            let bytes = Arc::clone(bytes);
            self.with(root, lines, move |series| series.append(&bytes, &pieces)).await;
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
        let (open, first, limits) =
            (Arc::clone(&self.place.open), self.place.first, Limits::of(self.now.bytes));
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
        let (done, trouble) = match timeout(self.place.patience, work).await {
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
            Trouble::Hangs => format!("the disk has taken nothing for {:?}", self.place.patience),
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
