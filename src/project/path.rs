//! Finding programs along PATH.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// The directories programs are looked for in, read once from a PATH given by the caller.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PathLookup {
    /// The variable as it was.
    text: OsString,
    directories: Vec<PathBuf>,
}

// === impl PathLookup ===

impl PathLookup {
    /// From the text of a PATH variable. Empty and relative entries are left out: what they mean depends on where
    /// the host happens to run, and a program of that name in the project must not be run by surprise.
    pub fn new(path: &OsStr) -> Self {
        Self {
            text: path.to_owned(),
            directories: std::env::split_paths(path).filter(|directory| directory.is_absolute()).collect(),
        }
    }

    /// From the host's own PATH, as it is now.
    pub fn from_env() -> Self {
        Self::new(&std::env::var_os("PATH").unwrap_or_default())
    }

    /// The text it was made from.
    pub(super) fn text(&self) -> &OsStr {
        &self.text
    }

    /// The first file of that name that may be executed, by absolute path.
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        self.directories.iter().map(|directory| directory.join(program)).find(|file| is_executable(file))
    }
}

/// Whether it is a file that may be executed.
pub(super) fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
