//! Which package manager runs the scripts, and who says so.
//!
//! The first of these decides:
//! 1. the field `packageManager` of the nearest `package.json` that has it, with or without the hash that corepack
//!    writes, or else its `devEngines.packageManager`: pnpm and corepack refuse to run in a project that names another
//!    manager;
//! 2. `preferred_package_manager` of the configuration, because the user said so and a lock file may be a
//!    leftover;
//! 3. `engines` of the nearest `package.json` where it asks for one of yarn, pnpm, bun and deno. npm there decides
//!    nothing: it comes with every Node.js, and templates name it;
//! 4. the nearest lock file, or another file that only one manager has;
//! 5. npm, which comes with Node.js.
//!
//! "Nearest" looks from the root upwards to the top of the repository, so that a package of a workspace finds
//! what stands at the workspace root, and a lock file forgotten in the home directory decides nothing.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{
    document,
    package_json::{self, PackageJson},
    workspace,
};
use crate::config::{Config, PackageManagerName, Problem};

/// Lock files, the more telling first: several in one directory are leftovers of a move, mostly from npm. Then what only
/// one manager has, for a project that has not been installed yet.
const LOCK_FILES: [(&str, PackageManagerName); 10] = [
    ("bun.lock", PackageManagerName::Bun),
    ("bun.lockb", PackageManagerName::Bun),
    ("pnpm-lock.yaml", PackageManagerName::Pnpm),
    ("yarn.lock", PackageManagerName::Yarn),
    ("package-lock.json", PackageManagerName::Npm),
    ("npm-shrinkwrap.json", PackageManagerName::Npm),
    ("deno.lock", PackageManagerName::Deno),
    ("pnpm-workspace.yaml", PackageManagerName::Pnpm),
    (".yarnrc.yml", PackageManagerName::Yarn),
    ("bunfig.toml", PackageManagerName::Bun),
];

/// The manager of a project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PackageManager {
    /// Which one.
    pub name: PackageManagerName,
    /// Which version, where `packageManager` says so.
    pub version: Option<String>,
    /// Why that one.
    pub asked_by: AskedBy,
}

/// What decided for a manager.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AskedBy {
    /// A field of a `package.json`.
    Field {
        /// `packageManager`, `devEngines.packageManager` or `engines`.
        field: &'static str,
        /// The `package.json`.
        file: PathBuf,
    },
    /// `preferred_package_manager` of the configuration.
    Setting,
    /// This lock file, or another file that only this manager has.
    LockFile {
        /// The file.
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
    // The errors of a file above are not this project's: it is then as if it were not there.
    let above: Vec<_> = directories(root)
        .skip(1)
        .filter_map(|directory| Some((directory, package_json::read(directory).ok().flatten()?)))
        .collect();
    let packages = || {
        let own = own.map(|own| (root, own));
        own.into_iter().chain(above.iter().map(|(directory, package)| (*directory, package)))
    };
    packages()
        .find_map(|(directory, package)| field(directory, package, problems))
        .or_else(|| Some(PackageManager::new(config.preferred_package_manager?, AskedBy::Setting)))
        .or_else(|| packages().find_map(|(directory, package)| engines(directory, package)))
        .or_else(|| directories(root).find_map(lock_file))
        .unwrap_or(PackageManager::new(PackageManagerName::Npm, AskedBy::Nobody))
}

/// What `packageManager`, else `devEngines.packageManager`, asks for. One that is not known is passed over.
fn field(directory: &Path, package: &PackageJson, problems: &mut Vec<Problem>) -> Option<PackageManager> {
    let file = || directory.join(package_json::FILE_NAME);
    let mut known = |name: &str, line: usize, field: &'static str| {
        let found = PackageManagerName::from_name(name.trim());
        if found.is_none() {
            let name: String = name.chars().take(24).collect();
            let message = format!("{name:?} is not npm, yarn, pnpm, bun or deno; it is ignored");
            problems.push(Problem::new(&file(), line, field, message));
        }
        Some(PackageManager::new(found?, AskedBy::Field { field, file: file() }))
    };
    if let Some((value, line)) = &package.package_manager {
        // `pnpm@9.1.0+sha512.…`
        let (name, version) = value.split_once('@').unwrap_or((value, ""));
        let version = version.split('+').next().filter(|version| !version.is_empty());
        if let Some(manager) = known(name, *line, "packageManager") {
            return Some(PackageManager { version: version.map(str::to_owned), ..manager });
        }
    }
    package.dev_engines.iter().find_map(|(name, line)| known(name, *line, "devEngines.packageManager"))
}

/// The one manager `engines` asks for. Several are what the package works with, not what it is worked on with.
fn engines(directory: &Path, package: &PackageJson) -> Option<PackageManager> {
    let mut asked = package
        .engines
        .iter()
        .filter_map(|(name, _)| PackageManagerName::from_name(name))
        .filter(|name| *name != PackageManagerName::Npm);
    let name = asked.next().filter(|_| asked.next().is_none())?;
    let file = directory.join(package_json::FILE_NAME);
    Some(PackageManager::new(name, AskedBy::Field { field: "engines", file }))
}

fn lock_file(directory: &Path) -> Option<PackageManager> {
    let found = LOCK_FILES.iter().find_map(|(file, name)| {
        let file = directory.join(file);
        file.is_file().then_some((file, *name))
    });
    let (file, name) = found.or_else(|| rush(directory))?;
    Some(PackageManager::new(name, AskedBy::LockFile { file }))
}

/// Rush keeps its lock file elsewhere, and says in `rush.json` whose it is: `"pnpmVersion": "9.1.0"`.
fn rush(directory: &Path) -> Option<(PathBuf, PackageManagerName)> {
    let file = directory.join(workspace::RUSH_FILE);
    let settings = document::read(&file).ok().flatten()?;
    let manager = [PackageManagerName::Pnpm, PackageManagerName::Yarn, PackageManagerName::Npm]
        .into_iter()
        .find(|manager| settings.get(&format!("{manager}Version")).is_some())?;
    Some((file, manager))
}

/// `root` and the directories above it, up to the one that is the repository.
pub(super) fn directories(root: &Path) -> impl Iterator<Item = &Path> {
    let mut inside = true;
    root.ancestors().take_while(move |directory| {
        let this = inside;
        inside = inside && !directory.join(".git").exists();
        this
    })
}

// === impl PackageManager ===

impl PackageManager {
    fn new(name: PackageManagerName, asked_by: AskedBy) -> Self {
        Self { name, version: None, asked_by }
    }

    /// Its word for running a script.
    pub(super) fn verb(&self) -> &'static str {
        if self.name == PackageManagerName::Deno { "task" } else { "run" }
    }
}

impl fmt::Display for PackageManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}
