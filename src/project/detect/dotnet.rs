//! .NET: project files and solutions of the directory, the projects of a solution, launch profiles.

use std::path::{Path, PathBuf};

use super::{finder::Finder, verb::Verb, xml};
use crate::project::{Runner, Script};

const KIND: &str = "dotnet";
const PROJECTS: [&str; 3] = [".csproj", ".fsproj", ".vbproj"];
/// How many projects of a solution are looked at.
const MAX_PROJECTS: usize = 200;

/// What a project file makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Nature {
    runs: bool,
    web: bool,
    tests: bool,
}

pub(super) fn find(finder: &mut Finder<'_>) {
    let projects: Vec<PathBuf> = PROJECTS.iter().flat_map(|ending| finder.ending(ending)).collect();
    let solutions: Vec<PathBuf> = [".slnx", ".sln"].iter().flat_map(|ending| finder.ending(ending)).collect();
    let Some(first) = solutions.first().or(projects.first()).cloned() else { return };
    // With several files in a directory dotnet wants to be told which.
    let which = (solutions.len() + projects.len() > 1).then(|| file_name(&first));
    if let [project] = projects.as_slice() {
        let named = which.is_some().then(|| file_name(project));
        runs(finder, project, named.as_deref(), None, false);
    } else {
        for project in &projects {
            runs(finder, project, Some(&file_name(project)), None, true);
        }
    }
    let whole = if solutions.is_empty() && projects.len() > 1 {
        &[]
    } else {
        &[(90, Verb::Build, "build"), (85, Verb::Test, "test")][..]
    };
    for &(priority, verb, word) in whole {
        let mut words = vec!["dotnet", word];
        words.extend(which.as_deref());
        let script = finder.tool(KIND, (&first, 1), priority, verb, &words);
        finder.push(Script { name: format!("dotnet {word}"), ..script });
    }
    let Some(solution) = solutions.first() else { return };
    let text = finder.text(solution).unwrap_or_default();
    for path in members(&text).into_iter().take(MAX_PROJECTS) {
        let file = finder.root.join(&path);
        if projects.contains(&file) || !file.is_file() {
            continue;
        }
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let directory = file.parent().unwrap_or(finder.root).to_owned();
        if let Some(package) = finder.package(&name, &directory) {
            runs(finder, &file, Some(&path), Some(&package), false);
        }
    }
}

/// The commands of one project, which `named` selects where it is not the only one; `spelled` puts it into their names.
fn runs(finder: &mut Finder<'_>, file: &Path, named: Option<&str>, package: Option<&str>, spelled: bool) {
    let nature = nature(&finder.text(file).unwrap_or_default());
    let mut add = |priority, verb, typed: &[&str], select: &str, at: (&Path, usize)| {
        let mut words = vec!["dotnet"];
        words.extend(typed);
        words.extend(named.iter().flat_map(|named| [select, named]).filter(|word| !word.is_empty()));
        let script = finder.tool(KIND, at, priority, verb, &words);
        finder.push(Script {
            name: if spelled { words.join(" ") } else { format!("dotnet {}", typed.join(" ")) },
            package: package.map(str::to_owned),
            separator: matches!(verb, Verb::Run | Verb::Serve),
            runner: Runner::Argv(words.iter().map(|word| (*word).to_owned()).collect()),
            ..script
        });
    };
    if nature.runs {
        let verb = if nature.web { Verb::Serve } else { Verb::Run };
        add(95, verb, &["run"], "--project", (file, 1));
        add(93, Verb::Serve, &["watch", "run"], "--project", (file, 1));
    }
    if package.is_some() || spelled {
        add(90, Verb::Build, &["build"], "", (file, 1));
        if nature.tests {
            add(85, Verb::Test, &["test"], "", (file, 1));
        }
    }
    let profiles = file.parent().unwrap_or(file).join("Properties/launchSettings.json");
    if !nature.runs || !profiles.is_file() {
        return;
    }
    let Some(settings) = finder.json(&profiles) else { return };
    for profile in settings.get("profiles").map(|profiles| profiles.node.members()).unwrap_or_default() {
        let command = profile.node.get("commandName").and_then(|name| name.node.text());
        if command != Some("Project") {
            continue;
        }
        let mut words = vec!["dotnet", "run", "--launch-profile", &profile.name];
        let short = words.join(" ");
        words.extend(named.iter().flat_map(|named| ["--project", named]));
        let name = if spelled { words.join(" ") } else { short };
        let verb = if nature.web { Verb::Serve } else { Verb::Run };
        let script = finder.tool(KIND, (&profiles, profile.line), 92, verb, &words);
        finder.push(Script {
            name,
            package: package.map(str::to_owned),
            separator: true,
            bare: package.is_none().then(|| profile.name.clone()),
            ..script
        });
    }
}

fn nature(text: &str) -> Nature {
    let elements = xml::elements(text);
    let sdk = |name: &str| {
        let sdks = elements.iter().filter_map(|element| match element.name.as_str() {
            "Project" => element.attribute("Sdk"),
            "Sdk" => element.attribute("Name"),
            _ => None,
        });
        sdks.into_iter().any(|sdk| sdk.starts_with(name))
    };
    let is = |name: &str, value: &str| {
        let mut named = elements.iter().filter(|element| element.name == name);
        named.any(|element| element.text.eq_ignore_ascii_case(value))
    };
    let tests = is("IsTestProject", "true")
        || elements.iter().any(|element| element.attribute("Include") == Some("Microsoft.NET.Test.Sdk"));
    let web = sdk("Microsoft.NET.Sdk.Web") || sdk("Microsoft.NET.Sdk.BlazorWebAssembly");
    let program = is("OutputType", "Exe") || is("OutputType", "WinExe") || sdk("Microsoft.NET.Sdk.Worker");
    Nature { runs: (web || program) && !tests, web, tests }
}

/// The project files a solution names, with `/` between their parts.
fn members(text: &str) -> Vec<String> {
    let is_project = |path: &str| PROJECTS.iter().any(|ending| path.ends_with(ending));
    let paths: Vec<String> = if text.trim_start().starts_with('<') {
        let elements = xml::elements(text).into_iter().filter(|element| element.name == "Project");
        elements.filter_map(|element| element.attribute("Path").map(str::to_owned)).collect()
    } else {
        // Project("{kind}") = "Name", "dir\Name.csproj", "{id}"
        let lines = text.lines().filter(|line| line.trim_start().starts_with("Project("));
        lines.filter_map(|line| line.split('"').nth(5).map(str::to_owned)).collect()
    };
    paths.into_iter().map(|path| path.replace('\\', "/")).filter(|path| is_project(path)).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
