//! The packages of a workspace (npm, Yarn, pnpm, Bun, Deno, Lerna, Nx, Turborepo, Rush) and their scripts.
//!
//! In: the files at the workspace root that list packages, and each package's own. Out: [`Package`]s with a short name
//! that is unique in the project, and their scripts, each with the package's directory as its own and the line that defines
//! it. Nothing is executed; what cannot be used in one package is told and the others are there all the same. Bounded are
//! the directories that are read (`glob.rs`).

mod glob;
mod members;
mod sources;

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

use std::{fmt, path::Path};

use sources::Definition;

use super::{Package, Project, package_json::PackageJson};
use crate::config::PackageManagerName;

/// The file that lists the packages of a Rush repository.
pub(super) const RUSH_FILE: &str = "rush.json";

/// Where dependencies are: never gone into.
pub(super) const DEPENDENCIES: &str = "node_modules";

/// What makes a directory a workspace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WorkspaceKind {
    /// The package manager.
    Manager(PackageManagerName),
    /// Lerna.
    Lerna,
    /// Nx.
    Nx,
    /// Turborepo.
    Turborepo,
    /// Rush.
    Rush,
}

/// Adds the packages below the root, if it is the root of a workspace, and their scripts.
pub(super) fn add_to(project: &mut Project, own: Option<&PackageJson>) {
    let manager = project.manager.name;
    let Some(definition) = sources::define(&project.root, own, manager, &mut project.problems) else {
        return;
    };
    project.workspace = Some(definition.kind);
    let found = members::find(&project.root, &definition, &mut project.problems);
    let names = members::names(&project.root, &found, &mut project.problems);
    for (member, name) in found.into_iter().zip(names) {
        let full_name = member.full_name().unwrap_or(&name).to_owned();
        project.packages.push(Package { name: name.clone(), full_name, path: member.directory.clone() });
        project.scripts.extend(member.scripts(&project.root, manager, &name));
    }
}

/// What makes a workspace of `root`, for a look at what belongs to it. What cannot be read makes none.
pub(super) fn definition(root: &Path, own: Option<&PackageJson>) -> Option<Definition> {
    // The manager matters for what the workspace is called only.
    sources::define(root, own, PackageManagerName::Npm, &mut Vec::new())
}

// === impl WorkspaceKind ===

impl fmt::Display for WorkspaceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manager(manager) => manager.fmt(f),
            Self::Lerna => f.write_str("Lerna"),
            Self::Nx => f.write_str("Nx"),
            Self::Turborepo => f.write_str("Turborepo"),
            Self::Rush => f.write_str("Rush"),
        }
    }
}
