//! Keeps what processes print in files, so that it outlives the host, the editor and a crash of both.
//!
//! *Flows in:* on [`Recorder`], from the writer of the log store, what it has stored. *Flows out:* files; [`Reader`] reads
//! them, of this host or of any before it. *Bounded:* what waits to be written (4 MiB; while it is full the writer of the
//! log store takes nothing more and the children wait), a file (16 MiB), and all files of a project
//! (`log_store.history_max_mb`), of which the oldest go first. *Lost:* those, counted; what a disk did not take or did not take
//! in [`PATIENCE`], counted; and at a kill of the host what waited.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{config::LogStoreConfig, resource::ResourceManager};

mod query;
mod reader;
mod recorder;

pub use query::{Name, Order, Query, Record, Session, Sessions};
pub use reader::{ReadError, Reader};
use recorder::Queue;
pub use recorder::{Begin, Lines, Recorder};

/// How long a disk may take for what it is given before it is given nothing more.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The handle: what is set.
#[derive(Clone)]
pub struct History {
    settings: Arc<watch::Sender<Settings>>,
    base: Option<PathBuf>,
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

// === impl History ===

impl History {
    /// Starts to record below `base`, where there is one. Nothing is written before the first line.
    pub fn start(
        config: &LogStoreConfig,
        base: Option<PathBuf>,
        resources: &ResourceManager,
    ) -> (Self, Recorder) {
        let _ = resources;
        let (settings, _) = watch::channel(Settings::of(config));
        let queue = Arc::new(Queue::default());
        (Self { settings: Arc::new(settings), base }, Recorder::new(queue))
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
