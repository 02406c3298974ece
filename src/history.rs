//! Keeps what processes print in files, so that it outlives the host, the editor and a crash of both.
//!
//! *Flows in:* on [`Recorder`], from the writer of the log store, what it has stored. *Flows out:* files; [`Reader`] reads
//! them, of this host or of any before it. *Bounded:* what waits to be written (4 MiB; while it is full the writer of the
//! log store takes nothing more and the children wait), a file (16 MiB), and all files of a project
//! (`log_store.history_max_mb`), of which the oldest go first; those of projects unused for `log_store.history_days` go when
//! a host starts. *Lost:* those, counted; what a disk did not take or did not take in [`PATIENCE`], counted; and at a kill of
//! the host what waited.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

use self::{
    file_name::FileName,
    place::Directory,
    recorder::Queue,
    task::{Opener, Place, Task},
};
use crate::{
    config::LogStoreConfig,
    event::{Component, Seq, Timestamp},
    resource::ResourceManager,
};

mod file_name;
mod format;
mod place;
mod query;
mod reader;
mod recorder;
mod series;
mod task;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;
mod unused;

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
pub(crate) use tests::Hanging;

pub use query::{Name, Order, Query, Record, Session, Sessions};
pub use reader::{ReadError, Reader, Records};
pub use recorder::{Begin, Lines, Recorder};

/// How long a disk may take for what it is given before it is given nothing more.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Where a fault that ends a history happened; what the editor calls it.
pub const PLACE: &str = "history";

/// How long a reader waits for what is on its way to a disk: longer than a disk that hangs can hold it up.
const SETTLE: Duration = Duration::from_secs(2 * PATIENCE.as_secs());

/// The handle: what is set, and where it is read.
#[derive(Clone)]
pub struct History {
    settings: Arc<watch::Sender<Settings>>,
    base: Option<PathBuf>,
    session: Arc<str>,
    /// What waits to be written, until the recorder is gone.
    queue: Weak<Queue>,
}

/// What was printed last is still on its way to the disk, after as long a time as that may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("what was printed last is still on its way to the disk, which is slow: try again")]
pub struct Unsettled;

/// What can change while the host runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Settings {
    on: bool,
    /// Bytes of all files of a project.
    bytes: u64,
}

/// Where histories are: `$XDG_STATE_HOME/brummer/history`, or below `~/.local/state`. `None` without a home.
pub fn directory(env: &dyn Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    let absolute = |name| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("brummer/history"))
}

/// A day, in milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1000;

/// Starts the task that writes.
fn record(
    settings: watch::Receiver<Settings>,
    resources: &ResourceManager,
    place: Place,
) -> (Recorder, Weak<Queue>) {
    let queue = Arc::new(Queue::default());
    let known = Arc::downgrade(&queue);
    let used = move || known.upgrade().map(|queue| queue.bytes() >> 10);
    resources.metrics().channels.register(Component::Logs, "history (KB)", recorder::ROOM >> 10, used);
    let task = Task::new(Arc::clone(&queue), settings, resources.clone(), place);
    drop(resources.spawn(Component::Logs, "history", task.run()));
    let known = Arc::downgrade(&queue);
    (Recorder::new(queue), known)
}

// === impl History ===

impl History {
    /// Starts to record below `base`; without one nothing is recorded, and that is all. Nothing is written before the
    /// first line.
    pub fn start(
        config: &LogStoreConfig,
        base: Option<PathBuf>,
        resources: &ResourceManager,
    ) -> (Self, Recorder) {
        let Some(base) = base else {
            tracing::warn!("There is no home directory: no history is kept.");
            return (Self::with(config, None, String::new()).0, Recorder::off());
        };
        let below = base.clone();
        let open: Opener = Arc::new(move |root| Ok(Box::new(Directory::make(&below, root)?)));
        let first = FileName { started: Timestamp::now(), pid: std::process::id(), number: 1 };
        let clear = config.history.then(|| {
            let days = u64::try_from(config.history_days).unwrap_or(u64::MAX);
            (base.clone(), Timestamp(first.started.0.saturating_sub(days.saturating_mul(DAY))))
        });
        Self::start_on(config, base, resources, Place { open, first, patience: PATIENCE, clear })
    }

    fn start_on(
        config: &LogStoreConfig,
        base: PathBuf,
        resources: &ResourceManager,
        place: Place,
    ) -> (Self, Recorder) {
        let (mut history, settings) = Self::with(config, Some(base), place.first.session());
        let (recorder, queue) = record(settings, resources, place);
        history.queue = queue;
        (history, recorder)
    }

    fn with(
        config: &LogStoreConfig,
        base: Option<PathBuf>,
        session: String,
    ) -> (Self, watch::Receiver<Settings>) {
        let (settings, receiver) = watch::channel(Settings::of(config));
        (Self { settings: Arc::new(settings), base, session: session.into(), queue: Weak::new() }, receiver)
    }

    /// Waits until what has been stored by now can be read, or is known never to be.
    ///
    /// # Errors
    /// It takes longer than a disk may hang.
    pub async fn settled(&self) -> Result<(), Unsettled> {
        let Some(queue) = self.queue.upgrade() else { return Ok(()) };
        let (ack, written) = oneshot::channel();
        queue.end(Seq(0), ack);
        // Not answered where the host is ending: then all of it has been written.
        timeout(SETTLE, written).await.map(drop).map_err(|_| Unsettled)
    }

    /// Where histories are; none without a home.
    pub fn base(&self) -> Option<&Path> {
        self.base.as_deref()
    }

    /// The name of this host's session.
    pub fn session(&self) -> &Arc<str> {
        &self.session
    }

    /// What has been recorded of the project at `root`, by this host and those before it. Blocks: not for a task.
    ///
    /// # Errors
    /// It is not the user's own, or cannot be read.
    pub fn read(&self, root: &Path) -> Result<Option<Reader>, ReadError> {
        self.base.as_ref().map(|base| Reader::open(base, root)).transpose()
    }

    /// Uses new settings from now on: `history` and `history_max_mb`.
    pub fn reconfigure(&self, config: &LogStoreConfig) {
        self.settings.send_replace(Settings::of(config));
    }
}

// === impl Settings ===

impl Settings {
    fn of(config: &LogStoreConfig) -> Self {
        Self { on: config.history, bytes: (config.history_max_mb as u64) << 20 }
    }
}
