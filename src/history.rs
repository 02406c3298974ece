//! Keeps what processes print in files, so that it outlives the host, the editor and a crash of both.
//!
//! *Flows in:* on [`Recorder`], from the writer of the log store, what it has stored. *Flows out:* files; [`Reader`] reads
//! them, of this host or of any before it. *Bounded:* what waits to be written (4 MiB; while it is full the writer of the
//! log store takes nothing more and the children wait), a file (16 MiB), and all files of a project
//! (`log_store.history_max_mb`), of which the oldest go first. *Lost:* those, counted; what a disk did not take or did not take
//! in [`PATIENCE`], counted; and at a kill of the host what waited.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;

use self::{
    file_name::FileName,
    place::Directory,
    recorder::Queue,
    task::{Opener, Task},
};
use crate::{
    config::LogStoreConfig,
    event::{Component, Timestamp},
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

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
pub(crate) use tests::hanging;

pub use query::{Name, Order, Query, Record, Session, Sessions};
pub use reader::{ReadError, Reader, Records};
pub use recorder::{Begin, Lines, Recorder};

/// How long a disk may take for what it is given before it is given nothing more.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Where a fault that ends a history happened; what the editor calls it.
pub const PLACE: &str = "history";

/// The handle: what is set.
#[derive(Clone)]
pub struct History {
    settings: Arc<watch::Sender<Settings>>,
    base: Option<PathBuf>,
    session: Arc<str>,
}

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

/// Starts the task that writes.
fn record(
    settings: watch::Receiver<Settings>,
    resources: &ResourceManager,
    place: (Opener, FileName, Duration),
) -> Recorder {
    let queue = Arc::new(Queue::default());
    let known = Arc::downgrade(&queue);
    let used = move || known.upgrade().map(|queue| queue.bytes() >> 10);
    resources.metrics().channels.register(Component::Logs, "history (KB)", recorder::ROOM >> 10, used);
    let task = Task::new(Arc::clone(&queue), settings, resources.clone(), place);
    drop(resources.spawn(Component::Logs, "history", task.run()));
    Recorder::new(queue)
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
        let (history, settings) = Self::with(config, Some(base), first.session());
        (history, record(settings, resources, (open, first, PATIENCE)))
    }

    fn with(
        config: &LogStoreConfig,
        base: Option<PathBuf>,
        session: String,
    ) -> (Self, watch::Receiver<Settings>) {
        let (settings, receiver) = watch::channel(Settings::of(config));
        (Self { settings: Arc::new(settings), base, session: session.into() }, receiver)
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
