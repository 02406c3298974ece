//! `deno.json`: its tasks with their lines, and its name.

use std::path::{Path, PathBuf};

use super::{
    Runner, Script,
    document::{self, Node},
};
use crate::config::Problem;

/// The program, and the kind of its tasks.
const DENO: &str = "deno";

/// The names of the file, in the order in which Deno looks for them.
pub(super) const FILES: [&str; 2] = ["deno.json", "deno.jsonc"];

/// What the file says.
pub(super) struct Deno {
    pub(super) file: PathBuf,
    pub(super) name: Option<(String, usize)>,
    pub(super) tasks: Vec<Task>,
}

/// A task of the file.
pub(super) struct Task {
    pub(super) name: String,
    pub(super) command: String,
    pub(super) description: Option<String>,
    pub(super) line: usize,
}

/// Reads the file in `directory`; `None` when there is none that can be used.
pub(super) fn read(directory: &Path, problems: &mut Vec<Problem>) -> Option<Deno> {
    let file = FILES.into_iter().map(|name| directory.join(name)).find(|file| file.is_file())?;
    let settings = match document::read(&file) {
        Ok(settings) => settings?,
        Err(problem) => {
            problems.push(problem);
            return None;
        }
    };
    let name = settings.get("name").and_then(|name| Some((name.node.text()?.to_owned(), name.line)));
    let mut tasks = Vec::new();
    for member in settings.get("tasks").map_or(&[][..], |tasks| tasks.node.members()) {
        let text =
            |name: &str| member.node.get(name).and_then(|member| member.node.text()).map(str::to_owned);
        // One without a command runs the tasks it depends on.
        let has_dependencies = member.node.get("dependencies").is_some();
        let command = member.node.text().map(str::to_owned).or_else(|| text("command"));
        match command.or_else(|| has_dependencies.then(|| dependencies(&member.node))) {
            Some(command) => tasks.push(Task {
                name: member.name.clone(),
                command,
                description: text("description"),
                line: member.line,
            }),
            None => {
                let message = format!("must be a string, not {}; it is left out", member.node.kind());
                problems.push(Problem::new(&file, member.line, format!("tasks.{}", member.name), message));
            }
        }
    }
    Some(Deno { file, name, tasks })
}

fn dependencies(task: &Node) -> String {
    let list = task.get("dependencies").and_then(|member| member.node.list()).unwrap_or_default();
    list.iter().filter_map(Node::text).collect::<Vec<_>>().join(" && ")
}

// === impl Deno ===

impl Deno {
    /// The tasks, run by Deno in the directory of the file.
    pub(super) fn scripts(&self, directory: &Path) -> Vec<Script> {
        let script = |task: &Task| Script {
            runner: Runner::Argv([DENO, "task", &task.name].map(str::to_owned).to_vec()),
            kind: DENO,
            description: task.description.clone(),
            ..Script::new(&task.name, &task.command, directory, &self.file, task.line)
        };
        self.tasks.iter().map(script).collect()
    }
}
