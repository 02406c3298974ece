//! Projects in a temporary directory.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// A directory with a `package.json`, gone with the value.
#[derive(Debug)]
pub struct Project {
    _dir: TempDir,
    root: PathBuf,
}

impl Project {
    /// A project with these scripts, in this order.
    pub fn with(scripts: &[(&str, &str)]) -> Self {
        let project = Self::empty();
        let scripts: Map<String, Value> =
            scripts.iter().map(|(name, script)| ((*name).to_owned(), json!(script))).collect();
        let package = json!({ "name": "sample", "version": "1.0.0", "private": true, "scripts": scripts });
        project.write("package.json", &(serde_json::to_string_pretty(&package).unwrap() + "\n"));
        project
    }

    /// A directory with nothing in it.
    pub fn empty() -> Self {
        let dir = tempfile::Builder::new().prefix("brummer-it-").tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        Self { _dir: dir, root }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Writes a file, and the directories above it.
    pub fn write(&self, relative: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes a file that can be executed.
    pub fn program(&self, relative: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.write(relative, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    pub fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).unwrap_or_default()
    }

    pub fn exists(&self, relative: &str) -> bool {
        self.path(relative).exists()
    }
}
