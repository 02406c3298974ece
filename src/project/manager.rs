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
const LOCK_FILES: [(&str, PackageManagerName); 12] = [
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
    ("deno.json", PackageManagerName::Deno),
    ("deno.jsonc", PackageManagerName::Deno),
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

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use std::fs;

    use super::*;

    /// What decides in a repository with these files, and what is told.
    fn decided(files: &[(&str, &str)]) -> String {
        let dir = tempfile::TempDir::new().unwrap();
        let root = dir.path().join("web");
        fs::create_dir_all(&root).unwrap();
        fs::create_dir(dir.path().join(".git")).unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let own = package_json::read(&root).unwrap();
        let mut problems = Vec::new();
        let manager = detect(&root, own.as_ref(), &Config::default(), &mut problems);
        let version = manager.version.iter().map(|version| format!("@{version}"));
        let why = match &manager.asked_by {
            AskedBy::Field { field, file } => {
                format!("{field} in {}", file.strip_prefix(dir.path()).unwrap().display())
            }
            AskedBy::LockFile { file } => file.strip_prefix(dir.path()).unwrap().display().to_string(),
            other => format!("{other:?}"),
        };
        let problems = problems.iter().map(|problem| format!("; {}", problem.within(dir.path())));
        version.fold(manager.to_string(), |all, version| all + &version)
            + ": "
            + &why
            + &problems.collect::<String>()
    }

    #[test]
    fn each_field_has_its_weight() {
        let dev = r#"{ "devEngines": { "packageManager": { "name": "pnpm", "version": "^9", "onFail": "error" } } }"#;
        assert_eq!(
            decided(&[("web/package.json", dev)]),
            "pnpm: devEngines.packageManager in web/package.json"
        );
        let several =
            "{ \"devEngines\": { \"packageManager\": [\n{ \"name\": \"cnpm\" },\n{ \"name\": \"bun\" }] } }";
        assert_eq!(
            decided(&[("web/package.json", several)]),
            "bun: devEngines.packageManager in web/package.json; web/package.json:2: devEngines.packageManager: \"cnpm\" is not npm, yarn, pnpm, bun or deno; it is ignored"
        );
        let both = r#"{ "packageManager": "yarn@4.1.0+sha224.fd21d9", "devEngines": { "packageManager": { "name": "npm" } }, "engines": { "pnpm": "9" } }"#;
        assert_eq!(
            decided(&[("web/package.json", both), ("web/bun.lock", "")]),
            "yarn@4.1.0: packageManager in web/package.json"
        );
        // The nearer one, whichever of the two it is.
        let field = r#"{ "packageManager": "npm@11.0.0" }"#;
        assert_eq!(
            decided(&[("package.json", field), ("web/package.json", dev)]),
            "pnpm: devEngines.packageManager in web/package.json"
        );
    }

    #[test]
    fn engines_decide_where_they_ask_for_one_manager_that_is_not_npm() {
        let engines = |engines: &str| {
            let package = format!("{{ \"engines\": {{ \"node\": \">=18\", {engines} }} }}");
            decided(&[("package.json", &package), ("web/package.json", "{}"), ("package-lock.json", "{}")])
        };
        assert_eq!(engines(r#""pnpm": ">=8""#), "pnpm: engines in package.json");
        assert_eq!(engines(r#""yarn": "^1.22""#), "yarn: engines in package.json");
        assert_eq!(engines(r#""npm": ">=9""#), "npm: package-lock.json", "npm comes with Node.js");
        assert_eq!(engines(r#""npm": "please-use-yarn", "yarn": "*""#), "yarn: engines in package.json");
        assert_eq!(engines(r#""yarn": "please use npm 9""#), "npm: package-lock.json");
        assert_eq!(
            engines(r#""yarn": ">=1", "pnpm": ">=8""#),
            "npm: package-lock.json",
            "it works with either"
        );
    }

    #[test]
    fn files_that_only_one_manager_has_tell_of_it() {
        let file = |name: &str, text: &str| decided(&[(name, text)]);
        assert_eq!(file("bun.lockb", "\0"), "bun: bun.lockb");
        assert_eq!(file("deno.lock", "{}"), "deno: deno.lock");
        assert_eq!(file("web/pnpm-workspace.yaml", ""), "pnpm: web/pnpm-workspace.yaml");
        assert_eq!(file(".yarnrc.yml", ""), "yarn: .yarnrc.yml");
        assert_eq!(file("rush.json", "// Rush\n{ \"yarnVersion\": \"1.22.22\", }"), "yarn: rush.json");
        assert_eq!(file("deno.jsonc", "{}"), "deno: deno.jsonc");
        assert_eq!(file("rush.json", "broken"), "npm: Nobody");
        assert_eq!(decided(&[("web/yarn.lock", ""), ("web/package-lock.json", "")]), "yarn: web/yarn.lock");
    }
}
