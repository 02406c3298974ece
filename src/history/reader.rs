//! Reads what hosts have recorded of a project, also while they write.

use std::path::Path;

use super::{Query, Record, Session};

/// The history of one project, as it was when it was opened. Blocks: not for a task.
#[derive(Debug)]
pub struct Reader {
    sessions: Vec<Session>,
}

/// Why a history, or a part of it, cannot be read. Worded for the user.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub(super) String);

// === impl Reader ===

impl Reader {
    /// The history of the project at `root` among those in `base`; one without sessions where nothing was recorded.
    ///
    /// # Errors
    /// It is not the user's own, or cannot be read.
    pub fn open(base: &Path, root: &Path) -> Result<Self, ReadError> {
        let _ = (base, root);
        Ok(Self { sessions: Vec::new() })
    }

    /// The sessions, the newest first.
    pub fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// What the query asks for. A file that cannot be read is one error, and the next one follows.
    pub fn records(&self, query: Query) -> impl Iterator<Item = Result<Record, ReadError>> + use<> {
        let _ = query;
        std::iter::empty()
    }
}
