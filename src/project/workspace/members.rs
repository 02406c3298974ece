//! The packages themselves: found, read, named.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
};

use super::{
    glob::Expanded,
    sources::{Definition, NX_PROJECT},
};
use crate::{
    config::{PackageManagerName, Problem},
    project::{
        Script, deno,
        nx::{self, NxProject},
        package_json::{self, FILE_NAME, PackageJson},
        script::PACKAGE_JSON,
    },
};

/// A directory of the workspace and what it says of itself.
pub(super) struct Member {
    pub(super) directory: PathBuf,
    package: Option<PackageJson>,
    nx: Option<NxProject>,
    deno: Option<deno::Deno>,
}

/// Finds and reads what the lists lead to, in the order of the paths.
pub(super) fn find(root: &Path, definition: &Definition, problems: &mut Vec<Problem>) -> Vec<Member> {
    let mut directories = BTreeSet::new();
    for list in &definition.lists {
        let has = |directory: &Path| list.manifests.iter().any(|file| directory.join(file).is_file());
        let Expanded { directories: found, empty, cut } = list.patterns.expand(root, &has);
        directories.extend(found);
        if cut {
            let message = "leads to more directories than are read: some packages may be missing";
            problems.push(Problem::new(&list.file, 0, list.key, message));
        }
        for (pattern, line) in empty.into_iter().filter(|_| list.written) {
            let message = format!("{pattern:?} leads to no directory with a {}", list.manifests[0]);
            problems.push(Problem::new(&list.file, line, list.key, message));
        }
    }
    let read = |directory| Member::read(root, directory, problems);
    directories.into_iter().filter_map(read).collect()
}

/// A name for each, unique: the last part of its own name, or of its path, where that is enough; else the whole name;
/// else the path.
pub(super) fn names(root: &Path, members: &[Member], problems: &mut Vec<Problem>) -> Vec<String> {
    let mut short = HashMap::<&str, usize>::new();
    let mut whole = HashMap::<&str, Vec<&Member>>::new();
    for member in members {
        *short.entry(member.short_name()).or_default() += 1;
        if let Some(name) = member.full_name() {
            whole.entry(name).or_default().push(member);
        }
    }
    for (name, of) in whole.iter().filter(|(_, of)| of.len() > 1) {
        for member in &of[1..] {
            let first = relative(root, &of[0].directory);
            let message = format!("{name:?} is the name of {first} too; here each is called by its path");
            problems.push(member.name_problem(message));
        }
    }
    let mut names: Vec<String> = Vec::with_capacity(members.len());
    let mut taken = HashSet::new();
    for member in members {
        let short_name = member.short_name();
        let name = match member.full_name() {
            _ if short[short_name] == 1 => short_name.to_owned(),
            Some(name) if whole[name].len() == 1 => name.to_owned(),
            _ => relative(root, &member.directory),
        };
        let name = if taken.contains(&name) { relative(root, &member.directory) } else { name };
        if member.package.is_some() && member.full_name().is_none() {
            problems.push(member.name_problem(format!("is missing; here the package is called {name}")));
        }
        taken.insert(name.clone());
        names.push(name);
    }
    names
}

fn relative(root: &Path, directory: &Path) -> String {
    directory.strip_prefix(root).unwrap_or(directory).display().to_string()
}

// === impl Member ===

impl Member {
    /// `None` when nothing in it can be used, which is then told.
    fn read(root: &Path, directory: PathBuf, problems: &mut Vec<Problem>) -> Option<Self> {
        let package = package_json::read(&directory).unwrap_or_else(|error| {
            problems.push(error.of_package_json(&directory));
            None
        });
        if let Some(package) = &package {
            problems.extend(package.problems.iter().cloned());
        }
        let nx = nx::read(&directory.join(NX_PROJECT), problems);
        let deno = deno::read(&directory, problems);
        let some = package.is_some() || nx.is_some() || deno.is_some();
        (some && directory != root).then_some(Self { directory, package, nx, deno })
    }

    /// What it calls itself.
    pub(super) fn full_name(&self) -> Option<&str> {
        let nx = || self.nx.as_ref().and_then(|nx| nx.name.as_deref());
        let package = || self.package.as_ref().and_then(|package| package.name.as_deref());
        let deno = || self.deno.as_ref().and_then(|deno| deno.name.as_ref()).map(|(name, _)| name.as_str());
        package().or_else(nx).or_else(deno)
    }

    fn name_problem(&self, message: String) -> Problem {
        let line = self.package.as_ref().map_or(1, |package| package.name_line);
        Problem::new(&self.directory.join(FILE_NAME), line, "name", message)
    }

    fn short_name(&self) -> &str {
        let last = || self.directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = self.full_name().and_then(|name| name.rsplit('/').next());
        name.filter(|name| !name.is_empty()).unwrap_or_else(last)
    }

    /// Its scripts: those of `package.json` by their names, then the tasks of `deno.json` and the targets of Nx that are
    /// called otherwise.
    pub(super) fn scripts(&self, root: &Path, manager: PackageManagerName, name: &str) -> Vec<Script> {
        let file = self.directory.join(FILE_NAME);
        let mut scripts = Vec::new();
        for found in self.package.iter().flat_map(|package| &package.scripts) {
            scripts.push(Script {
                runner: crate::project::Runner::Manager,
                kind: manager.as_str(),
                priority: PACKAGE_JSON,
                ..Script::new(found.name.clone(), found.command.clone(), &self.directory, &file, found.line)
            });
        }
        let more = self.deno.iter().flat_map(|deno| deno.scripts(&self.directory)).chain(self.targets(root));
        for script in more {
            if !scripts.iter().any(|known: &Script| known.name == script.name) {
                scripts.push(script);
            }
        }
        for script in &mut scripts {
            script.package = Some(name.to_owned());
        }
        scripts
    }

    fn targets(&self, root: &Path) -> Vec<Script> {
        let Some(name) = self.nx.as_ref().and_then(|nx| nx.name.as_deref()).or_else(|| self.full_name())
        else {
            let last = self.directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            return self.nx.iter().flat_map(|nx| nx.scripts(root, last)).collect();
        };
        let own = self
            .package
            .as_ref()
            .map(|package| NxProject::of_package(&self.directory.join(FILE_NAME), &package.nx_targets));
        self.nx.iter().chain(own.as_ref()).flat_map(|nx| nx.scripts(root, name)).collect()
    }
}
