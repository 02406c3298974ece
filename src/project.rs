//! What can be run in a project, and the command line that runs it.
//!
//! In: `package.json` and the files of other tools, lock files and the `[scripts.NAME]` tables of the configuration. Out: a
//! [`Project`] with its [`Script`]s, each with the file and line that defines it, and from a script's name a [`ProcessInfo`]
//! whose program is an absolute path. Nothing is started here and nothing is cached: a project is read again whenever it is
//! asked for, so a script added a moment ago can be run.
//!
//! A `command` in `.brum.toml` adds a script, or takes the place of another; it runs through `/bin/sh`. Scripts of
//! `package.json` run through the package manager, see `manager.rs` for which. What other tools run is found in `detect.rs`.
//!
//! Errors are worded for the person who typed the command: what, where, what to do.

mod bounded;
mod command;
mod deno;
mod detect;
mod direct;
mod document;
mod env_file;
mod environment;
mod error;
mod javascript;
mod json;
mod lookup;
mod manager;
mod nx;
mod package_json;
mod path;
mod plan;
mod root;
mod script;
mod settings;
mod workspace;

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    env,
    ffi::OsStr,
    mem,
    path::{Path, PathBuf},
};

pub use error::ProjectError;
pub use manager::{AskedBy, PackageManager};
pub use path::PathLookup;
pub use plan::Step;
pub use root::find_root;
pub use script::{Runner, Script, Variable};
pub use workspace::WorkspaceKind;

use crate::{
    config::{self, Config, Problem, SetConfig},
    event::ProcessInfo,
};

/// A project root and what can be run there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Project {
    /// The directory with `package.json`, `.brum.toml` or another file that says what can be run.
    pub root: PathBuf,
    /// The name in `package.json`, else the directory's.
    pub name: String,
    /// The manager that runs the scripts of `package.json`.
    pub manager: PackageManager,
    /// The scripts, by package, the root's first; in each the likeliest first, those of one likelihood in the order of
    /// their files.
    pub scripts: Vec<Script>,
    /// What makes the root a workspace, where it is one.
    pub workspace: Option<WorkspaceKind>,
    /// The packages of the workspace the root is; empty where it is none.
    pub packages: Vec<Package>,
    /// The name of the package one is in, whose scripts are meant first; see [`Project::seen_from`].
    pub here: Option<String>,
    /// Names for several scripts that are run together.
    pub sets: BTreeMap<String, SetConfig>,
    /// What had to be left out.
    pub problems: Vec<Problem>,
    /// Whether there is a `package.json` that can be read.
    pub has_package_json: bool,
    /// Why the `package.json` cannot be read: its scripts are missing.
    broken: Option<ProjectError>,
}

/// A package of a workspace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Package {
    /// What users call it, unique in the project: `web`.
    pub name: String,
    /// What it calls itself: `@shop/web`.
    pub full_name: String,
    /// Its directory.
    pub path: PathBuf,
}

/// Reads the project at `root`. What cannot be read is told in its problems, and the rest is there all the same; see
/// [`Project::require_scripts`] for a project with nothing to run.
pub fn load(root: &Path, config: &Config) -> Project {
    let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    let (package, broken) = match package_json::read(&root) {
        Ok(package) => (package, None),
        Err(error) => (None, Some(error)),
    };
    let mut problems = package.as_ref().map(|package| package.problems.clone()).unwrap_or_default();
    problems.extend(broken.as_ref().map(|error| error.of_package_json(&root)));
    let manager = manager::detect(&root, package.as_ref(), config, &mut problems);
    let mut project = Project {
        name: name(&root, package.as_ref()),
        manager,
        scripts: Vec::new(),
        workspace: None,
        packages: Vec::new(),
        here: None,
        sets: config.sets.clone(),
        problems,
        has_package_json: package.is_some(),
        broken,
        root,
    };
    let file = project.root.join(package_json::FILE_NAME);
    for found in package.iter().flat_map(|package| package.scripts.clone()) {
        project.scripts.push(Script {
            runner: Runner::Manager,
            kind: project.manager.name.as_str(),
            priority: script::PACKAGE_JSON,
            ..Script::new(found.name, found.command, &project.root, &file, found.line)
        });
    }
    javascript::add_to(&mut project, package.as_ref());
    workspace::add_to(&mut project, package.as_ref());
    let found = detect::detect(&project.root, project.manager.name, mem::take(&mut project.packages));
    project.scripts.extend(found.scripts);
    project.packages = found.packages;
    project.problems.extend(found.problems);
    for script in &mut project.scripts {
        script.run_by(config.process_manager.runner);
    }
    for (name, settings) in &config.scripts {
        settings::apply(&mut project, name, settings);
    }
    let mut files = environment::Files::new(&project.root, &host);
    for script in &mut project.scripts {
        files.lay_beneath(script, &config.process_manager.env_files);
    }
    project.problems.append(&mut files.problems);
    project.sort();
    project.check_plans();
    project
}

