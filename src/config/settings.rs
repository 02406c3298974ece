//! The settings of a running host: what it goes by, and how new ones reach its components.

use std::path::{Path, PathBuf};

use super::{Change, Config, Loaded, changes, load, load_again};
use crate::sync::Mutex;

/// Hands the live keys to whoever they concern.
type Apply = Box<dyn Fn(&Config) + Send + Sync>;

/// See the module. The settings are those of the project the host was started in.
pub struct Settings {
    root: PathBuf,
    home: Option<PathBuf>,
    /// What the keys that are not live were when the host started.
    started: Loaded,
    /// What was read last.
    current: Mutex<Loaded>,
    apply: Apply,
}

/// What became of a reload.
#[derive(Clone, Debug, Default)]
pub struct Reloaded {
    /// Live keys that have another value now.
    pub applied: Vec<Change>,
    /// Keys that wait for the next start, as long as they differ from what the host started with.
    pub waiting: Vec<Change>,
    /// What was read, and what could not be used of it.
    pub loaded: Loaded,
}

// === impl Settings ===

impl Settings {
    /// Reads the settings of the project at `root`. They reach nobody before [`Settings::connect`].
    pub fn read(root: PathBuf, home: Option<PathBuf>) -> Self {
        let started = load(&root, home.as_deref(), &variable);
        let current = Mutex::new(started.clone());
        Self { root, home, started, current, apply: Box::new(|_| {}) }
    }

    /// Hands the settings of every later [`Settings::reload`] to `apply`.
    pub fn connect(self, apply: impl Fn(&Config) + Send + Sync + 'static) -> Self {
        Self { apply: Box::new(apply), ..self }
    }

    /// The project they come from.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What the host started with.
    pub fn started(&self) -> &Loaded {
        &self.started
    }

    /// Reads the files again and applies what a running host can take. One call at a time: the caller sees to that, so
    /// that no lock is held while the components take their part.
    pub fn reload(&self) -> Reloaded {
        let before = self.current.lock().clone();
        let loaded = load_again(&before, &self.root, self.home.as_deref(), &variable);
        let applied: Vec<_> = changes(&before, &loaded).into_iter().filter(|change| change.live).collect();
        let waiting = changes(&self.started, &loaded).into_iter().filter(|change| !change.live).collect();
        if !applied.is_empty() {
            (self.apply)(&loaded.config);
        }
        // Last, so that what could not be applied is a change again.
        *self.current.lock() = loaded.clone();
        Reloaded { applied, waiting, loaded }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
