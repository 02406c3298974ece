//! From a script to the process that runs it.

use std::{collections::HashSet, path::Path};

use super::{
    Project, ProjectError, Runner, Script, direct, javascript,
    manager::{AskedBy, PackageManager},
    path::{self, PathLookup},
};
use crate::{
    config::{PackageManagerName, RunOptions, Source},
    event::ProcessInfo,
};

const SHELL: &str = "/bin/sh";

/// The process that runs `script` of `project`.
pub(super) fn script(
    project: &Project,
    script: &Script,
    args: &[String],
    path: &PathLookup,
) -> Result<ProcessInfo, ProjectError> {
    refuse(script)?;
    check_cwd(project, script)?;
    let mut env = env(script);
    let argv = match &script.runner {
        Runner::Manager => manager_argv(project, &script.name, args, path)?,
        Runner::Direct => {
            let (argv, added) = direct::prepare(project, script, args, path)?;
            // What the user has set stays, PATH excepted, which begins with what it was.
            let set: HashSet<_> = env.iter().map(|(name, _)| name.clone()).collect();
            env.retain(|(name, _)| name != "PATH");
            env.extend(added.into_iter().filter(|(name, _)| name == "PATH" || !set.contains(name)));
            argv
        }
        Runner::Shell => shell_argv(&script.name, &script.command, args),
        Runner::Argv(argv) => program_argv(project, script, argv, args, path)?,
    };
    Ok(ProcessInfo {
        name: script.name.clone(),
        package: script.package.clone(),
        root: project.root.clone(),
        cwd: script.cwd.clone(),
        argv,
        args: args.to_vec(),
        script: script.command.clone(),
        env,
        options: script.options.clone(),
    })
}

/// The error of a script that cannot be run as it is.
pub(super) fn refuse(script: &Script) -> Result<(), ProjectError> {
    match &script.refused {
        Some(reason) => Err(ProjectError::Refused { name: script.label(), reason: reason.clone() }),
        None => Ok(()),
    }
}

/// What is set over the host's environment.
pub(super) fn env(script: &Script) -> Vec<(String, String)> {
    let own = script.env.iter().filter(|variable| !matches!(variable.source, Source::Inherited(_)));
    own.map(|variable| (variable.name.clone(), variable.value.clone())).collect()
}

/// The process that runs `line` in `root`.
pub(super) fn shell(root: &Path, line: &str) -> Result<ProcessInfo, ProjectError> {
    let line = line.trim();
    if line.is_empty() {
        return Err(ProjectError::EmptyCommand);
    }
    if !root.is_dir() {
        return Err(ProjectError::RootMissing { root: root.to_owned() });
    }
    Ok(ProcessInfo {
        name: line.to_owned(),
        package: None,
        root: root.to_owned(),
        cwd: root.to_owned(),
        argv: shell_argv(line, line, &[]),
        args: Vec::new(),
        script: line.to_owned(),
        env: Vec::new(),
        options: RunOptions::default(),
    })
}

/// The command line that makes the manager run `script` and hand `args` to it.
///
/// npm takes every option it meets for its own, up to a `--`. The three others pass on whatever follows the name:
/// pnpm since 7 would pass a `--` on as well, Yarn since 1.0 warns about it, Yarn berry and Bun need none.
fn manager_argv(
    project: &Project,
    script: &str,
    args: &[String],
    path: &PathLookup,
) -> Result<Vec<String>, ProjectError> {
    let manager = &project.manager;
    let program =
        path.find(manager.name.as_str()).and_then(|program| program.into_os_string().into_string().ok());
    let program = program.ok_or_else(|| ProjectError::ManagerMissing {
        manager: manager.clone(),
        asked_by: asked_by(manager, &project.root),
    })?;
    let mut argv = vec![program, manager.verb().to_owned(), script.to_owned()];
    if manager.name == PackageManagerName::Npm && !args.is_empty() {
        argv.push("--".to_owned());
    }
    argv.extend_from_slice(args);
    Ok(argv)
}

/// The program by its absolute path, with `args` after its own arguments.
fn program_argv(
    project: &Project,
    script: &Script,
    argv: &[String],
    args: &[String],
    path: &PathLookup,
) -> Result<Vec<String>, ProjectError> {
    if let [shell, flag, line] = argv
        && shell == SHELL
        && flag == "-c"
    {
        return Ok(shell_argv(&script.name, line, args));
    }
    let (program, rest) = argv.split_first().ok_or(ProjectError::EmptyCommand)?;
    let found = if program.contains('/') {
        Some(script.cwd.join(program)).filter(|file| path::is_executable(file))
    } else if javascript::is_local(program) {
        direct::local_program(&script.cwd, program).or_else(|| path.find(program))
    } else {
        path.find(program)
    };
    let found = found.and_then(|program| program.into_os_string().into_string().ok());
    let found = found.ok_or_else(|| ProjectError::ProgramMissing {
        program: program.clone(),
        asked_by: shown(&script.file, &project.root),
    })?;
    let between = (script.separator && !args.is_empty()).then(|| "--".to_owned());
    Ok([found].into_iter().chain(rest.iter().cloned()).chain(between).chain(args.iter().cloned()).collect())
}

/// `sh -c command`, with `args` at its end unless it says itself where they go. They travel as parameters, so
/// that no character in them means anything to the shell.
fn shell_argv(name: &str, command: &str, args: &[String]) -> Vec<String> {
    let mut argv = vec![SHELL.to_owned(), "-c".to_owned()];
    if args.is_empty() {
        argv.push(command.to_owned());
        return argv;
    }
    let placed = ["$@", "$*", "$1", "${1", "${@", "${*"].iter().any(|place| command.contains(place));
    argv.push(if placed { command.to_owned() } else { format!("{} \"$@\"", command.trim_end()) });
    argv.push(name.to_owned());
    argv.extend_from_slice(args);
    argv
}

fn check_cwd(project: &Project, script: &Script) -> Result<(), ProjectError> {
    match &script.cwd_place {
        _ if script.cwd.is_dir() => Ok(()),
        Some(place) => Err(ProjectError::CwdMissing {
            file: shown(&place.file, &project.root),
            line: place.line,
            name: script.name.clone(),
            cwd: shown(&script.cwd, &project.root),
        }),
        None if project.root.is_dir() => Err(ProjectError::DirectoryMissing {
            file: shown(&script.file, &project.root),
            line: script.line,
            name: script.label(),
            directory: shown(&script.cwd, &project.root),
        }),
        None => Err(ProjectError::RootMissing { root: project.root.clone() }),
    }
}

fn asked_by(manager: &PackageManager, root: &Path) -> String {
    match &manager.asked_by {
        AskedBy::Field { field, file } => format!("{field} in {}", shown(file, root)),
        AskedBy::Setting => "preferred_package_manager".to_owned(),
        AskedBy::LockFile { file } => shown(file, root),
        AskedBy::Nobody => String::new(),
    }
}

fn shown(file: &Path, root: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).display().to_string()
}