/// Any command line, for the shell, in `root`: what follows `!` in `:BrummerRun !make watch`.
pub fn shell(root: &Path, line: &str) -> Result<ProcessInfo, ProjectError> {
    command::shell(root, line)
}

/// The same with the env files that any script in `root` has.
pub fn command_line(root: &Path, line: &str, config: &Config) -> Result<ProcessInfo, ProjectError> {
    let info = command::shell(root, line)?;
    let mut script = Script::new(line, line, root, root.join(config::FILE_NAME), 0);
    environment::Files::new(root, &host).lay_beneath(&mut script, &config.process_manager.env_files);
    command::refuse(&script)?;
    Ok(ProcessInfo { env: command::env(&script), ..info })
}

/// A variable of the host's own environment.
fn host(name: &str) -> Option<String> {
    env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

fn name(root: &Path, package: Option<&package_json::PackageJson>) -> String {
    let directory = || root.file_name().unwrap_or(OsStr::new("/"));
    package
        .and_then(|package| package.name.clone())
        .unwrap_or_else(|| directory().to_string_lossy().into_owned())
}

// === impl Project ===

impl Project {
    /// What is told of a project, to the editor and by `brummer scripts --json`.
    pub fn to_json(&self) -> serde_json::Value {
        let packages = self
            .packages
            .iter()
            .map(|package| serde_json::json!({ "name": package.name, "path": package.path }));
        let sets = self.sets.iter().filter(|(name, _)| !self.has_label(name));
        let sets = sets.map(|(name, set)| serde_json::json!({ "name": name, "scripts": set.scripts }));
        let mut value = serde_json::json!({
            "root": self.root,
            "project": self.name,
            "manager": self.manager.to_string(),
            "packages": packages.collect::<Vec<_>>(),
            "sets": sets.collect::<Vec<_>>(),
            "scripts": self.listed().map(|script| script.to_json(self)).collect::<Vec<_>>(),
        });
        if let Some(workspace) = self.workspace {
            value["workspace"] = workspace.to_string().into();
        }
        if let Some(here) = &self.here {
            value["here"] = here.as_str().into();
        }
        value
    }

    /// Where the script of a label (`dev`, `web/dev`) runs.
    pub fn cwd_of(&self, label: &str) -> Option<PathBuf> {
        let script = self.scripts.iter().find(|script| script.label() == label)?;
        Some(script.cwd.clone())
    }

    /// The scripts to show, in their order.
    pub fn listed(&self) -> impl Iterator<Item = &Script> {
        self.scripts.iter().filter(|script| !script.hidden)
    }

    /// The process that runs script `name` with `args`.
    pub fn command(
        &self,
        name: &str,
        args: &[String],
        path: &PathLookup,
    ) -> Result<ProcessInfo, ProjectError> {
        self.require_scripts()?;
        let script = self.meant(name).ok_or_else(|| self.unknown(name))?;
        command::script(self, script, args, path)
    }

    /// What a run that is asked for again starts now: what its script comes after, in start order, and itself last. Files
    /// are as they are now, so an edited `.env` counts. Empty when there is no such script any more: then it is run as before.
    pub fn again(&self, info: &ProcessInfo, path: &PathLookup) -> Result<Vec<ProcessInfo>, ProjectError> {
        let label = info.label();
        if !self.has_label(&label) {
            return Ok(Vec::new());
        }
        Ok(self.plan(&[label], &info.args, path)?.into_iter().map(|step| step.info).collect())
    }

    /// The process that runs a command line through the shell, in the root.
    pub fn shell(&self, line: &str) -> Result<ProcessInfo, ProjectError> {
        shell(&self.root, line)
    }

    /// An error that says where scripts were looked for and how to add one, when there are none.
    pub fn require_scripts(&self) -> Result<(), ProjectError> {
        if !self.scripts.is_empty() {
            return Ok(());
        }
        Err(self.broken.clone().unwrap_or_else(|| self.nothing()))
    }

    fn nothing(&self) -> ProjectError {
        ProjectError::NothingToRun { root: self.root.clone(), has_package_json: self.has_package_json }
    }

    /// Brings the scripts into the order they are shown in.
    fn sort(&mut self) {
        let ranks: HashMap<_, _> =
            self.packages.iter().enumerate().map(|(rank, package)| (package.name.clone(), rank)).collect();
        let rank = |script: &Script| ranks.get(script.package.as_ref()?).copied();
        self.scripts.sort_by_key(|script| (rank(script), Reverse(script.priority)));
    }
}
