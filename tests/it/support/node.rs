//! Real package managers, installed once by `tools/node-tools`, and what runs with them.

use std::{
    ffi::OsString,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use super::{project::Project, repo};

/// The directory with everything that is installed.
pub fn tools() -> &'static Path {
    static TOOLS: OnceLock<PathBuf> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let output = Command::new("sh").arg(repo().join("tools/node-tools")).output().unwrap();
        assert!(output.status.success(), "tools/node-tools: {}", String::from_utf8_lossy(&output.stderr));
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
    })
}

/// PATH with one of the managers first: `pnpm`, `yarn` or `berry`; npm is where it is anyway.
pub fn path_with(manager: &str) -> OsString {
    let own = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([tools().join(manager)].into_iter().chain(std::env::split_paths(&own))).unwrap()
}

/// Runs a program with one of the managers at hand, in `directory` of a project. Nothing is asked of a registry.
pub fn run(project: &Project, directory: &str, manager: &str, line: &[&str]) -> Output {
    let mut command = Command::new(line[0]);
    super::clean_env(&mut command);
    for name in ["INIT_CWD", "NODE", "CI"] {
        command.env_remove(name);
    }
    command
        .args(&line[1..])
        .current_dir(project.path(directory))
        .env("PATH", path_with(manager))
        .env("HOME", project.path(".home"))
        .env("YARN_ENABLE_NETWORK", "false")
        .env("YARN_ENABLE_TELEMETRY", "false")
        .env("YARN_ENABLE_GLOBAL_CACHE", "false")
        .stdin(Stdio::null());
    command.output().unwrap_or_else(|error| panic!("{line:?}: {error}"))
}

/// The same, which has to succeed; gives standard output.
pub fn ok(project: &Project, directory: &str, manager: &str, line: &[&str]) -> String {
    let output = run(project, directory, manager, line);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{manager}: {line:?}: {}\n{text}\n{error}", output.status);
    text
}

/// Makes an installed package usable in a project, with the program of the same name.
pub fn link(project: &Project, package: &str) {
    let installed = tools().join("node_modules");
    let program = installed.join(".bin").join(package).canonicalize().unwrap();
    std::fs::create_dir_all(project.path("node_modules/.bin")).unwrap();
    symlink(installed.join(package), project.path("node_modules").join(package)).unwrap();
    symlink(program, project.path("node_modules/.bin").join(package)).unwrap();
}
