//! `project.json` and what Nx runs.

use std::path::{Path, PathBuf};

use super::{Runner, Script, document};
use crate::config::Problem;

/// The kind of what Nx runs.
const NX: &str = "nx";
/// The priority of targets: below scripts, above what tools could do.
const PRIORITY: u8 = 95;

/// A project as Nx knows it.
pub(super) struct NxProject {
    file: PathBuf,
    /// What it is called, where the file says so; else its directory is.
    pub(super) name: Option<String>,
    targets: Vec<Target>,
}

struct Target {
    name: String,
    line: usize,
    /// It says itself that it runs on.
    continuous: bool,
}

/// Reads a `project.json`; `None` when there is none that can be used.
pub(super) fn read(file: &Path, problems: &mut Vec<Problem>) -> Option<NxProject> {
    let settings = match document::read(file) {
        Ok(settings) => settings?,
        Err(problem) => {
            problems.push(problem);
            return None;
        }
    };
    // Before Nx 13 they were called architect, as in Angular.
    let targets = settings.get("targets").or_else(|| settings.get("architect"));
    let targets = targets.map_or(&[][..], |targets| targets.node.members()).iter().map(|target| Target {
        name: target.name.clone(),
        line: target.line,
        continuous: target.node.get("continuous").is_some_and(|member| member.node.is_true()),
    });
    let name = settings.get("name").and_then(|name| name.node.text()).map(str::to_owned);
    Some(NxProject { file: file.to_owned(), name, targets: targets.collect() })
}

// === impl NxProject ===

impl NxProject {
    /// The targets that a `package.json` tells Nx of.
    pub(super) fn of_package(file: &Path, targets: &[(String, usize)]) -> Self {
        let target =
            |(name, line): &(String, usize)| Target { name: name.clone(), line: *line, continuous: false };
        Self { file: file.to_owned(), name: None, targets: targets.iter().map(target).collect() }
    }

    /// The targets, which Nx runs from the workspace root.
    pub(super) fn scripts(&self, root: &Path, project: &str) -> Vec<Script> {
        let script = |target: &Target| {
            let what = format!("{project}:{}", target.name);
            Script {
                runner: Runner::Argv([NX, "run", &what].map(str::to_owned).to_vec()),
                kind: NX,
                priority: PRIORITY,
                background: target.continuous,
                ..Script::new(&target.name, format!("nx run {what}"), root, &self.file, target.line)
            }
        };
        self.targets.iter().map(script).collect()
    }
}
