//! Which directory a project is, from a directory or file inside it.
//!
//! The nearest directory that says what can be run is the project. Where it is a package of a workspace above it, in the
//! same repository, the workspace root is: its scripts are then called `web/dev` from everywhere, and `dev` in the package
//! means its own (`lookup.rs`). A package with a `.brum.toml` of its own stays a project of its own.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::{
    detect::{self, Standing},
    javascript, manager, package_json, workspace,
};
use crate::config;

/// The project that `from`, a directory or a file, belongs to.
///
/// A Makefile and its like are found in parts of a project too: they make one where nothing else does, up to the top of
/// the repository. In the home directory only a `package.json` does.
///
/// Packages inside `node_modules` are not projects: from a file of a dependency the search goes on to the
/// project that has it. `~/.brum.toml` holds the user's settings and makes no project of the home directory.
pub fn find_root(from: &Path) -> Option<PathBuf> {
    find_root_beside(from, env::home_dir().as_deref())
}

pub(super) fn find_root_beside(from: &Path, home: Option<&Path>) -> Option<PathBuf> {
    let from = std::path::absolute(from).ok()?;
    let dependency = |part: std::path::Component<'_>| part.as_os_str() == workspace::DEPENDENCIES;
    // What is above a `node_modules` is left.
    let from = from.ancestors().find(|directory| !directory.components().any(dependency))?;
    let has_settings =
        |directory: &Path| Some(directory) != home && directory.join(config::FILE_NAME).is_file();
    let mut part = None;
    let mut nearest = None;
    for directory in from.ancestors() {
        let at_home = Some(directory) == home;
        let standing = match () {
            () if directory.join(package_json::FILE_NAME).is_file() || has_settings(directory) => {
                Standing::Project
            }
            () if at_home => Standing::None,
            () if javascript::makes_project(directory) => Standing::Project,
            () => detect::standing(directory),
        };
        match standing {
            Standing::Project => {
                nearest = Some(directory);
                break;
            }
            Standing::Part => part = part.or(Some(directory)),
            Standing::None => {}
        }
        if part.is_some() && (at_home || directory.join(".git").exists()) {
            break;
        }
    }
    let nearest = nearest.or(part);
    if nearest.is_some_and(has_settings) {
        return nearest.map(Path::to_owned);
    }
    let has_nearest =
        |above: &Path| nearest.is_some_and(|nearest| above != nearest && detect::has_package(above, nearest));
    manager::directories(from)
        .find(|above| has_package_of(above, from) || has_nearest(above))
        .or(nearest)
        .map(Path::to_owned)
}

/// Whether `above` is a workspace and `from` in one of its packages.
fn has_package_of(above: &Path, from: &Path) -> bool {
    let below = || from.ancestors().take_while(|directory| *directory != above);
    // The errors of that file are told when the project is read.
    let own = package_json::read(above).ok().flatten();
    let definition = workspace::definition(above, own.as_ref());
    definition.is_some_and(|definition| {
        below().any(|directory| {
            directory.strip_prefix(above).is_ok_and(|relative| definition.has(above, relative))
        })
    })
}
