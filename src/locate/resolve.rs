//! From a path as printed to a file that exists, and from a tool's column to a byte.

use super::{Place, column, nearby::Nearby};
use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Component, Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// How far into a file a line is looked for, in bytes.
const READ: u64 = 16 << 20;

/// Finds the files that places name.
///
/// It reads the file system each time it is asked, and remembers one thing: which files the project has,
/// looked up once when a path is found neither from the working directory nor from the root. Make a new one
/// for each run, so that the picture does not grow old. Clones share it.
#[derive(Clone, Debug)]
pub struct Resolver {
    cwd: PathBuf,
    root: PathBuf,
    nearby: Arc<OnceLock<Nearby>>,
}

/// A place that exists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Location {
    /// The file, absolute.
    pub file: PathBuf,
    /// The line, counted from 1: 1 when the tool named the file only. It may be past the end.
    pub line: u32,
    /// The column as a byte of that line, counted from 1.
    pub col: Option<u32>,
}

/// Why a place could not be found, worded for the user.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unresolved {
    /// No such file.
    #[error("{file} does not exist (looked in {})", list(.looked))]
    Missing {
        /// The path as printed.
        file: String,
        /// The folders it was looked for in.
        looked: Vec<PathBuf>,
    },
    /// Several files of the project end with this path.
    #[error("{file} could be {}", list(.candidates))]
    Ambiguous {
        /// The path as printed.
        file: String,
        /// Those files, the first few.
        candidates: Vec<PathBuf>,
    },
    /// It is there and is no file.
    #[error("{file} is a directory")]
    Directory {
        /// The path as printed.
        file: String,
    },
}

fn list(folders: &[PathBuf]) -> String {
    let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    folders.join(", ")
}

// === impl Resolver ===

impl Resolver {
    /// A resolver for a process that runs in `cwd`, of the project at `root`.
    #[must_use]
    pub fn new(cwd: impl Into<PathBuf>, root: impl Into<PathBuf>) -> Self {
        Self { cwd: cwd.into(), root: root.into(), nearby: Arc::default() }
    }

    /// The folder that relative paths start in.
    #[must_use]
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// Finds a place.
    ///
    /// # Errors
    ///
    /// When no file of that name is where the path points from the working directory or the project root.
    pub fn resolve(&self, place: &Place) -> Result<Location, Unresolved> {
        let file = self.file(&place.file)?;
        let line = place.line.unwrap_or(1).max(1);
        let col = place.col.and_then(|col| match read_line(&file, line) {
            Some(text) => column::byte(col, &text),
            None => column::unread(col),
        });
        Ok(Location { file, line, col })
    }

    fn file(&self, printed: &str) -> Result<PathBuf, Unresolved> {
        let path = Path::new(printed);
        let mut looked: Vec<PathBuf> = Vec::new();
        let mut directory = false;
        if path.is_absolute() {
            match probe(path) {
                Probe::File(file) => return Ok(file),
                Probe::Directory => directory = true,
                Probe::Nothing => {}
            }
            // A dev server prints `/src/a.ts` for a file of its root.
            if let Ok(below) = path.strip_prefix("/")
                && let Probe::File(file) = probe(&self.root.join(below))
            {
                return Ok(file);
            }
            looked.push(path.parent().unwrap_or(path).to_owned());
        } else {
            for folder in [&self.cwd, &self.root] {
                if looked.contains(folder) {
                    continue;
                }
                match probe(&folder.join(path)) {
                    Probe::File(file) => return Ok(file),
                    Probe::Directory => directory = true,
                    Probe::Nothing => {}
                }
                looked.push(folder.clone());
            }
            if !directory && let Some(found) = self.suffix(path) {
                return found;
            }
        }
        let file = printed.to_owned();
        Err(if directory { Unresolved::Directory { file } } else { Unresolved::Missing { file, looked } })
    }
}

impl Resolver {
    /// The one file of the project that ends with this path.
    fn suffix(&self, path: &Path) -> Option<Result<PathBuf, Unresolved>> {
        let plain: PathBuf =
            path.components().skip_while(|part| !matches!(part, Component::Normal(_))).collect();
        let nearby = self.nearby.get_or_init(|| Nearby::of(&self.root));
        let mut found = nearby.ending_with(&plain);
        match found.as_slice() {
            [] => None,
            [one] => match probe(one) {
                Probe::File(file) => Some(Ok(file)),
                Probe::Directory | Probe::Nothing => None,
            },
            _ => {
                found.sort();
                found.truncate(4);
                let candidates = found.into_iter().cloned().collect();
                Some(Err(Unresolved::Ambiguous { file: path.display().to_string(), candidates }))
            }
        }
    }
}

enum Probe {
    File(PathBuf),
    Directory,
    Nothing,
}

/// What a path leads to. Only ordinary files are places: opening a pipe or a device could wait for ever.
fn probe(path: &Path) -> Probe {
    match std::fs::metadata(path) {
        Ok(data) if data.is_file() => {
            let plain = normalise(path);
            let same = plain == path || std::fs::metadata(&plain).is_ok_and(|data| data.is_file());
            Probe::File(if same { plain } else { path.to_owned() })
        }
        Ok(data) if data.is_dir() => Probe::Directory,
        _ => Probe::Nothing,
    }
}

/// Takes `.` and `..` out by spelling.
pub(super) fn normalise(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !plain.pop() {
                    plain.push("..");
                }
            }
            other => plain.push(other),
        }
    }
    plain
}

/// One line of a file, without its end.
fn read_line(file: &Path, line: u32) -> Option<String> {
    let mut reader = BufReader::new(File::open(file).ok()?.take(READ));
    let mut bytes = Vec::new();
    for _ in 0..line {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes).ok()? == 0 {
            return None;
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    Some(text.trim_end_matches(['\n', '\r']).to_owned())
}
