//! Which package manager runs the scripts, and who says so.
//!
//! The first of these decides:
//! 1. the field `packageManager` of the nearest `package.json` that has it, because pnpm and corepack refuse to
//!    run in a project that names another manager;
//! 2. `preferred_package_manager` of the configuration, because the user said so and a lock file may be a
//!    leftover;
//! 3. the nearest lock file;
//! 4. npm, which comes with Node.js.
//!
//! "Nearest" looks from the root upwards to the top of the repository, so that a package of a workspace finds
//! what stands at the workspace root, and a lock file forgotten in the home directory decides nothing.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::package_json::{self, PackageJson};
use crate::config::{Config, PackageManagerName, Problem};

/// Lock files, the more telling first: several in one directory are leftovers of a move, mostly from npm.
const LOCK_FILES: [(&str, PackageManagerName); 6] = [
    ("bun.lock", PackageManagerName::Bun),
    ("bun.lockb", PackageManagerName::Bun),
    ("pnpm-lock.yaml", PackageManagerName::Pnpm),
    ("yarn.lock", PackageManagerName::Yarn),
    ("package-lock.json", PackageManagerName::Npm),
    ("npm-shrinkwrap.json", PackageManagerName::Npm),
];

/// The manager of a project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PackageManager {
    /// Which one.
    pub name: PackageManagerName,
    /// Why that one.
    pub asked_by: AskedBy,
}

/// What decided for a manager.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AskedBy {
    /// The field `packageManager` of this file.
    Field {
        /// A `package.json`.
        file: PathBuf,
    },
    /// `preferred_package_manager` of the configuration.
    Setting,
    /// This lock file.
    LockFile {
        /// The lock file.
        file: PathBuf,
    },
    /// Nothing did.
    Nobody,
}

/// Decides for the project at `root`, whose own `package.json` has been read already.
pub(super) fn detect(
    root: &Path,
    own: Option<&PackageJson>,
    config: &Config,
    problems: &mut Vec<Problem>,
) -> PackageManager {
    field(root, own, problems)
        .or_else(|| {
            let name = config.preferred_package_manager?;
            Some(PackageManager { name, asked_by: AskedBy::Setting })
        })
        .or_else(|| directories(root).find_map(lock_file))
        .unwrap_or(PackageManager { name: PackageManagerName::Npm, asked_by: AskedBy::Nobody })
}

fn field(root: &Path, own: Option<&PackageJson>, problems: &mut Vec<Problem>) -> Option<PackageManager> {
    for directory in directories(root) {
        let above;
        let package = if directory == root {
            own
        } else {
            // Its errors are not this project's: it is then as if it had no such field.
            above = package_json::read(directory).ok().flatten();
            above.as_ref()
        };
        let Some((value, line)) = package.and_then(|package| package.package_manager.as_ref()) else {
            continue;
        };
        let file = directory.join(package_json::FILE_NAME);
        // `pnpm@9.1.0+sha512.…`
        let name = value.split('@').next().unwrap_or_default().trim();
        if let Some(name) = PackageManagerName::from_name(name) {
            return Some(PackageManager { name, asked_by: AskedBy::Field { file } });
        }
        let name: String = name.chars().take(24).collect();
        let message = format!("{name:?} is not npm, yarn, pnpm or bun; it is ignored");
        problems.push(Problem::new(&file, *line, "packageManager", message));
    }
    None
}

fn lock_file(directory: &Path) -> Option<PackageManager> {
    LOCK_FILES.iter().find_map(|(file, name)| {
        let file = directory.join(file);
        let found = file.is_file();
        found.then_some(PackageManager { name: *name, asked_by: AskedBy::LockFile { file } })
    })
}

/// `root` and the directories above it, up to the one that is the repository.
fn directories(root: &Path) -> impl Iterator<Item = &Path> {
    let mut inside = true;
    root.ancestors().take_while(move |directory| {
        let this = inside;
        inside = inside && !directory.join(".git").exists();
        this
    })
}

// === impl PackageManager ===

impl fmt::Display for PackageManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}
