//! What a command is for, as its name says.

use crate::project::Script;

/// What a command is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verb {
    /// It runs the program.
    Run,
    /// It runs on until it is stopped: a server, a watcher.
    Serve,
    /// It builds.
    Build,
    /// It tests.
    Test,
    /// Anything else.
    Other,
}

// === impl Verb ===

impl Verb {
    /// What a task of that name is for; `dev:web`, `web-dev` and `devServer` are as `dev`.
    pub(super) fn of(name: &str) -> Self {
        let part = |word: &str| match word.to_ascii_lowercase().as_str() {
            "dev" | "start" | "serve" | "server" | "watch" | "up" => Some(Self::Serve),
            "run" => Some(Self::Run),
            "build" | "compile" => Some(Self::Build),
            "test" | "tests" => Some(Self::Test),
            _ => None,
        };
        let mut parts = name.split([':', '-', '_', '.', '/', ' ']);
        let first = parts.next().unwrap_or_default();
        let camel = first.find(char::is_uppercase).map_or(first, |at| &first[..at]);
        let words = [Some(name), Some(first), Some(camel), parts.next_back()];
        words.into_iter().flatten().find_map(part).unwrap_or(Self::Other)
    }

    /// How much likelier it is to be meant than another task of the same file.
    pub(super) fn bonus(self) -> u8 {
        match self {
            Self::Run | Self::Serve => 8,
            Self::Build | Self::Test => 4,
            Self::Other => 0,
        }
    }

    /// The script with the marks of its use.
    pub(super) fn mark(self, script: Script) -> Script {
        let group = match self {
            Self::Run | Self::Serve => Some("run"),
            Self::Build => Some("build"),
            Self::Test => Some("test"),
            Self::Other => None,
        };
        Script { group: group.map(str::to_owned), background: self == Self::Serve, ..script }
    }
}
