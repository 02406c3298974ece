//! `runner = "direct"`: a script of `package.json` without its package manager, which takes a good part of a second to start.
//!
//! The shell runs the same command line, with the arguments appended as npm quotes them, `node_modules/.bin` of the package
//! and of every directory above it on PATH, and the variables that npm sets: `npm_lifecycle_*`, `npm_package_*`,
//! `npm_command`, `npm_execpath`, `npm_node_execpath`, `NODE`, `INIT_CWD` and those of `npm_config_*` that do not come from
//! `.npmrc`. `preNAME` and `postNAME` run before and after it, except with Yarn from version 2 on and with Deno, which do not
//! run them either.
//!
//! What differs from the manager: nothing prints the command line first, nothing looks whether the dependencies are
//! installed, and no `.npmrc` is read, so `script-shell` and settings kept there have no effect. Yarn Plug'n'Play has no
//! `node_modules/.bin` and is refused.

mod quote;
mod toolchain;

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use self::toolchain::Toolchain;
use super::{
    Project, ProjectError, Script, Variable,
    package_json::FILE_NAME,
    path::PathLookup,
    workspace::{DEPENDENCIES, WorkspaceKind},
};
use crate::config::{PackageManagerName, Source};

/// A command line and the variables that go with it.
pub(super) type Prepared = (Vec<String>, Vec<(String, String)>);

const SHELL: &str = "/bin/sh";

/// Runs what it is given in threes (event, script, command line), the last in its own place: one that fails is the last.
const IN_TURN: &str = r#"while [ "$#" -gt 3 ]; do
  npm_lifecycle_event=$1 npm_lifecycle_script=$2 "$0" -c "$3" || exit
  shift 3
done
export npm_lifecycle_event="$1" npm_lifecycle_script="$2"
exec "$0" -c "$3""#;

/// What runs `script` of the package it is defined in.
pub(super) fn prepare(
    project: &Project,
    script: &Script,
    args: &[String],
    path: &PathLookup,
) -> Result<Prepared, ProjectError> {
    let directory = script.file.parent().unwrap_or(&project.root);
    let plug_and_play = directory.ancestors().take_while(|above| above.starts_with(&project.root));
    if plug_and_play.map(|above| above.join(".pnp.cjs")).any(|file| file.is_file()) {
        let reason =
            "runner = \"direct\" needs node_modules, and Yarn Plug'n'Play has none: set runner = \"manager\"";
        return Err(ProjectError::Refused { name: script.label(), reason: reason.to_owned() });
    }
    // It has been read a moment ago; should it be broken by now, the script runs without what it would have added.
    let package = fs::read(directory.join(FILE_NAME)).ok();
    let package: Value = package.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let tools = Toolchain::find(&project.manager, directory, path);

    let mut line = script.command.clone();
    for arg in args {
        line.push(' ');
        line.push_str(&quote::sh(arg));
    }
    let around = |prefix: &str| {
        let event = format!("{prefix}{}", script.name);
        let command = package["scripts"][&event].as_str().filter(|command| !command.is_empty())?;
        Some([event, command.to_owned(), command.to_owned()])
    };
    let main = [script.name.clone(), script.command.clone(), line.clone()];
    let steps: Vec<String> = if tools.runs_around {
        [around("pre"), Some(main), around("post")].into_iter().flatten().flatten().collect()
    } else {
        main.to_vec()
    };
    let argv = if steps.len() == 3 {
        vec![SHELL.to_owned(), "-c".to_owned(), line]
    } else {
        [SHELL, "-c", IN_TURN, SHELL].map(str::to_owned).into_iter().chain(steps).collect()
    };
    Ok((argv, variables(project, script, directory, &package, &tools, path)))
}

/// A program in the `node_modules/.bin` of `directory` or one above it.
pub(super) fn local_program(directory: &Path, program: &str) -> Option<PathBuf> {
    directory.ancestors().map(|above| bin(above).join(program)).find(|file| super::path::is_executable(file))
}

