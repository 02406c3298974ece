//! Where a value stands and what is wrong with it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// A line of a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

/// Something that could not be used. What could is in use all the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file; empty for an environment variable, which is then the key.
    pub file: PathBuf,
    /// The line, from 1; 0 when it is about the file as a whole.
    pub line: usize,
    /// The key with its table, or empty when it is about the file or line as a whole.
    pub key: String,
    /// What is wrong and what to do, one line.
    pub message: String,
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// A file set it.
    File(Place),
    /// This environment variable set it.
    Env(String),
    /// It is in the environment brummer was started in, which wins over what is said here.
    Inherited(Place),
}

// === impl Place ===

impl Place {
    /// The same, the file relative to `root` where it lies in it.
    fn within(&self, root: &Path) -> Self {
        Self { file: self.file.strip_prefix(root).unwrap_or(&self.file).to_owned(), line: self.line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

// === impl Problem ===

impl Problem {
    pub(crate) fn new(file: &Path, line: usize, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, key: key.into(), message: message.into() }
    }

    /// A problem with whatever `source` names.
    pub(crate) fn with(source: &Source, key: &str, message: impl Into<String>) -> Self {
        match source {
            Source::Default => Self::new(Path::new(""), 0, key, message),
            Source::File(place) | Source::Inherited(place) => {
                Self::new(&place.file, place.line, key, message)
            }
            Source::Env(variable) => Self::new(Path::new(""), 0, variable, message),
        }
    }

    /// The same line with the file relative to `root` where it lies in it: short enough for a status line.
    pub fn within(&self, root: &Path) -> String {
        match self.file.strip_prefix(root) {
            Ok(file) => Self { file: file.to_owned(), ..self.clone() }.to_string(),
            Err(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.as_os_str().is_empty(), self.line) {
            (true, _) => {}
            (false, 0) => write!(f, "{}: ", self.file.display())?,
            (false, line) => write!(f, "{}:{line}: ", self.file.display())?,
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

// === impl Source ===

impl Source {
    /// As text, the file relative to `root` where it lies in it.
    pub fn within(&self, root: &Path) -> String {
        match self {
            Self::File(place) => Self::File(place.within(root)).to_string(),
            Self::Inherited(place) => Self::Inherited(place.within(root)).to_string(),
            Self::Default | Self::Env(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(place) => place.fmt(f),
            Self::Env(variable) => f.write_str(variable),
            Self::Inherited(place) => write!(f, "environment, over {place}"),
        }
    }
}
