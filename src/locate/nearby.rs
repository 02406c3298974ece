//! The files of a project by their names: for tools that print a path from a folder nobody told us, as
//! `go test` and Java's frames do.

use std::{
    collections::HashMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// How many files are remembered; those of a larger project beyond it are not found this way.
const FILES: usize = 50_000;
/// How deep folders are followed.
const DEPTH: usize = 16;
/// Folders that hold no sources of the project.
const SKIPPED: &[&str] =
    &["node_modules", "target", "__pycache__", "venv", "site-packages", "bower_components"];

/// A picture of the project's files, taken once.
#[derive(Debug, Default)]
pub(super) struct Nearby {
    files: HashMap<OsString, Vec<PathBuf>>,
}

// === impl Nearby ===

impl Nearby {
    pub(super) fn of(root: &Path) -> Self {
        let mut nearby = Self::default();
        let mut left = FILES;
        let mut folders = vec![(root.to_owned(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                let name = entry.file_name();
                // A link is not followed, so a folder is seen once.
                let Ok(kind) = entry.file_type() else { continue };
                let hidden = name.as_encoded_bytes().starts_with(b".");
                if kind.is_dir() {
                    let skipped = hidden || SKIPPED.iter().any(|skipped| name == **skipped);
                    if !skipped && depth < DEPTH {
                        folders.push((entry.path(), depth + 1));
                    }
                } else if kind.is_file() {
                    if left == 0 {
                        return nearby;
                    }
                    left -= 1;
                    nearby.files.entry(name).or_default().push(entry.path());
                }
            }
        }
        nearby
    }

    /// The files whose path ends with this one.
    pub(super) fn ending_with(&self, path: &Path) -> Vec<&PathBuf> {
        let Some(files) = path.file_name().and_then(|name| self.files.get(name)) else { return Vec::new() };
        files.iter().filter(|file| file.ends_with(path)).collect()
    }
}