fn variables(
    project: &Project,
    script: &Script,
    directory: &Path,
    package: &Value,
    tools: &Toolchain,
    path: &PathLookup,
) -> Vec<(String, String)> {
    let is_member = script.package.is_some();
    let mut variables = vec![("PATH".to_owned(), search_path(script, directory, tools, path))];
    let mut set = |name: &str, value: &str| variables.push((name.to_owned(), value.to_owned()));
    set("INIT_CWD", &shown(&script.cwd));
    set("npm_lifecycle_event", &script.name);
    set("npm_lifecycle_script", &script.command);
    set("npm_package_json", &shown(&directory.join(FILE_NAME)));
    // npm's workspaces are known to the root, and everything is then relative to it.
    let prefix = if is_member && matches!(project.workspace, Some(WorkspaceKind::Manager(_))) {
        &project.root
    } else {
        directory
    };
    set("npm_config_local_prefix", &shown(prefix));
    set("npm_config_user_agent", &tools.user_agent(is_member));
    if let Some(node) = &tools.node {
        set("NODE", &shown(node));
        set("npm_node_execpath", &shown(node));
    }
    if let Some(program) = &tools.manager {
        set("npm_execpath", &shown(program));
    }
    if let Some(command) = tools.command() {
        set("npm_command", command);
    }
    if tools.name == PackageManagerName::Npm
        && let Some(version) = &tools.version
    {
        set("npm_config_npm_version", version);
    }
    for field in ["name", "version", "config", "engines"] {
        flatten(&package[field], &format!("npm_package_{field}"), &mut variables);
    }
    for (name, file) in programs(package) {
        variables.push((format!("npm_package_bin_{name}"), file));
    }
    // A NUL cannot be in a variable, and the start would fail for it.
    variables.retain(|(name, value)| !name.contains(['\0', '=']) && !value.contains('\0'));
    variables
}

/// `bin` of every directory from the package up, then the host's own PATH.
fn search_path(script: &Script, directory: &Path, tools: &Toolchain, path: &PathLookup) -> String {
    let is_own =
        |variable: &&Variable| variable.name == "PATH" && !matches!(variable.source, Source::Inherited(_));
    let own = script.env.iter().rev().find(is_own);
    let own = own.map_or_else(|| path.text().to_owned(), |variable| OsString::from(&variable.value));
    let entries = directory.ancestors().map(bin).chain(tools.node_gyp.clone());
    let entries = entries.filter(|entry| !shown(entry).contains(':')).chain(env::split_paths(&own));
    env::join_paths(entries).unwrap_or(own).to_string_lossy().into_owned()
}

fn bin(directory: &Path) -> PathBuf {
    directory.join(DEPENDENCIES).join(".bin")
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A value as npm puts it into variables: `config: { a: [1] }` is `npm_package_config_a_0=1`.
fn flatten(value: &Value, name: &str, variables: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::Null => variables.push((format!("{name}_{key}"), String::new())),
                    value => flatten(value, &format!("{name}_{key}"), variables),
                }
            }
        }
        Value::Array(elements) => {
            for (index, value) in elements.iter().enumerate() {
                match value {
                    Value::Null => variables.push((format!("{name}_{index}"), String::new())),
                    value => flatten(value, &format!("{name}_{index}"), variables),
                }
            }
        }
        Value::Null => {}
        Value::Bool(false) => variables.push((name.to_owned(), String::new())),
        Value::String(text) => variables.push((name.to_owned(), text.clone())),
        other => variables.push((name.to_owned(), other.to_string())),
    }
}

/// `bin`: one program called as the package, or several by name.
fn programs(package: &Value) -> Vec<(String, String)> {
    let base = |name: &str| name.rsplit(['/', '\\', ':']).next().unwrap_or_default().to_owned();
    let file = |file: &str| {
        let names = file.split(['/', '\\']).filter(|name| !matches!(*name, "" | "." | ".."));
        names.collect::<Vec<_>>().join("/")
    };
    let found: Vec<(String, String)> = match &package["bin"] {
        Value::String(only) => {
            package["name"].as_str().map(|name| (base(name), file(only))).into_iter().collect()
        }
        Value::Object(all) => {
            let texts = all.iter().filter_map(|(name, value)| Some((base(name), file(value.as_str()?))));
            texts.collect()
        }
        _ => Vec::new(),
    };
    found.into_iter().filter(|(name, file)| !name.is_empty() && !file.is_empty()).collect()
}
