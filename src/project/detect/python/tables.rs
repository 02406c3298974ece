//! Names people gave to commands: entry points, and the tasks of poetry, pdm, hatch, rye, poe, taskipy and pipenv.

use std::path::Path;

use super::{Manager, Python, Verb, described};
use crate::project::{
    Script,
    detect::finder::Finder,
    document::{Member, Node, Value},
};

/// Tables of entry points: programs that are there once the project is installed.
const ENTRY_POINTS: [&[&str]; 3] =
    [&["project", "scripts"], &["project", "gui-scripts"], &["tool", "poetry", "scripts"]];

/// Tables of tasks, and what runs one; each begins with what is typed, in the environment.
const TASKS: [(&[&str], &[&str]); 2] =
    [(&["tool", "poe", "tasks"], &["poe"]), (&["tool", "taskipy", "tasks"], &["task"])];

pub(super) fn find(finder: &mut Finder<'_>, python: &Python) {
    if let Some((file, _)) = &python.pyproject {
        for path in ENTRY_POINTS {
            for entry in members(python.field(path)) {
                let script = named(finder, python, file, entry, &[], 93);
                finder.push(script);
            }
        }
        for (path, words) in TASKS {
            for entry in members(python.field(path)).iter().filter(|entry| !entry.name.starts_with('_')) {
                let script = named(finder, python, file, entry, words, 88);
                finder.push(script);
            }
        }
        managers(finder, python, file);
    }
    if python.manager == Manager::Pipenv {
        let file = finder.root.join("Pipfile");
        let scripts = finder.toml(&file).and_then(|pipfile| Some(pipfile.get("scripts")?.node.clone()));
        for entry in members(scripts.as_ref()) {
            let script = named(finder, python, &file, entry, &[], 88);
            finder.push(script);
        }
    }
}

/// Scripts that a manager runs itself.
fn managers(finder: &mut Finder<'_>, python: &Python, file: &Path) {
    let table = match python.manager {
        Manager::Pdm => "pdm",
        Manager::Rye => "rye",
        _ => "",
    };
    for entry in
        members(python.field(&["tool", table, "scripts"])).iter().filter(|entry| !entry.name.starts_with('_'))
    {
        let script = named(finder, python, file, entry, &[], 88);
        finder.push(script);
    }
    // hatch keeps its environments in any project.
    for environment in members(python.field(&["tool", "hatch", "envs"])) {
        for entry in members(environment.node.get("scripts").map(|scripts| &scripts.node)) {
            let name = match environment.name.as_str() {
                "default" => entry.name.clone(),
                other => format!("{other}:{}", entry.name),
            };
            let script = finder.task(super::KIND, (file, entry.line), 88, &["hatch", "run"], &name);
            finder.push(Script { description: what(&entry.node), ..script });
        }
    }
}

fn named(
    finder: &Finder<'_>,
    python: &Python,
    file: &Path,
    entry: &Member,
    before: &[&str],
    priority: u8,
) -> Script {
    let verb = Verb::of(&entry.name);
    let words: Vec<&str> = before.iter().copied().chain([entry.name.as_str()]).collect();
    let script = python.script(finder, (file, entry.line), priority + verb.bonus().min(4), verb, &words);
    Script { bare: Some(entry.name.clone()), description: what(&entry.node), ..script }
}

/// What it says it does: its help, else its command.
fn what(node: &Node) -> Option<String> {
    let text = |name: &str| node.get(name).and_then(|found| found.node.text());
    match &node.value {
        Value::Text(text) => described(text),
        Value::Object(_) => {
            ["help", "cmd", "shell", "call", "script"].iter().find_map(|name| text(name)).and_then(described)
        }
        _ => None,
    }
}

fn members(node: Option<&Node>) -> &[Member] {
    node.map(Node::members).unwrap_or_default()
}
