//! What a JavaScript project offers beside the scripts of its `package.json`: tasks of Deno, Turborepo and Nx at the
//! root, Electron, Wails.

use std::path::Path;

use super::{
    Project, Runner, Script, deno, document, nx,
    package_json::{FILE_NAME, PackageJson},
};
use crate::config::PackageManagerName;

const TURBO: &str = "turbo";
const ELECTRON: &str = "electron";
const WAILS: &str = "wails";

/// Files beside `package.json` that make a directory a project.
const PROJECT_FILES: [&str; 7] =
    ["deno.json", "deno.jsonc", "pnpm-workspace.yaml", "lerna.json", "nx.json", "rush.json", "wails.json"];

/// Whether a directory without a `package.json` is a project all the same.
pub(super) fn makes_project(directory: &Path) -> bool {
    PROJECT_FILES.iter().any(|name| directory.join(name).is_file())
}

/// Programs that are installed with a project, in its `node_modules/.bin`, rather than on PATH.
pub(super) fn is_local(program: &str) -> bool {
    [TURBO, ELECTRON, "nx"].contains(&program)
}

/// Adds them to the scripts of the root. They have the name that would be typed; the tasks of Deno have a bare one, as
/// the scripts of `package.json` have, where that is free.
pub(super) fn add_to(project: &mut Project, own: Option<&PackageJson>) {
    let root = project.root.clone();
    let tasks = deno::read(&root, &mut project.problems);
    for mut script in tasks.iter().flat_map(|deno| deno.scripts(&root)) {
        if project.scripts.iter().any(|known| known.name == script.name) {
            script.name = format!("deno task {}", script.name);
        }
        project.scripts.push(script);
    }
    project.scripts.extend(turbo(&root, &mut project.problems));
    if let Some(nx) = nx::read(&root.join("project.json"), &mut project.problems) {
        let name = nx.name.clone().unwrap_or_else(|| project.name.clone());
        let named = nx.scripts(&root, &name).into_iter();
        project.scripts.extend(named.map(|script| Script { name: format!("nx {}", script.name), ..script }));
    }
    project.scripts.extend(entry(project, own));
    if let Some(line) = own.and_then(|own| own.electron) {
        let file = root.join(FILE_NAME);
        project.scripts.push(program(&root, &file, line, ELECTRON, &["."], 90));
    }
    let wails = root.join("wails.json");
    if wails.is_file() {
        for (command, priority) in [("dev", 90), ("build", 85)] {
            project.scripts.push(program(&root, &wails, 1, WAILS, &[command], priority));
        }
    }
}

/// What `bun init` and a `deno.json` without tasks leave to be run: the file the program begins with.
fn entry(project: &Project, own: Option<&PackageJson>) -> Option<Script> {
    if !project.scripts.is_empty() {
        return None;
    }
    let root = &project.root;
    let is_source = |name: &str| {
        let ending = name.rsplit('.').next().unwrap_or_default();
        ["ts", "tsx", "js", "jsx", "mjs", "mts"].contains(&ending) && root.join(name).is_file()
    };
    if project.manager.name == PackageManagerName::Bun {
        let (name, line) = own?.entry.as_ref().filter(|(name, _)| is_source(name))?;
        return Some(program(root, &root.join(FILE_NAME), *line, "bun", &["run", name], 90));
    }
    let file = deno::FILES.iter().map(|name| root.join(name)).find(|file| file.is_file())?;
    let name = ["main.ts", "main.js"].into_iter().find(|name| is_source(name))?;
    Some(program(root, &file, 1, "deno", &["run", name], 90))
}

/// The tasks of Turborepo: `tasks`, before version 2 `pipeline`. `web#build` says how a task differs in one package and
/// `//#lint` is a script of the root: neither is a task of its own.
fn turbo(root: &Path, problems: &mut Vec<crate::config::Problem>) -> Vec<Script> {
    let Some(file) =
        ["turbo.json", "turbo.jsonc"].map(|name| root.join(name)).into_iter().find(|file| file.is_file())
    else {
        return Vec::new();
    };
    let settings = match document::read(&file) {
        Ok(settings) => settings,
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    let tasks =
        settings.as_ref().and_then(|settings| settings.get("tasks").or_else(|| settings.get("pipeline")));
    let tasks = tasks.map_or(&[][..], |tasks| tasks.node.members()).iter();
    let script = |task: &document::Member| Script {
        name: format!("{TURBO} {}", task.name),
        background: task.node.get("persistent").is_some_and(|member| member.node.is_true()),
        ..program(root, &file, task.line, TURBO, &["run", &task.name], 90)
    };
    tasks.filter(|task| !task.name.contains('#')).map(script).collect()
}

fn program(
    root: &Path,
    file: &Path,
    line: usize,
    program: &'static str,
    arguments: &[&str],
    priority: u8,
) -> Script {
    let command = [&[program], arguments].concat();
    Script {
        runner: Runner::Argv(command.iter().map(|word| (*word).to_owned()).collect()),
        kind: program,
        priority,
        ..Script::new(command.join(" "), command.join(" "), root, file, line)
    }
}
