//! The commands of every ecosystem but JavaScript's: build tools, language tools, files that list tasks or services.
//!
//! In: the files of one directory, and those they name. Out: [`Script`]s, the [`Package`]s of workspaces, and a
//! [`Problem`] for each file that could not be used. Files are read and nothing else: no tool is asked, nothing is run.
//! So what only a tool can know (a task made by a loop, a target whose name is computed) is not found.
//!
//! Bounded: a file larger than 1 MiB is left out, a family gives at most [`finder::MAX_SCRIPTS`] scripts, a directory is
//! listed up to [`finder::MAX_ENTRIES`] entries; each is told.
//!
//! Names are what one would type (`cargo run`, `make test`, `just build`), the first to have a name keeps it, in the order of
//! [`FAMILIES`]. Tasks that people named themselves also answer to their bare name.

mod cargo;
mod compose;
mod dart;
mod dotnet;
mod elixir;
mod finder;
mod glob;
mod go;
mod gradle;
mod just;
mod make;
mod maven;
mod php;
mod procfile;
mod python;
mod ruby;
mod task;
mod toml;
mod verb;
mod vscode;
mod xml;

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

use std::{fs, path::Path};

use finder::Finder;

use super::{Package, Script};
use crate::config::{PackageManagerName, Problem};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Detected {
    pub(super) scripts: Vec<Script>,
    pub(super) packages: Vec<Package>,
    pub(super) problems: Vec<Problem>,
}

/// Looks for one tool's commands.
type Family = fn(&mut Finder<'_>);

/// Of two commands of one name, the one of the earlier family counts.
const FAMILIES: [Family; 16] = [
    procfile::find,
    task::find,
    just::find,
    make::find,
    cargo::find,
    go::find,
    gradle::find,
    maven::find,
    dotnet::find,
    python::find,
    ruby::find,
    php::find,
    elixir::find,
    dart::find,
    compose::find,
    vscode::find,
];

/// What is looked for beside `package.json` and `.brum.toml`, in words: Deno's and those of [`FAMILIES`].
pub(super) const LOOKED_FOR: [&str; 17] = [
    "Deno",
    "Procfile",
    "Taskfile",
    "justfile",
    "Makefile",
    "Cargo",
    "Go",
    "Gradle",
    "Maven",
    ".NET",
    "Python",
    "Ruby",
    "PHP",
    "Elixir",
    "Dart",
    "compose",
    ".vscode/tasks.json",
];

/// Those that have workspaces.
const WORKSPACES: [Family; 5] = [cargo::find, go::find, gradle::find, maven::find, dotnet::find];

/// Files that make a directory a project.
const PROJECT_FILES: [&str; 24] = [
    "Cargo.toml",
    "go.mod",
    "go.work",
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "settings.gradle.kts",
    "pom.xml",
    "pyproject.toml",
    "setup.py",
    "manage.py",
    "Pipfile",
    "requirements.txt",
    "Gemfile",
    "Rakefile",
    "composer.json",
    "artisan",
    "mix.exs",
    "pubspec.yaml",
    "Procfile",
    "Procfile.dev",
    "Taskfile.yml",
    "Taskfile.yaml",
    ".vscode/tasks.json",
];

/// Endings of files that do.
const PROJECT_ENDINGS: [&str; 5] = [".csproj", ".fsproj", ".vbproj", ".sln", ".slnx"];

/// Files that say what can be run, yet are found in parts of a project too: they make a project of a directory that lies
/// in none.
const LESSER_FILES: [&str; 12] = [
    "GNUmakefile",
    "makefile",
    "Makefile",
    "justfile",
    "Justfile",
    ".justfile",
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
    "Taskfile.dist.yml",
    "Taskfile.dist.yaml",
];

/// What a directory is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Standing {
    /// Nothing to run.
    None,
    /// Something can be run; it may be a part of a project above.
    Part,
    /// A project of its own.
    Project,
}

/// What the files of `directory` make of it.
pub(super) fn standing(directory: &Path) -> Standing {
    if PROJECT_FILES.iter().any(|name| directory.join(name).is_file()) {
        return Standing::Project;
    }
    let mut entries = fs::read_dir(directory).into_iter().flatten().flatten().take(finder::MAX_ENTRIES);
    let solution = entries.any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        PROJECT_ENDINGS.iter().any(|ending| name.ends_with(ending))
    });
    match solution {
        true => Standing::Project,
        false if LESSER_FILES.iter().any(|name| directory.join(name).is_file()) => Standing::Part,
        false => Standing::None,
    }
}

/// Whether `root` is a workspace and `directory` one of its packages.
pub(super) fn has_package(root: &Path, directory: &Path) -> bool {
    let mut finder = Finder::new(root, PackageManagerName::Npm, Vec::new());
    for family in WORKSPACES {
        family(&mut finder);
        finder.next_family();
    }
    finder.into_found().packages.iter().any(|package| package.path == directory)
}

/// Everything that can be run in `root` beside what `package.json` and `.brum.toml` say. `manager` runs the scripts of
/// `package.json`, which tasks may name; `packages` are known already.
pub(super) fn detect(root: &Path, manager: PackageManagerName, packages: Vec<Package>) -> Detected {
    let mut finder = Finder::new(root, manager, packages);
    for family in FAMILIES {
        family(&mut finder);
        finder.next_family();
    }
    finder.into_found()
}
