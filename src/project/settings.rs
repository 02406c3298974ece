//! Lays `[scripts.NAME]` over what was found in the project, or adds what was not.

use super::{Project, Runner, Script, Variable, script};
use crate::config::{self, CommandLine, Place, Problem, RunOptions, ScriptConfig, Source};

/// Lays the settings of `[scripts.name]` over the script of that name, or adds it.
pub(super) fn apply(project: &mut Project, name: &str, settings: &ScriptConfig) {
    let place = &settings.place;
    let known = project.script(name).map(Script::label);
    let known = known.and_then(|label| project.scripts.iter().position(|script| script.label() == label));
    if known.is_none() && settings.command.is_none() {
        // Settings from above the project may be meant for another one.
        if place.file.parent() == Some(&project.root) && !settings.bad_command {
            project.problems.push(no_such_script(project, name, place));
        }
        return;
    }
    let at = known.unwrap_or_else(|| {
        let added = new_script(project, name, place);
        project.scripts.push(added);
        project.scripts.len() - 1
    });
    let root = project.root.clone();
    let script = &mut project.scripts[at];
    if let Some(command) = &settings.command {
        script.command = command.text();
        script.runner = match command {
            CommandLine::Shell(_) => Runner::Shell,
            CommandLine::Argv(argv) => Runner::Argv(argv.clone()),
        };
        script.file.clone_from(&place.file);
        script.line = place.line;
        script.kind = script::SHELL;
        script.refused = None;
    }
    if let Some(cwd) = &settings.cwd {
        script.cwd = root.join(cwd);
        script.cwd_place = settings.places.get("cwd").cloned();
    }
    if let Some(runner) = settings.runner {
        script.run_by(runner);
    }
    script.env.extend(settings.env.iter().map(|(variable, value)| Variable {
        name: variable.clone(),
        value: value.clone(),
        source: Source::File(settings.places.get(&format!("env.{variable}")).unwrap_or(place).clone()),
    }));
    script.after_place = settings.places.get("after").cloned();
    script.one_by_one &= settings.after.is_none();
    script.env_files.clone_from(&settings.env_files);
    let below = std::mem::take(&mut script.options);
    script.options = settings.options(below);
}

/// A script that only the settings know: of a package of the workspace when its name begins with one's.
fn new_script(project: &Project, name: &str, place: &Place) -> Script {
    let package = project.packages.iter().find_map(|package| {
        let names = [&package.name, &package.full_name];
        let rest = names.into_iter().find_map(|own| name.strip_prefix(own.as_str())?.strip_prefix('/'));
        Some((package, rest.filter(|rest| !rest.is_empty())?))
    });
    let (cwd, own) = package.map_or((&project.root, name), |(package, rest)| (&package.path, rest));
    Script {
        package: package.map(|(package, _)| package.name.clone()),
        options: RunOptions::default(),
        ..Script::new(own, "", cwd, &place.file, place.line)
    }
}

fn no_such_script(project: &Project, name: &str, place: &Place) -> Problem {
    let labels: Vec<_> = project.scripts.iter().map(Script::label).collect();
    let near = config::nearest(name, labels.iter().map(String::as_str));
    let hint = near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
    let message = format!("no such script; add command = \"…\" to make one{hint}");
    Problem::new(&place.file, place.line, format!("scripts.{name}"), message)
}
