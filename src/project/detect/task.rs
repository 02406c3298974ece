//! Tasks of a Taskfile and of those it includes. Left out are internal ones and patterns.

use std::path::PathBuf;

use super::finder::{self, Finder};
use crate::project::{
    Script,
    document::{Node, Value},
};

const FILES: [&str; 8] = [
    "Taskfile.yml",
    "taskfile.yml",
    "Taskfile.yaml",
    "taskfile.yaml",
    "Taskfile.dist.yml",
    "taskfile.dist.yml",
    "Taskfile.dist.yaml",
    "taskfile.dist.yaml",
];
/// How many files includes may lead to.
const MAX_FILES: usize = 50;

pub(super) fn find(finder: &mut Finder<'_>) {
    let Some(file) = finder.first(&FILES) else { return };
    let mut waiting = vec![(file, String::new())];
    let mut seen = 0;
    while let Some((file, space)) = waiting.pop() {
        if seen >= MAX_FILES {
            break;
        }
        seen += 1;
        let Some(taskfile) = finder.yaml(&file) else { continue };
        for task in taskfile.get("tasks").map(|tasks| tasks.node.members()).unwrap_or_default() {
            if is_true(&task.node, "internal") || task.name.is_empty() || task.name.contains('*') {
                continue;
            }
            let name = format!("{space}{}", task.name);
            let text = |key: &str| task.node.get(key).and_then(|found| found.node.text());
            let description = text("desc").or(text("summary")).and_then(finder::short);
            let script = finder.task("task", (&file, task.line), 88, &["task"], &name);
            finder.push(Script { description, separator: true, ..script });
        }
        let directory = file.parent().unwrap_or(finder.root).to_owned();
        let includes = taskfile.get("includes").map(|includes| includes.node.members()).unwrap_or_default();
        let mut next: Vec<(PathBuf, String)> = Vec::new();
        for include in includes.iter().filter(|include| !is_true(&include.node, "internal")) {
            let path = include.node.text().or_else(|| include.node.get("taskfile")?.node.text());
            // What has to be computed, or fetched, is not looked for.
            let Some(path) = path.filter(|path| !path.contains("{{") && !path.contains("://")) else {
                continue;
            };
            let path = directory.join(path);
            let names = FILES.iter().map(|name| path.join(name));
            let Some(path) = [path.clone()].into_iter().chain(names).find(|path| path.is_file()) else {
                continue;
            };
            let flat = is_true(&include.node, "flatten");
            next.push((path, if flat { space.clone() } else { format!("{space}{}:", include.name) }));
        }
        waiting.extend(next.into_iter().rev());
    }
}

fn is_true(node: &Node, key: &str) -> bool {
    node.get(key).is_some_and(|found| found.node.value == Value::Boolean(true))
}
